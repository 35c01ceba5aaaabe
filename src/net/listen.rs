//! Queries a `listen` that runs on this machine.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use crate::consent::ClearedDestination;
use crate::error::Result;
use crate::net::http::{self, HttpRequest};
use crate::net::{self, route::EndpointRoute};
use crate::otlp::answer::QueryAnswer;
use crate::otlp::query::Query;

/// The longest wait for the answer.
const ANSWER_TIME_LIMIT: Duration = Duration::from_secs(5);

/// The answer as `listen` sends it.
#[derive(Deserialize)]
struct ListenReply {
    answer: QueryAnswer,
}

/// Returns the address of a `listen` with this HTTP port.
pub(crate) fn listen_address(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Queries `listen`; returns `None` if none is running.
pub(crate) fn ask(query: &Query, port: u16) -> Result<Option<QueryAnswer>> {
    net::block_on(ask_before(query, port, Instant::now() + ANSWER_TIME_LIMIT))
}

/// Does the same as [`ask`] on the current runtime.
pub(crate) async fn ask_before(query: &Query, port: u16, deadline: Instant) -> Option<QueryAnswer> {
    let json = serde_json::to_string(query).ok()?;
    let encoded = utf8_percent_encode(&json, NON_ALPHANUMERIC);
    let url = Url::parse(&format!("{}/cruddur/query?{encoded}", listen_address(port))).ok()?;
    let listen = ClearedDestination::on_this_machine(&url, None)?;
    let route = EndpointRoute::find(&listen, deadline).await.ok()?;
    let received = http::send(&route, HttpRequest::Get, &[], deadline).await.ok()?;
    // Another program may use this port; its answer does not count.
    if received.answer.status != 200 {
        return None;
    }
    let reply: ListenReply = serde_json::from_slice(&received.answer.body).ok()?;
    Some(reply.answer)
}
