//! Spans for tests.

use std::sync::Arc;

use super::assembly::Trace;
use super::span::{
    AttributeValue, BatchSource, OtlpSpan, ReceivedSpanKind, SpanEvent, SpanId, SpanStatus, TraceId,
};

/// Returns a trace id that ends in `number`.
pub(crate) fn trace_id(number: u8) -> TraceId {
    let mut bytes = [0xa0; 16];
    bytes[15] = number;
    TraceId::from_bytes(&bytes).unwrap()
}

/// Returns a span id that ends in `number`.
pub(crate) fn span_id(number: u8) -> SpanId {
    SpanId::from_bytes(&[0xb0, 0, 0, 0, 0, 0, 0, number]).unwrap()
}

/// Returns a span of trace 1 that begins `start_ms` after a fixed time and takes `ms`.
pub(crate) fn fixture_span(
    id: u8,
    parent: Option<u8>,
    name: &str,
    start_ms: f64,
    ms: f64,
) -> OtlpSpan {
    const BEGIN_NS: u64 = 1_700_000_000_000_000_000;
    let start_ns = BEGIN_NS + (start_ms * 1e6) as u64;
    OtlpSpan {
        trace_id: trace_id(1),
        span_id: span_id(id),
        parent_id: parent.map(span_id),
        name: name.to_owned(),
        kind: ReceivedSpanKind::Internal,
        source: fixture_source("backend-flask"),
        start_ns,
        end_ns: start_ns + (ms * 1e6) as u64,
        status: SpanStatus::Unset,
        attributes: Vec::new(),
        events: Vec::new(),
        copies: 1,
    }
}

/// Returns the source of spans of `service`.
pub(crate) fn fixture_source(service: &str) -> Arc<BatchSource> {
    Arc::new(BatchSource {
        service: service.into(),
        resource: [("service.name".to_owned(), AttributeValue::Text(service.to_owned()))].into(),
        scope: "opentelemetry.instrumentation.flask".to_owned(),
        scope_version: "0.66b1".to_owned(),
    })
}

/// Returns a request through two services, of which the second fails.
pub(crate) fn fixture_trace() -> Trace {
    let mut root = fixture_span(1, None, "GET /api/activities/home", 0.0, 123.0);
    root.kind = ReceivedSpanKind::Server;
    root.attributes = vec![
        ("http.route".to_owned(), AttributeValue::Text("/api/activities/home".to_owned())),
        ("http.response.status_code".to_owned(), AttributeValue::Int(200)),
    ];
    let mut handler = fixture_span(2, Some(1), "home-activities-mock-data", 5.0, 60.0);
    handler.attributes = vec![("app.result_length".to_owned(), AttributeValue::Int(3))];
    let select = fixture_span(3, Some(2), "SELECT cruddur.activities", 10.0, 30.0);
    let mut call = fixture_span(4, Some(1), "GET notifications", 70.0, 48.0);
    call.status = SpanStatus::Error(String::new());
    call.events = vec![SpanEvent {
        at_ns: call.start_ns + 40_000_000,
        name: "exception".to_owned(),
        attributes: vec![
            ("exception.type".to_owned(), AttributeValue::Text("ConnectionError".to_owned())),
            (
                "exception.message".to_owned(),
                AttributeValue::Text("refused by notifications:4568".to_owned()),
            ),
        ],
    }];
    let mut answer = fixture_span(5, Some(4), "GET /", 74.0, 40.0);
    answer.source = fixture_source("notifications");
    let mut redis = fixture_span(6, Some(5), "redis GET", 80.0, 0.4);
    redis.source = fixture_source("notifications");
    Trace { id: trace_id(1), spans: vec![redis, call, answer, select, handler, root] }
}
