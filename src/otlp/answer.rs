//! The answer to a [`Query`] from spans in memory, by the names that Honeycomb gives their fields.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::query::{Figure, Filter, Op, Query};
use super::span::{Kind, Span, Status};
use super::summary::{Durations, Heat};

/// The answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answer {
    /// Spans for which every filter held.
    pub spans: u64,
    /// The figures of each group, the largest first.
    pub groups: Vec<Group>,
    /// When how many took how long, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heatmap: Option<Heat>,
}

/// The spans that have the same values in the columns grouped by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// These values, in the order of the columns; null where a span has none.
    pub by: Vec<Json>,
    /// How many.
    pub count: u64,
    /// Milliseconds that 90 of 100 do not exceed.
    pub p90_ms: f64,
}

/// Answers `query` from `spans`; `now_ns` (since 1970) is where its time range ends.
pub fn answer<'a>(query: &Query, spans: impl Iterator<Item = &'a Span>, now_ns: u64) -> Answer {
    let since = now_ns.saturating_sub(query.time_range.saturating_mul(1_000_000_000));
    let mut matched = 0;
    let mut heat = Heat::default();
    let mut groups: BTreeMap<String, (Vec<Json>, Durations)> = BTreeMap::new();
    for span in spans {
        if span.start_ns < since || !query.filters.iter().all(|filter| holds(filter, span)) {
            continue;
        }
        matched += 1;
        heat.add(span.start_ns, span.duration_ns());
        let by: Vec<Json> = query
            .breakdowns
            .iter()
            .map(|column| field(span, column).unwrap_or(Json::Null))
            .collect();
        let key = Json::from(by.clone()).to_string();
        groups
            .entry(key)
            .or_insert_with(|| (by, Durations::default()))
            .1
            .add(span.duration_ns());
    }
    let mut groups: Vec<Group> = groups
        .into_values()
        .map(|(by, durations)| Group {
            by,
            count: durations.count(),
            p90_ms: milliseconds(durations.percentile(90).unwrap_or(0)),
        })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    groups.truncate(query.limit);
    Answer {
        spans: matched,
        groups,
        heatmap: query.asks(Figure::Heatmap).then_some(heat),
    }
}

fn milliseconds(ns: u64) -> f64 {
    ns as f64 / 1e6
}

/// A column of a span, as Honeycomb names it; the span's own attributes before the resource's.
pub fn field(span: &Span, column: &str) -> Option<Json> {
    let value = match column {
        "trace.trace_id" => span.trace_id.to_string().into(),
        "trace.span_id" => span.span_id.to_string().into(),
        "trace.parent_id" => span.parent_id?.to_string().into(),
        "name" => span.name.as_str().into(),
        "duration_ms" => milliseconds(span.duration_ns()).into(),
        "service.name" => span.service().into(),
        "span.kind" | "type" if span.kind == Kind::Unspecified => return None,
        "span.kind" | "type" => span.kind.to_string().into(),
        "status_code" => match span.status {
            Status::Unset => 0.into(),
            Status::Ok => 1.into(),
            Status::Error(_) => 2.into(),
        },
        "status_message" => match &span.status {
            Status::Error(message) if !message.is_empty() => message.as_str().into(),
            _ => return None,
        },
        "error" => match span.status {
            Status::Error(_) => true.into(),
            Status::Unset | Status::Ok => return None,
        },
        "meta.signal_type" => "trace".into(),
        "library.name" => text(&span.source.scope)?,
        "library.version" => text(&span.source.scope_version)?,
        attribute => span.anywhere(attribute)?.to_json(),
    };
    Some(value)
}

fn text(text: &str) -> Option<Json> {
    (!text.is_empty()).then(|| text.into())
}

fn holds(filter: &Filter, span: &Span) -> bool {
    let have = field(span, &filter.column);
    let wanted = filter.value.as_ref().unwrap_or(&Json::Null);
    let order = |found: &[std::cmp::Ordering]| {
        have.as_ref()
            .and_then(|have| compare(have, wanted))
            .is_some_and(|order| found.contains(&order))
    };
    let said = |test: fn(&str, &str) -> bool| {
        have.as_ref()
            .is_some_and(|have| test(&plain(have), &plain(wanted)))
    };
    use std::cmp::Ordering::{Equal, Greater, Less};
    match filter.op {
        Op::Equal => order(&[Equal]),
        Op::Unequal => !order(&[Equal]),
        Op::Greater => order(&[Greater]),
        Op::AtLeast => order(&[Greater, Equal]),
        Op::Less => order(&[Less]),
        Op::AtMost => order(&[Less, Equal]),
        Op::StartsWith => said(|have, wanted| have.starts_with(wanted)),
        Op::DoesNotStartWith => !said(|have, wanted| have.starts_with(wanted)),
        Op::EndsWith => said(|have, wanted| have.ends_with(wanted)),
        Op::DoesNotEndWith => !said(|have, wanted| have.ends_with(wanted)),
        Op::Contains => said(|have, wanted| have.contains(wanted)),
        Op::DoesNotContain => !said(|have, wanted| have.contains(wanted)),
        Op::Exists => have.is_some(),
        Op::DoesNotExist => have.is_none(),
        Op::In => one_of(have.as_ref(), wanted),
        Op::NotIn => !one_of(have.as_ref(), wanted),
    }
}

/// Numbers by their size, also where one was sent as text; everything else by its text.
fn compare(have: &Json, wanted: &Json) -> Option<std::cmp::Ordering> {
    let number = |value: &Json| match value {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => text.parse().ok(),
        _ => None,
    };
    match (number(have), number(wanted)) {
        (Some(have), Some(wanted)) => have.partial_cmp(&wanted),
        _ => Some(plain(have).cmp(&plain(wanted))),
    }
}

fn one_of(have: Option<&Json>, wanted: &Json) -> bool {
    let (Some(have), Some(wanted)) = (have, wanted.as_array()) else {
        return false;
    };
    wanted
        .iter()
        .any(|one| compare(have, one) == Some(std::cmp::Ordering::Equal))
}

fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
