//! Sends one test trace, retrying as OTLP allows, until it is accepted or refused or the time is up.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::Instant;

use crate::error::Result;
use crate::net::failure::RequestFailure;
use crate::net::grpc;
use crate::net::http::{self, HttpRequest};
use crate::net::probe;
use crate::net::route::EndpointRoute;
use crate::otlp::Exporter;
use crate::otlp::response::{self, ExportMeaning};
use crate::otlp::status::RetryAdvice;
use crate::otlp::{FailureCode, OtlpProtocol, TestTrace, request};

/// The result of sending a test trace.
#[derive(Debug)]
pub(super) struct TraceDelivery {
    /// The last response, or why there was none.
    pub(super) outcome: Result<ExportMeaning, RequestFailure>,
    /// The number of attempts.
    pub(super) attempts: u32,
    /// Whether a connection was established at least once.
    pub(super) reached: bool,
    /// The delay the server asked for, if it is longer than the remaining time.
    pub(super) asked_to_wait: Option<Duration>,
}

/// An attempt: its result, and when another one is allowed.
struct DeliveryAttempt {
    outcome: Result<ExportMeaning, RequestFailure>,
    retry: RetryAdvice,
}

/// Sends `trace` over `route` until there is a final answer, or until `deadline`.
///
/// # Errors
/// When the request cannot be encoded.
pub(super) async fn deliver(
    route: &EndpointRoute,
    exporter: &Exporter,
    trace: &TestTrace,
    deadline: Instant,
) -> Result<TraceDelivery> {
    let mut pauses = ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(2))
        .without_max_times()
        .build();
    let mut delivery = TraceDelivery {
        outcome: Err(RequestFailure::before(FailureCode::Timeout, "no time was left to send")),
        attempts: 0,
        reached: false,
        asked_to_wait: None,
    };
    loop {
        let attempt =
            attempt_delivery(route, exporter, trace, answer_deadline(exporter, deadline)).await?;
        delivery.attempts += 1;
        delivery.reached |= match &attempt.outcome {
            Ok(_) => true,
            Err(failure) => failure.reached,
        };
        let cut_short = attempt.outcome.is_err() && Instant::now() >= deadline;
        // An attempt that our deadline cut short says less than the earlier answer.
        if !(cut_short && delivery.outcome.is_ok()) {
            delivery.outcome = attempt.outcome;
        }
        let (pause, asked_to_wait) = match attempt.retry {
            RetryAdvice::Never => break,
            RetryAdvice::Anytime => (pauses.next().unwrap_or_default(), None),
            RetryAdvice::After(delay) => (delay, Some(delay)),
        };
        if Instant::now() + pause >= deadline {
            delivery.asked_to_wait = asked_to_wait;
            break;
        }
        tokio::time::sleep(pause).await;
    }
    Ok(delivery)
}

/// Returns when the SDK's own timeout, or ours, ends the wait for an answer.
fn answer_deadline(exporter: &Exporter, deadline: Instant) -> Instant {
    match exporter.timeout {
        Some(timeout) => deadline.min(Instant::now() + timeout),
        None => deadline,
    }
}

async fn attempt_delivery(
    route: &EndpointRoute,
    exporter: &Exporter,
    trace: &TestTrace,
    deadline: Instant,
) -> Result<DeliveryAttempt> {
    let sent = trace.request();
    let outcome = if exporter.protocol == OtlpProtocol::Grpc {
        let headers = &exporter.headers;
        grpc::export(route, sent, headers, exporter.compression, deadline)
            .await
            .map(|called| (called.meaning, called.retry))
    } else {
        let body = request::encode(&sent, exporter.protocol, exporter.compression)?;
        http::send(route, HttpRequest::Post(&body), &exporter.headers, deadline).await.map(
            |received| {
                let retry = if response::may_retry(received.answer.status) {
                    RetryAdvice::after(received.retry_after)
                } else {
                    RetryAdvice::Never
                };
                (response::read(&received.answer), retry)
            },
        )
    };
    Ok(match outcome {
        Ok((meaning, retry)) => DeliveryAttempt { outcome: Ok(meaning), retry },
        // A refused connection on this machine will not succeed a moment later.
        Err(failure) => DeliveryAttempt {
            retry: if failure.code == FailureCode::Connect && !route.is_loopback() {
                RetryAdvice::Anytime
            } else {
                RetryAdvice::Never
            },
            outcome: Err(explain_tls_answer(failure, route, deadline).await),
        },
    })
}

/// Replaces the failure if a TLS port answered plain text with bytes that mean nothing to a person.
async fn explain_tls_answer(
    failure: RequestFailure,
    route: &EndpointRoute,
    deadline: Instant,
) -> RequestFailure {
    let senseless = matches!(failure.code, FailureCode::NotOtlp | FailureCode::ResponseBroken);
    if route.url.scheme() == "http" && senseless && probe::speaks_tls(route, deadline).await {
        return RequestFailure::after(
            FailureCode::Tls,
            "the server there speaks TLS, but the address begins with http://",
        )
        .hint("an endpoint with TLS begins with https://");
    }
    failure
}
