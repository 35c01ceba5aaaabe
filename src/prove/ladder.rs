//! Climbs the ladder for one service and records each rung.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::beyond::{self, Quest};
use super::deliver::{self, Delivery};
use super::keys::Keys;
use super::subject::Subject;
use crate::error::Result;
use crate::net::failure::Failure;
use crate::net::honeycomb::{KEY_HEADER, WhoamiFailure};
use crate::net::route::Route;
use crate::otlp::Exporter;
use crate::otlp::hint::hint;
use crate::otlp::response::Meaning;
use crate::otlp::whoami::Whoami;
use crate::otlp::{Check, Code, Proven, Rung, ServiceVerdict, Status, TestTrace};

/// Returns the verdict on a service before anything is sent.
pub(super) fn begin(subject: &Subject) -> ServiceVerdict {
    let mut verdict = ServiceVerdict::new(&subject.service, &subject.name);
    if let Ok(exporter) = &subject.exporter {
        verdict.endpoint = Some(shown(&exporter.url));
        verdict.protocol = Some(exporter.protocol.as_str());
    }
    verdict.check(subject.configured.clone());
    verdict.code = subject.stop;
    verdict
}

/// Returns a URL without its private parts.
pub(super) fn shown(url: &url::Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    // Cannot fail for http and https.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

/// Ends a verdict at the rung `reachable`.
pub(super) fn unreachable(
    verdict: &mut ServiceVerdict,
    failure: &Failure,
    host: &str,
    took: Duration,
) {
    let advice = failure.hint.clone().or_else(|| hint(failure.code, host));
    verdict.code = Some(failure.code);
    verdict.check(
        Check::new(Rung::Reachable, Status::Fail, failure.evidence.as_str())
            .hint(advice)
            .took(took),
    );
    skip(verdict, Rung::Accepted, "not reached");
}

/// Records a rung that was not tried.
pub(super) fn skip(verdict: &mut ServiceVerdict, rung: Rung, why: &str) {
    verdict.check(Check::new(rung, Status::Skip, why));
}

/// Sends the test trace over `route` and climbs as far as possible.
///
/// # Errors
/// When no verdict can be formed.
pub(super) async fn climb(
    exporter: &Exporter,
    route: &Route,
    mut verdict: ServiceVerdict,
    keys: &Keys,
    deadline: Instant,
) -> Result<ServiceVerdict> {
    let Some(header) = exporter.header(KEY_HEADER) else {
        send(exporter, route, &mut verdict, deadline).await?;
        return Ok(verdict);
    };
    let now = Instant::now();
    let patience = now + deadline.saturating_duration_since(now) / 2;
    // Concurrent, because a second round trip would double the time on a slow connection.
    let (trace, (answer, took)) = tokio::join!(
        send(exporter, route, &mut verdict, deadline),
        keys.whose(route, &header.value, patience)
    );
    let trace = trace?;
    if verdict.proven < Proven::Reachable {
        return Ok(verdict);
    }
    let host = route.url.host_str().unwrap_or_default();
    verdict.check(whose(&answer, host).took(took));
    if let (Ok(whoami), Proven::Accepted) = (&answer, verdict.proven)
        && let Some(quest) = Quest::new(exporter, route, whoami, &trace, deadline)
    {
        beyond::climb(&quest, &mut verdict).await;
    }
    Ok(verdict)
}

/// Sends a test trace and records the rungs `reachable` and `accepted`.
///
/// # Errors
/// When the trace cannot be encoded.
pub(super) async fn send(
    exporter: &Exporter,
    route: &Route,
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
            unreachable(verdict, failure, host, took);
        }
        return Ok(trace);
    }
    verdict.prove(Proven::Reachable);
    verdict.check(Check::new(Rung::Reachable, Status::Pass, reached(route)).took(took));
    verdict.trace_id = Some(trace.id());
    verdict.code = refusal(&delivery);
    if verdict.code.is_none() {
        verdict.prove(Proven::Accepted);
    }
    verdict.check(accepted(&delivery, host).took(took));
    Ok(trace)
}

/// Describes how the host was reached.
pub(super) fn reached(route: &Route) -> String {
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
fn refusal(delivery: &Delivery) -> Option<Code> {
    match &delivery.outcome {
        Ok(Meaning::Accepted { .. }) => None,
        Ok(Meaning::Refused { code, .. }) => Some(*code),
        Err(failure) => Some(failure.code),
    }
}

fn accepted(delivery: &Delivery, host: &str) -> Check {
    let check = |status, evidence: String| Check::new(Rung::Accepted, status, evidence);
    match &delivery.outcome {
        Ok(Meaning::Accepted { warning: None }) => {
            check(Status::Pass, "2 spans taken, none rejected".to_owned())
        }
        Ok(Meaning::Accepted { warning: Some(words) }) => {
            check(Status::Warn, format!("2 spans accepted; the receiver says: {words}"))
        }
        Ok(Meaning::Refused { code, evidence }) => {
            check(Status::Fail, evidence.clone() + &patience(delivery)).hint(hint(*code, host))
        }
        Err(failure) => {
            let advice = failure.hint.clone().or_else(|| hint(failure.code, host));
            check(Status::Fail, failure.evidence.clone() + &patience(delivery)).hint(advice)
        }
    }
}

/// Describes the retries, if there were any or they were cut short.
fn patience(delivery: &Delivery) -> String {
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
pub(super) fn whose(answer: &Result<Whoami, WhoamiFailure>, host: &str) -> Check {
    match answer {
        Ok(whoami) if whoami.may_send() => Check::new(Rung::Whose, Status::Pass, whoami.describe()),
        Ok(whoami) => Check::new(
            Rung::Whose,
            Status::Warn,
            format!("{}: it may not send events", whoami.describe()),
        ),
        Err(WhoamiFailure::Rejected(words)) => {
            Check::new(Rung::Whose, Status::Warn, format!("/1/auth does not know the key: {words}"))
                .hint(hint(Code::KeyRejected, host))
        }
        Err(WhoamiFailure::Unanswered(words)) => {
            Check::new(Rung::Whose, Status::Warn, format!("/1/auth said nothing: {words}"))
        }
    }
}
