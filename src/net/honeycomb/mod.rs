//! Honeycomb's own API, apart from OTLP: who owns a key, and what it may read.

mod reading;

pub(crate) use reading::{
    QueryFailure, create_honeycomb_query, fetch_datasets, fetch_query_count, fetch_query_rows,
};

use tokio::time::Instant;

use super::http::{self, HttpRequest};
use super::route::EndpointRoute;
use crate::consent::ClearedDestination;
use crate::otlp::ExportHeader;
use crate::otlp::response;
use crate::otlp::whoami::Whoami;
use crate::secret::Secret;

/// The header with the key.
pub(crate) const KEY_HEADER: &str = "x-honeycomb-team";

/// The reason why a key could not be identified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WhoamiFailure {
    /// Honeycomb rejects the key, with this message.
    Rejected(String),
    /// There was no usable answer.
    Unanswered(String),
}

/// The owner of a key, or why it could not be identified.
pub(crate) type WhoamiAnswer = Result<Whoami, WhoamiFailure>;

impl WhoamiFailure {
    /// Returns the reason in one line.
    pub(crate) fn words(&self) -> &str {
        match self {
            Self::Rejected(words) | Self::Unanswered(words) => words,
        }
    }
}

/// Connects to Honeycomb and asks who owns `key`.
///
/// # Errors
/// The reason why the key could not be identified.
pub(crate) async fn ask_honeycomb_whoami(
    to: &ClearedDestination,
    key: &Secret,
    deadline: Instant,
) -> WhoamiAnswer {
    let route = EndpointRoute::find(to, deadline)
        .await
        .map_err(|failure| WhoamiFailure::Unanswered(failure.evidence))?;
    whoami_over(&route, key, deadline).await
}

/// Does the same as [`ask_honeycomb_whoami`] over a known route.
///
/// # Errors
/// The reason why the key could not be identified.
pub(crate) async fn whoami_over(
    route: &EndpointRoute,
    key: &Secret,
    deadline: Instant,
) -> WhoamiAnswer {
    let received = http::send(
        &route.at_path("/1/auth"),
        HttpRequest::Get,
        &[honeycomb_key_header(key)],
        deadline,
    )
    .await
    .map_err(|failure| WhoamiFailure::Unanswered(failure.evidence))?;
    let answer = &received.answer;
    let status = answer.status;
    let words = response::response_message(answer);
    let message = match &words {
        Some(words) => format!("{status}: {words}"),
        None => status.to_string(),
    };
    match status {
        200 => Whoami::read(&answer.body).ok_or_else(|| {
            WhoamiFailure::Unanswered(
                "200 with something that is not an answer of Honeycomb's".into(),
            )
        }),
        401 | 403 => Err(WhoamiFailure::Rejected(message)),
        _ => Err(WhoamiFailure::Unanswered(message)),
    }
}

/// Returns the header with `key`.
pub(crate) fn honeycomb_key_header(key: &Secret) -> ExportHeader {
    ExportHeader { name: KEY_HEADER.to_owned(), value: key.clone() }
}
