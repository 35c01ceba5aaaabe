//! Reads data from Honeycomb: datasets, and counts if the plan includes Query Data.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use super::header;
use crate::net::http::{self, Ask, Received};
use crate::net::route::Route;
use crate::otlp::dataset::Dataset;
use crate::otlp::query::Query;
use crate::otlp::response;
use crate::secret::Secret;

/// The reason why Honeycomb returned no data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuerySilence {
    /// The key or the plan does not allow it, with Honeycomb's message.
    Refused(String),
    /// The query is invalid, for example because no span has had a column yet, with Honeycomb's message.
    Malformed(String),
    /// There was no answer, or not yet; another request may succeed.
    Unanswered(String),
}

impl QuerySilence {
    /// Returns the reason in one line.
    pub fn words(&self) -> &str {
        match self {
            Self::Refused(words) | Self::Malformed(words) | Self::Unanswered(words) => words,
        }
    }
}

/// The pause between two requests for an incomplete result.
const PAUSE: Duration = Duration::from_millis(250);

#[derive(Deserialize)]
struct Created {
    id: String,
}

#[derive(Deserialize)]
struct Progress {
    complete: bool,
    #[serde(default)]
    data: Option<Figures>,
}

#[derive(Deserialize)]
struct Figures {
    #[serde(default)]
    results: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    data: Fields,
}

/// A row of a result, by column and calculation.
pub type Fields = serde_json::Map<String, serde_json::Value>;

/// Returns every dataset the key may read.
///
/// # Errors
/// The reason why they could not be read.
pub async fn datasets(
    route: &Route,
    key: &Secret,
    deadline: Instant,
) -> Result<Vec<Dataset>, QuerySilence> {
    let received = ask(route, "/1/datasets", Ask::Get, key, deadline).await?;
    Dataset::read_all(&received.answer.body).ok_or_else(|| {
        QuerySilence::Refused("200 with something that is no list of datasets".into())
    })
}

/// Creates `query` in Honeycomb; returns its id.
///
/// # Errors
/// The reason why it was not created.
pub async fn prepare(
    route: &Route,
    query: &Query,
    key: &Secret,
    deadline: Instant,
) -> Result<String, QuerySilence> {
    let text =
        serde_json::to_string(query).map_err(|error| QuerySilence::Refused(error.to_string()))?;
    let ask_it = Ask::PostJson(&text);
    let received = ask(route, "/1/queries/__all__", ask_it, key, deadline).await?;
    read::<Created>(&received).map(|created| created.id)
}

/// Runs a created query and returns its count, over every dataset of the environment.
///
/// # Errors
/// The reason why it could not be read.
pub async fn count(
    route: &Route,
    query_id: &str,
    key: &Secret,
    deadline: Instant,
) -> Result<u64, QuerySilence> {
    let rows = rows(route, query_id, key, deadline).await?;
    Ok(rows.iter().filter_map(|row| row.get("COUNT")?.as_u64()).sum())
}

/// Runs a created query and returns its rows: one for each group, with columns and calculations by name.
///
/// # Errors
/// The reason why they could not be read.
pub async fn rows(
    route: &Route,
    query_id: &str,
    key: &Secret,
    deadline: Instant,
) -> Result<Vec<Fields>, QuerySilence> {
    let text = serde_json::json!({ "query_id": query_id, "disable_series": true }).to_string();
    let path = "/1/query_results/__all__";
    let created = ask(route, path, Ask::PostJson(&text), key, deadline).await?;
    let path = format!("{path}/{}", read::<Created>(&created)?.id);
    loop {
        let received = ask(route, &path, Ask::Get, key, deadline).await?;
        let progress: Progress = read(&received)?;
        if progress.complete {
            let rows = progress.data.map(|data| data.results).unwrap_or_default();
            return Ok(rows.into_iter().map(|row| row.data).collect());
        }
        if Instant::now() + PAUSE >= deadline {
            return Err(QuerySilence::Unanswered("the query was not done in time".into()));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn ask(
    route: &Route,
    path: &str,
    ask: Ask<'_>,
    key: &Secret,
    deadline: Instant,
) -> Result<Received, QuerySilence> {
    let received = http::send(&route.at_path(path), ask, &[header(key)], deadline)
        .await
        .map_err(|failure| QuerySilence::Unanswered(failure.evidence))?;
    let status = received.answer.status;
    let said = match response::words(&received.answer) {
        Some(words) => format!("{status}: {words}"),
        None => status.to_string(),
    };
    match status {
        200..=299 => Ok(received),
        400 | 422 => Err(QuerySilence::Malformed(said)),
        429 | 500..=599 => Err(QuerySilence::Unanswered(said)),
        _ => Err(QuerySilence::Refused(said)),
    }
}

fn read<T: for<'a> Deserialize<'a>>(received: &Received) -> Result<T, QuerySilence> {
    serde_json::from_slice(&received.answer.body)
        .map_err(|_| QuerySilence::Refused("an answer that is none of Honeycomb's".into()))
}
