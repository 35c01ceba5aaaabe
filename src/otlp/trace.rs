//! The test trace: a root span with a child `http-handler`, as in the setup guide.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

use super::span::OtlpSpan as Arrived;

/// A trace of two spans for a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestTrace {
    /// The `service.name` of the resource.
    pub service: String,
    /// The id. Neither half is zero: Honeycomb shortens an id whose first half is.
    pub trace_id: [u8; 16],
    root: [u8; 8],
    child: [u8; 8],
    /// The time since 1970.
    pub sent: Duration,
}

/// The attribute that marks test spans, so that real queries can exclude them.
pub const TEST_ATTRIBUTE: &str = "cruddur_ops.test";

/// The name of the child span.
pub const CHILD_NAME: &str = "http-handler";

const ROOT_NAME: &str = "cruddur-ops verify";

impl TestTrace {
    /// Returns a trace of `service` at `now` (since 1970), with ids from `random`.
    pub fn new(service: &str, now: Duration, random: [u64; 3]) -> Self {
        let [high, low, child] = random.map(|bits| bits.max(1).to_be_bytes());
        let mut trace_id = [0; 16];
        trace_id[..8].copy_from_slice(&high);
        trace_id[8..].copy_from_slice(&low);
        Self { service: service.to_owned(), trace_id, root: root_of(&trace_id), child, sent: now }
    }

    /// Returns the trace id as 32 lower-case hex digits.
    pub fn id(&self) -> String {
        encode_hex(&self.trace_id)
    }

    /// Returns the id of the root span as 16 lower-case hex digits.
    pub fn root_id(&self) -> String {
        encode_hex(&self.root)
    }

    /// Returns the header that makes an application's spans children of our root: W3C Trace Context, sampled.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-01", self.id(), self.root_id())
    }

    /// Returns what is missing or wrong in the received spans of this trace.
    pub fn faults(&self, arrived: &[Arrived]) -> Vec<String> {
        let mut faults = Vec::new();
        let id = self.id();
        let own_spans = || arrived.iter().filter(|span| span.trace_id.to_string() == id);
        let named = |name: &str| own_spans().find(|span| span.name == name);
        for span in own_spans() {
            if span.service() != self.service {
                let text = format!("the service is {}, not {}", span.service(), self.service);
                faults.push(text);
                break;
            }
        }
        let (Some(root), Some(child)) = (named(ROOT_NAME), named(CHILD_NAME)) else {
            faults.push("one of the two spans is missing".to_owned());
            return faults;
        };
        if root.parent_id.is_some() || child.parent_id != Some(root.span_id) {
            faults.push(format!("{CHILD_NAME} is not a child of its root"));
        }
        for span in [root, child] {
            for name in ["app.now", TEST_ATTRIBUTE] {
                if span.attribute(name).is_none() {
                    faults.push(format!("{} has no attribute {name}", span.name));
                }
            }
        }
        faults
    }

    /// Returns the trace as an export request.
    pub fn request(&self) -> ExportTraceServiceRequest {
        let root = self.span(ROOT_NAME, self.root, None, SpanKind::Internal, 20);
        let child = self.span(CHILD_NAME, self.child, Some(self.root), SpanKind::Server, 10);
        ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(Resource {
                    attributes: vec![text_attribute("service.name", &self.service)],
                    ..Resource::default()
                }),
                scope_spans: vec![ScopeSpans {
                    scope: Some(InstrumentationScope {
                        name: env!("CARGO_PKG_NAME").to_owned(),
                        version: env!("CARGO_PKG_VERSION").to_owned(),
                        ..InstrumentationScope::default()
                    }),
                    spans: vec![root, child],
                    ..ScopeSpans::default()
                }],
                ..ResourceSpans::default()
            }],
        }
    }

    fn span(
        &self,
        name: &str,
        id: [u8; 8],
        parent: Option<[u8; 8]>,
        kind: SpanKind,
        milliseconds: u64,
    ) -> Span {
        let end = u64::try_from(self.sent.as_nanos()).unwrap_or(u64::MAX);
        Span {
            trace_id: self.trace_id.to_vec(),
            span_id: id.to_vec(),
            parent_span_id: parent.map(|id| id.to_vec()).unwrap_or_default(),
            name: name.to_owned(),
            kind: kind.into(),
            start_time_unix_nano: end.saturating_sub(milliseconds * 1_000_000),
            end_time_unix_nano: end,
            attributes: vec![
                text_attribute("app.now", &self.now()),
                wire_attribute(TEST_ATTRIBUTE, any_value::Value::BoolValue(true)),
            ],
            // The W3C flag "sampled", so that a receiver that checks it does not drop the span.
            flags: 1,
            ..Span::default()
        }
    }

    /// Returns the sending time in the format of the guide's attribute `app.now`.
    fn now(&self) -> String {
        humantime::format_rfc3339_micros(std::time::UNIX_EPOCH + self.sent).to_string()
    }
}

/// Distinguishes our root ids from those another program would derive in the same way.
const ROOT_MARK: [u8; 8] = *b"cruddur\x01";

/// Returns the root span id for a trace id of ours. As it can be derived from the trace id, a span with that parent
/// is known to belong to this program's request, even if this program exported no span.
pub fn root_of(trace_id: &[u8; 16]) -> [u8; 8] {
    let mut root = ROOT_MARK;
    for (at, byte) in trace_id.iter().enumerate() {
        root[at % 8] ^= byte;
    }
    match root {
        [0, 0, 0, 0, 0, 0, 0, 0] => ROOT_MARK,
        root => root,
    }
}

/// Encodes bytes as lower-case hex.
pub fn encode_hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn text_attribute(key: &str, value: &str) -> KeyValue {
    wire_attribute(key, any_value::Value::StringValue(value.to_owned()))
}

fn wire_attribute(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_received_spans_are_named() {
        let trace = TestTrace::new("backend", Duration::from_secs(1_700_000_000), [1, 2, 3]);
        let arrived = crate::otlp::span::flatten_export(trace.request()).spans;
        assert_eq!(trace.faults(&arrived), Vec::<String>::new());
        let mut orphan = arrived.clone();
        orphan[1].parent_id = None;
        orphan[1].attributes.clear();
        assert_eq!(trace.faults(&orphan).len(), 3);
        assert_eq!(trace.faults(&arrived[..1]).len(), 1);
        let other = TestTrace::new("worker", trace.sent, [1, 2, 3]);
        assert_eq!(other.faults(&arrived), ["the service is backend, not worker"]);
    }

    #[test]
    fn the_root_is_the_childs_parent_and_no_half_of_an_id_is_zero() {
        let trace = TestTrace::new("backend", Duration::from_secs(1_700_000_000), [0, 0, 7]);
        assert_eq!(trace.id(), "00000000000000010000000000000001");
        assert_eq!(trace.traceparent(), format!("00-{}-{}-01", trace.id(), trace.root_id()));
        assert_eq!(trace.traceparent().len(), 55);
        let request = trace.request();
        let spans = &request.resource_spans[0].scope_spans[0].spans;
        assert_eq!(spans[0].parent_span_id, Vec::<u8>::new());
        assert_eq!(spans[1].parent_span_id, spans[0].span_id);
        assert_eq!(spans[1].name, CHILD_NAME);
        assert!(spans[0].start_time_unix_nano < spans[1].start_time_unix_nano);
        assert!(spans[1].start_time_unix_nano < spans[1].end_time_unix_nano);
        let keys: Vec<&str> = spans[1].attributes.iter().map(|a| a.key.as_str()).collect();
        assert_eq!(keys, ["app.now", TEST_ATTRIBUTE]);
    }
}
