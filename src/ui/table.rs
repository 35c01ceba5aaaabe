//! Tables with names on the left and figures on the right, readable without colour.

use super::TextRole;
use super::painted::PaintedLine;
use super::text::{LineStyle, format_nanoseconds};
use crate::otlp::summary::SpanSummary;
use crate::secret::RedactedText;

/// The width of a figure.
const FIGURE_WIDTH: usize = 9;

/// A table of names and figures, with titles.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// The titles of the names.
    pub names: Vec<String>,
    /// The titles of the figures.
    pub figures: Vec<&'static str>,
    /// The names and figures of each row.
    pub rows: Vec<(Vec<String>, Vec<String>)>,
}

impl Table {
    /// Returns the lines, never wider than the terminal.
    pub fn draw(&self, pen: &LineStyle) -> Vec<PaintedLine> {
        let clean: Vec<Vec<RedactedText>> = std::iter::once(&self.names)
            .chain(self.rows.iter().map(|(names, _)| names))
            .map(|names| names.iter().map(|name| pen.show(name)).collect())
            .collect();
        let columns = pen.look.width.saturating_sub(self.figures.len() * FIGURE_WIDTH);
        let each = columns / self.names.len().max(1);
        let widths: Vec<usize> = (0..self.names.len())
            .map(|index| {
                let widest = clean.iter().map(|names| names[index].columns()).max();
                let gap = usize::from(index + 1 < self.names.len());
                (widest.unwrap_or(0) + gap).min(each)
            })
            .collect();
        let line = |names: &[RedactedText], figures: &mut dyn Iterator<Item = &str>| {
            let names = names.iter().zip(&widths).map(|(name, width)| pen.left(name, *width));
            let figures = figures.map(|figure| pen.right(&pen.show(figure), FIGURE_WIDTH));
            names.chain(figures).map(String::from).collect::<String>()
        };
        let head = line(&clean[0], &mut self.figures.iter().copied());
        let mut lines = vec![TextRole::Strong.paint(head.trim_end())];
        for ((_, figures), names) in self.rows.iter().zip(&clean[1..]) {
            lines.push(line(names, &mut figures.iter().map(String::as_str)).into());
        }
        lines
    }
}

/// Returns a table of each service's spans: their number, failures and durations.
pub fn services(summary: &SpanSummary, pen: &LineStyle) -> Vec<PaintedLine> {
    let rows = summary.services().map(|(name, tally)| {
        let mut figures = vec![tally.spans.to_string(), tally.errors.to_string()];
        for percent in [50, 90, 99] {
            let ns = tally.durations.percentile(percent).unwrap_or(0);
            figures.push(format_nanoseconds(ns, &pen.look));
        }
        (vec![name.to_owned()], figures)
    });
    let table = Table {
        names: vec!["service".to_owned()],
        figures: vec!["spans", "errors", "P50", "P90", "P99"],
        rows: rows.collect(),
    };
    table.draw(pen)
}
