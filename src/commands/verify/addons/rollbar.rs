//! Rollbar: one item of level `debug`, and Rollbar's answer to it.

use std::net::SocketAddr;

use tokio::time::Instant;
use url::Url;

use super::{Subject, Target, leaks, now};
use crate::addon::Outcome;
use crate::addon::rollbar::{Item, TOKEN_HEADER, items};
use crate::commands::verify::subject::Effective;
use crate::commands::verify::{ladder, reach};
use crate::compose::Value;
use crate::net::failure::Failure;
use crate::net::http::{self, Ask};
use crate::net::route::Route;
use crate::otlp::headers::Header;
use crate::otlp::{Check, Code, Proven, Rung, ServiceVerdict, Status};
use crate::provider::Addon;
use crate::secret::{Redactor, Secret};

/// Where items go, and with which token.
#[derive(Debug)]
pub(super) struct Rollbar {
    url: Url,
    token: Secret,
    at: Result<Option<SocketAddr>, Failure>,
    /// `None` before it was looked up.
    pub(super) route: Option<Result<Route, Failure>>,
}

/// What `effective` says of Rollbar.
pub(super) fn subject(effective: &Effective<'_>, redactor: &Redactor) -> Option<Subject> {
    let profile = Addon::Rollbar.profile()?;
    let variable = profile.secrets.first()?;
    let setting = effective.settings.get(variable)?;
    let mut subject = Subject::new(profile, effective, setting);
    let token = match &setting.value {
        Value::Known(token) => Secret::new(token.trim()),
        Value::Absent => Secret::new(""),
        Value::Unknown(reason) => return Some(subject.stopped(Code::KeyMissing, reason, None)),
    };
    redactor.learn(variable, &token);
    if token.is_empty() {
        let text = format!("{variable} is not set, so Rollbar would drop everything");
        return Some(subject.stopped(Code::KeyMissing, &text, Some(set(variable))));
    }
    let address = effective.settings.get(&profile.address);
    if let Some(text) = address.and_then(leaks) {
        return Some(subject.stopped(Code::UntrustedHost, &text, None));
    }
    let said = address.and_then(|setting| setting.value.known());
    let said = said.map(str::trim).filter(|said| !said.is_empty());
    let endpoint = said.or(profile.endpoint.as_deref())?;
    let Some(url) = items(endpoint) else {
        let text = format!("{} is no http or https address", profile.address);
        return Some(subject.stopped(Code::NotConfigured, &text, None));
    };
    subject.verdict.endpoint = Some(ladder::shown(&url));
    let at = reach::of(effective.model, effective.service, &url);
    subject.target = Some(Target::Rollbar(Box::new(Rollbar { url, token, at, route: None })));
    Some(subject)
}

fn set(variable: &str) -> String {
    format!("`cruddur-ops key set --variable {variable}` stores it")
}

impl Rollbar {
    /// Finds the way; sends nothing.
    pub(super) async fn look_up(&mut self, deadline: Instant) {
        let found = match &self.at {
            Err(failure) => Err(failure.clone()),
            Ok(None) => Route::look_up(&self.url, deadline).await,
            Ok(Some(address)) => Ok(Route::at_address(&self.url, *address)),
        };
        self.route = Some(found);
    }

    /// Posts one item.
    pub(super) async fn climb(
        &self,
        mut verdict: ServiceVerdict,
        deadline: Instant,
    ) -> ServiceVerdict {
        let host = self.url.host_str().unwrap_or_default();
        let started = Instant::now();
        let item = Item::new(&verdict.service, now(), rand::random());
        let token = Header { name: TOKEN_HEADER.to_owned(), value: self.token.clone() };
        let route = match &self.route {
            Some(Ok(route)) => route,
            Some(Err(failure)) => {
                ladder::unreachable(&mut verdict, &advised(failure), host, started.elapsed());
                return verdict;
            }
            None => return verdict,
        };
        let received = http::send(route, Ask::PostJson(&item.text()), &[token], deadline).await;
        let took = started.elapsed();
        let outcome = match received {
            Ok(received) => item.read(&received.answer, &self.token),
            Err(failure) if failure.reached => Outcome::Refused(failure.code, failure.evidence),
            Err(failure) => {
                ladder::unreachable(&mut verdict, &advised(&failure), host, took);
                return verdict;
            }
        };
        verdict.prove(Proven::Reachable);
        verdict.check(Check::new(Rung::Reachable, Status::Pass, ladder::reached(route)).took(took));
        let check = match outcome {
            Outcome::Taken(evidence) => {
                verdict.prove(Proven::Accepted);
                Check::new(Rung::Accepted, Status::Pass, evidence)
            }
            Outcome::Refused(code, evidence) => {
                verdict.code = Some(code);
                Check::new(Rung::Accepted, Status::Fail, evidence).hint(advice(code))
            }
        };
        verdict.check(check.took(took));
        verdict
    }
}

fn advised(failure: &Failure) -> Failure {
    let mut failure = failure.clone();
    failure.hint = failure.hint.or_else(|| advice(failure.code));
    failure
}

fn advice(code: Code) -> Option<String> {
    let text = match code {
        Code::KeyRejected => {
            "`cruddur-ops key set --variable ROLLBAR_ACCESS_TOKEN` stores another; it needs the scope post_server_item"
        }
        Code::Dns => "is this machine connected to the network, and is ROLLBAR_ENDPOINT right?",
        Code::UnknownAnswer | Code::Redirected => {
            "ROLLBAR_ENDPOINT ends in /api/1/; without it items go to Rollbar itself"
        }
        Code::Throttled => "the rate limit, or the month's occurrences, are used up",
        _ => return None,
    };
    Some(text.to_owned())
}
