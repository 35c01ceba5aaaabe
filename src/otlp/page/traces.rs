//! Traces as rows of a list, and one trace as rows of a waterfall.

use std::cmp::Reverse;

use foldhash::HashMap;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::shown::PageText;
use crate::limits;
use crate::otlp::assembly::Trace;
use crate::otlp::span::OtlpSpan;

/// The order of traces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TraceOrder {
    /// Those with an error first, then the newest.
    #[default]
    Errors,
    /// The newest first.
    Newest,
    /// The longest first.
    Slowest,
}

/// Returns whether a text in lower case is part of a name in the trace, or begins its id.
pub(super) fn mentions(trace: &Trace, wanted: &str) -> bool {
    let named = |span: &OtlpSpan| {
        [&span.name, span.service()].iter().any(|name| name.to_lowercase().contains(wanted))
    };
    trace.id.to_string().starts_with(wanted) || trace.spans.iter().any(named)
}

/// Returns the list of traces, each with the span that matched.
pub(super) fn list(
    mut found: Vec<(&Trace, Option<&OtlpSpan>)>,
    order: TraceOrder,
    text: &PageText<'_>,
) -> Json {
    let failed = |trace: &Trace| trace.spans.iter().any(OtlpSpan::is_error);
    let with_errors = found.iter().filter(|(trace, _)| failed(trace)).count();
    let total = found.len();
    found.sort_by_cached_key(|(trace, _)| {
        let start = trace.start_ns();
        let first = match order {
            TraceOrder::Errors => u64::from(failed(trace)),
            TraceOrder::Newest => 0,
            TraceOrder::Slowest => trace.end_ns().saturating_sub(start),
        };
        Reverse((first, start))
    });
    let rows = found.iter().take(limits::PAGE_TRACES).map(|(trace, span)| row(trace, *span, text));
    json!({ "traces": rows.collect::<Vec<_>>(), "total": total, "errors": with_errors })
}

fn row(trace: &Trace, wanted: Option<&OtlpSpan>, text: &PageText<'_>) -> Json {
    let first = || trace.spans.iter().min_by_key(|span| span.start_ns);
    let root = trace.root();
    let named = root.or_else(first);
    let errors = trace.spans.iter().filter(|span| span.is_error()).count();
    json!({
        "id": trace.id,
        "name": named.map(|span| text.name(&span.name)),
        "service": named.map(|span| text.name(span.service())),
        "services": trace.services().len(),
        "is_rooted": root.is_some() || trace.spans.iter().any(OtlpSpan::answers_our_request),
        "spans": trace.spans.len(),
        "errors": errors,
        "start_ms": trace.start_ns() as f64 / 1e6,
        "duration_ns": trace.end_ns().saturating_sub(trace.start_ns()),
        "span": wanted.map(|span| span.span_id),
    })
}

/// Returns the rows of a trace's waterfall: depth, name, index of the service, start in nanoseconds since the trace's
/// start, duration, whether it failed, id, whether its parent is missing.
pub(super) fn waterfall(trace: &Trace, text: &PageText<'_>) -> Json {
    let services = trace.services();
    let places: HashMap<&str, usize> =
        services.iter().enumerate().map(|(at, name)| (*name, at)).collect();
    let start = trace.start_ns();
    let nodes = trace.tree();
    let rows = nodes.iter().take(limits::PAGE_SPANS).map(|node| {
        let span = node.span;
        let is_orphan = node.depth == 0 && span.parent_id.is_some() && !span.answers_our_request();
        json!([
            node.depth,
            text.name(&span.name),
            places.get(span.service()),
            span.start_ns - start,
            span.duration_ns(),
            u8::from(span.is_error()),
            span.span_id,
            u8::from(is_orphan),
        ])
    });
    json!({
        "id": trace.id,
        "start_ms": start as f64 / 1e6,
        "duration_ns": trace.end_ns().saturating_sub(start),
        "services": services.iter().map(|name| text.name(name)).collect::<Vec<_>>(),
        "rows": rows.collect::<Vec<_>>(),
        "spans": nodes.len(),
        "errors": trace.spans.iter().filter(|span| span.is_error()).count(),
    })
}
