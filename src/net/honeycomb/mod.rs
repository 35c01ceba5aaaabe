//! Honeycomb's own API, beside OTLP: whose a key is, and what it may read.

mod reading;

pub use reading::{Fields, QuerySilence, count, datasets, prepare, rows};

use tokio::time::Instant;

use super::http::{self, Ask};
use super::route::Route;
use crate::consent::Cleared;
use crate::otlp::Header;
use crate::otlp::response;
use crate::otlp::whoami::Whoami;
use crate::secret::Secret;

/// The header that carries a key.
pub const KEY_HEADER: &str = "x-honeycomb-team";

/// Why nothing is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhoamiFailure {
    /// Honeycomb does not know the key, or does not let it in; its own words.
    Rejected(String),
    /// No answer, or none that says anything.
    Unanswered(String),
}

impl WhoamiFailure {
    /// What happened, in one line.
    pub fn words(&self) -> &str {
        match self {
            Self::Rejected(words) | Self::Unanswered(words) => words,
        }
    }
}

/// Finds the way to a Honeycomb and asks it whose `key` is.
///
/// # Errors
/// Why nothing is known of the key.
pub async fn whoami(
    to: &Cleared,
    key: &Secret,
    deadline: Instant,
) -> Result<Whoami, WhoamiFailure> {
    let route = Route::find(to, deadline)
        .await
        .map_err(|failure| WhoamiFailure::Unanswered(failure.evidence))?;
    whoami_over(&route, key, deadline).await
}

/// As [`whoami`], over a way that is already known.
///
/// # Errors
/// Why nothing is known of the key.
pub async fn whoami_over(
    route: &Route,
    key: &Secret,
    deadline: Instant,
) -> Result<Whoami, WhoamiFailure> {
    let received = http::send(&route.at_path("/1/auth"), Ask::Get, &[header(key)], deadline)
        .await
        .map_err(|failure| WhoamiFailure::Unanswered(failure.evidence))?;
    let answer = &received.answer;
    let status = answer.status;
    let words = response::words(answer);
    let said = match &words {
        Some(words) => format!("{status}: {words}"),
        None => status.to_string(),
    };
    match status {
        200 => Whoami::read(&answer.body).ok_or_else(|| {
            WhoamiFailure::Unanswered("200 with something that is no answer of Honeycomb's".into())
        }),
        401 | 403 => Err(WhoamiFailure::Rejected(said)),
        _ => Err(WhoamiFailure::Unanswered(said)),
    }
}

/// The header that carries `key`.
pub fn header(key: &Secret) -> Header {
    Header { name: KEY_HEADER.to_owned(), value: key.clone() }
}
