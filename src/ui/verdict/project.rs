//! Draws a project's services as a table: spans, the trace they belong to, and the verdict.

use super::block::status_mark;
use super::is_unasked;
use crate::otlp::{CheckStatus, ProofReport, ProvenRung, ServiceVerdict};
use crate::ui::TextRole;
use crate::ui::painted::PaintedLine;
use crate::ui::text::LineStyle;

const TITLES: [&str; 4] = ["service", "spans", "linked to", "verdict"];

/// Returns the titles, and a line for each service.
pub(super) fn draw_table(report: &ProofReport, pen: &LineStyle) -> Vec<PaintedLine> {
    let rows: Vec<[String; 4]> = report.services.iter().map(service_row).collect();
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
    let (sign, _) = status_mark(CheckStatus::Pass, &pen.look);
    let margin = " ".repeat(sign.chars().count() + 1);
    let mut lines = vec![TextRole::Strong.paint(format!("{margin}{}{}", line(TITLES), TITLES[3]))];
    for (row, verdict) in rows.iter().zip(&report.services) {
        let (sign, role) = status_mark(overall_status(verdict), &pen.look);
        let cells = line([&row[0], &row[1], &row[2], &row[3]]);
        lines.push(role.paint(sign) + " " + cells + role.paint(&row[3]));
    }
    lines
}

fn overall_status(verdict: &ServiceVerdict) -> CheckStatus {
    let has = |status| verdict.checks.iter().any(|check| check.status == status);
    match verdict.code {
        Some(_) => CheckStatus::Fail,
        None if is_unasked(verdict) => CheckStatus::Skip,
        None if has(CheckStatus::Warn) => CheckStatus::Warn,
        None => CheckStatus::Pass,
    }
}

fn service_row(verdict: &ServiceVerdict) -> [String; 4] {
    let sighting = verdict.application.as_ref();
    let spans =
        sighting.filter(|sighting| sighting.witness.is_some_and(|witness| witness.can_see()));
    let linked = sighting.and_then(|sighting| sighting.linked_to.as_deref());
    let word = match verdict.code {
        Some(code) => code.as_str(),
        None if is_unasked(verdict) => "not asked",
        None if verdict.proven == ProvenRung::Queryable => "delivered",
        None => "accepted",
    };
    let none = || "-".to_owned();
    [
        verdict.service.clone(),
        spans.map_or_else(none, |sighting| sighting.spans.to_string()),
        linked.map_or_else(none, |name| {
            if name == verdict.service || name == verdict.name {
                "its own trace".to_owned()
            } else {
                name.to_owned()
            }
        }),
        word.to_owned(),
    ]
}
