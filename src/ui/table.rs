//! The spans of each service as a table: how many, how many failed, and how long they took.

use super::text::{columns, duration, left, printable, right};
use super::{Look, Role};
use crate::otlp::summary::{Summary, Tally};

/// Columns of each figure.
const FIGURE: usize = 9;

/// The lines of the table; readable without colour.
pub fn services(summary: &Summary, look: &Look) -> Vec<String> {
    let rows: Vec<(String, &Tally)> = summary
        .services()
        .map(|(name, tally)| (printable(name, look).into_owned(), tally))
        .collect();
    let widest = rows.iter().map(|(name, _)| columns(name)).max();
    let room = look.width.saturating_sub(5 * FIGURE);
    let name = widest.unwrap_or(0).max(columns("service")).min(room);
    let head: String = ["spans", "errors", "P50", "P90", "P99"]
        .iter()
        .map(|title| right(title, FIGURE, look))
        .collect();
    let head = format!("{}{head}", left("service", name, look));
    let mut lines = vec![look.paint(Role::Strong, &head)];
    lines.extend(rows.iter().map(|(service, tally)| {
        let errors = right(&tally.errors.to_string(), FIGURE, look);
        let errors = match tally.errors {
            0 => errors,
            _ => look.paint(Role::Error, &errors),
        };
        let percentiles: String = [50, 90, 99]
            .iter()
            .filter_map(|percent| tally.durations.percentile(*percent))
            .map(|ns| right(&duration(ns, look), FIGURE, look))
            .collect();
        format!(
            "{}{}{errors}{percentiles}",
            left(service, name, look),
            right(&tally.spans.to_string(), FIGURE, look),
        )
    }));
    lines
}
