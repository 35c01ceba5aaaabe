//! The meaning of a response to an export request.

use prost::Message;
use prost::bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, skip_field};

use super::verdict::Code;

/// The most bytes that are read of a response.
pub const LIMIT: usize = 4 * 1024 * 1024;

/// An HTTP response, up to [`LIMIT`] bytes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
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
pub enum Meaning {
    /// Accepted, possibly with a warning.
    Accepted {
        /// The receiver's warning.
        warning: Option<String>,
    },
    /// Not accepted.
    Refused {
        /// The kind of refusal.
        code: Code,
        /// The receiver's message, or what was wrong with it.
        evidence: String,
    },
}

impl Meaning {
    /// Returns a refusal with `code`.
    pub fn refused(code: Code, evidence: impl Into<String>) -> Self {
        Self::Refused { code, evidence: evidence.into() }
    }
}

/// The media type of a response, as far as OTLP uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    Protobuf,
    Json,
    Other,
    Absent,
}

/// The contents of an `ExportTraceServiceResponse`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Partial {
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
pub fn read(answer: &Answer) -> Meaning {
    let said = |code| Meaning::refused(code, status_line(answer));
    match answer.status {
        200..=299 => read_success(answer),
        300..=399 => Meaning::refused(Code::Redirected, redirection(answer)),
        401 | 403 => said(Code::KeyRejected),
        404 | 405 if !speaks_otlp(answer) => said(Code::NotOtlp),
        429 => said(Code::Throttled),
        500..=599 => said(Code::ServerError),
        400..=499 => said(Code::RequestRejected),
        _ => said(Code::NotOtlp),
    }
}

fn read_success(answer: &Answer) -> Meaning {
    if answer.oversized {
        return Meaning::refused(
            Code::NotOtlp,
            format!("{} with more than 4 MiB, far beyond any OTLP answer", answer.status),
        );
    }
    let read = match media(answer) {
        Media::Protobuf => read_protobuf(&answer.body),
        Media::Json => read_json(&answer.body),
        Media::Absent if answer.body.is_empty() => Some(Partial::default()),
        Media::Other | Media::Absent => None,
    };
    match read {
        Some(partial) => meaning(partial),
        None => Meaning::refused(Code::NotOtlp, misfit(answer)),
    }
}

/// Returns the meaning of an `ExportTraceServiceResponse`.
pub fn meaning(partial: Partial) -> Meaning {
    let words = excerpt(&partial.message);
    match (partial.rejected, words.is_empty()) {
        (0, true) => Meaning::Accepted { warning: None },
        (0, false) => Meaning::Accepted { warning: Some(words) },
        (spans, true) => Meaning::refused(Code::SpansRejected, format!("{spans} spans rejected")),
        (spans, false) => {
            Meaning::refused(Code::SpansRejected, format!("{spans} spans rejected: {words}"))
        }
    }
}

fn media(answer: &Answer) -> Media {
    let Some(text) = &answer.content_type else {
        return Media::Absent;
    };
    let essence = text.split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        "application/x-protobuf" | "application/protobuf" => Media::Protobuf,
        "application/json" => Media::Json,
        "" => Media::Absent,
        _ => Media::Other,
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
struct WireStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

fn read_protobuf(body: &[u8]) -> Option<Partial> {
    if !only_fields(body, 1..=1) {
        return None;
    }
    let partial = WireResponse::decode(body).ok()?.partial_success;
    Some(partial.map_or_else(Partial::default, |partial| Partial {
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

fn read_json(body: &[u8]) -> Option<Partial> {
    let json: serde_json::Value = serde_json::from_slice(body).ok()?;
    let fields = json.as_object()?;
    if fields.is_empty() {
        return Some(Partial::default());
    }
    let partial = fields.get("partialSuccess").filter(|_| fields.len() == 1)?;
    if partial.is_null() {
        return Some(Partial::default());
    }
    let partial = partial.as_object()?;
    let rejected = match partial.get("rejectedSpans") {
        None | Some(serde_json::Value::Null) => 0,
        Some(serde_json::Value::String(digits)) => digits.parse().ok()?,
        Some(number) => number.as_i64()?,
    };
    let message = partial.get("errorMessage").and_then(|text| text.as_str());
    Some(Partial { rejected, message: message.unwrap_or_default().to_owned() })
}

/// Returns whether a refusal is in OTLP's format, so that an OTLP receiver answered and not some other server.
fn speaks_otlp(answer: &Answer) -> bool {
    match media(answer) {
        Media::Protobuf => wire_message(&answer.body).is_some(),
        Media::Json => {
            let json: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
            json.is_some_and(|json| json.get("message").is_some() && json.get("path").is_none())
        }
        Media::Other | Media::Absent => false,
    }
}

fn wire_message(body: &[u8]) -> Option<String> {
    if body.is_empty() || !only_fields(body, 1..=3) {
        return None;
    }
    let status = WireStatus::decode(body).ok()?;
    (!status.message.is_empty()).then_some(status.message)
}

fn status_line(answer: &Answer) -> String {
    match words(answer) {
        Some(words) => format!("{}: {words}", answer.status),
        None => answer.status.to_string(),
    }
}

/// Returns a server's message about a failure, whatever its format.
pub fn words(answer: &Answer) -> Option<String> {
    let text = match media(answer) {
        Media::Protobuf => wire_message(&answer.body)?,
        Media::Json => json_words(&answer.body)?,
        _ => {
            let text = std::str::from_utf8(&answer.body).ok()?;
            if looks_like_html(text) {
                return Some("a web page".to_owned());
            }
            json_words(&answer.body).unwrap_or_else(|| text.to_owned())
        }
    };
    let text = excerpt(&text);
    (!text.is_empty()).then_some(text)
}

/// Returns the message from the usual places in a JSON response, the most specific first.
pub fn json_words(body: &[u8]) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(body).ok()?;
    let places = ["/message", "/error", "/detail", "/title", "/errors/0/detail", "/error/message"];
    places.iter().find_map(|place| Some(json.pointer(place)?.as_str()?.to_owned()))
}

fn misfit(answer: &Answer) -> String {
    let status = answer.status;
    let kind = answer.content_type.as_deref().map(excerpt);
    match (kind, media(answer)) {
        (_, Media::Json) => format!("{status} with JSON that is no OTLP answer"),
        (_, Media::Protobuf) => format!("{status} with bytes that are no OTLP answer"),
        (Some(kind), Media::Other) if kind.starts_with("text/html") => {
            format!("{status} with a web page, not an OTLP answer")
        }
        (Some(kind), Media::Other) => format!("{status} with {kind}, not an OTLP answer"),
        _ => format!("{status} with a body of no stated type"),
    }
}

/// Returns the target of a redirect, without private parts.
fn redirection(answer: &Answer) -> String {
    let target = answer.location.as_deref().map(|location| {
        let end = location.find(['?', '#']).unwrap_or(location.len());
        excerpt(&location[..end])
    });
    match target {
        Some(target) => format!("{} to {target}; redirections are not followed", answer.status),
        None => format!("{}; redirections are not followed", answer.status),
    }
}

fn looks_like_html(text: &str) -> bool {
    let start = text.trim_start().get(..15).unwrap_or(text.trim_start());
    let start = start.to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// Returns one line of at most 200 characters, without control characters.
pub fn excerpt(text: &str) -> String {
    let line: String = text
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
