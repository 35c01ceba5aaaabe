//! Reports to X-Ray and Rollbar as values: the test segment and the test item, and what the answers mean.
//!
//! Opens no socket; [`crate::net`] does.

pub mod rollbar;
pub mod xray;

use crate::otlp::Code;
use crate::otlp::response::{Answer, words};

/// What became of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Taken, and what that rests on.
    Taken(String),
    /// Not taken, and in whose words.
    Refused(Code, String),
}

/// A status line and the words below it.
fn said(answer: &Answer) -> String {
    match words(answer) {
        Some(words) => format!("{}: {words}", answer.status),
        None => answer.status.to_string(),
    }
}

/// The kind of refusal a status stands for, whoever answers.
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
