//! The answer of a `listen` that runs on this machine.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use crate::error::{Error, Result};
use crate::net::http::{self, Ask};
use crate::net::{self, route::Route};
use crate::otlp::answer::Answer;
use crate::otlp::query::Query;

/// How long to wait for the answer.
const LIMIT: Duration = Duration::from_secs(5);

/// As `listen` sends it.
#[derive(Deserialize)]
struct Reply {
    answer: Answer,
}

/// Where a `listen` with this HTTP port is.
pub(super) fn address(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// None where no `listen` is.
pub(super) fn ask(query: &Query, port: u16) -> Result<Option<Answer>> {
    let internal = |cause: &dyn std::fmt::Display| {
        Error::new("internal", "the question is no URL").cause(cause)
    };
    let text = serde_json::to_string(query).map_err(|error| internal(&error))?;
    let text = utf8_percent_encode(&text, NON_ALPHANUMERIC);
    let url = Url::parse(&format!("{}/cruddur/query?{text}", address(port)))
        .map_err(|error| internal(&error))?;
    let received = net::block_on(async {
        let deadline = Instant::now() + LIMIT;
        let route = Route::look_up(&url, deadline).await.ok()?;
        http::send(&route, Ask::Get, &[], deadline).await.ok()
    })?;
    // Another program may have this port; what it says is no answer.
    Ok(received
        .filter(|received| received.answer.status == 200)
        .and_then(|received| serde_json::from_slice::<Reply>(&received.answer.body).ok())
        .map(|reply| reply.answer))
}
