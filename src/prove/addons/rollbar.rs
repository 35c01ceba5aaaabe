//! Probes Rollbar: one item of level `debug`, and Rollbar's answer.

use std::net::SocketAddr;
use std::pin::Pin;

use tokio::time::Instant;
use url::Url;

use super::{AddonProbe, ProbeAttempt, Subject, now};
use crate::addon::Outcome;
use crate::addon::rollbar::{Item, items};
use crate::compose::{Value, Variables};
use crate::consent::{Cleared, Outgoing};
use crate::error::Result;
use crate::net::failure::Failure;
use crate::net::http::{self, Ask};
use crate::net::route::Route;
use crate::otlp::Header;
use crate::otlp::{Check, Code, Proven, Rung, ServiceVerdict, Status};
use crate::prove::consent::withhold;
use crate::prove::subject::Effective;
use crate::prove::{ladder, reach};
use crate::provider::Addon;
use crate::secret::{Redactor, Secret};
use crate::session::trust::AskedConsent;
use crate::ui::Ui;

/// The address and token for items.
#[derive(Debug)]
pub(super) struct Rollbar {
    url: Url,
    /// The address as text, before it was parsed.
    address: Secret,
    variable: String,
    token: Header,
    at: std::result::Result<Option<SocketAddr>, Failure>,
    /// `None` until consent was given.
    cleared: Option<Cleared>,
}

/// Returns a service's Rollbar settings.
pub(super) fn subject(
    effective: &Effective<'_>,
    _: &Variables,
    redactor: &Redactor,
) -> Option<Subject> {
    let profile = Addon::Rollbar.profile()?;
    let variable = profile.secrets.first()?;
    let setting = effective.settings.get(variable)?;
    let mut subject = Subject::new(profile, effective, setting);
    let token = match &setting.value {
        Value::Known(token) => Secret::new(token.expose().trim()),
        Value::Absent => Secret::new(""),
        Value::Unknown(reason) => return Some(subject.stopped(Code::KeyMissing, reason, None)),
    };
    redactor.learn(variable, &token);
    if token.is_empty() {
        let text = format!("{variable} is not set, so Rollbar would drop everything");
        return Some(subject.stopped(Code::KeyMissing, &text, Some(set(variable))));
    }
    let address = effective.settings.get(&profile.address);
    let said = address.and_then(|setting| setting.value.known());
    let said = said.map(str::trim).filter(|said| !said.is_empty());
    let endpoint = said.or(profile.endpoint.as_deref())?;
    let Some(url) = items(endpoint) else {
        let text = format!("{} is no http or https address", profile.address);
        return Some(subject.stopped(Code::NotConfigured, &text, None));
    };
    subject.verdict.endpoint = Some(ladder::shown(&url));
    let at = reach::of(effective.model, effective.service, &url);
    let (variable, header) = (variable.clone(), profile.header.clone()?);
    let token = Header { name: header, value: token };
    let address = Secret::new(endpoint);
    let rollbar = Rollbar { url, address, variable, token, at, cleared: None };
    subject.target = Some(Box::new(rollbar));
    Some(subject)
}

fn set(variable: &str) -> String {
    format!("`cruddur-ops key set --variable {variable}` stores it")
}

impl AddonProbe for Rollbar {
    fn clear(
        &mut self,
        verdict: &mut ServiceVerdict,
        consent: &mut AskedConsent,
        ui: &mut Ui,
    ) -> Result<bool> {
        let Ok(address) = self.at.clone() else {
            return Ok(true);
        };
        let outgoing = Outgoing {
            address,
            headers: std::slice::from_ref(&self.token),
            supplied: std::slice::from_ref(&self.variable),
            texts: &[verdict.service.as_bytes(), self.address.expose().as_bytes()],
            ..Outgoing::to(&self.url)
        };
        match consent.clear(&outgoing, &verdict.service, ui)? {
            Ok(cleared) => self.cleared = Some(cleared),
            Err(objection) => withhold(verdict, &self.url, &objection),
        }
        Ok(self.cleared.is_some())
    }

    fn climb<'a>(
        &'a self,
        verdict: ServiceVerdict,
        attempt: &'a ProbeAttempt,
    ) -> Pin<Box<dyn Future<Output = ServiceVerdict> + Send + 'a>> {
        Box::pin(self.report(verdict, attempt.deadline))
    }
}

impl Rollbar {
    async fn way(&self, deadline: Instant) -> Option<std::result::Result<Route, Failure>> {
        match (&self.at, &self.cleared) {
            (Err(failure), _) => Some(Err(failure.clone())),
            (Ok(_), Some(cleared)) => Some(Route::find(cleared, deadline).await),
            (Ok(_), None) => None,
        }
    }

    /// Posts one item, and adds the result to the verdict.
    async fn report(&self, mut verdict: ServiceVerdict, deadline: Instant) -> ServiceVerdict {
        let host = self.url.host_str().unwrap_or_default();
        let started = Instant::now();
        let item = Item::new(&verdict.service, now(), rand::random());
        let way = self.way(deadline).await;
        let route = match &way {
            Some(Ok(route)) => route,
            Some(Err(failure)) => {
                ladder::unreachable(&mut verdict, &advised(failure), host, started.elapsed());
                return verdict;
            }
            None => return verdict,
        };
        let received = http::send(
            route,
            Ask::PostJson(&item.text()),
            std::slice::from_ref(&self.token),
            deadline,
        )
        .await;
        let took = started.elapsed();
        let outcome = match received {
            Ok(received) => item.read(&received.answer, &self.token.value),
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
