//! Draws one verdict in full: a line per rung, with evidence and hint.

use crate::otlp::{Check, Rung, ServiceVerdict, Status};
use crate::ui::painted::Painted;
use crate::ui::text::{Pen, wrap};
use crate::ui::{Look, Role};

/// Returns every rung of a verdict between a head and a closing line.
pub(super) fn draw_block(
    head: Painted,
    verdict: &ServiceVerdict,
    closing: Painted,
    pen: &Pen,
) -> Vec<Painted> {
    let mut lines = vec![head];
    for check in &verdict.checks {
        lines.extend(draw_rung(check, pen));
    }
    lines.push(Painted::from("  ") + closing);
    lines
}

/// Returns a rung: its mark, name, evidence and hint.
pub(super) fn draw_rung(check: &Check, pen: &Pen) -> Vec<Painted> {
    let look = &pen.look;
    let (mark, role) = mark(check.status, look);
    let name = format!("{:<15}", name(check.rung));
    let indent = 2 + mark.chars().count() + 1 + name.len() + 1;
    let room = look.width.saturating_sub(indent).max(30);
    let mut lines = Vec::new();
    for (at, part) in wrap(&pen.redactor.show(&check.evidence), room).into_iter().enumerate() {
        lines.push(match at {
            0 => Painted::from("  ") + role.paint(mark) + format!(" {name} {part}"),
            _ => format!("{:indent$}{part}", "").into(),
        });
    }
    if let Some(hint) = &check.hint {
        let room = room.saturating_sub(6).max(30);
        for (at, part) in wrap(&pen.redactor.show(hint), room).iter().enumerate() {
            lines.push(match at {
                0 => Painted::from(" ".repeat(indent)) + Role::Hint.paint("hint:") + " " + part,
                _ => format!("{:indent$}      {part}", "").into(),
            });
        }
    }
    lines
}

/// Returns the mark of a status, and its role.
pub(super) fn mark(status: Status, look: &Look) -> (&'static str, Role) {
    match (status, look.unicode) {
        (Status::Pass, true) => ("✓", Role::Good),
        (Status::Pass, false) => ("ok  ", Role::Good),
        (Status::Warn, true) => ("!", Role::Warning),
        (Status::Warn, false) => ("warn", Role::Warning),
        (Status::Fail, true) => ("✗", Role::Error),
        (Status::Fail, false) => ("FAIL", Role::Error),
        (Status::Skip, true) => ("-", Role::Faint),
        (Status::Skip, false) => ("-   ", Role::Faint),
    }
}

fn name(rung: Rung) -> &'static str {
    match rung {
        Rung::Configured => "configured",
        Rung::Reachable => "reachable",
        Rung::Accepted => "accepted",
        Rung::Whose => "whose",
        Rung::DatasetWritten => "dataset-written",
        Rung::Queryable => "queryable",
    }
}
