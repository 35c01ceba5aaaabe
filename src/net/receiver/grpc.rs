//! Receives OTLP over gRPC: three export calls, with the same limits as over HTTP.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use prost::Message;
use tonic::Status;

use super::budget::Held;
use super::intake::{self, BodyReader, Envelope, Refusal, headers};
use super::names::admit;
use super::{Compression, Desk, Format, Signal, Transport};

/// Returns the path of the export call for a signal.
pub(in crate::net) fn call_path(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    }
}

/// Returns the routes of the gRPC port; `http_port` is named in errors about OTLP over HTTP.
pub(super) fn routes(desk: Desk, http_port: u16) -> Router {
    let call = |signal| {
        post(move |State(desk): State<Desk>, request: Request| answer(desk, signal, request))
    };
    Router::new()
        .route(call_path(Signal::Traces), call(Signal::Traces))
        .route(call_path(Signal::Metrics), call(Signal::Metrics))
        .route(call_path(Signal::Logs), call(Signal::Logs))
        .fallback(move |request: Request| async move { unknown(&request, http_port) })
        .with_state(desk)
}

pub(in crate::net) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

fn unknown(request: &Request, http_port: u16) -> Response {
    if is_grpc(request.headers()) {
        return refuse(Status::unimplemented(format!("nothing is at {}", request.uri().path())));
    }
    let text = format!("this port speaks gRPC; OTLP over HTTP is on port {http_port}\n");
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    (StatusCode::NOT_FOUND, [(CONTENT_TYPE, plain)], text).into_response()
}

/// Returns a response with only a status.
pub(in crate::net) fn refuse(status: Status) -> Response {
    status.into_http::<Body>()
}

async fn answer(desk: Desk, signal: Signal, request: Request) -> Response {
    if !is_grpc(request.headers()) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    match receive(&desk, signal, request).await {
        Ok(rejected) => success(rejected),
        Err(refusal) => refuse(status(&refusal)),
    }
}

async fn receive(desk: &Desk, signal: Signal, request: Request) -> Result<usize, Refusal> {
    let (parts, body) = request.into_parts();
    admit(&parts, desk.own_name.as_deref())?;
    let (frame, mut held) = desk.bodies.read(body).await?;
    let (compression, message) = message(&desk.bodies, &parts.headers, frame, &mut held)?;
    let envelope = Envelope {
        signal,
        transport: Transport::Grpc,
        compression,
        format: Format::Protobuf,
        headers: headers(&parts.headers),
    };
    desk.accept(envelope, message, held).await
}

/// Returns the decompressed message of a frame, and how it was compressed.
pub(in crate::net) fn message(
    bodies: &BodyReader,
    headers: &HeaderMap,
    frame: Bytes,
    held: &mut Held,
) -> Result<(Compression, Bytes), Refusal> {
    let (is_packed, message) = unframed(frame)?;
    let encoding = headers.get("grpc-encoding").and_then(|name| name.to_str().ok());
    match (is_packed, encoding) {
        (false, _) => Ok((Compression::None, message)),
        (true, Some("gzip")) => Ok((Compression::Gzip, bodies.unpack(&message, held)?)),
        (true, other) => {
            let other = other.unwrap_or("without a name");
            let text = format!("unsupported grpc-encoding {other}, valid ones are: gzip, identity");
            Err(Refusal::Unsupported(text))
        }
    }
}

/// Splits the one frame of a body: a compression flag, a length of four bytes, and the message.
pub(in crate::net) fn unframed(mut frame: Bytes) -> Result<(bool, Bytes), Refusal> {
    let broken = || Refusal::Malformed("the body is not one gRPC message".to_owned());
    if frame.len() < HEAD {
        return Err(broken());
    }
    let (flag, length) = (frame.get_u8(), frame.get_u32() as usize);
    match (flag, frame.len() == length) {
        (0 | 1, true) => Ok((flag == 1, frame)),
        _ => Err(broken()),
    }
}

/// The bytes before a message.
const HEAD: usize = 5;

fn success(rejected: usize) -> Response {
    let message = intake::response(rejected).encode_to_vec();
    let mut frame = BytesMut::with_capacity(HEAD + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.extend_from_slice(&message);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::new(frame.freeze()).with_trailers(std::future::ready(Some(Ok(trailers))));
    let kind = HeaderValue::from_static("application/grpc");
    ([(CONTENT_TYPE, kind)], Body::new(body)).into_response()
}

/// Returns the gRPC status for a refusal.
pub(in crate::net) fn status(refusal: &Refusal) -> Status {
    let message = refusal.to_string();
    match refusal {
        Refusal::Unknown(_) | Refusal::Method | Refusal::Unsupported(_) => {
            Status::unimplemented(message)
        }
        Refusal::TooLarge(_) => Status::resource_exhausted(message),
        Refusal::Malformed(_) => Status::invalid_argument(message),
        Refusal::TooSlow => Status::deadline_exceeded(message),
        Refusal::Busy => Status::unavailable(message),
        Refusal::Foreign(_) => Status::permission_denied(message),
    }
}
