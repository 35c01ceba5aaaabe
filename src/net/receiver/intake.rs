//! One request: read within its limits, unpacked, decoded, handed on. The same for HTTP and gRPC.

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

use super::budget::{Budget, Held};
use super::{Arrival, Compression, Desk, Format, Limits, Signal, Transport};
use super::{proto_json, weight};
use crate::otlp::span::{Batch, flatten};
use crate::secret::Secret;

/// Why a request is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No such path.
    Unknown(String),
    /// Not a POST.
    Method,
    /// A type or an encoding that OTLP does not have.
    Unsupported(String),
    /// Over a limit.
    TooLarge(String),
    /// It does not decode.
    Malformed(String),
    /// It did not come in time.
    TooSlow,
    /// From a page elsewhere, or under a name that is not this machine's.
    Foreign(String),
    /// Too much is waiting; the sender should try again.
    Busy,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(path) => write!(
                f,
                "nothing is at {path}: spans go to /v1/traces, metrics to /v1/metrics, logs to /v1/logs"
            ),
            Self::Method => f.write_str("only POST is answered here"),
            Self::Unsupported(text)
            | Self::TooLarge(text)
            | Self::Malformed(text)
            | Self::Foreign(text) => f.write_str(text),
            Self::TooSlow => f.write_str("the request did not come in time"),
            Self::Busy => f.write_str("too many requests are waiting; try again"),
        }
    }
}

/// What a request says of itself before its body.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) signal: Signal,
    pub(super) transport: Transport,
    pub(super) compression: Compression,
    pub(super) format: Format,
    pub(super) headers: Vec<(String, Secret)>,
}

/// Names in lower case, values in custody.
pub(super) fn headers(map: &axum::http::HeaderMap) -> Vec<(String, Secret)> {
    map.iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.as_str().to_owned(), Secret::new(value))
        })
        .collect()
}

/// Reads, unpacks and decodes bodies within one set of limits; clones share the bytes that may be pending.
#[derive(Debug, Clone)]
pub(in crate::net) struct BodyReader {
    pub(in crate::net) limits: Limits,
    budget: Budget,
}

impl BodyReader {
    /// A reader that holds nothing yet.
    pub(in crate::net) fn new(limits: Limits) -> Self {
        Self { limits, budget: Budget::new(limits.pending) }
    }

    /// Reads a body as far as limits, budget and time allow.
    pub(in crate::net) async fn read(&self, body: Body) -> Result<(Bytes, Held), Refusal> {
        tokio::time::timeout(self.limits.request, self.collect(body))
            .await
            .map_err(|_| Refusal::TooSlow)?
    }

    async fn collect(&self, mut body: Body) -> Result<(Bytes, Held), Refusal> {
        let mut held = Held::nothing();
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame
                .map_err(|error| Refusal::Malformed(format!("the body broke off: {error}")))?;
            let Ok(chunk) = frame.into_data() else {
                continue;
            };
            if bytes.len() + chunk.len() > self.limits.body {
                return Err(self.too_large());
            }
            // What grows by doubling takes twice its length at worst.
            if !self.budget.take(2 * chunk.len(), &mut held) {
                return Err(Refusal::Busy);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok((bytes.freeze(), held))
    }

    /// A body larger than is allowed.
    pub(in crate::net) fn too_large(&self) -> Refusal {
        too_large(self.limits.body)
    }

    /// `packed` without its gzip.
    pub(in crate::net) fn unpack(&self, packed: &[u8], held: &mut Held) -> Result<Bytes, Refusal> {
        let room = |length: usize| match self.budget.take(2 * length, held) {
            true => Ok(()),
            false => Err(Refusal::Busy),
        };
        inflate(packed, self.limits.body, room).map(Bytes::from)
    }

    /// Decodes a message; from then on `held` is what the message and its spans take.
    pub(in crate::net) fn decode(
        &self,
        signal: Signal,
        format: Format,
        body: &[u8],
        held: &mut Held,
    ) -> Result<Batch, Refusal> {
        let weight = weigh(signal, format, body, self.limits.decoded)?;
        if held.bytes() + weight > self.limits.pending {
            return Err(too_many());
        }
        if !self.budget.take(weight, held) {
            return Err(Refusal::Busy);
        }
        let batch = decode(signal, format, body).map_err(malformed)?;
        held.shrink_to(2 * body.len() + batch.weight());
        Ok(batch)
    }
}

impl Desk {
    /// Decodes a message and hands it on; answers how many spans were rejected.
    pub(super) async fn accept(
        &self,
        envelope: Envelope,
        body: Bytes,
        mut held: Held,
    ) -> Result<usize, Refusal> {
        let batch = self.bodies.decode(envelope.signal, envelope.format, &body, &mut held)?;
        let Batch { spans, rejected } = batch;
        let arrival = Arrival {
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
        // Waits while many are waiting; nobody at the other end means that the receiver is closing.
        self.arrivals.send(arrival).await.map_err(|_| Refusal::Busy)?;
        Ok(rejected)
    }
}

fn too_large(most: usize) -> Refusal {
    let most = most >> 20;
    Refusal::TooLarge(format!("the request is larger than {most} MiB"))
}

/// `packed` without its gzip, of which there may be `most` bytes.
///
/// # Errors
/// `Malformed`, `TooLarge`.
pub fn unpacked(packed: &[u8], most: usize) -> Result<Vec<u8>, Refusal> {
    inflate(packed, most, |_| Ok(()))
}

/// `packed` without its gzip, as far as there is `room` for the next so many bytes.
fn inflate(
    packed: &[u8],
    most: usize,
    mut room: impl FnMut(usize) -> Result<(), Refusal>,
) -> Result<Vec<u8>, Refusal> {
    let mut decoder = MultiGzDecoder::new(packed);
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 64 << 10];
    loop {
        let length = decoder
            .read(&mut chunk)
            .map_err(|error| Refusal::Malformed(format!("the gzip is broken: {error}")))?;
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

/// What a request of one signal holds, if that takes `most` bytes of memory, about.
///
/// # Errors
/// `Malformed`, `TooLarge`.
pub fn read(signal: Signal, format: Format, body: &[u8], most: usize) -> Result<Batch, Refusal> {
    weigh(signal, format, body, most)?;
    decode(signal, format, body).map_err(malformed)
}

fn malformed(error: String) -> Refusal {
    Refusal::Malformed(format!("failed to parse OTLP request body: {error}"))
}

fn too_many() -> Refusal {
    Refusal::TooLarge("the request holds too many entries".to_owned())
}

/// Bytes of memory that decoding a request takes, up to `most`.
fn weigh(signal: Signal, format: Format, body: &[u8], most: usize) -> Result<usize, Refusal> {
    let weight = match signal {
        Signal::Traces => weight::decoded(format, body),
        Signal::Metrics | Signal::Logs => 0,
    };
    if weight > most { Err(too_many()) } else { Ok(weight) }
}

fn decode(signal: Signal, format: Format, body: &[u8]) -> Result<Batch, String> {
    match (signal, format) {
        (Signal::Traces, Format::Protobuf) => {
            ExportTraceServiceRequest::decode(body).map(flatten).map_err(|error| error.to_string())
        }
        (Signal::Traces, Format::Json) => {
            is_object(body)?;
            let read = serde_json::from_slice(body).or_else(|error| {
                // Seldom, and read once more then: as other writers of the same message put it.
                let rewritten = proto_json::rewrite(body).map_err(|_| ());
                let read = rewritten.and_then(|text| serde_json::from_slice(&text).map_err(|_| ()));
                read.map_err(|()| error)
            });
            read.map(flatten).map_err(|error| error.to_string())
        }
        (Signal::Metrics | Signal::Logs, format) => {
            well_formed(format, body).map(|()| Batch::default())
        }
    }
}

/// A message of protobuf is an object in JSON.
fn is_object(body: &[u8]) -> Result<(), String> {
    match body.trim_ascii_start().first() {
        Some(b'{') | None => Ok(()),
        Some(_) => Err("expected an object".to_owned()),
    }
}

/// For what is acknowledged and not looked at.
fn well_formed(format: Format, mut body: &[u8]) -> Result<(), String> {
    match format {
        Format::Json => {
            is_object(body)?;
            serde_json::from_slice::<IgnoredAny>(body).map(drop).map_err(|error| error.to_string())
        }
        Format::Protobuf => {
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

/// What a sender is told; `partial_success` stays unset when nothing was rejected.
pub(super) fn response(rejected: usize) -> ExportTraceServiceResponse {
    ExportTraceServiceResponse {
        partial_success: (rejected > 0).then(|| ExportTracePartialSuccess {
            rejected_spans: i64::try_from(rejected).unwrap_or(i64::MAX),
            error_message: REJECTED.to_owned(),
        }),
    }
}

/// Why a span is rejected, as its sender is told.
pub const REJECTED: &str = "a span needs a trace id of 16 bytes and a span id of 8, not all zero";
