//! Receives OTLP over HTTP. Errors are `google.rpc.Status` in the request's content type.

use std::convert::identity;
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
use tokio::sync::{mpsc, oneshot};
use url::Url;

use super::budget::HeldBytes;
use super::intake::{self, BodyReader, RequestEnvelope, RequestRefusal, collect_headers};
use super::names::{admit_request, is_local, local_origin};
use super::{
    MessageFormat, OtlpTransport, QuestionAnswer, ReceivedQuestion, ReceiverState,
    RequestCompression, TelemetrySignal,
};

/// Returns the routes of the HTTP port.
pub(super) fn routes(state: ReceiverState) -> Router {
    Router::new()
        .route("/cruddur/query", get(handle_question))
        .fallback(any(handle_http_export))
        .with_state(state)
}

async fn handle_http_export(State(state): State<ReceiverState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let origin = local_origin(&parts.headers);
    let mut response = if parts.method == Method::OPTIONS && origin.is_some() {
        cors_preflight_response(&parts.headers)
    } else {
        let format = message_format(&parts.headers);
        match receive_http_export(&state, &parts, format, body).await {
            Ok(rejected) => http_success_response(format.unwrap_or(MessageFormat::Json), rejected),
            Err(refusal) => http_failure_response(format, &refusal),
        }
    };
    if let Some(origin) = origin {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(VARY, HeaderValue::from_static("origin"));
    }
    response
}

async fn receive_http_export(
    state: &ReceiverState,
    parts: &Parts,
    format: Option<MessageFormat>,
    body: Body,
) -> Result<usize, RequestRefusal> {
    admit_request(parts, state.own_name.as_deref())?;
    let path = parts.uri.path();
    let signal =
        TelemetrySignal::at_path(path).ok_or_else(|| RequestRefusal::Unknown(path.to_owned()))?;
    if parts.method != Method::POST {
        return Err(RequestRefusal::Method);
    }
    let format = format.ok_or_else(|| {
        RequestRefusal::Unsupported(
            "unsupported content-type, valid types are: application/x-protobuf, application/json"
                .to_owned(),
        )
    })?;
    let HttpBody { compression, message, held, .. } =
        read_http_body(&state.bodies, &parts.headers, body).await?;
    let envelope = RequestEnvelope {
        signal,
        transport: OtlpTransport::Http {
            path: path.to_owned(),
            content_type: header_value_text(&parts.headers, &CONTENT_TYPE).to_owned(),
        },
        compression,
        format,
        headers: collect_headers(&parts.headers),
    };
    state.accept(envelope, message, held).await
}

/// The body of a request.
pub(in crate::net) struct HttpBody {
    pub(in crate::net) compression: RequestCompression,
    /// The body as received.
    pub(in crate::net) packed: Bytes,
    /// The body decompressed.
    pub(in crate::net) message: Bytes,
    pub(in crate::net) held: HeldBytes,
}

/// Reads and decompresses the body of a request.
pub(in crate::net) async fn read_http_body(
    bodies: &BodyReader,
    headers: &HeaderMap,
    body: Body,
) -> Result<HttpBody, RequestRefusal> {
    let compression = body_compression(headers)?;
    let announced = header_value_text(headers, &CONTENT_LENGTH).parse::<usize>();
    if announced.is_ok_and(|length| length > bodies.limits.body) {
        return Err(bodies.too_large());
    }
    let (packed, mut held) = bodies.read(body).await?;
    let message = match compression {
        RequestCompression::None => packed.clone(),
        RequestCompression::Gzip => bodies.unpack(&packed, &mut held)?,
    };
    Ok(HttpBody { compression, packed, message, held })
}

pub(in crate::net) fn header_value_text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

pub(in crate::net) fn message_format(headers: &HeaderMap) -> Option<MessageFormat> {
    let kind = header_value_text(headers, &CONTENT_TYPE).split(';').next()?.trim();
    match kind.to_ascii_lowercase().as_str() {
        "application/x-protobuf" | "application/protobuf" => Some(MessageFormat::Protobuf),
        "application/json" => Some(MessageFormat::Json),
        _ => None,
    }
}

fn body_compression(headers: &HeaderMap) -> Result<RequestCompression, RequestRefusal> {
    match header_value_text(headers, &CONTENT_ENCODING).trim() {
        "" | "identity" => Ok(RequestCompression::None),
        "gzip" => Ok(RequestCompression::Gzip),
        other => Err(RequestRefusal::Unsupported(format!(
            "unsupported content-encoding {other}, valid encodings are: gzip, identity"
        ))),
    }
}

fn http_success_response(format: MessageFormat, rejected: usize) -> Response {
    let response = intake::response(rejected);
    let json = match (format, &response.partial_success) {
        (MessageFormat::Protobuf, _) => {
            let body = response.encode_to_vec();
            return build_http_response(StatusCode::OK, "application/x-protobuf", body);
        }
        (MessageFormat::Json, None) => json!({}),
        (MessageFormat::Json, Some(partial)) => json!({ "partialSuccess": {
            "rejectedSpans": partial.rejected_spans.to_string(),
            "errorMessage": partial.error_message,
        }}),
    };
    json_response(StatusCode::OK, &json)
}

/// The part of `google.rpc.Status` that OTLP requires.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(string, tag = "2")]
    message: String,
}

/// Returns the HTTP status for a refusal.
pub(in crate::net) fn http_refusal_status(refusal: &RequestRefusal) -> StatusCode {
    match refusal {
        RequestRefusal::Unknown(_) => StatusCode::NOT_FOUND,
        RequestRefusal::Method => StatusCode::METHOD_NOT_ALLOWED,
        RequestRefusal::Unsupported(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        RequestRefusal::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        RequestRefusal::Malformed(_) => StatusCode::BAD_REQUEST,
        RequestRefusal::TooSlow => StatusCode::REQUEST_TIMEOUT,
        RequestRefusal::Busy => StatusCode::SERVICE_UNAVAILABLE,
        RequestRefusal::Foreign(_) => StatusCode::FORBIDDEN,
    }
}

fn http_failure_response(format: Option<MessageFormat>, refusal: &RequestRefusal) -> Response {
    let status = http_refusal_status(refusal);
    let message = refusal.to_string();
    let mut response = match format {
        Some(MessageFormat::Protobuf) => build_http_response(
            status,
            "application/x-protobuf",
            RpcStatus { message }.encode_to_vec(),
        ),
        Some(MessageFormat::Json) => build_http_response(
            status,
            "application/json",
            json!({ "message": message }).to_string(),
        ),
        None => build_http_response(status, "text/plain; charset=utf-8", message + "\n"),
    };
    if *refusal == RequestRefusal::Method {
        let methods = HeaderValue::from_static("POST");
        response.headers_mut().insert(ALLOW, methods);
    }
    if *refusal == RequestRefusal::Busy {
        let seconds = HeaderValue::from_static("1");
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    response
}

/// Returns a response with this status, content type and body.
pub(in crate::net) fn build_http_response(
    status: StatusCode,
    kind: &'static str,
    body: impl Into<Body>,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn cors_preflight_response(asked: &HeaderMap) -> Response {
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
async fn handle_question(
    State(state): State<ReceiverState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let headers = request.headers();
    let host = Url::parse(&format!("http://{}", header_value_text(headers, &HOST)));
    let called_local = host.is_ok_and(|url| url.host_str().is_some_and(is_local));
    if !peer.ip().to_canonical().is_loopback() || !called_local || headers.contains_key(ORIGIN) {
        return json_response(
            StatusCode::FORBIDDEN,
            &json!({ "error": "only this machine may ask" }),
        );
    }
    let text = request.uri().query().unwrap_or_default();
    answer_question(&state.questions, text, identity).await.unwrap_or_else(|| {
        json_response(
            StatusCode::NOT_FOUND,
            &json!({ "error": "there is no terminal to answer questions" }),
        )
    })
}

/// Passes a question on as `wrap` makes it, and returns the answer as a response; `None` if nothing answers.
pub(in crate::net) async fn answer_question<T>(
    to: &mpsc::Sender<T>,
    text: &str,
    wrap: impl FnOnce(ReceivedQuestion) -> T,
) -> Option<Response> {
    let (answer, answered) = oneshot::channel();
    let question = ReceivedQuestion { text: text.to_owned(), answer };
    // If nothing receives the question, its answer channel is dropped with it.
    drop(to.send(wrap(question)).await);
    let QuestionAnswer { status, document } = answered.await.ok()?;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Some(json_response(status, &document))
}

fn json_response(status: StatusCode, document: &serde_json::Value) -> Response {
    build_http_response(status, "application/json", document.to_string())
}
