//! A received span, flattened, with its service and resource.
//!
//! Converted from an `ExportTraceServiceRequest`, independent of the transport.

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{self as wire, span::SpanKind, status::StatusCode};
use serde::Serialize;

pub use super::id::{Id, SpanId, TraceId};
use super::trace::root_of;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeValue {
    /// Nothing was set.
    Empty,
    /// Text.
    Text(String),
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list of values.
    List(Vec<AttributeValue>),
    /// A map of names to values.
    Map(Vec<SpanAttribute>),
}

/// A name and its value.
pub type SpanAttribute = (String, AttributeValue);

impl AttributeValue {
    /// Returns the value as JSON; bytes as base64, non-finite numbers as text.
    pub fn to_json(&self) -> serde_json::Value {
        use base64::Engine as _;
        match self {
            Self::Empty => serde_json::Value::Null,
            Self::Text(text) => text.as_str().into(),
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::Double(value) => serde_json::Number::from_f64(*value)
                .map_or_else(|| value.to_string().into(), Into::into),
            Self::Bytes(bytes) => base64::engine::general_purpose::STANDARD.encode(bytes).into(),
            Self::List(values) => values.iter().map(Self::to_json).collect(),
            Self::Map(entries) => attributes_to_json(entries),
        }
    }

    /// Returns the approximate memory of this value, in bytes.
    fn weight(&self) -> usize {
        let below = match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::List(values) => values.iter().map(Self::weight).sum(),
            Self::Map(entries) => weigh_attributes(entries),
            Self::Empty | Self::Bool(_) | Self::Int(_) | Self::Double(_) => 0,
        };
        size_of::<Self>() + below
    }
}

impl std::fmt::Display for AttributeValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            other => write!(f, "{}", other.to_json()),
        }
    }
}

/// Returns `attributes` as a JSON object, in order.
pub fn attributes_to_json(attributes: &[SpanAttribute]) -> serde_json::Value {
    attributes
        .iter()
        .map(|(name, value)| (name.clone(), value.to_json()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The memory overhead of the allocator and collections for each part of a span, in bytes.
const OVERHEAD: usize = 32;

fn weigh_attributes(attributes: &[SpanAttribute]) -> usize {
    attributes
        .iter()
        .map(|(name, value)| size_of::<String>() + name.len() + value.weight() + OVERHEAD)
        .sum()
}

/// The kind of a span: its side of an interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceivedSpanKind {
    /// Not set.
    Unspecified,
    /// Within a process.
    Internal,
    /// Answers a request.
    Server,
    /// Makes a request.
    Client,
    /// Puts a message into a queue.
    Producer,
    /// Takes a message out of a queue.
    Consumer,
}

impl std::fmt::Display for ReceivedSpanKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "unspecified",
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        })
    }
}

/// The status of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpanStatus {
    /// Not set.
    Unset,
    /// Successful.
    Ok,
    /// Failed; the message may be empty.
    Error(String),
}

/// An event during a span.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanEvent {
    /// The time, in nanoseconds since 1970.
    pub at_ns: u64,
    /// The name.
    pub name: String,
    /// The attributes.
    pub attributes: Vec<SpanAttribute>,
}

/// The sender of a batch's spans, stored once for all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchSource {
    /// `service.name`, trimmed; `unknown_service` if not sent.
    pub service: Arc<str>,
    /// The resource's attributes, including `service.name`; shared by all its scopes.
    pub resource: Arc<[SpanAttribute]>,
    /// The instrumentation's name; may be empty.
    pub scope: String,
    /// The instrumentation's version; may be empty.
    pub scope_version: String,
}

impl BatchSource {
    /// Returns the approximate memory, in bytes.
    pub fn weight(&self) -> usize {
        let texts = self.service.len() + self.scope.len() + self.scope_version.len();
        size_of::<Self>() + 4 * OVERHEAD + texts + weigh_attributes(&self.resource)
    }
}

/// A span.
#[derive(Debug, Clone, PartialEq)]
pub struct OtlpSpan {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its id.
    pub span_id: SpanId,
    /// The parent span; `None` for a root.
    pub parent_id: Option<SpanId>,
    /// The name.
    pub name: String,
    /// The kind.
    pub kind: ReceivedSpanKind,
    /// The sender.
    pub source: Arc<BatchSource>,
    /// The start, in nanoseconds since 1970.
    pub start_ns: u64,
    /// The end, in nanoseconds since 1970.
    pub end_ns: u64,
    /// The status.
    pub status: SpanStatus,
    /// The span's attributes, without the resource's.
    pub attributes: Vec<SpanAttribute>,
    /// The events.
    pub events: Vec<SpanEvent>,
    /// The number of times that it was received.
    pub copies: u32,
}

impl OtlpSpan {
    /// Returns whether its parent is the request that this program sent to an application, which is never exported as
    /// a span.
    pub fn answers_our_request(&self) -> bool {
        self.parent_id.is_some_and(|parent| *parent.bytes() == root_of(self.trace_id.bytes()))
    }

    /// Returns the `service.name` of its resource.
    pub fn service(&self) -> &str {
        &self.source.service
    }

    /// Returns the duration in nanoseconds; 0 if the end is before the start.
    pub fn duration_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns)
    }

    /// Returns whether its status is an error.
    pub fn is_error(&self) -> bool {
        matches!(self.status, SpanStatus::Error(_))
    }

    /// Returns why the span failed: its status message, else the recorded exception; empty if neither is set.
    pub fn failure(&self) -> Option<String> {
        let SpanStatus::Error(message) = &self.status else {
            return None;
        };
        if !message.is_empty() {
            return Some(message.clone());
        }
        let exception = self.events.iter().find(|event| event.name == "exception")?;
        let text_attribute =
            |name: &str| find_attribute(&exception.attributes, name).map(AttributeValue::to_string);
        let parts: Vec<String> =
            [text_attribute("exception.type"), text_attribute("exception.message")]
                .into_iter()
                .flatten()
                .collect();
        Some(parts.join(": "))
    }

    /// Returns an attribute of the span.
    pub fn attribute(&self, name: &str) -> Option<&AttributeValue> {
        find_attribute(&self.attributes, name)
    }

    /// Returns an attribute of the span, else of its resource.
    pub fn anywhere(&self, name: &str) -> Option<&AttributeValue> {
        self.attribute(name).or_else(|| find_attribute(&self.source.resource, name))
    }

    /// Returns the approximate memory in bytes, without what its batch shares.
    pub fn weight(&self) -> usize {
        let events: usize = self
            .events
            .iter()
            .map(|event| {
                size_of::<SpanEvent>() + event.name.len() + weigh_attributes(&event.attributes)
            })
            .sum();
        let status = match &self.status {
            SpanStatus::Error(message) => message.len(),
            SpanStatus::Unset | SpanStatus::Ok => 0,
        };
        let own_bytes = size_of::<Self>() + 4 * OVERHEAD + self.name.len();
        own_bytes + weigh_attributes(&self.attributes) + events + status
    }
}

fn find_attribute<'a>(attributes: &'a [SpanAttribute], name: &str) -> Option<&'a AttributeValue> {
    attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// The spans of one request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SpanBatch {
    /// Spans with valid ids.
    pub spans: Vec<OtlpSpan>,
    /// The number of spans with a trace or span id of the wrong length, or all zeros.
    pub rejected: usize,
}

impl SpanBatch {
    /// Returns the approximate memory of its spans in bytes, with what they share.
    pub fn weight(&self) -> usize {
        let spans: usize = self.spans.iter().map(OtlpSpan::weight).sum();
        let shared = self.spans.chunk_by(|span, other| Arc::ptr_eq(&span.source, &other.source));
        spans + shared.map(|spans| spans[0].source.weight()).sum::<usize>()
    }
}

/// Converts a request to spans.
pub fn flatten_export(request: ExportTraceServiceRequest) -> SpanBatch {
    let mut batch = SpanBatch::default();
    for resource_spans in request.resource_spans {
        let resource: Arc<[SpanAttribute]> =
            flatten_resource(resource_spans.resource.unwrap_or_default()).into();
        let service: Arc<str> = service_name(&resource).into();
        for scope_spans in resource_spans.scope_spans {
            let scope = scope_spans.scope.unwrap_or_default();
            let source = Arc::new(BatchSource {
                service: Arc::clone(&service),
                resource: Arc::clone(&resource),
                scope: scope.name,
                scope_version: scope.version,
            });
            for span in scope_spans.spans {
                match convert_span(span, &source) {
                    Some(span) => batch.spans.push(span),
                    None => batch.rejected += 1,
                }
            }
        }
    }
    batch
}

fn flatten_resource(resource: Resource) -> Vec<SpanAttribute> {
    resource.attributes.into_iter().map(convert_attribute).collect()
}

fn service_name(resource: &[SpanAttribute]) -> String {
    match find_attribute(resource, "service.name") {
        Some(AttributeValue::Text(name)) if !name.trim().is_empty() => name.trim().to_owned(),
        _ => "unknown_service".to_owned(),
    }
}

fn convert_span(span: wire::Span, source: &Arc<BatchSource>) -> Option<OtlpSpan> {
    let kind = span.kind();
    let status = match span.status {
        Some(status) if status.code() == StatusCode::Error => SpanStatus::Error(status.message),
        Some(status) if status.code() == StatusCode::Ok => SpanStatus::Ok,
        _ => SpanStatus::Unset,
    };
    let events = span.events.into_iter().map(|event| SpanEvent {
        at_ns: event.time_unix_nano,
        name: event.name,
        attributes: event.attributes.into_iter().map(convert_attribute).collect(),
    });
    Some(OtlpSpan {
        trace_id: TraceId::from_bytes(&span.trace_id)?,
        span_id: SpanId::from_bytes(&span.span_id)?,
        parent_id: SpanId::from_bytes(&span.parent_span_id),
        kind: match kind {
            SpanKind::Unspecified => ReceivedSpanKind::Unspecified,
            SpanKind::Internal => ReceivedSpanKind::Internal,
            SpanKind::Server => ReceivedSpanKind::Server,
            SpanKind::Client => ReceivedSpanKind::Client,
            SpanKind::Producer => ReceivedSpanKind::Producer,
            SpanKind::Consumer => ReceivedSpanKind::Consumer,
        },
        name: span.name,
        source: Arc::clone(source),
        start_ns: span.start_time_unix_nano,
        end_ns: span.end_time_unix_nano,
        status,
        attributes: span.attributes.into_iter().map(convert_attribute).collect(),
        events: events.collect(),
        copies: 1,
    })
}

fn convert_attribute(pair: KeyValue) -> SpanAttribute {
    (pair.key, pair.value.map_or(AttributeValue::Empty, convert_any_value))
}

fn convert_any_value(any: AnyValue) -> AttributeValue {
    use any_value::Value as Wire;
    match any.value {
        Some(Wire::StringValue(text)) => AttributeValue::Text(text),
        Some(Wire::BoolValue(value)) => AttributeValue::Bool(value),
        Some(Wire::IntValue(value)) => AttributeValue::Int(value),
        Some(Wire::DoubleValue(value)) => AttributeValue::Double(value),
        Some(Wire::BytesValue(bytes)) => AttributeValue::Bytes(bytes),
        Some(Wire::ArrayValue(list)) => {
            AttributeValue::List(list.values.into_iter().map(convert_any_value).collect())
        }
        Some(Wire::KvlistValue(map)) => {
            AttributeValue::Map(map.values.into_iter().map(convert_attribute).collect())
        }
        // An index into a table that only profiles have.
        Some(Wire::StringValueStrindex(_)) | None => AttributeValue::Empty,
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};

    use super::*;
    use crate::otlp::fixture;

    #[test]
    fn the_weight_of_a_span_grows_by_each_byte_it_holds() {
        let long = || "x".repeat(1000);
        let entry = |name: &str, value| vec![(name.to_owned(), value)];
        let event = |name: &str, attributes| {
            vec![SpanEvent { at_ns: 1, name: name.to_owned(), attributes }]
        };
        let base = OtlpSpan {
            name: String::new(),
            status: SpanStatus::Error(String::new()),
            attributes: entry("", AttributeValue::Text(String::new())),
            events: event("", entry("", AttributeValue::Text(String::new()))),
            ..fixture::fixture_span(1, None, "", 0.0, 1.0)
        };
        let in_list = |text: String| AttributeValue::List(vec![AttributeValue::Text(text)]);
        let in_map =
            |name: &str, text: String| AttributeValue::Map(entry(name, AttributeValue::Text(text)));
        for (long, short) in [
            (OtlpSpan { name: long(), ..base.clone() }, base.clone()),
            (OtlpSpan { status: SpanStatus::Error(long()), ..base.clone() }, base.clone()),
            (with(&base, entry(&long(), AttributeValue::Text(String::new()))), base.clone()),
            (with(&base, entry("", AttributeValue::Text(long()))), base.clone()),
            (
                with(&base, entry("", AttributeValue::Bytes(vec![0; 1000]))),
                with(&base, entry("", AttributeValue::Bytes(Vec::new()))),
            ),
            (
                with(&base, entry("", in_list(long()))),
                with(&base, entry("", in_list(String::new()))),
            ),
            (
                with(&base, entry("", in_map(&long(), String::new()))),
                with(&base, entry("", in_map("", String::new()))),
            ),
            (
                OtlpSpan {
                    events: event(&long(), entry("", AttributeValue::Text(String::new()))),
                    ..base.clone()
                },
                base.clone(),
            ),
            (
                OtlpSpan {
                    events: event("", entry("", AttributeValue::Text(long()))),
                    ..base.clone()
                },
                base.clone(),
            ),
        ] {
            assert_eq!(long.weight(), short.weight() + 1000, "{short:?}");
        }
    }

    fn with(span: &OtlpSpan, attributes: Vec<SpanAttribute>) -> OtlpSpan {
        OtlpSpan { attributes, ..span.clone() }
    }

    #[test]
    fn shared_data_of_a_batch_is_weighed_once() {
        let source = |service: &str, scope: &str, scope_version: &str, resource: &str| {
            Arc::new(BatchSource {
                service: service.into(),
                resource: [("a".to_owned(), AttributeValue::Text(resource.to_owned()))].into(),
                scope: scope.to_owned(),
                scope_version: scope_version.to_owned(),
            })
        };
        let batch = |source: Arc<BatchSource>| {
            let span = OtlpSpan { source, ..fixture::fixture_span(1, None, "x", 0.0, 1.0) };
            SpanBatch { spans: vec![span.clone(), span], rejected: 0 }
        };
        let long = "x".repeat(1000);
        let least = batch(source("", "", "", "")).weight();
        for source in [
            source(&long, "", "", ""),
            source("", &long, "", ""),
            source("", "", &long, ""),
            source("", "", "", &long),
        ] {
            assert_eq!(batch(source).weight(), least + 1000);
        }
    }

    #[test]
    fn spans_without_an_id_of_their_own_are_counted_and_left_out() {
        let wire = |trace_id: &[u8], span_id: &[u8]| wire::Span {
            trace_id: trace_id.to_vec(),
            span_id: span_id.to_vec(),
            ..Default::default()
        };
        let spans = vec![
            wire(&[1; 16], &[1; 8]),
            wire(&[0; 16], &[1; 8]),
            wire(&[1; 15], &[1; 8]),
            wire(&[1; 16], &[]),
        ];
        let scopes = vec![ScopeSpans { spans, ..Default::default() }];
        let resources = vec![ResourceSpans { scope_spans: scopes, ..Default::default() }];
        let batch = flatten_export(ExportTraceServiceRequest { resource_spans: resources });
        assert_eq!((batch.spans.len(), batch.rejected), (1, 3));
    }
}
