//! Sends one test trace, again where OTLP allows it, until it is taken or refused or the time is up.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::Instant;

use crate::error::Result;
use crate::net::failure::Failure;
use crate::net::grpc;
use crate::net::http::{self, Ask};
use crate::net::probe;
use crate::net::route::Route;
use crate::otlp::Exporter;
use crate::otlp::response::{self, Meaning};
use crate::otlp::{Code, Protocol, TestTrace, request};

/// What became of a test trace.
#[derive(Debug)]
pub(super) struct Delivery {
    /// The last answer, or why there was none.
    pub(super) outcome: Result<Meaning, Failure>,
    /// How often it was sent.
    pub(super) attempts: u32,
    /// A connection stood at least once.
    pub(super) reached: bool,
    /// The server asked for more patience than there is time.
    pub(super) asked_to_wait: Option<Duration>,
}

/// One attempt: what came of it, and after which time another one is allowed.
struct Attempt {
    outcome: Result<Meaning, Failure>,
    again: Option<Option<Duration>>,
}

/// Sends `trace` over `route` until it is answered for good, or until `deadline`.
///
/// # Errors
/// When the request cannot even be encoded.
pub(super) async fn deliver(
    route: &Route,
    exporter: &Exporter,
    trace: &TestTrace,
    deadline: Instant,
) -> Result<Delivery> {
    let mut pauses = ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(2))
        .without_max_times()
        .build();
    let mut delivery = Delivery {
        outcome: Err(Failure::before(Code::Timeout, "no time was left to send")),
        attempts: 0,
        reached: false,
        asked_to_wait: None,
    };
    loop {
        let attempt = attempt(route, exporter, trace, patience(exporter, deadline)).await?;
        delivery.attempts += 1;
        delivery.reached |= match &attempt.outcome {
            Ok(_) => true,
            Err(failure) => failure.reached,
        };
        let cut_short = attempt.outcome.is_err() && Instant::now() >= deadline;
        // What only the end of our time cut short says less than the answer before it.
        if !(cut_short && delivery.outcome.is_ok()) {
            delivery.outcome = attempt.outcome;
        }
        let Some(asked) = attempt.again else { break };
        let pause = asked.or_else(|| pauses.next()).unwrap_or_default();
        if Instant::now() + pause >= deadline {
            delivery.asked_to_wait = asked;
            break;
        }
        tokio::time::sleep(pause).await;
    }
    Ok(delivery)
}

/// An SDK gives up on an answer when its own variable says so, however long we would wait.
fn patience(exporter: &Exporter, deadline: Instant) -> Instant {
    match exporter.timeout {
        Some(timeout) => deadline.min(Instant::now() + timeout),
        None => deadline,
    }
}

async fn attempt(
    route: &Route,
    exporter: &Exporter,
    trace: &TestTrace,
    deadline: Instant,
) -> Result<Attempt> {
    let sent = trace.request();
    let outcome = if exporter.protocol == Protocol::Grpc {
        let headers = &exporter.headers;
        grpc::export(route, sent, headers, exporter.compression, deadline)
            .await
            .map(|called| (called.meaning, called.retry))
    } else {
        let body = request::encode(&sent, exporter.protocol, exporter.compression)?;
        http::send(route, Ask::Post(&body), &exporter.headers, deadline).await.map(|received| {
            let again = response::may_retry(received.answer.status);
            let meaning = response::read(&received.answer);
            (meaning, again.then_some(received.retry_after))
        })
    };
    Ok(match outcome {
        Ok((meaning, again)) => Attempt { outcome: Ok(meaning), again },
        // What refuses on this machine refuses the next moment too.
        Err(failure) => Attempt {
            again: (failure.code == Code::Connect && !route.is_loopback()).then_some(None),
            outcome: Err(explained(failure, route, deadline).await),
        },
    })
}

/// A port that speaks TLS answers plain text with bytes that say nothing to a person.
async fn explained(failure: Failure, route: &Route, deadline: Instant) -> Failure {
    let senseless = matches!(failure.code, Code::NotOtlp | Code::ResponseBroken);
    if route.url.scheme() == "http" && senseless && probe::speaks_tls(route, deadline).await {
        return Failure::after(Code::Tls, "what answers there speaks TLS, the address does not")
            .hint("an endpoint with TLS begins with https://");
    }
    failure
}
