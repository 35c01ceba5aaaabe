//! Reports to X-Ray and Rollbar as values: the test segment, the test item, and the meaning of responses.
//!
//! Opens no socket; [`crate::net`] does.

pub mod rollbar;
pub mod xray;

use crate::otlp::Code;
use crate::otlp::response::{Answer, words};

/// The result of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted, with the evidence.
    Taken(String),
    /// Refused, with the message.
    Refused(Code, String),
}

/// Returns the status line with the message below it.
fn said(answer: &Answer) -> String {
    match words(answer) {
        Some(words) => format!("{}: {words}", answer.status),
        None => answer.status.to_string(),
    }
}

/// Returns the failure code for a status, whichever server sent it.
fn refusal(status: u16) -> Code {
    match status {
        300..=399 => Code::Redirected,
        401 | 403 => Code::KeyRejected,
        404 | 405 => Code::UnknownAnswer,
        429 => Code::Throttled,
        500..=599 => Code::ServerError,
        400..=499 => Code::RequestRejected,
        _ => Code::UnknownAnswer,
    }
}
