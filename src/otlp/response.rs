//! The meaning of a response to an export request.

use prost::Message;
use prost::bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, skip_field};

use super::verdict::FailureCode;
use crate::secret::without_colours;

/// The most bytes that are read of a response.
pub const LIMIT: usize = 4 * 1024 * 1024;

/// An HTTP response, up to [`LIMIT`] bytes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// `Content-Type` as received.
    pub content_type: Option<String>,
    /// `Location`, if present.
    pub location: Option<String>,
    /// At most [`LIMIT`] bytes.
    pub body: Vec<u8>,
    /// Whether there was more than [`LIMIT`].
    pub oversized: bool,
}

/// The result for the exported spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportMeaning {
    /// Accepted, possibly with a warning.
    Accepted {
        /// The receiver's warning.
        warning: Option<String>,
    },
    /// Not accepted.
    Refused {
        /// The kind of refusal.
        code: FailureCode,
        /// The receiver's message, or what was wrong with it.
        evidence: String,
    },
}

impl ExportMeaning {
    /// Returns a refusal with `code`.
    pub fn refused(code: FailureCode, evidence: impl Into<String>) -> Self {
        Self::Refused { code, evidence: evidence.into() }
    }
}

/// The media type of a response, as far as OTLP uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ResponseMedia {
    Protobuf,
    Json,
    Other,
    Absent,
}

/// The contents of an `ExportTraceServiceResponse`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartialSuccess {
    /// The number of rejected spans.
    pub rejected: i64,
    /// The reason, or another message of the receiver.
    pub message: String,
}

/// Returns whether the same request may be sent again after this status.
pub fn may_retry(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}

/// Returns the meaning of an HTTP response to an export request.
pub fn read(answer: &HttpAnswer) -> ExportMeaning {
    let refused = |code| ExportMeaning::refused(code, status_line(answer));
    match answer.status {
        200..=299 => read_success(answer),
        300..=399 => ExportMeaning::refused(FailureCode::Redirected, describe_redirect(answer)),
        401 | 403 => refused(FailureCode::KeyRejected),
        404 | 405 if !speaks_otlp(answer) => refused(FailureCode::NotOtlp),
        429 => refused(FailureCode::Throttled),
        500..=599 => refused(FailureCode::ServerError),
        400..=499 => refused(FailureCode::RequestRejected),
        _ => refused(FailureCode::NotOtlp),
    }
}

fn read_success(answer: &HttpAnswer) -> ExportMeaning {
    if answer.oversized {
        return ExportMeaning::refused(
            FailureCode::NotOtlp,
            format!("{} with more than 4 MiB, far beyond any OTLP answer", answer.status),
        );
    }
    let read = match response_media_type(answer) {
        ResponseMedia::Protobuf => read_protobuf(&answer.body),
        ResponseMedia::Json => read_json(&answer.body),
        ResponseMedia::Absent if answer.body.is_empty() => Some(PartialSuccess::default()),
        ResponseMedia::Other | ResponseMedia::Absent => None,
    };
    match read {
        Some(partial) => meaning_of_partial(partial),
        None => ExportMeaning::refused(FailureCode::NotOtlp, describe_unexpected_body(answer)),
    }
}

/// Returns the meaning of an `ExportTraceServiceResponse`.
pub fn meaning_of_partial(partial: PartialSuccess) -> ExportMeaning {
    let words = excerpt_line(&partial.message);
    match (partial.rejected, words.is_empty()) {
        (0, true) => ExportMeaning::Accepted { warning: None },
        (0, false) => ExportMeaning::Accepted { warning: Some(words) },
        (spans, true) => {
            ExportMeaning::refused(FailureCode::SpansRejected, format!("{spans} spans rejected"))
        }
        (spans, false) => ExportMeaning::refused(
            FailureCode::SpansRejected,
            format!("{spans} spans rejected: {words}"),
        ),
    }
}

fn response_media_type(answer: &HttpAnswer) -> ResponseMedia {
    let Some(text) = &answer.content_type else {
        return ResponseMedia::Absent;
    };
    let essence = text.split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        "application/x-protobuf" | "application/protobuf" => ResponseMedia::Protobuf,
        "application/json" => ResponseMedia::Json,
        "" => ResponseMedia::Absent,
        _ => ResponseMedia::Other,
    }
}

#[derive(Clone, PartialEq, Message)]
struct WireResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<WirePartial>,
}

#[derive(Clone, PartialEq, Message)]
struct WirePartial {
    #[prost(int64, tag = "1")]
    rejected_spans: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

/// `google.rpc.Status`, the message for errors.
#[derive(Clone, PartialEq, Message)]
struct WireRpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

fn read_protobuf(body: &[u8]) -> Option<PartialSuccess> {
    if !only_fields(body, 1..=1) {
        return None;
    }
    let partial = WireResponse::decode(body).ok()?.partial_success;
    Some(partial.map_or_else(PartialSuccess::default, |partial| PartialSuccess {
        rejected: partial.rejected_spans,
        message: partial.error_message,
    }))
}

/// Returns whether a message has only these fields: prost decodes any other message as one without known fields.
fn only_fields(mut body: &[u8], known: std::ops::RangeInclusive<u32>) -> bool {
    while body.has_remaining() {
        let Ok((tag, wire)) = decode_key(&mut body) else {
            return false;
        };
        let skipped = skip_field(wire, tag, &mut body, DecodeContext::default());
        if !known.contains(&tag) || wire == WireType::StartGroup || skipped.is_err() {
            return false;
        }
    }
    true
}

fn read_json(body: &[u8]) -> Option<PartialSuccess> {
    let json: serde_json::Value = serde_json::from_slice(body).ok()?;
    let fields = json.as_object()?;
    if fields.is_empty() {
        return Some(PartialSuccess::default());
    }
    let partial = fields.get("partialSuccess").filter(|_| fields.len() == 1)?;
    if partial.is_null() {
        return Some(PartialSuccess::default());
    }
    let partial = partial.as_object()?;
    let rejected = match partial.get("rejectedSpans") {
        None | Some(serde_json::Value::Null) => 0,
        Some(serde_json::Value::String(digits)) => digits.parse().ok()?,
        Some(number) => number.as_i64()?,
    };
    let message = partial.get("errorMessage").and_then(|text| text.as_str());
    Some(PartialSuccess { rejected, message: message.unwrap_or_default().to_owned() })
}

/// Returns whether a refusal is in OTLP's format, so that an OTLP receiver answered and not some other server.
fn speaks_otlp(answer: &HttpAnswer) -> bool {
    match response_media_type(answer) {
        ResponseMedia::Protobuf => wire_message(&answer.body).is_some(),
        ResponseMedia::Json => {
            let json: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
            json.is_some_and(|json| json.get("message").is_some() && json.get("path").is_none())
        }
        ResponseMedia::Other | ResponseMedia::Absent => false,
    }
}

fn wire_message(body: &[u8]) -> Option<String> {
    if body.is_empty() || !only_fields(body, 1..=3) {
        return None;
    }
    let status = WireRpcStatus::decode(body).ok()?;
    (!status.message.is_empty()).then_some(status.message)
}

fn status_line(answer: &HttpAnswer) -> String {
    match response_message(answer) {
        Some(words) => format!("{}: {words}", answer.status),
        None => answer.status.to_string(),
    }
}

/// Returns a server's message about a failure, whatever its format.
pub fn response_message(answer: &HttpAnswer) -> Option<String> {
    let text = match response_media_type(answer) {
        ResponseMedia::Protobuf => wire_message(&answer.body)?,
        ResponseMedia::Json => json_message(&answer.body)?,
        _ => {
            let text = std::str::from_utf8(&answer.body).ok()?;
            if looks_like_html(text) {
                return Some("a web page".to_owned());
            }
            json_message(&answer.body).unwrap_or_else(|| text.to_owned())
        }
    };
    let text = excerpt_line(&text);
    (!text.is_empty()).then_some(text)
}

/// Returns the message from the usual places in a JSON response, the most specific first.
fn json_message(body: &[u8]) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(body).ok()?;
    let places = ["/message", "/error", "/detail", "/title", "/errors/0/detail", "/error/message"];
    places.iter().find_map(|pointer| Some(json.pointer(pointer)?.as_str()?.to_owned()))
}

fn describe_unexpected_body(answer: &HttpAnswer) -> String {
    let status = answer.status;
    let kind = answer.content_type.as_deref().map(excerpt_line);
    match (kind, response_media_type(answer)) {
        (_, ResponseMedia::Json) => format!("{status} with JSON that is not an OTLP answer"),
        (_, ResponseMedia::Protobuf) => format!("{status} with bytes that are not an OTLP answer"),
        (Some(kind), ResponseMedia::Other) if kind.starts_with("text/html") => {
            format!("{status} with a web page, not an OTLP answer")
        }
        (Some(kind), ResponseMedia::Other) => format!("{status} with {kind}, not an OTLP answer"),
        _ => format!("{status} with a body of no stated type"),
    }
}

/// Returns the target of a redirect, without private parts.
fn describe_redirect(answer: &HttpAnswer) -> String {
    let target = answer.location.as_deref().map(|location| {
        let end = location.find(['?', '#']).unwrap_or(location.len());
        excerpt_line(&location[..end])
    });
    match target {
        Some(target) => format!("{} to {target}; redirections are not followed", answer.status),
        None => format!("{}; redirections are not followed", answer.status),
    }
}

fn looks_like_html(text: &str) -> bool {
    let start = text.trim_start().get(..15).unwrap_or(text.trim_start()).to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// Returns one line of at most 200 characters, without control characters.
pub fn excerpt_line(text: &str) -> String {
    // Whole sequences, whose remains would split a secret that the redactor looks for.
    let line: String = without_colours(text)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|character| !character.is_control())
        .collect();
    match line.char_indices().nth(200) {
        None => line,
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
