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

use super::budget::HeldBytes;
use super::intake::{self, BodyReader, RequestEnvelope, RequestRefusal, collect_headers};
use super::names::admit_request;
use super::{MessageFormat, OtlpTransport, ReceiverState, RequestCompression, TelemetrySignal};

/// Returns the path of the export call for a signal.
pub(in crate::net) fn call_path(signal: TelemetrySignal) -> &'static str {
    match signal {
        TelemetrySignal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        TelemetrySignal::Metrics => {
            "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
        }
        TelemetrySignal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    }
}

/// Returns the routes of the gRPC port; `http_port` is named in errors about OTLP over HTTP.
pub(super) fn routes(state: ReceiverState, http_port: u16) -> Router {
    let call = |signal| {
        post(move |State(state): State<ReceiverState>, request: Request| {
            answer_grpc_export(state, signal, request)
        })
    };
    Router::new()
        .route(call_path(TelemetrySignal::Traces), call(TelemetrySignal::Traces))
        .route(call_path(TelemetrySignal::Metrics), call(TelemetrySignal::Metrics))
        .route(call_path(TelemetrySignal::Logs), call(TelemetrySignal::Logs))
        .fallback(
            move |request: Request| async move { unknown_method_response(&request, http_port) },
        )
        .with_state(state)
}

pub(in crate::net) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

fn unknown_method_response(request: &Request, http_port: u16) -> Response {
    if is_grpc(request.headers()) {
        return grpc_status_response(Status::unimplemented(format!(
            "nothing is at {}",
            request.uri().path()
        )));
    }
    let text = format!("this port speaks gRPC; OTLP over HTTP is on port {http_port}\n");
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    (StatusCode::NOT_FOUND, [(CONTENT_TYPE, plain)], text).into_response()
}

/// Returns a response with only a status.
pub(in crate::net) fn grpc_status_response(status: Status) -> Response {
    status.into_http::<Body>()
}

async fn answer_grpc_export(
    state: ReceiverState,
    signal: TelemetrySignal,
    request: Request,
) -> Response {
    if !is_grpc(request.headers()) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    match receive_grpc_export(&state, signal, request).await {
        Ok(rejected) => grpc_success_response(rejected),
        Err(refusal) => grpc_status_response(grpc_refusal_status(&refusal)),
    }
}

async fn receive_grpc_export(
    state: &ReceiverState,
    signal: TelemetrySignal,
    request: Request,
) -> Result<usize, RequestRefusal> {
    let (parts, body) = request.into_parts();
    admit_request(&parts, state.own_name.as_deref())?;
    let (frame, mut held) = state.bodies.read(body).await?;
    let (compression, message) =
        read_grpc_message(&state.bodies, &parts.headers, frame, &mut held)?;
    let envelope = RequestEnvelope {
        signal,
        transport: OtlpTransport::Grpc,
        compression,
        format: MessageFormat::Protobuf,
        headers: collect_headers(&parts.headers),
    };
    state.accept(envelope, message, held).await
}

/// Returns the decompressed message of a frame, and how it was compressed.
pub(in crate::net) fn read_grpc_message(
    bodies: &BodyReader,
    headers: &HeaderMap,
    frame: Bytes,
    held: &mut HeldBytes,
) -> Result<(RequestCompression, Bytes), RequestRefusal> {
    let (is_packed, message) = split_grpc_frame(frame)?;
    let encoding = headers.get("grpc-encoding").and_then(|name| name.to_str().ok());
    match (is_packed, encoding) {
        (false, _) => Ok((RequestCompression::None, message)),
        (true, Some("gzip")) => Ok((RequestCompression::Gzip, bodies.unpack(&message, held)?)),
        (true, other) => {
            let other = other.unwrap_or("without a name");
            let text = format!("unsupported grpc-encoding {other}, valid ones are: gzip, identity");
            Err(RequestRefusal::Unsupported(text))
        }
    }
}

/// Splits the one frame of a body: a compression flag, a length of four bytes, and the message.
pub(in crate::net) fn split_grpc_frame(mut frame: Bytes) -> Result<(bool, Bytes), RequestRefusal> {
    let broken = || RequestRefusal::Malformed("the body is not one gRPC message".to_owned());
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

fn grpc_success_response(rejected: usize) -> Response {
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
pub(in crate::net) fn grpc_refusal_status(refusal: &RequestRefusal) -> Status {
    let message = refusal.to_string();
    match refusal {
        RequestRefusal::Unknown(_) | RequestRefusal::Method | RequestRefusal::Unsupported(_) => {
            Status::unimplemented(message)
        }
        RequestRefusal::TooLarge(_) => Status::resource_exhausted(message),
        RequestRefusal::Malformed(_) => Status::invalid_argument(message),
        RequestRefusal::TooSlow => Status::deadline_exceeded(message),
        RequestRefusal::Busy => Status::unavailable(message),
        RequestRefusal::Foreign(_) => Status::permission_denied(message),
    }
}
