//! What Honeycomb lets a key read: its datasets, and counts where the plan has Query Data.

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

/// Why Honeycomb does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuerySilence {
    /// The key, or the plan, does not allow it; its own words.
    Refused(String),
    /// The question itself is refused, as one is that names a column which no span has had yet; its own words.
    Malformed(String),
    /// No answer, or not yet; asking again may help.
    Unanswered(String),
}

impl QuerySilence {
    /// Returns what happened, in one line.
    pub fn words(&self) -> &str {
        match self {
            Self::Refused(words) | Self::Malformed(words) | Self::Unanswered(words) => words,
        }
    }
}

/// How long to wait between two looks at a result that is not complete.
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

/// A row of an answer, by the names of its columns and figures.
pub type Fields = serde_json::Map<String, serde_json::Value>;

/// Every dataset the key may see.
///
/// # Errors
/// Why they are not known.
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

/// Makes `query` known to Honeycomb; answers with its id.
///
/// # Errors
/// Why it may not be asked.
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

/// What a prepared query counts now, in every dataset of the environment.
///
/// # Errors
/// Why it is not known.
pub async fn count(
    route: &Route,
    query_id: &str,
    key: &Secret,
    deadline: Instant,
) -> Result<u64, QuerySilence> {
    let rows = rows(route, query_id, key, deadline).await?;
    Ok(rows.iter().filter_map(|row| row.get("COUNT")?.as_u64()).sum())
}

/// What a prepared query answers now: columns and figures by their names, a row for each group.
///
/// # Errors
/// Why it is not known.
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
