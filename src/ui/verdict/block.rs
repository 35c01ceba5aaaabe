//! Draws one verdict in full: a line per rung, with evidence and hint.

use crate::otlp::{Check, CheckStatus, Rung, ServiceVerdict};
use crate::ui::painted::PaintedLine;
use crate::ui::text::{LineStyle, wrap_text};
use crate::ui::{StreamLook, TextRole};

/// Returns every rung of a verdict between a head and a closing line.
pub(super) fn draw_block(
    head: PaintedLine,
    verdict: &ServiceVerdict,
    closing: PaintedLine,
    pen: &LineStyle,
) -> Vec<PaintedLine> {
    let mut lines = vec![head];
    for check in &verdict.checks {
        lines.extend(draw_rung(check, pen));
    }
    lines.push(PaintedLine::from("  ") + closing);
    lines
}

/// Returns a rung: its mark, name, evidence and hint.
pub(super) fn draw_rung(check: &Check, pen: &LineStyle) -> Vec<PaintedLine> {
    let look = &pen.look;
    let (mark, role) = status_mark(check.status, look);
    let name = format!("{:<15}", rung_name(check.rung));
    let indent = 2 + mark.chars().count() + 1 + name.len() + 1;
    let width = look.width.saturating_sub(indent).max(30);
    let mut lines = Vec::new();
    for (at, part) in wrap_text(&pen.redactor.show(&check.evidence), width).into_iter().enumerate()
    {
        lines.push(match at {
            0 => PaintedLine::from("  ") + role.paint(mark) + format!(" {name} {part}"),
            _ => format!("{:indent$}{part}", "").into(),
        });
    }
    if let Some(hint) = &check.hint {
        let columns = width.saturating_sub(6).max(30);
        for (at, part) in wrap_text(&pen.redactor.show(hint), columns).iter().enumerate() {
            lines.push(match at {
                0 => {
                    PaintedLine::from(" ".repeat(indent))
                        + TextRole::Hint.paint("hint:")
                        + " "
                        + part
                }
                _ => format!("{:indent$}      {part}", "").into(),
            });
        }
    }
    lines
}

/// Returns the mark of a status, and its role.
pub(super) fn status_mark(status: CheckStatus, look: &StreamLook) -> (&'static str, TextRole) {
    match (status, look.unicode) {
        (CheckStatus::Pass, true) => ("✓", TextRole::Good),
        (CheckStatus::Pass, false) => ("ok  ", TextRole::Good),
        (CheckStatus::Warn, true) => ("!", TextRole::Warning),
        (CheckStatus::Warn, false) => ("warn", TextRole::Warning),
        (CheckStatus::Fail, true) => ("✗", TextRole::Error),
        (CheckStatus::Fail, false) => ("FAIL", TextRole::Error),
        (CheckStatus::Skip, true) => ("-", TextRole::Faint),
        (CheckStatus::Skip, false) => ("-   ", TextRole::Faint),
    }
}

fn rung_name(rung: Rung) -> &'static str {
    match rung {
        Rung::Configured => "configured",
        Rung::Reachable => "reachable",
        Rung::Accepted => "accepted",
        Rung::Whose => "whose",
        Rung::DatasetWritten => "dataset-written",
        Rung::Queryable => "queryable",
    }
}
