//! OTLP over gRPC: the three export calls, answered through tonic with messages as plain bytes.

use std::future::Future;
use std::pin::Pin;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::{Buf, BufMut, Bytes};
use prost::Message;
use tonic::Status;
use tonic::codec::{
    Codec, CompressionEncoding, DecodeBuf, Decoder, EnabledCompressionEncodings, EncodeBuf, Encoder,
};
use tonic::server::{Grpc, UnaryService};

use super::budget::Held;
use super::intake::{self, Envelope, Refusal, headers};
use super::{Compression, Desk, Format, Signal, Transport};

/// What the gRPC port answers; `http_port` is where OTLP over HTTP belongs.
pub(super) fn routes(desk: Desk, http_port: u16) -> Router {
    let call = |signal| {
        post(move |State(desk): State<Desk>, request: Request| answer(desk, signal, request))
    };
    Router::new()
        .route("/opentelemetry.proto.collector.trace.v1.TraceService/Export", call(Signal::Traces))
        .route(
            "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
            call(Signal::Metrics),
        )
        .route("/opentelemetry.proto.collector.logs.v1.LogsService/Export", call(Signal::Logs))
        .fallback(move |request: Request| async move { unknown(&request, http_port) })
        .with_state(desk)
}

fn is_grpc(headers: &HeaderMap) -> bool {
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

fn refuse(status: Status) -> Response {
    status.into_http::<Body>()
}

async fn answer(desk: Desk, signal: Signal, request: Request) -> Response {
    if !is_grpc(request.headers()) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let (parts, body) = request.into_parts();
    let (bytes, held) = match desk.read(body).await {
        Ok(read) => read,
        Err(refusal) => return refuse(status(&refusal)),
    };
    let compression = match parts.headers.get("grpc-encoding") {
        Some(encoding) if encoding == "gzip" => Compression::Gzip,
        _ => Compression::None,
    };
    let envelope = Envelope {
        signal,
        transport: Transport::Grpc,
        compression,
        format: Format::Protobuf,
        headers: headers(&parts.headers),
    };
    let most = desk.limits.body;
    let mut accepted = EnabledCompressionEncodings::default();
    accepted.enable(CompressionEncoding::Gzip);
    let export = Export { desk, request: Some((envelope, held)) };
    Grpc::new(Plain)
        .apply_compression_config(accepted, EnabledCompressionEncodings::default())
        .apply_max_message_size_config(Some(most), None)
        .unary(export, axum::http::Request::from_parts(parts, Body::from(bytes)))
        .await
        .map(Body::new)
}

fn status(refusal: &Refusal) -> Status {
    let message = refusal.to_string();
    match refusal {
        Refusal::Unknown(_) | Refusal::Method | Refusal::Unsupported(_) => {
            Status::unimplemented(message)
        }
        Refusal::TooLarge(_) => Status::resource_exhausted(message),
        Refusal::Malformed(_) => Status::invalid_argument(message),
        Refusal::TooSlow => Status::deadline_exceeded(message),
        Refusal::Busy => Status::unavailable(message),
    }
}

/// One call.
#[derive(Debug)]
struct Export {
    desk: Desk,
    request: Option<(Envelope, Held)>,
}

impl UnaryService<Bytes> for Export {
    type Response = Bytes;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Bytes>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let desk = self.desk.clone();
        let taken = self.request.take();
        Box::pin(async move {
            let (envelope, held) =
                taken.ok_or_else(|| Status::internal("a call is answered once"))?;
            let rejected = desk
                .accept(envelope, request.into_inner(), held)
                .await
                .map_err(|refusal| status(&refusal))?;
            let response = intake::response(rejected);
            Ok(tonic::Response::new(response.encode_to_vec().into()))
        })
    }
}

/// Messages as they stand on the wire: decoding is the same for HTTP.
#[derive(Debug, Clone, Copy)]
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
