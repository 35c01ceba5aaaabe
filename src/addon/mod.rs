//! Reports to X-Ray and Rollbar as values: the test segment, the test item, and the meaning of responses.
//!
//! Opens no socket; [`crate::net`] does.

pub(crate) mod rollbar;
pub(crate) mod xray;

use crate::otlp::FailureCode;
use crate::otlp::response::{HttpAnswer, response_message};

/// The result of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AddonOutcome {
    /// Accepted, with the evidence.
    Taken(String),
    /// Refused, with the message.
    Refused(FailureCode, String),
}

/// Returns the status line with the message below it.
fn describe_answer(answer: &HttpAnswer) -> String {
    match response_message(answer) {
        Some(words) => format!("{}: {words}", answer.status),
        None => answer.status.to_string(),
    }
}

/// Returns the failure code for a status, whichever server sent it.
fn refusal_code(status: u16) -> FailureCode {
    match status {
        300..=399 => FailureCode::Redirected,
        401 | 403 => FailureCode::KeyRejected,
        404 | 405 => FailureCode::UnknownAnswer,
        429 => FailureCode::Throttled,
        500..=599 => FailureCode::ServerError,
        400..=499 => FailureCode::RequestRejected,
        _ => FailureCode::UnknownAnswer,
    }
}
