//! Honeycomb's own API, apart from OTLP: who owns a key, and what it may read.

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

/// The header with the key.
pub const KEY_HEADER: &str = "x-honeycomb-team";

/// The reason why a key could not be identified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhoamiFailure {
    /// Honeycomb rejects the key, with this message.
    Rejected(String),
    /// There was no usable answer.
    Unanswered(String),
}

impl WhoamiFailure {
    /// Returns the reason in one line.
    pub fn words(&self) -> &str {
        match self {
            Self::Rejected(words) | Self::Unanswered(words) => words,
        }
    }
}

/// Connects to Honeycomb and asks who owns `key`.
///
/// # Errors
/// The reason why the key could not be identified.
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

/// Does the same as [`whoami`] over a known route.
///
/// # Errors
/// The reason why the key could not be identified.
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

/// Returns the header with `key`.
pub fn header(key: &Secret) -> Header {
    Header { name: KEY_HEADER.to_owned(), value: key.clone() }
}
