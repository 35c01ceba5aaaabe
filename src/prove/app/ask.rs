//! Sends two requests to an application: one as part of our trace, and an ordinary one.

use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use crate::consent::ClearedDestination;
use crate::net::failure::RequestFailure;
use crate::net::http::{self, HttpRequest};
use crate::net::route::EndpointRoute;
use crate::otlp::app::AppProbe;
use crate::otlp::{ExportHeader, FailureCode};
use crate::secret::Secret;

/// The pause before another attempt at an application that is starting.
const PAUSE: Duration = Duration::from_millis(300);

/// An application's reply to our request.
#[derive(Debug, Clone, Default)]
pub(super) enum AppReply {
    /// No request was sent.
    #[default]
    NotAsked,
    /// There was no reply.
    Down { failure: RequestFailure, took: Duration },
    /// There was a reply.
    Answered {
        status: u16,
        /// The target of a redirect.
        location: Option<String>,
        took: Duration,
        at: Instant,
    },
}

impl AppReply {
    /// Returns the time of the reply.
    pub(super) fn answered_at(&self) -> Option<Instant> {
        match self {
            Self::Answered { at, .. } => Some(*at),
            Self::NotAsked | Self::Down { .. } => None,
        }
    }
}

/// Sends both requests as soon as the application replies.
pub(super) async fn ask(
    address: &ClearedDestination,
    probe: &AppProbe,
    deadline: Instant,
) -> AppReply {
    let started = Instant::now();
    let headers = [
        build_header("traceparent", probe.trace.traceparent()),
        build_header("user-agent", probe.user_agent()),
    ];
    let (route, received) = loop {
        let failure = match send_app_request(address, &headers, deadline).await {
            Ok(answered) => break answered,
            Err(failure) => failure,
        };
        // An application that is starting refuses connections or closes them at once.
        let starting = matches!(failure.code, FailureCode::Connect | FailureCode::ResponseBroken);
        if !starting || Instant::now() + PAUSE >= deadline {
            let failure = failure.hint("is the application running? `docker compose ps` shows it");
            return AppReply::Down { failure, took: started.elapsed() };
        }
        tokio::time::sleep(PAUSE).await;
    };
    let took = started.elapsed();
    let headers = [build_header("user-agent", probe.ordinary_user_agent())];
    let mut ordinary = route;
    add_query(&mut ordinary.url, &probe.ordinary_query());
    // The reply to the second request adds nothing to the first.
    let _ = http::send(&ordinary, HttpRequest::Get, &headers, deadline).await;
    AppReply::Answered {
        status: received.answer.status,
        location: received.answer.location.as_deref().map(|to| host_of(address.url(), to)),
        took,
        at: Instant::now(),
    }
}

async fn send_app_request(
    address: &ClearedDestination,
    headers: &[ExportHeader],
    deadline: Instant,
) -> Result<(EndpointRoute, http::HttpReply), RequestFailure> {
    let route = EndpointRoute::find(address, deadline).await?;
    let received = http::send(&route, HttpRequest::Get, headers, deadline).await?;
    Ok((route, received))
}

fn build_header(name: &str, value: String) -> ExportHeader {
    ExportHeader { name: name.to_owned(), value: Secret::new(value) }
}

fn add_query(url: &mut Url, more: &str) {
    let query = match url.query() {
        Some(query) if !query.is_empty() => format!("{query}&{more}"),
        _ => more.to_owned(),
    };
    url.set_query(Some(&query));
}

/// Returns the target of a redirect, without private parts.
fn host_of(from: &Url, location: &str) -> String {
    match from.join(location) {
        Ok(url) if url.origin() == from.origin() => url.path().to_owned(),
        Ok(url) => url.host_str().unwrap_or_default().to_owned(),
        Err(_) => "an invalid address".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_gains_a_parameter_and_a_redirection_shows_no_secret() {
        let mut url: Url = "http://localhost:1/a?b=c".parse().unwrap();
        add_query(&mut url, "d=e");
        assert_eq!(url.as_str(), "http://localhost:1/a?b=c&d=e");
        for (location, shown) in [
            ("/login?next=%2Fa", "/login"),
            ("https://user:pw@github.dev/x?token=1", "github.dev"),
            ("//sign.in/", "sign.in"),
        ] {
            assert_eq!(host_of(&url, location), shown);
        }
    }
}
