//! Counts, percentiles and a heatmap of many spans, in limited memory.
//!
//! Durations are counted in buckets 0.2 % wide, so percentiles are within 0.1 % for any number of spans.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::span::OtlpSpan;
use crate::limits;

/// Totals of all received spans, including evicted ones.
#[derive(Debug, Clone, Default)]
pub struct SpanSummary {
    services: BTreeMap<String, ServiceTally>,
    heat: SpanHeatmap,
}

/// The totals of one service.
#[derive(Debug, Clone, Default)]
pub struct ServiceTally {
    /// The number of spans.
    pub spans: u64,
    /// The number of failed spans.
    pub errors: u64,
    /// Their durations.
    pub durations: DurationHistogram,
}

impl SpanSummary {
    /// Counts a span that arrived at `now_ns` (nanoseconds since 1970). A start more than an hour off means a wrong
    /// clock and counts as now.
    pub fn add(&mut self, span: &OtlpSpan, now_ns: u64) {
        const HOUR: u64 = 3_600_000_000_000;
        let name = self.counted_name(span.service());
        if !self.services.contains_key(name) {
            self.services.insert(name.to_owned(), ServiceTally::default());
        }
        if let Some(tally) = self.services.get_mut(name) {
            tally.spans += 1;
            tally.errors += u64::from(span.is_error());
            tally.durations.add(span.duration_ns());
        }
        let at = if span.start_ns.abs_diff(now_ns) < HOUR { span.start_ns } else { now_ns };
        self.heat.add(at, span.duration_ns());
    }

    /// Returns the name under which a service is counted; number and length are limited, because senders choose the
    /// names.
    fn counted_name<'n>(&self, service: &'n str) -> &'n str {
        let name = &service[..service.floor_char_boundary(limits::SERVICE_NAME_BYTES)];
        let full = self.services.len() >= limits::SERVICES_COUNTED;
        if full && !self.services.contains_key(name) { OTHER_SERVICES } else { name }
    }

    /// Returns every service by name.
    pub fn services(&self) -> impl Iterator<Item = (&str, &ServiceTally)> {
        self.services.iter().map(|(name, tally)| (name.as_str(), tally))
    }

    /// Returns the heatmap of durations over time.
    pub fn heat(&self) -> &SpanHeatmap {
        &self.heat
    }
}

/// The name for services beyond the limit.
const OTHER_SERVICES: &str = "(other services)";

/// The width of a percentile bucket, as a ratio to the previous one.
const PERCENTILE_BUCKET_RATIO: f64 = 1.002;

/// The ratio for a heatmap, whose rows are much wider.
const HEATMAP_BUCKET_RATIO: f64 = 1.02;

/// Returns the bucket of a duration: 0 for up to 1 ns, at most 22 202.
fn duration_bucket(ns: u64, growth: f64) -> u16 {
    ((ns.max(1) as f64).ln() / growth.ln()).floor() as u16
}

/// Returns the middle of a bucket, in nanoseconds.
fn bucket_middle(bucket: u16, growth: f64) -> u64 {
    growth.powf(f64::from(bucket) + 0.5).round() as u64
}

/// A histogram of durations.
#[derive(Debug, Clone, Default)]
pub struct DurationHistogram {
    counts: BTreeMap<u16, u64>,
    total: u64,
    shortest: u64,
    longest: u64,
}

impl DurationHistogram {
    /// Counts a duration, in nanoseconds.
    pub fn add(&mut self, ns: u64) {
        self.shortest = if self.total == 0 { ns } else { self.shortest.min(ns) };
        self.longest = self.longest.max(ns);
        self.total += 1;
        *self.counts.entry(duration_bucket(ns, PERCENTILE_BUCKET_RATIO)).or_default() += 1;
    }

    /// Returns the number of counted durations.
    pub fn count(&self) -> u64 {
        self.total
    }

    /// Returns a percentile in nanoseconds (nearest rank, within 0.1 %); `None` if empty.
    pub fn percentile(&self, percent: u8) -> Option<u64> {
        if self.total == 0 {
            return None;
        }
        let rank = (u128::from(self.total) * u128::from(percent.min(100))).div_ceil(100).max(1);
        if rank == u128::from(self.total) {
            return Some(self.longest);
        }
        let mut below = 0;
        for (bucket, count) in &self.counts {
            below += u128::from(*count);
            if below >= rank {
                return Some(
                    bucket_middle(*bucket, PERCENTILE_BUCKET_RATIO)
                        .clamp(self.shortest, self.longest),
                );
            }
        }
        Some(self.longest)
    }
}

/// The most bins of time; beyond that, neighbouring bins are merged.
const BINS: usize = 240;

/// The number of spans by start and duration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SpanHeatmap {
    /// The width of a bin of time, in nanoseconds.
    step: u64,
    bins: BTreeMap<u64, BTreeMap<u16, u64>>,
}

/// One cell of a [`SpanHeatmap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeatmapCell {
    /// The start of the bin, in nanoseconds since 1970.
    pub at_ns: u64,
    /// The duration in nanoseconds, within 1 %.
    pub duration_ns: u64,
    /// The number of spans.
    pub count: u64,
}

impl Default for SpanHeatmap {
    fn default() -> Self {
        Self { step: 10_000_000, bins: BTreeMap::new() }
    }
}

impl SpanHeatmap {
    /// Counts a span by its start (nanoseconds since 1970) and duration (nanoseconds).
    pub fn add(&mut self, at_ns: u64, duration_ns: u64) {
        let bin = self.bins.entry(at_ns / self.step).or_default();
        *bin.entry(duration_bucket(duration_ns, HEATMAP_BUCKET_RATIO)).or_default() += 1;
        while self.bins.len() > BINS {
            self.step *= 2;
            for (bin, counts) in std::mem::take(&mut self.bins) {
                let merged = self.bins.entry(bin / 2).or_default();
                for (bucket, count) in counts {
                    *merged.entry(bucket).or_default() += count;
                }
            }
        }
    }

    /// Returns every non-empty cell, by time and duration.
    pub fn cells(&self) -> impl Iterator<Item = HeatmapCell> {
        self.bins.iter().flat_map(move |(bin, counts)| {
            counts.iter().map(move |(bucket, count)| HeatmapCell {
                at_ns: bin * self.step,
                duration_ns: bucket_middle(*bucket, HEATMAP_BUCKET_RATIO),
                count: *count,
            })
        })
    }

    /// Returns the width of a bin of time, in nanoseconds.
    pub fn step_ns(&self) -> u64 {
        self.step
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::otlp::fixture;

    /// Returns the nearest rank, by sorting.
    fn exact(durations: &[u64], percent: usize) -> u64 {
        let mut sorted = durations.to_vec();
        sorted.sort_unstable();
        sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1]
    }

    #[test]
    fn services_are_counted_apart() {
        let mut summary = SpanSummary::default();
        for span in fixture::fixture_trace().spans {
            summary.add(&span, span.start_ns);
        }
        let counted: Vec<(&str, u64, u64)> =
            summary.services().map(|(name, tally)| (name, tally.spans, tally.errors)).collect();
        assert_eq!(counted, [("backend-flask", 4, 1), ("notifications", 2, 0)]);
    }

    #[test]
    fn service_names_beyond_the_limit_are_counted_together() {
        let mut summary = SpanSummary::default();
        let mut span = fixture::fixture_span(1, None, "x", 0.0, 1.0);
        for number in 0..1000 {
            let name = format!("{number}{}", "\u{e4}".repeat(1000));
            let source = span.source.as_ref().clone();
            span.source = std::sync::Arc::new(crate::otlp::span::BatchSource {
                service: name.into(),
                ..source
            });
            summary.add(&span, span.start_ns);
        }
        let counted: Vec<(&str, u64)> =
            summary.services().map(|(name, tally)| (name, tally.spans)).collect();
        assert_eq!(counted.len(), limits::SERVICES_COUNTED + 1);
        assert!(counted.contains(&(OTHER_SERVICES, 1000 - limits::SERVICES_COUNTED as u64)));
        assert!(counted.iter().all(|(name, _)| name.len() <= limits::SERVICE_NAME_BYTES));
    }

    #[test]
    fn a_wrong_clock_does_not_stretch_the_time_axis() {
        let mut summary = SpanSummary::default();
        let mut span = fixture::fixture_span(1, None, "x", 0.0, 1.0);
        let now = span.start_ns;
        summary.add(&span, now);
        span.start_ns = 0;
        summary.add(&span, now + 10_000_000);
        let times: Vec<u64> = summary.heat().cells().map(|cell| cell.at_ns).collect();
        assert_eq!(times, [now, now + 10_000_000]);
    }

    #[test]
    fn a_span_counts_at_its_start_within_an_hour_of_now() {
        const MINUTE: u64 = 60_000_000_000;
        let now = fixture::fixture_span(1, None, "x", 0.0, 1.0).start_ns;
        for (start, at) in [
            (now - MINUTE, now - MINUTE),
            (now - 59 * MINUTE, now - 59 * MINUTE),
            (now + 59 * MINUTE, now + 59 * MINUTE),
            (now - 60 * MINUTE, now),
            (now + 61 * MINUTE, now),
        ] {
            let mut summary = SpanSummary::default();
            let mut span = fixture::fixture_span(1, None, "x", 0.0, 1.0);
            (span.start_ns, span.end_ns) = (start, start);
            summary.add(&span, now);
            let times: Vec<u64> = summary.heat().cells().map(|cell| cell.at_ns).collect();
            assert_eq!(times, [at]);
        }
    }

    #[test]
    fn bins_are_merged_beyond_the_limit() {
        let mut heat = SpanHeatmap::default();
        let step = heat.step_ns();
        let times =
            |heat: &SpanHeatmap| -> Vec<u64> { heat.cells().map(|cell| cell.at_ns).collect() };
        for bin in 0..BINS as u64 {
            heat.add(bin * step, 1);
        }
        assert_eq!(times(&heat), (0..BINS as u64).map(|bin| bin * step).collect::<Vec<_>>());
        heat.add(BINS as u64 * step, 1);
        assert_eq!(heat.step_ns(), 2 * step);
        assert_eq!(times(&heat).len(), BINS / 2 + 1);
    }

    proptest! {
        #[test]
        fn percentiles_are_those_of_sorting(
            durations in prop::collection::vec(prop_oneof![0..50_u64, 0..10_000_000_000_u64, any::<u64>()], 1..300),
        ) {
            let mut counted = DurationHistogram::default();
            for ns in &durations {
                counted.add(*ns);
            }
            for percent in [0, 1, 50, 90, 99, 100] {
                let found = counted.percentile(percent).unwrap();
                let exact = exact(&durations, usize::from(percent));
                prop_assert!(
                    (found as f64 - exact as f64).abs() <= 1.0 + exact as f64 * 0.0011,
                    "P{percent}: {found}, by sorting {exact}"
                );
            }
        }

        #[test]
        fn a_heatmap_loses_no_span_and_stays_small(
            spans in prop::collection::vec((0..100_000_000_000_u64, any::<u64>()), 0..1000),
        ) {
            let mut heat = SpanHeatmap::default();
            for (at, duration) in &spans {
                heat.add(*at, *duration);
            }
            let total: u64 = heat.cells().map(|cell| cell.count).sum();
            prop_assert_eq!(total, spans.len() as u64);
            let bins: std::collections::BTreeSet<u64> = heat.cells().map(|cell| cell.at_ns).collect();
            prop_assert!(bins.len() <= BINS);
        }
    }
}
