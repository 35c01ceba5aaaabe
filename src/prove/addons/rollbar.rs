//! Probes Rollbar: one item of level `debug`, and Rollbar's answer.

use std::net::SocketAddr;
use std::pin::Pin;

use tokio::time::Instant;
use url::Url;

use super::{AddonProbe, AddonUnderTest, ProbeAttempt, time_since_epoch};
use crate::addon::AddonOutcome;
use crate::addon::rollbar::{RollbarItem, items_url};
use crate::compose::{ProjectVariables, VariableValue};
use crate::consent::{ClearedDestination, OutgoingRequest};
use crate::error::Result;
use crate::net::failure::RequestFailure;
use crate::net::http::{self, HttpRequest};
use crate::net::route::EndpointRoute;
use crate::otlp::ExportHeader;
use crate::otlp::{Check, CheckStatus, FailureCode, ProvenRung, Rung, ServiceVerdict};
use crate::prove::consent::withhold_verdict;
use crate::prove::subject::EffectiveSettings;
use crate::prove::{ladder, reach};
use crate::provider::Addon;
use crate::secret::{Redactor, Secret};
use crate::session::trust::AskedConsent;
use crate::ui::Ui;

/// The address and token for items.
#[derive(Debug)]
pub(super) struct RollbarProbe {
    url: Url,
    /// The address as text, before it was parsed.
    address: Secret,
    variable: String,
    token: ExportHeader,
    at: std::result::Result<Option<SocketAddr>, RequestFailure>,
    /// `None` until consent was given.
    cleared: Option<ClearedDestination>,
}

/// Returns a service's Rollbar settings.
pub(super) fn subject(
    effective: &EffectiveSettings<'_>,
    _: &ProjectVariables,
    redactor: &Redactor,
) -> Option<AddonUnderTest> {
    let profile = Addon::Rollbar.profile()?;
    let variable = profile.secrets.first()?;
    let setting = effective.settings.get(variable)?;
    let mut subject = AddonUnderTest::new(profile, effective, setting);
    let token = match &setting.value {
        VariableValue::Known(token) => Secret::new(token.expose().trim()),
        VariableValue::Absent => Secret::new(""),
        VariableValue::Unknown(reason) => {
            return Some(subject.stopped(FailureCode::KeyMissing, reason, None));
        }
    };
    redactor.learn(variable, &token);
    if token.is_empty() {
        let text = format!("{variable} is not set, so Rollbar would drop everything");
        return Some(subject.stopped(FailureCode::KeyMissing, &text, Some(key_set_hint(variable))));
    }
    let address = effective.settings.get(&profile.address);
    let configured = address
        .and_then(|setting| setting.value.known())
        .map(str::trim)
        .filter(|configured| !configured.is_empty());
    let endpoint = configured.or(profile.endpoint.as_deref())?;
    let Some(url) = items_url(endpoint) else {
        let text = format!("{} is not an http or https address", profile.address);
        return Some(subject.stopped(FailureCode::NotConfigured, &text, None));
    };
    subject.verdict.endpoint = Some(ladder::redact_url(&url));
    let at = reach::find_url_address(effective.model, effective.service, &url);
    let (variable, header) = (variable.clone(), profile.header.clone()?);
    let token = ExportHeader { name: header, value: token };
    let address = Secret::new(endpoint);
    let rollbar = RollbarProbe { url, address, variable, token, at, cleared: None };
    subject.target = Some(Box::new(rollbar));
    Some(subject)
}

fn key_set_hint(variable: &str) -> String {
    format!("`cruddur-ops key set --variable {variable}` stores it")
}

impl AddonProbe for RollbarProbe {
    fn clear(
        &mut self,
        verdict: &mut ServiceVerdict,
        consent: &mut AskedConsent,
        ui: &mut Ui,
    ) -> Result<bool> {
        let Ok(address) = self.at.clone() else {
            return Ok(true);
        };
        let outgoing = OutgoingRequest {
            address,
            headers: std::slice::from_ref(&self.token),
            supplied: std::slice::from_ref(&self.variable),
            texts: &[verdict.service.as_bytes(), self.address.expose().as_bytes()],
            ..OutgoingRequest::to(&self.url)
        };
        match consent.clear(&outgoing, &verdict.service, ui)? {
            Ok(cleared) => self.cleared = Some(cleared),
            Err(objection) => withhold_verdict(verdict, &self.url, &objection),
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

impl RollbarProbe {
    async fn find_route(
        &self,
        deadline: Instant,
    ) -> Option<std::result::Result<EndpointRoute, RequestFailure>> {
        match (&self.at, &self.cleared) {
            (Err(failure), _) => Some(Err(failure.clone())),
            (Ok(_), Some(cleared)) => Some(EndpointRoute::find(cleared, deadline).await),
            (Ok(_), None) => None,
        }
    }

    /// Posts one item, and adds the result to the verdict.
    async fn report(&self, mut verdict: ServiceVerdict, deadline: Instant) -> ServiceVerdict {
        let host = self.url.host_str().unwrap_or_default();
        let started = Instant::now();
        let item = RollbarItem::new(&verdict.service, time_since_epoch(), rand::random());
        let route = self.find_route(deadline).await;
        let route = match &route {
            Some(Ok(route)) => route,
            Some(Err(failure)) => {
                ladder::end_unreachable(
                    &mut verdict,
                    &add_rollbar_advice(failure),
                    host,
                    started.elapsed(),
                );
                return verdict;
            }
            None => return verdict,
        };
        let received = http::send(
            route,
            HttpRequest::PostJson(&item.text()),
            std::slice::from_ref(&self.token),
            deadline,
        )
        .await;
        let took = started.elapsed();
        let outcome = match received {
            Ok(received) => item.read(&received.answer, &self.token.value),
            Err(failure) if failure.reached => {
                AddonOutcome::Refused(failure.code, failure.evidence)
            }
            Err(failure) => {
                ladder::end_unreachable(&mut verdict, &add_rollbar_advice(&failure), host, took);
                return verdict;
            }
        };
        verdict.prove(ProvenRung::Reachable);
        verdict.check(
            Check::new(Rung::Reachable, CheckStatus::Pass, ladder::describe_route(route))
                .took(took),
        );
        let check = match outcome {
            AddonOutcome::Taken(evidence) => {
                verdict.prove(ProvenRung::Accepted);
                Check::new(Rung::Accepted, CheckStatus::Pass, evidence)
            }
            AddonOutcome::Refused(code, evidence) => {
                verdict.code = Some(code);
                Check::new(Rung::Accepted, CheckStatus::Fail, evidence).hint(rollbar_advice(code))
            }
        };
        verdict.check(check.took(took));
        verdict
    }
}

fn add_rollbar_advice(failure: &RequestFailure) -> RequestFailure {
    let mut failure = failure.clone();
    failure.hint = failure.hint.or_else(|| rollbar_advice(failure.code));
    failure
}

fn rollbar_advice(code: FailureCode) -> Option<String> {
    let text = match code {
        FailureCode::KeyRejected => {
            "`cruddur-ops key set --variable ROLLBAR_ACCESS_TOKEN` stores another; it needs the scope post_server_item"
        }
        FailureCode::Dns => {
            "is this machine connected to the network, and is ROLLBAR_ENDPOINT right?"
        }
        FailureCode::UnknownAnswer | FailureCode::Redirected => {
            "ROLLBAR_ENDPOINT ends in /api/1/; without it items go to Rollbar itself"
        }
        FailureCode::Throttled => "the rate limit, or the month's occurrences, are used up",
        _ => return None,
    };
    Some(text.to_owned())
}
