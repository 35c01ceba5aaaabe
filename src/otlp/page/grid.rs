//! Time from left to right, duration upwards: the axis, lines over it, and a heatmap whose cells are exact.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashMapExt};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::otlp::span::OtlpSpan;
use crate::otlp::summary::DurationHistogram;

/// Columns at most.
const COLUMNS: u64 = 60;

/// Rows at most.
const ROWS: usize = 20;

/// Possible widths of a column, in milliseconds.
const STEPS_MS: [u64; 15] = [
    10, 50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 300_000, 900_000,
    3_600_000,
];

const MILLISECOND: u64 = 1_000_000;

/// The columns of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    from_ns: u64,
    step_ns: u64,
    columns: u64,
}

impl Axis {
    /// Creates the axis for the starts of `spans`. A start in the future comes from a wrong clock and counts as
    /// `now_ns`.
    pub(super) fn of(spans: &[&OtlpSpan], now_ns: u64) -> Self {
        let starts = || spans.iter().map(|span| span.start_ns.min(now_ns));
        let first = starts().min().unwrap_or(now_ns);
        let last = starts().max().unwrap_or(now_ns);
        let needed = (last - first) / COLUMNS;
        let nice = STEPS_MS.iter().map(|step| step * MILLISECOND).find(|step| *step > needed);
        let step_ns = nice.unwrap_or(needed + 1);
        let from_ns = first / step_ns * step_ns;
        Self { from_ns, step_ns, columns: (last - from_ns) / step_ns + 1 }
    }

    /// Nanoseconds since 1970 at which each column begins, and the end of the last one: none, for clocks gone wrong.
    pub(super) fn edges(&self) -> Vec<String> {
        let begins = (0..self.columns).map(|column| self.from_ns + column * self.step_ns);
        begins.chain([u64::MAX]).map(|edge| edge.to_string()).collect()
    }

    fn column(&self, span: &OtlpSpan) -> u64 {
        (span.start_ns.saturating_sub(self.from_ns) / self.step_ns).min(self.columns - 1)
    }

    /// Returns, for each group and column, `[column, count, p50, p90, p99]` of its spans, in milliseconds.
    pub(super) fn lines(
        &self,
        spans: &[&OtlpSpan],
        groups: &[&[Json]],
        group: impl Fn(&OtlpSpan) -> Vec<Json>,
    ) -> Vec<Vec<Json>> {
        let mut places: HashMap<String, usize> = HashMap::new();
        for (index, by) in groups.iter().enumerate() {
            places.insert(Json::from(by.to_vec()).to_string(), index);
        }
        let mut lines = vec![BTreeMap::<u64, (DurationHistogram, u64)>::new(); groups.len()];
        for span in spans {
            if let Some(index) = places.get(&Json::from(group(span)).to_string()) {
                let (durations, count) = lines[*index].entry(self.column(span)).or_default();
                durations.add(span.duration_ns());
                *count += u64::from(span.copies);
            }
        }
        let point = |(column, (durations, count)): (u64, (DurationHistogram, u64))| {
            let figure = |percent| durations.percentile(percent).unwrap_or(0) as f64 / 1e6;
            json!([column, count, figure(50), figure(90), figure(99)])
        };
        lines.into_iter().map(|line| line.into_iter().map(point).collect()).collect()
    }
}

/// The number of spans in each cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Grid {
    /// Nanoseconds at which each row begins, and after the last one the end.
    edges: Vec<String>,
    /// Column, row, number.
    cells: Vec<(u64, usize, u64)>,
}

impl Grid {
    pub(super) fn of(spans: &[&OtlpSpan], axis: &Axis) -> Self {
        let edges = edges(spans);
        let mut counts: HashMap<(u64, usize), u64> = HashMap::new();
        for span in spans {
            let row =
                edges.partition_point(|edge| *edge <= span.duration_ns()).clamp(1, edges.len() - 1)
                    - 1;
            *counts.entry((axis.column(span), row)).or_default() += 1;
        }
        let mut cells: Vec<(u64, usize, u64)> =
            counts.into_iter().map(|((column, row), count)| (column, row, count)).collect();
        cells.sort_unstable();
        Self { edges: edges.iter().map(u64::to_string).collect(), cells }
    }
}

/// Rows of equal height on a logarithmic scale; every duration is at least the first and below the last edge.
fn edges(spans: &[&OtlpSpan]) -> Vec<u64> {
    let durations = || spans.iter().map(|span| span.duration_ns());
    let (Some(shortest), Some(longest)) = (durations().min(), durations().max()) else {
        return Vec::new();
    };
    let (low, high) = ((shortest.max(1) as f64).ln(), (longest.max(1) as f64).ln());
    // A row is at least a tenth high: the same duration twice is one row.
    let rows = (((high - low) / 0.1).ceil() as usize).clamp(1, ROWS);
    let step = (high - low) / rows as f64;
    let edges = (1..rows).map(|row| (low + step * row as f64).exp().round() as u64);
    let mut edges: Vec<u64> = std::iter::once(shortest).chain(edges).collect();
    edges.push(longest.saturating_add(1));
    edges.dedup();
    edges
}

/// A cell of the heatmap, by its edges in nanoseconds: the first of each pair is in it, the second is not.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct GridCell {
    #[serde(deserialize_with = "from_text")]
    from: u64,
    #[serde(deserialize_with = "from_text")]
    to: u64,
    #[serde(deserialize_with = "from_text")]
    least: u64,
    #[serde(deserialize_with = "from_text")]
    most: u64,
}

/// Reads a number sent as text, because a browser's numbers have too few digits.
fn from_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

impl GridCell {
    pub(super) fn holds(&self, span: &OtlpSpan) -> bool {
        let duration = span.duration_ns();
        (self.from..self.to).contains(&span.start_ns) && (self.least..self.most).contains(&duration)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::otlp::fixture;

    proptest! {
        /// The number in a cell is the number of spans that the cell leads to, whatever the spans are.
        #[test]
        fn each_cell_leads_to_exactly_its_spans(
            spans in prop::collection::vec((0..100_000_000_000_u64, prop_oneof![0..50_u64, any::<u32>().prop_map(u64::from), any::<u64>()]), 1..200),
        ) {
            let begin = 1_700_000_000_000_000_000;
            let spans: Vec<OtlpSpan> = spans
                .into_iter()
                .map(|(start, duration)| {
                    let mut span = fixture::fixture_span(1, None, "x", 0.0, 1.0);
                    span.start_ns = begin + start;
                    span.end_ns = span.start_ns.saturating_add(duration);
                    span
                })
                .collect();
            let spans: Vec<&OtlpSpan> = spans.iter().collect();
            // Some of them are later than the query's `now_ns`.
            let axis = Axis::of(&spans, begin + 50_000_000_000);
            prop_assert!(axis.columns <= COLUMNS + 1);
            let grid = Grid::of(&spans, &axis);
            let total: u64 = grid.cells.iter().map(|(_, _, count)| count).sum();
            prop_assert_eq!(total, spans.len() as u64);
            for (column, row, count) in &grid.cells {
                let at = |edges: &[String], index: usize| edges[index].parse().unwrap();
                let (times, column) = (axis.edges(), *column as usize);
                let cell = GridCell {
                    from: at(&times, column),
                    to: at(&times, column + 1),
                    least: at(&grid.edges, *row),
                    most: at(&grid.edges, row + 1),
                };
                let found = spans.iter().filter(|span| cell.holds(span)).count() as u64;
                prop_assert_eq!(found, *count, "{:?}", cell);
            }
        }
    }

    #[test]
    fn lines_have_the_figures_of_each_group_in_each_column() {
        let spans: Vec<OtlpSpan> = [("a", 0.0, 10.0), ("b", 0.0, 20.0), ("a", 1000.0, 30.0)]
            .map(|(name, start, ms)| fixture::fixture_span(1, None, name, start, ms))
            .into();
        let spans: Vec<&OtlpSpan> = spans.iter().collect();
        let axis = Axis::of(&spans, spans[2].start_ns);
        let groups: [&[Json]; 2] = [&[json!("a")], &[json!("b")]];
        let lines = axis.lines(&spans, &groups, |span| vec![span.name.as_str().into()]);
        assert_eq!(lines[0][0], json!([0, 1, 10.0, 10.0, 10.0]));
        assert_eq!(lines[0][1][1], 1);
        assert_eq!(lines[0][1][2], 30.0);
        assert_eq!(lines[1], [json!([0, 1, 20.0, 20.0, 20.0])]);
    }
}
