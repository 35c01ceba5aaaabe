//! Climbs the ladder for one service and records each rung.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::beyond::{self, HoneycombLookup};
use super::deliver::{self, TraceDelivery};
use super::keys::KeyOwners;
use super::subject::ServiceUnderTest;
use crate::error::Result;
use crate::net::failure::RequestFailure;
use crate::net::honeycomb::{KEY_HEADER, WhoamiAnswer, WhoamiFailure};
use crate::net::route::EndpointRoute;
use crate::otlp::Exporter;
use crate::otlp::hint::hint_for_code;
use crate::otlp::response::ExportMeaning;
use crate::otlp::{Check, CheckStatus, FailureCode, ProvenRung, Rung, ServiceVerdict, TestTrace};

/// Returns the verdict on a service before anything is sent.
pub(super) fn begin(subject: &ServiceUnderTest) -> ServiceVerdict {
    let mut verdict = ServiceVerdict::new(&subject.service, &subject.name);
    if let Ok(exporter) = &subject.exporter {
        verdict.endpoint = Some(redact_url(&exporter.url));
        verdict.protocol = Some(exporter.protocol.as_str());
    }
    verdict.check(subject.configured.clone());
    verdict.code = subject.stop;
    verdict
}

/// Returns a URL without its private parts.
pub(super) fn redact_url(url: &url::Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    // Cannot fail for http and https.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

/// Ends a verdict at the rung `reachable`.
pub(super) fn end_unreachable(
    verdict: &mut ServiceVerdict,
    failure: &RequestFailure,
    host: &str,
    took: Duration,
) {
    let advice = failure.hint.clone().or_else(|| hint_for_code(failure.code, host));
    verdict.code = Some(failure.code);
    verdict.check(
        Check::new(Rung::Reachable, CheckStatus::Fail, failure.evidence.as_str())
            .hint(advice)
            .took(took),
    );
    skip_rung(verdict, Rung::Accepted, "not reached");
}

/// Records a rung that was not tried.
pub(super) fn skip_rung(verdict: &mut ServiceVerdict, rung: Rung, why: &str) {
    verdict.check(Check::new(rung, CheckStatus::Skip, why));
}

/// Sends the test trace over `route` and climbs as far as possible.
///
/// # Errors
/// When no verdict can be formed.
pub(super) async fn climb(
    exporter: &Exporter,
    route: &EndpointRoute,
    mut verdict: ServiceVerdict,
    keys: &KeyOwners,
    deadline: Instant,
) -> Result<ServiceVerdict> {
    let Some(header) = exporter.header(KEY_HEADER) else {
        send_test_trace(exporter, route, &mut verdict, deadline).await?;
        return Ok(verdict);
    };
    let now = Instant::now();
    let patience = now + deadline.saturating_duration_since(now) / 2;
    // Concurrent, because a second round trip would double the time on a slow connection.
    let (trace, (answer, took)) = tokio::join!(
        send_test_trace(exporter, route, &mut verdict, deadline),
        keys.owner_of(route, &header.value, patience)
    );
    let trace = trace?;
    if verdict.proven < ProvenRung::Reachable {
        return Ok(verdict);
    }
    let host = route.url.host_str().unwrap_or_default();
    verdict.check(check_key_owner(&answer, host).took(took));
    if let (Ok(whoami), ProvenRung::Accepted) = (&answer, verdict.proven)
        && let Some(lookup) = HoneycombLookup::new(exporter, route, whoami, &trace, deadline)
    {
        beyond::climb(&lookup, &mut verdict).await;
    }
    Ok(verdict)
}

/// Sends a test trace and records the rungs `reachable` and `accepted`.
///
/// # Errors
/// When the trace cannot be encoded.
pub(super) async fn send_test_trace(
    exporter: &Exporter,
    route: &EndpointRoute,
    verdict: &mut ServiceVerdict,
    deadline: Instant,
) -> Result<TestTrace> {
    let host = route.url.host_str().unwrap_or_default();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let trace = TestTrace::new(&verdict.name, now, rand::random());
    let started = Instant::now();
    let delivery = deliver::deliver(route, exporter, &trace, deadline).await?;
    let took = started.elapsed();
    if !delivery.reached {
        if let Err(failure) = &delivery.outcome {
            end_unreachable(verdict, failure, host, took);
        }
        return Ok(trace);
    }
    verdict.prove(ProvenRung::Reachable);
    verdict.check(Check::new(Rung::Reachable, CheckStatus::Pass, describe_route(route)).took(took));
    verdict.trace_id = Some(trace.id());
    verdict.code = delivery_refusal(&delivery);
    if verdict.code.is_none() {
        verdict.prove(ProvenRung::Accepted);
    }
    verdict.check(acceptance_check(&delivery, host).took(took));
    Ok(trace)
}

/// Describes how the host was reached.
pub(super) fn describe_route(route: &EndpointRoute) -> String {
    let host = route.url.host_str().unwrap_or_default();
    let port = route.url.port_or_known_default().unwrap_or_default();
    let tls = match route.url.scheme() {
        "https" => ", TLS",
        _ => "",
    };
    let address = route.describe();
    if address == host {
        return format!("{host} port {port}{tls}");
    }
    format!("{host} is {address}, port {port}{tls}")
}

/// Returns why the spans were not accepted.
fn delivery_refusal(delivery: &TraceDelivery) -> Option<FailureCode> {
    match &delivery.outcome {
        Ok(ExportMeaning::Accepted { .. }) => None,
        Ok(ExportMeaning::Refused { code, .. }) => Some(*code),
        Err(failure) => Some(failure.code),
    }
}

fn acceptance_check(delivery: &TraceDelivery, host: &str) -> Check {
    let check = |status, evidence: String| Check::new(Rung::Accepted, status, evidence);
    match &delivery.outcome {
        Ok(ExportMeaning::Accepted { warning: None }) => {
            check(CheckStatus::Pass, "2 spans taken, none rejected".to_owned())
        }
        Ok(ExportMeaning::Accepted { warning: Some(words) }) => {
            check(CheckStatus::Warn, format!("2 spans accepted; the receiver says: {words}"))
        }
        Ok(ExportMeaning::Refused { code, evidence }) => {
            check(CheckStatus::Fail, evidence.clone() + &describe_retries(delivery))
                .hint(hint_for_code(*code, host))
        }
        Err(failure) => {
            let advice = failure.hint.clone().or_else(|| hint_for_code(failure.code, host));
            check(CheckStatus::Fail, failure.evidence.clone() + &describe_retries(delivery))
                .hint(advice)
        }
    }
}

/// Describes the retries, if there were any or they were cut short.
fn describe_retries(delivery: &TraceDelivery) -> String {
    let mut text = String::new();
    if delivery.attempts > 1 {
        text = format!(" ({} attempts)", delivery.attempts);
    }
    if let Some(wait) = delivery.asked_to_wait {
        text += &format!(" (it asks to wait {} s, longer than `--timeout`)", wait.as_secs());
    }
    text
}

/// Returns the rung `whose`.
pub(super) fn check_key_owner(answer: &WhoamiAnswer, host: &str) -> Check {
    match answer {
        Ok(whoami) if whoami.may_send() => {
            Check::new(Rung::Whose, CheckStatus::Pass, whoami.describe())
        }
        Ok(whoami) => Check::new(
            Rung::Whose,
            CheckStatus::Warn,
            format!("{}: it may not send events", whoami.describe()),
        ),
        Err(WhoamiFailure::Rejected(words)) => Check::new(
            Rung::Whose,
            CheckStatus::Warn,
            format!("/1/auth does not know the key: {words}"),
        )
        .hint(hint_for_code(FailureCode::KeyRejected, host)),
        Err(WhoamiFailure::Unanswered(words)) => {
            Check::new(Rung::Whose, CheckStatus::Warn, format!("/1/auth said nothing: {words}"))
        }
    }
}
