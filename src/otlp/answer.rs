//! Answers a [`Query`] from spans in memory, with Honeycomb's column names.

use std::cmp::Ordering::{self, Equal, Greater, Less};
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::query::{CalculationOp, Filter, FilterCombination, FilterOp, Query};
use super::span::{OtlpSpan, ReceivedSpanKind, SpanStatus};
use super::summary::{DurationHistogram, SpanHeatmap};

/// The answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct QueryAnswer {
    /// The number of spans that match the filters.
    pub spans: u64,
    /// The results of each group, the largest first.
    pub groups: Vec<SpanGroup>,
    /// The heatmap of durations, if requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heatmap: Option<SpanHeatmap>,
}

/// Spans with the same values in the columns that the query groups by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SpanGroup {
    /// These values, in column order; null if a span lacks the column.
    pub by: Vec<Json>,
    /// The number of spans; a span received twice counts twice.
    pub count: u64,
    /// The median duration, in milliseconds.
    #[serde(default)]
    pub p50_ms: f64,
    /// The 90th percentile of the duration, in milliseconds.
    pub p90_ms: f64,
    /// The 99th percentile of the duration, in milliseconds.
    #[serde(default)]
    pub p99_ms: f64,
}

/// The spans that a [`Query`] counts, and their groups.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QuerySelection<'q> {
    query: &'q Query,
    since_ns: u64,
}

impl<'q> QuerySelection<'q> {
    /// Creates the selection of `query` with a time range that ends at `now_ns` (since 1970).
    pub(crate) fn new(query: &'q Query, now_ns: u64) -> Self {
        let since_ns = now_ns.saturating_sub(query.time_range.saturating_mul(1_000_000_000));
        Self { query, since_ns }
    }

    /// Returns whether a span counts.
    pub(crate) fn counts(&self, span: &OtlpSpan) -> bool {
        let mut filters = self.query.filters.iter();
        let is_meant = match self.query.filter_combination {
            FilterCombination::And => filters.all(|filter| matches_filter(filter, span)),
            FilterCombination::Or => filters.any(|filter| matches_filter(filter, span)),
        };
        span.start_ns >= self.since_ns && is_meant
    }

    /// Returns a span's values in the columns grouped by; null for missing ones.
    pub(crate) fn group(&self, span: &OtlpSpan) -> Vec<Json> {
        let columns = self.query.breakdowns.iter();
        columns.map(|column| span_column(span, column).unwrap_or(Json::Null)).collect()
    }

    /// Answers the query from `chosen`, spans that all count.
    pub(crate) fn answer<'a>(&self, chosen: impl Iterator<Item = &'a OtlpSpan>) -> QueryAnswer {
        let mut spans = 0;
        let mut heatmap = self.query.asks(CalculationOp::Heatmap).then(SpanHeatmap::default);
        let mut groups: BTreeMap<String, (Vec<Json>, DurationHistogram, u64)> = BTreeMap::new();
        for span in chosen {
            spans += 1;
            if let Some(heatmap) = &mut heatmap {
                heatmap.add(span.start_ns, span.duration_ns());
            }
            let by = self.group(span);
            let key = Json::from(by.clone()).to_string();
            let group = groups.entry(key).or_insert_with(|| (by, DurationHistogram::default(), 0));
            group.1.add(span.duration_ns());
            group.2 += u64::from(span.copies);
        }
        let mut groups: Vec<SpanGroup> = groups
            .into_values()
            .map(|(by, durations, count)| {
                let figure =
                    |percent| ns_to_milliseconds(durations.percentile(percent).unwrap_or(0));
                let (p50_ms, p90_ms, p99_ms) = (figure(50), figure(90), figure(99));
                SpanGroup { by, count, p50_ms, p90_ms, p99_ms }
            })
            .collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        groups.truncate(self.query.limit);
        QueryAnswer { spans, groups, heatmap }
    }
}

/// Answers `query` from `spans`; the time range ends at `now_ns` (nanoseconds since 1970).
pub(crate) fn answer<'a>(
    query: &Query,
    spans: impl Iterator<Item = &'a OtlpSpan>,
    now_ns: u64,
) -> QueryAnswer {
    let selection = QuerySelection::new(query, now_ns);
    selection.answer(spans.filter(|span| selection.counts(span)))
}

fn ns_to_milliseconds(ns: u64) -> f64 {
    ns as f64 / 1e6
}

/// Returns a column of a span by Honeycomb's name; span attributes take precedence over resource attributes.
pub(crate) fn span_column(span: &OtlpSpan, column: &str) -> Option<Json> {
    let value = match column {
        "trace.trace_id" => span.trace_id.to_string().into(),
        "trace.span_id" => span.span_id.to_string().into(),
        "trace.parent_id" => span.parent_id?.to_string().into(),
        "name" => span.name.as_str().into(),
        "duration_ms" => ns_to_milliseconds(span.duration_ns()).into(),
        "service.name" => span.service().into(),
        "span.kind" | "type" if span.kind == ReceivedSpanKind::Unspecified => return None,
        "span.kind" | "type" => span.kind.to_string().into(),
        "status_code" => match span.status {
            SpanStatus::Unset => 0.into(),
            SpanStatus::Ok => 1.into(),
            SpanStatus::Error(_) => 2.into(),
        },
        "status_message" => match &span.status {
            SpanStatus::Error(message) if !message.is_empty() => message.as_str().into(),
            _ => return None,
        },
        "error" => match span.status {
            SpanStatus::Error(_) => true.into(),
            SpanStatus::Unset | SpanStatus::Ok => return None,
        },
        "meta.signal_type" => "trace".into(),
        "library.name" => non_empty_text(&span.source.scope)?,
        "library.version" => non_empty_text(&span.source.scope_version)?,
        attribute => span.anywhere(attribute)?.to_json(),
    };
    Some(value)
}

fn non_empty_text(text: &str) -> Option<Json> {
    (!text.is_empty()).then(|| text.into())
}

fn matches_filter(filter: &Filter, span: &OtlpSpan) -> bool {
    let have = span_column(span, &filter.column);
    let wanted = filter.value.as_ref().unwrap_or(&Json::Null);
    let order = |found: &[Ordering]| {
        have.as_ref()
            .and_then(|found| compare_values(found, wanted))
            .is_some_and(|order| found.contains(&order))
    };
    let matches_text = |test: fn(&str, &str) -> bool| {
        have.as_ref().is_some_and(|found| test(&json_text(found), &json_text(wanted)))
    };
    match filter.op {
        FilterOp::Equal => order(&[Equal]),
        FilterOp::Unequal => !order(&[Equal]),
        FilterOp::Greater => order(&[Greater]),
        FilterOp::AtLeast => order(&[Greater, Equal]),
        FilterOp::Less => order(&[Less]),
        FilterOp::AtMost => order(&[Less, Equal]),
        FilterOp::StartsWith => matches_text(|found, wanted| found.starts_with(wanted)),
        FilterOp::DoesNotStartWith => !matches_text(|found, wanted| found.starts_with(wanted)),
        FilterOp::EndsWith => matches_text(|found, wanted| found.ends_with(wanted)),
        FilterOp::DoesNotEndWith => !matches_text(|found, wanted| found.ends_with(wanted)),
        FilterOp::Contains => matches_text(|found, wanted| found.contains(wanted)),
        FilterOp::DoesNotContain => !matches_text(|found, wanted| found.contains(wanted)),
        FilterOp::Exists => have.is_some(),
        FilterOp::DoesNotExist => have.is_none(),
        FilterOp::In => one_of(have.as_ref(), wanted),
        FilterOp::NotIn => !one_of(have.as_ref(), wanted),
    }
}

/// Compares numbers by value, even if one was sent as text, and everything else as text.
fn compare_values(found: &Json, wanted: &Json) -> Option<Ordering> {
    let number = |value: &Json| match value {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => text.parse().ok(),
        _ => None,
    };
    match (number(found), number(wanted)) {
        (Some(found), Some(wanted)) => found.partial_cmp(&wanted),
        _ => Some(json_text(found).cmp(&json_text(wanted))),
    }
}

fn one_of(found: Option<&Json>, wanted: &Json) -> bool {
    let (Some(found), Some(wanted)) = (found, wanted.as_array()) else {
        return false;
    };
    wanted.iter().any(|value| compare_values(found, value) == Some(Equal))
}

fn json_text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::otlp::fixture::{fixture_span, fixture_trace};
    use crate::otlp::span::AttributeValue;

    fn names(filter: &str) -> Vec<String> {
        let filter = Filter::parse(filter).unwrap();
        let trace = fixture_trace();
        let nodes = trace.tree();
        nodes
            .iter()
            .filter(|node| matches_filter(&filter, node.span))
            .map(|node| node.span.name.clone())
            .collect()
    }

    #[test]
    fn filters_compare_numbers_as_numbers_and_text_as_text() {
        assert_eq!(names("duration_ms > 100"), ["GET /api/activities/home"]);
        assert_eq!(names("duration_ms <= 0.4"), ["redis GET"]);
        assert_eq!(names("name starts-with GET").len(), 3);
        assert_eq!(names("name ends-with GET"), ["redis GET"]);
        assert_eq!(names("name contains activities").len(), 3);
        assert_eq!(names("name in redis GET, GET /"), ["GET /", "redis GET"]);
        assert_eq!(names("name not-in redis GET, GET /").len(), 4);
        assert_eq!(names("http.response.status_code = '200'").len(), 1);
        // As text, 200 would sort before 99.
        assert_eq!(names("http.response.status_code > '99'").len(), 1);
        assert_eq!(names("error exists"), ["GET notifications"]);
        assert_eq!(names("service.name = notifications").len(), 2);
    }

    #[test]
    fn a_missing_column_matches_only_unequal() {
        assert_eq!(names("no.such = 1").len(), 0);
        assert_eq!(names("no.such > 1").len(), 0);
        assert_eq!(names("no.such contains x").len(), 0);
        assert_eq!(names("no.such != 1").len(), 6);
        assert_eq!(names("no.such does-not-exist").len(), 6);
    }

    #[test]
    fn columns_have_the_names_that_honeycomb_gives_them() {
        let trace = fixture_trace();
        let failed = trace.spans.iter().find(|span| span.is_error()).unwrap();
        let of = |column| span_column(failed, column);
        assert_eq!(of("trace.trace_id"), Some(json!("a0a0a0a0a0a0a0a0a0a0a0a0a0a0a001")));
        assert_eq!(of("trace.parent_id"), Some(json!("b000000000000001")));
        assert_eq!(of("duration_ms"), Some(json!(48.0)));
        assert_eq!(of("span.kind"), Some(json!("internal")));
        assert_eq!(of("error"), Some(json!(true)));
        assert_eq!(of("status_code"), Some(json!(2)));
        assert_eq!(of("library.name"), Some(json!("opentelemetry.instrumentation.flask")));
        assert_eq!(span_column(trace.root().unwrap(), "trace.parent_id"), None);
    }

    #[test]
    fn a_status_has_a_code_and_a_failure_its_message() {
        for (status, code, message, error) in [
            (SpanStatus::Unset, 0, None, None),
            (SpanStatus::Ok, 1, None, None),
            (SpanStatus::Error(String::new()), 2, None, Some(true)),
            (SpanStatus::Error("refused".to_owned()), 2, Some("refused"), Some(true)),
        ] {
            let mut span = fixture_span(1, None, "x", 0.0, 1.0);
            span.status = status;
            assert_eq!(span_column(&span, "status_code"), Some(json!(code)));
            assert_eq!(span_column(&span, "status_message"), message.map(Json::from));
            assert_eq!(span_column(&span, "error"), error.map(Json::from));
        }
    }

    #[test]
    fn groups_are_counted_largest_first_and_old_spans_and_test_spans_left_out() {
        let mut test = fixture_span(7, None, "cruddur-ops verify", 0.0, 9000.0);
        test.attributes = vec![("cruddur_ops.test".to_owned(), AttributeValue::Bool(true))];
        let mut old = fixture_span(8, None, "yesterday", 0.0, 9000.0);
        old.start_ns -= 86_400_000_000_000;
        let spans: Vec<OtlpSpan> = fixture_trace().spans.into_iter().chain([test, old]).collect();
        let mut query = Query::latency(Duration::from_secs(600));
        query.breakdowns = vec!["service.name".to_owned()];
        let now = spans[0].start_ns + 1_000_000_000;
        let answer = answer(&query, spans.iter(), now);
        assert_eq!(answer.spans, 6);
        let groups: Vec<(Json, u64, f64)> = answer
            .groups
            .iter()
            .map(|group| (group.by[0].clone(), group.count, group.p90_ms))
            .collect();
        assert_eq!(groups, [(json!("backend-flask"), 4, 123.0), (json!("notifications"), 2, 40.0)]);
        let seen: u64 = answer.heatmap.unwrap().cells().map(|cell| cell.count).sum();
        assert_eq!(seen, 6);
    }
}
