//! Handles one request for HTTP and gRPC: reads it within limits, decompresses, decodes and passes it on.

use std::io::Read;
use std::time::SystemTime;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use flate2::bufread::MultiGzDecoder;
use http_body_util::BodyExt;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use prost::encoding::{DecodeContext, decode_key, skip_field};
use serde::de::IgnoredAny;

use super::budget::{ByteBudget, HeldBytes};
use super::{
    MessageFormat, OtlpTransport, ReceivedExport, ReceiverLimits, ReceiverState,
    RequestCompression, TelemetrySignal,
};
use super::{proto_json, weight};
use crate::otlp::span::{SpanBatch, flatten_export};
use crate::secret::Secret;

/// The reason for refusing a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestRefusal {
    /// An unknown path.
    Unknown(String),
    /// A method other than POST.
    Method,
    /// A content type or encoding that OTLP does not have.
    Unsupported(String),
    /// Over a limit.
    TooLarge(String),
    /// It does not decode.
    Malformed(String),
    /// The request took too long.
    TooSlow,
    /// The request comes from another site's page, or names another host.
    Foreign(String),
    /// Too much is pending; the sender should retry.
    Busy,
}

impl std::fmt::Display for RequestRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(path) => write!(
                f,
                "nothing is at {path}: spans go to /v1/traces, metrics to /v1/metrics, logs to /v1/logs"
            ),
            Self::Method => f.write_str("only POST is allowed here"),
            Self::Unsupported(text)
            | Self::TooLarge(text)
            | Self::Malformed(text)
            | Self::Foreign(text) => f.write_str(text),
            Self::TooSlow => f.write_str("the request did not arrive in time"),
            Self::Busy => f.write_str("too many requests are waiting; try again"),
        }
    }
}

/// The metadata of a request before its body.
#[derive(Debug)]
pub(super) struct RequestEnvelope {
    pub(super) signal: TelemetrySignal,
    pub(super) transport: OtlpTransport,
    pub(super) compression: RequestCompression,
    pub(super) format: MessageFormat,
    pub(super) headers: Vec<(String, Secret)>,
}

/// Returns the headers: names in lower case, values as secrets.
pub(super) fn collect_headers(map: &axum::http::HeaderMap) -> Vec<(String, Secret)> {
    map.iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.as_str().to_owned(), Secret::new(value))
        })
        .collect()
}

/// Reads, decompresses and decodes bodies within limits; clones share the pending budget.
#[derive(Debug, Clone)]
pub(in crate::net) struct BodyReader {
    pub(in crate::net) limits: ReceiverLimits,
    budget: ByteBudget,
}

impl BodyReader {
    /// Returns a reader with nothing pending.
    pub(in crate::net) fn new(limits: ReceiverLimits) -> Self {
        Self { limits, budget: ByteBudget::new(limits.pending) }
    }

    /// Reads a body within the limits, the budget and the time.
    pub(in crate::net) async fn read(
        &self,
        body: Body,
    ) -> Result<(Bytes, HeldBytes), RequestRefusal> {
        tokio::time::timeout(self.limits.request, self.collect(body))
            .await
            .map_err(|_| RequestRefusal::TooSlow)?
    }

    async fn collect(&self, mut body: Body) -> Result<(Bytes, HeldBytes), RequestRefusal> {
        let mut held = HeldBytes::nothing();
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                RequestRefusal::Malformed(format!("the body ended early: {error}"))
            })?;
            let Ok(chunk) = frame.into_data() else {
                continue;
            };
            if bytes.len() + chunk.len() > self.limits.body {
                return Err(self.too_large());
            }
            // A buffer that grows by doubling needs at most twice its length.
            if !self.budget.take(2 * chunk.len(), &mut held) {
                return Err(RequestRefusal::Busy);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok((bytes.freeze(), held))
    }

    /// Returns the refusal of a body over the limit.
    pub(in crate::net) fn too_large(&self) -> RequestRefusal {
        too_large(self.limits.body)
    }

    /// Decompresses gzip within the limits.
    pub(in crate::net) fn unpack(
        &self,
        packed: &[u8],
        held: &mut HeldBytes,
    ) -> Result<Bytes, RequestRefusal> {
        let reserve = |length: usize| {
            if self.budget.take(2 * length, held) { Ok(()) } else { Err(RequestRefusal::Busy) }
        };
        inflate_gzip(packed, self.limits.body, reserve).map(Bytes::from)
    }

    /// Decodes a message; `held` then covers the message and its spans.
    pub(in crate::net) fn decode(
        &self,
        signal: TelemetrySignal,
        format: MessageFormat,
        body: &[u8],
        held: &mut HeldBytes,
    ) -> Result<SpanBatch, RequestRefusal> {
        let weight = weigh_message(signal, format, body, self.limits.decoded)?;
        if held.bytes() + weight > self.limits.pending {
            return Err(too_many());
        }
        if !self.budget.take(weight, held) {
            return Err(RequestRefusal::Busy);
        }
        let batch = decode_message(signal, format, body).map_err(malformed_message_refusal)?;
        held.shrink_to(2 * body.len() + batch.weight());
        Ok(batch)
    }
}

impl ReceiverState {
    /// Decodes a message and passes it on; returns the number of rejected spans.
    pub(super) async fn accept(
        &self,
        envelope: RequestEnvelope,
        body: Bytes,
        mut held: HeldBytes,
    ) -> Result<usize, RequestRefusal> {
        let batch = self.bodies.decode(envelope.signal, envelope.format, &body, &mut held)?;
        let SpanBatch { spans, rejected } = batch;
        let arrival = ReceivedExport {
            signal: envelope.signal,
            transport: envelope.transport,
            compression: envelope.compression,
            headers: envelope.headers,
            format: envelope.format,
            body,
            spans,
            rejected,
            at: SystemTime::now(),
            held,
        };
        // Waits while the channel is full; fails only if the receiver is closing.
        self.arrivals.send(arrival).await.map_err(|_| RequestRefusal::Busy)?;
        Ok(rejected)
    }
}

fn too_large(most: usize) -> RequestRefusal {
    let most = most >> 20;
    RequestRefusal::TooLarge(format!("the request is larger than {most} MiB"))
}

/// Decompresses gzip to at most `most` bytes.
///
/// # Errors
/// `Malformed`, `TooLarge`.
pub fn unpacked(packed: &[u8], most: usize) -> Result<Vec<u8>, RequestRefusal> {
    inflate_gzip(packed, most, |_| Ok(()))
}

/// Decompresses gzip, asking `room` before each further chunk.
fn inflate_gzip(
    packed: &[u8],
    most: usize,
    mut room: impl FnMut(usize) -> Result<(), RequestRefusal>,
) -> Result<Vec<u8>, RequestRefusal> {
    let mut decoder = MultiGzDecoder::new(packed);
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 64 << 10];
    loop {
        let length = decoder
            .read(&mut chunk)
            .map_err(|error| RequestRefusal::Malformed(format!("the gzip is broken: {error}")))?;
        if length == 0 {
            return Ok(bytes);
        }
        if bytes.len() + length > most {
            return Err(too_large(most));
        }
        room(length)?;
        bytes.extend_from_slice(&chunk[..length]);
    }
}

/// Decodes a request of one signal if that takes about `most` bytes of memory or less.
///
/// # Errors
/// `Malformed`, `TooLarge`.
pub fn read(
    signal: TelemetrySignal,
    format: MessageFormat,
    body: &[u8],
    most: usize,
) -> Result<SpanBatch, RequestRefusal> {
    weigh_message(signal, format, body, most)?;
    decode_message(signal, format, body).map_err(malformed_message_refusal)
}

fn malformed_message_refusal(error: String) -> RequestRefusal {
    RequestRefusal::Malformed(format!("failed to parse OTLP request body: {error}"))
}

fn too_many() -> RequestRefusal {
    RequestRefusal::TooLarge("the request holds too many entries".to_owned())
}

/// Returns the memory that decoding a request takes, in bytes, up to `most`.
fn weigh_message(
    signal: TelemetrySignal,
    format: MessageFormat,
    body: &[u8],
    most: usize,
) -> Result<usize, RequestRefusal> {
    let weight = match signal {
        TelemetrySignal::Traces => weight::estimate_memory(format, body),
        TelemetrySignal::Metrics | TelemetrySignal::Logs => 0,
    };
    if weight > most { Err(too_many()) } else { Ok(weight) }
}

fn decode_message(
    signal: TelemetrySignal,
    format: MessageFormat,
    body: &[u8],
) -> Result<SpanBatch, String> {
    match (signal, format) {
        (TelemetrySignal::Traces, MessageFormat::Protobuf) => {
            ExportTraceServiceRequest::decode(body)
                .map(flatten_export)
                .map_err(|error| error.to_string())
        }
        (TelemetrySignal::Traces, MessageFormat::Json) => {
            check_object(body)?;
            let read = serde_json::from_slice(body).or_else(|error| {
                // Rare: rewrite other valid spellings of the message and parse again.
                let rewritten = proto_json::rewrite(body).map_err(|_| ());
                let read = rewritten.and_then(|text| serde_json::from_slice(&text).map_err(|_| ()));
                read.map_err(|()| error)
            });
            read.map(flatten_export).map_err(|error| error.to_string())
        }
        (TelemetrySignal::Metrics | TelemetrySignal::Logs, format) => {
            well_formed(format, body).map(|()| SpanBatch::default())
        }
    }
}

/// Checks that a JSON text is an object, as a protobuf message must be.
fn check_object(body: &[u8]) -> Result<(), String> {
    match body.trim_ascii_start().first() {
        Some(b'{') | None => Ok(()),
        Some(_) => Err("expected an object".to_owned()),
    }
}

/// Checks the syntax of messages that are acknowledged and not used.
fn well_formed(format: MessageFormat, mut body: &[u8]) -> Result<(), String> {
    match format {
        MessageFormat::Json => {
            check_object(body)?;
            serde_json::from_slice::<IgnoredAny>(body).map(drop).map_err(|error| error.to_string())
        }
        MessageFormat::Protobuf => {
            while !body.is_empty() {
                decode_key(&mut body)
                    .and_then(|(field, wire)| {
                        skip_field(wire, field, &mut body, DecodeContext::default())
                    })
                    .map_err(|error| error.to_string())?;
            }
            Ok(())
        }
    }
}

/// Returns the response to a sender; `partial_success` stays unset if nothing was rejected.
pub(super) fn response(rejected: usize) -> ExportTraceServiceResponse {
    ExportTraceServiceResponse {
        partial_success: (rejected > 0).then(|| ExportTracePartialSuccess {
            rejected_spans: i64::try_from(rejected).unwrap_or(i64::MAX),
            error_message: REJECTED.to_owned(),
        }),
    }
}

/// The message to the sender about rejected spans.
pub(crate) const REJECTED: &str =
    "a span needs a trace id of 16 bytes and a span id of 8, not all zero";
