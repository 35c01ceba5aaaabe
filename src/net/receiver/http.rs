//! Receives OTLP over HTTP. Errors are `google.rpc.Status` in the request's content type.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW,
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER, VARY,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use axum::routing::{any, get};
use bytes::Bytes;
use prost::Message;
use serde_json::json;
use tokio::sync::oneshot;
use url::Url;

use super::budget::Held;
use super::intake::{self, BodyReader, Envelope, Refusal, headers};
use super::names::{admit, is_local, local_origin};
use super::{Answer, Compression, Desk, Format, Question, Signal, Transport};

/// Returns the routes of the HTTP port.
pub(super) fn routes(desk: Desk) -> Router {
    Router::new().route("/cruddur/query", get(ask)).fallback(any(take)).with_state(desk)
}

async fn take(State(desk): State<Desk>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let origin = local_origin(&parts.headers);
    let mut response = if parts.method == Method::OPTIONS && origin.is_some() {
        preflight(&parts.headers)
    } else {
        let format = format(&parts.headers);
        match receive(&desk, &parts, format, body).await {
            Ok(rejected) => success(format.unwrap_or(Format::Json), rejected),
            Err(refusal) => failure(format, &refusal),
        }
    };
    if let Some(origin) = origin {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(VARY, HeaderValue::from_static("origin"));
    }
    response
}

async fn receive(
    desk: &Desk,
    parts: &Parts,
    format: Option<Format>,
    body: Body,
) -> Result<usize, Refusal> {
    admit(parts, desk.own_name.as_deref())?;
    let path = parts.uri.path();
    let signal = Signal::at_path(path).ok_or_else(|| Refusal::Unknown(path.to_owned()))?;
    if parts.method != Method::POST {
        return Err(Refusal::Method);
    }
    let format = format.ok_or_else(|| {
        Refusal::Unsupported(
            "unsupported content-type, valid types are: application/x-protobuf, application/json"
                .to_owned(),
        )
    })?;
    let HttpBody { compression, message, held, .. } =
        read(&desk.bodies, &parts.headers, body).await?;
    let envelope = Envelope {
        signal,
        transport: Transport::Http {
            path: path.to_owned(),
            content_type: text(&parts.headers, &CONTENT_TYPE).to_owned(),
        },
        compression,
        format,
        headers: headers(&parts.headers),
    };
    desk.accept(envelope, message, held).await
}

/// The body of a request.
pub(in crate::net) struct HttpBody {
    pub(in crate::net) compression: Compression,
    /// The body as received.
    pub(in crate::net) packed: Bytes,
    /// The body decompressed.
    pub(in crate::net) message: Bytes,
    pub(in crate::net) held: Held,
}

/// Reads and decompresses the body of a request.
pub(in crate::net) async fn read(
    bodies: &BodyReader,
    headers: &HeaderMap,
    body: Body,
) -> Result<HttpBody, Refusal> {
    let compression = compression(headers)?;
    let announced = text(headers, &CONTENT_LENGTH).parse::<usize>();
    if announced.is_ok_and(|length| length > bodies.limits.body) {
        return Err(bodies.too_large());
    }
    let (packed, mut held) = bodies.read(body).await?;
    let message = match compression {
        Compression::None => packed.clone(),
        Compression::Gzip => bodies.unpack(&packed, &mut held)?,
    };
    Ok(HttpBody { compression, packed, message, held })
}

pub(in crate::net) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

pub(in crate::net) fn format(headers: &HeaderMap) -> Option<Format> {
    let kind = text(headers, &CONTENT_TYPE).split(';').next()?.trim();
    match kind.to_ascii_lowercase().as_str() {
        "application/x-protobuf" | "application/protobuf" => Some(Format::Protobuf),
        "application/json" => Some(Format::Json),
        _ => None,
    }
}

fn compression(headers: &HeaderMap) -> Result<Compression, Refusal> {
    match text(headers, &CONTENT_ENCODING).trim() {
        "" | "identity" => Ok(Compression::None),
        "gzip" => Ok(Compression::Gzip),
        other => Err(Refusal::Unsupported(format!(
            "unsupported content-encoding {other}, valid encodings are: gzip, identity"
        ))),
    }
}

fn success(format: Format, rejected: usize) -> Response {
    let response = intake::response(rejected);
    let json = match (format, &response.partial_success) {
        (Format::Protobuf, _) => {
            let body = response.encode_to_vec();
            return respond(StatusCode::OK, "application/x-protobuf", body);
        }
        (Format::Json, None) => json!({}),
        (Format::Json, Some(partial)) => json!({ "partialSuccess": {
            "rejectedSpans": partial.rejected_spans.to_string(),
            "errorMessage": partial.error_message,
        }}),
    };
    document(StatusCode::OK, &json)
}

/// The part of `google.rpc.Status` that OTLP requires.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(string, tag = "2")]
    message: String,
}

/// Returns the HTTP status for a refusal.
pub(in crate::net) fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Unknown(_) => StatusCode::NOT_FOUND,
        Refusal::Method => StatusCode::METHOD_NOT_ALLOWED,
        Refusal::Unsupported(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Refusal::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::Malformed(_) => StatusCode::BAD_REQUEST,
        Refusal::TooSlow => StatusCode::REQUEST_TIMEOUT,
        Refusal::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::Foreign(_) => StatusCode::FORBIDDEN,
    }
}

fn failure(format: Option<Format>, refusal: &Refusal) -> Response {
    let status = status(refusal);
    let message = refusal.to_string();
    let mut response = match format {
        Some(Format::Protobuf) => {
            respond(status, "application/x-protobuf", Status { message }.encode_to_vec())
        }
        Some(Format::Json) => {
            respond(status, "application/json", json!({ "message": message }).to_string())
        }
        None => respond(status, "text/plain; charset=utf-8", message + "\n"),
    };
    if *refusal == Refusal::Method {
        let methods = HeaderValue::from_static("POST");
        response.headers_mut().insert(ALLOW, methods);
    }
    if *refusal == Refusal::Busy {
        let seconds = HeaderValue::from_static("1");
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    response
}

fn respond(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn preflight(asked: &HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    if let Some(names) = asked.get("access-control-request-headers") {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    response
}

/// Passes a query from this machine to the command. Against DNS rebinding, the `Host` header must name this machine
/// too.
async fn ask(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let headers = request.headers();
    let host = Url::parse(&format!("http://{}", text(headers, &HOST)));
    let called_local = host.is_ok_and(|url| url.host_str().is_some_and(is_local));
    if !peer.ip().to_canonical().is_loopback() || !called_local || headers.contains_key(ORIGIN) {
        return document(StatusCode::FORBIDDEN, &json!({ "error": "only this machine may ask" }));
    }
    let (answer, answered) = oneshot::channel();
    let question = Question { text: request.uri().query().unwrap_or_default().to_owned(), answer };
    // If nothing receives the question, its answer channel is dropped with it.
    drop(desk.questions.send(question).await);
    match answered.await {
        Ok(Answer { status, document }) => self::document(
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            &document,
        ),
        Err(_) => document(
            StatusCode::NOT_FOUND,
            &json!({ "error": "there is no terminal to answer questions" }),
        ),
    }
}

fn document(status: StatusCode, document: &serde_json::Value) -> Response {
    respond(status, "application/json", document.to_string())
}
