//! Draws a project's services as a table: spans, the trace they belong to, and the verdict.

use super::block::mark;
use super::is_unasked;
use crate::otlp::{Proven, Report, ServiceVerdict, Status};
use crate::ui::Role;
use crate::ui::painted::Painted;
use crate::ui::text::Pen;

const TITLES: [&str; 4] = ["service", "spans", "linked to", "verdict"];

/// Returns the titles, and a line for each service.
pub(super) fn draw_table(report: &Report, pen: &Pen) -> Vec<Painted> {
    let rows: Vec<[String; 4]> = report.services.iter().map(row).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| pen.show(&row[column]).columns());
        cells.chain([TITLES[column].len()]).max().unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2)];
    let line = |cells: [&str; 4]| {
        let cell = |column: usize| pen.left(&pen.show(cells[column]), widths[column]);
        let spans = pen.right(&pen.show(cells[1]), widths[1]);
        format!("{}  {spans}  {}  ", cell(0), cell(2))
    };
    let (sign, _) = mark(Status::Pass, &pen.look);
    let margin = " ".repeat(sign.chars().count() + 1);
    let mut lines = vec![Role::Strong.paint(format!("{margin}{}{}", line(TITLES), TITLES[3]))];
    for (row, verdict) in rows.iter().zip(&report.services) {
        let (sign, role) = mark(status(verdict), &pen.look);
        let cells = line([&row[0], &row[1], &row[2], &row[3]]);
        lines.push(role.paint(sign) + " " + cells + role.paint(&row[3]));
    }
    lines
}

fn status(verdict: &ServiceVerdict) -> Status {
    let has = |status| verdict.checks.iter().any(|check| check.status == status);
    match verdict.code {
        Some(_) => Status::Fail,
        None if is_unasked(verdict) => Status::Skip,
        None if has(Status::Warn) => Status::Warn,
        None => Status::Pass,
    }
}

fn row(verdict: &ServiceVerdict) -> [String; 4] {
    let sighting = verdict.application.as_ref();
    let spans = sighting.filter(|one| one.witness.is_some_and(|witness| witness.can_see()));
    let linked = sighting.and_then(|one| one.linked_to.as_deref());
    let word = match verdict.code {
        Some(code) => code.as_str(),
        None if is_unasked(verdict) => "not asked",
        None if verdict.proven == Proven::Queryable => "delivered",
        None => "accepted",
    };
    let none = || "-".to_owned();
    [
        verdict.service.clone(),
        spans.map_or_else(none, |one| one.spans.to_string()),
        linked.map_or_else(none, |name| match name == verdict.service || name == verdict.name {
            true => "its own trace".to_owned(),
            false => name.to_owned(),
        }),
        word.to_owned(),
    ]
}
