//! Reads data from Honeycomb: datasets, and counts if the plan includes Query Data.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use super::honeycomb_key_header;
use crate::net::http::{self, HttpReply, HttpRequest};
use crate::net::route::EndpointRoute;
use crate::otlp::dataset::Dataset;
use crate::otlp::query::Query;
use crate::otlp::response;
use crate::secret::Secret;

/// The reason why Honeycomb returned no data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum QueryFailure {
    /// The key or the plan does not allow it, with Honeycomb's message.
    Refused(String),
    /// The query is invalid, for example because no span has had a column yet, with Honeycomb's message.
    Malformed(String),
    /// There was no answer, or not yet; another request may succeed.
    Unanswered(String),
}

impl QueryFailure {
    /// Returns the reason in one line.
    pub(crate) fn words(&self) -> &str {
        match self {
            Self::Refused(words) | Self::Malformed(words) | Self::Unanswered(words) => words,
        }
    }
}

/// The pause between two requests for an incomplete result.
const PAUSE: Duration = Duration::from_millis(250);

#[derive(Deserialize)]
struct WireCreatedQuery {
    id: String,
}

#[derive(Deserialize)]
struct WireQueryProgress {
    complete: bool,
    #[serde(default)]
    data: Option<WireQueryData>,
}

#[derive(Deserialize)]
struct WireQueryData {
    #[serde(default)]
    results: Vec<WireQueryRow>,
}

#[derive(Deserialize)]
struct WireQueryRow {
    data: QueryRow,
}

/// A row of a result, by column and calculation.
pub(super) type QueryRow = serde_json::Map<String, serde_json::Value>;

/// Returns every dataset the key may read.
///
/// # Errors
/// The reason why they could not be read.
pub(crate) async fn fetch_datasets(
    route: &EndpointRoute,
    key: &Secret,
    deadline: Instant,
) -> Result<Vec<Dataset>, QueryFailure> {
    let received =
        send_honeycomb_request(route, "/1/datasets", HttpRequest::Get, key, deadline).await?;
    Dataset::read_all(&received.answer.body).ok_or_else(|| {
        QueryFailure::Refused("200 with something that is not a list of datasets".into())
    })
}

/// Creates `query` in Honeycomb; returns its id.
///
/// # Errors
/// The reason why it was not created.
pub(crate) async fn create_honeycomb_query(
    route: &EndpointRoute,
    query: &Query,
    key: &Secret,
    deadline: Instant,
) -> Result<String, QueryFailure> {
    let text =
        serde_json::to_string(query).map_err(|error| QueryFailure::Refused(error.to_string()))?;
    let ask_it = HttpRequest::PostJson(&text);
    let received =
        send_honeycomb_request(route, "/1/queries/__all__", ask_it, key, deadline).await?;
    decode_honeycomb_body::<WireCreatedQuery>(&received).map(|created| created.id)
}

/// Runs a created query and returns its count, over every dataset of the environment.
///
/// # Errors
/// The reason why it could not be read.
pub(crate) async fn fetch_query_count(
    route: &EndpointRoute,
    query_id: &str,
    key: &Secret,
    deadline: Instant,
) -> Result<u64, QueryFailure> {
    let rows = fetch_query_rows(route, query_id, key, deadline).await?;
    Ok(rows.iter().filter_map(|row| row.get("COUNT")?.as_u64()).sum())
}

/// Runs a created query and returns its rows: one for each group, with columns and calculations by name.
///
/// # Errors
/// The reason why they could not be read.
pub(crate) async fn fetch_query_rows(
    route: &EndpointRoute,
    query_id: &str,
    key: &Secret,
    deadline: Instant,
) -> Result<Vec<QueryRow>, QueryFailure> {
    let text = serde_json::json!({ "query_id": query_id, "disable_series": true }).to_string();
    let path = "/1/query_results/__all__";
    let created =
        send_honeycomb_request(route, path, HttpRequest::PostJson(&text), key, deadline).await?;
    let path = format!("{path}/{}", decode_honeycomb_body::<WireCreatedQuery>(&created)?.id);
    loop {
        let received =
            send_honeycomb_request(route, &path, HttpRequest::Get, key, deadline).await?;
        let progress: WireQueryProgress = decode_honeycomb_body(&received)?;
        if progress.complete {
            let rows = progress.data.map(|data| data.results).unwrap_or_default();
            return Ok(rows.into_iter().map(|row| row.data).collect());
        }
        if Instant::now() + PAUSE >= deadline {
            return Err(QueryFailure::Unanswered("the query was not done in time".into()));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn send_honeycomb_request(
    route: &EndpointRoute,
    path: &str,
    ask: HttpRequest<'_>,
    key: &Secret,
    deadline: Instant,
) -> Result<HttpReply, QueryFailure> {
    let received = http::send(&route.at_path(path), ask, &[honeycomb_key_header(key)], deadline)
        .await
        .map_err(|failure| QueryFailure::Unanswered(failure.evidence))?;
    let status = received.answer.status;
    let message = match response::response_message(&received.answer) {
        Some(words) => format!("{status}: {words}"),
        None => status.to_string(),
    };
    match status {
        200..=299 => Ok(received),
        400 | 422 => Err(QueryFailure::Malformed(message)),
        429 | 500..=599 => Err(QueryFailure::Unanswered(message)),
        _ => Err(QueryFailure::Refused(message)),
    }
}

fn decode_honeycomb_body<T: for<'a> Deserialize<'a>>(
    received: &HttpReply,
) -> Result<T, QueryFailure> {
    serde_json::from_slice(&received.answer.body)
        .map_err(|_| QueryFailure::Refused("something that is not an answer of Honeycomb's".into()))
}
