//! The ladder: sends a test trace for each service and reports how far it got.

mod addons;
mod app;
mod beyond;
mod causes;
mod collector;
mod consent;
mod deliver;
mod keys;
mod ladder;
mod libraries;
mod listening;
mod local;
mod reach;
mod request;
mod secrets;
mod settings;
mod subject;
mod subjects;
mod tap;
mod tls;
mod wait;
mod warnings;

use std::time::Duration;

use crate::consent::Cleared;
use crate::error::{Error, Result};
use crate::net;
use crate::net::failure::Failure;
use crate::net::route::Route;
use crate::otlp::assembly::Trace;
use crate::otlp::{ProofMode, Report, ServiceVerdict};
use crate::session::containers::Containers;
use crate::session::context::ProjectContext;
use crate::session::secrets::collect_known;
use crate::session::trust::AskedConsent;
use crate::ui::Ui;
use tokio::task::JoinSet;
use tokio::time::Instant;

pub(crate) use request::{AddonScope, AppRequest, ProofRequest, Stage, TapUse, UnaskedServices};

use app::AppProof;
use keys::Keys;
use subject::Subject;
use subjects::MissingKeys;
use wait::{in_order, together};

/// A service being proven: its verdict so far, and the time spent.
struct Climb {
    subject: Subject,
    verdict: ServiceVerdict,
    route: Option<Result<Route, Failure>>,
    spent: Duration,
}

/// Sends a test trace for each service to its destination, tests its addons, and shows how far each got.
pub(crate) fn prove(request: &ProofRequest, place: &ProjectContext, ui: &mut Ui) -> Result<Report> {
    let stored = subjects::stored(place, ui)?;
    let subjects = subjects::find(request, MissingKeys::Reported, place, &stored, ui)?;
    let beside = addons::find(request, place, &stored, ui)?;
    if subjects.is_empty() && beside.is_empty() {
        return Err(subjects::none(place));
    }
    let containers = match request.application {
        Some(_) => Containers::find(place, ui),
        None => None,
    };
    let containers = renew(containers, &subjects, request, place, ui)?;
    let known = collect_known(place, &stored, ui.redactor())?;
    let mut consent = AskedConsent::new(known, &request.trusted_hosts);
    let begun = begin(subjects, &mut consent, ui)?;
    let climbs = net::block_on(look_up(begun, request.timeout))?;
    let (mode, verdicts) = match &request.application {
        None => (ProofMode::Trace, net::block_on(climb(climbs, request, ui))??),
        Some(app) => {
            let mode = match app.url {
                Some(_) => ProofMode::App,
                None => ProofMode::Project,
            };
            let proof = AppProof { app, request, place, containers: containers.as_ref() };
            (mode, proof.prove(climbs, &mut consent, ui)?)
        }
    };
    let beside = addons::prove(beside, &mut consent, request, place.shell, ui)?;
    let report = Report::new(mode, verdicts).beside(beside);
    ui.verdict(&report);
    if report.lacks_key() {
        crate::session::secrets::say_when_one_comes(place.shell, ui);
    }
    Ok(report)
}

/// Offers new containers if those of the subjects run with an outdated configuration.
fn renew(
    containers: Option<Containers>,
    subjects: &[Subject],
    request: &ProofRequest,
    place: &ProjectContext,
    ui: &mut Ui,
) -> Result<Option<Containers>> {
    let Some(found) = containers else {
        return Ok(None);
    };
    let names = subjects.iter().map(|subject| subject.service.clone());
    let outdated: Vec<String> = names.filter(|name| found.is_outdated(name)).collect();
    match found.offer(&outdated, request.restart, ui)? {
        true => Ok(Containers::find(place, ui)),
        false => Ok(Some(found)),
    }
}

/// Does the same as [`prove`] with the embedded receiver in place of every endpoint; nothing leaves this machine.
/// Also returns the traces that arrived.
pub(crate) fn prove_locally(
    request: &ProofRequest,
    place: &ProjectContext,
    ui: &mut Ui,
) -> Result<(Report, Vec<Trace>)> {
    let stored = subjects::stored(place, ui)?;
    let subjects = subjects::find(request, MissingKeys::Replaced, place, &stored, ui)?;
    if subjects.is_empty() {
        return Err(subjects::none(place));
    }
    let (verdicts, traces) = net::block_on(local::prove(subjects, request.timeout))??;
    let report = Report::new(ProofMode::Local, verdicts);
    ui.verdict(&report);
    Ok((report, traces))
}

/// A service before any lookup, and what may be sent.
struct Begun {
    subject: Subject,
    verdict: ServiceVerdict,
    cleared: Option<Cleared>,
}

/// Asks for consent where it is needed; ends the verdict of services without it.
fn begin(subjects: Vec<Subject>, consent: &mut AskedConsent, ui: &mut Ui) -> Result<Vec<Begun>> {
    let begun = subjects.into_iter().map(|subject| {
        let mut verdict = ladder::begin(&subject);
        let cleared = match (&subject.exporter, subject.stop, &subject.at) {
            (Ok(exporter), None, Ok(_)) => {
                consent::clear(&subject, exporter, &mut verdict, consent, ui)?
            }
            _ => None,
        };
        Ok(Begun { subject, verdict, cleared })
    });
    begun.collect()
}

/// Resolves every endpoint, concurrently; sends nothing.
async fn look_up(begun: Vec<Begun>, budget: Duration) -> Vec<Climb> {
    let mut tasks = JoinSet::new();
    for (at, begun) in begun.into_iter().enumerate() {
        tasks.spawn(async move {
            let started = Instant::now();
            let route = route(&begun, started + budget).await;
            let Begun { subject, verdict, .. } = begun;
            (at, Climb { verdict, subject, route, spent: started.elapsed() })
        });
    }
    let mut climbs = in_order(tasks.join_all().await);
    share(&mut climbs);
    climbs
}

/// Makes services with the same route share one client.
fn share(climbs: &mut [Climb]) {
    let mut ways: Vec<Route> = Vec::new();
    for climb in climbs {
        let Some(Ok(route)) = &mut climb.route else {
            continue;
        };
        let way = route.at_path("/");
        match ways.iter().find(|known| **known == way) {
            Some(known) => route.kept = known.kept.clone(),
            None => ways.push(way),
        }
    }
}

async fn route(begun: &Begun, deadline: Instant) -> Option<Result<Route, Failure>> {
    let subject = &begun.subject;
    let exporter = subject.exporter.as_ref().ok()?;
    let found = match (&subject.at, &begun.cleared) {
        _ if subject.stop.is_some() => return None,
        (Err(failure), _) => Err(failure.clone()),
        (Ok(_), Some(cleared)) => Route::find(cleared, deadline).await,
        (Ok(_), None) => return None,
    };
    Some(found.and_then(|route| tls::equip(route, exporter, &subject.mounts)))
}

/// Proves every service concurrently, with a progress line.
async fn climb(
    climbs: Vec<Climb>,
    request: &ProofRequest,
    ui: &mut Ui,
) -> Result<Vec<ServiceVerdict>> {
    let started = Instant::now();
    let keys = Keys::default();
    let mut tasks = JoinSet::new();
    for (at, climb) in climbs.into_iter().enumerate() {
        let (budget, required, keys) = (request.timeout, request.required, keys.clone());
        tasks.spawn(async move {
            let deadline = started + budget.saturating_sub(climb.spent);
            let mut verdict = climb_one(climb, &keys, deadline).await?;
            verdict.require(required);
            Ok::<_, Error>((at, verdict))
        });
    }
    together(tasks, request.timeout, ui).await
}

async fn climb_one(climb: Climb, keys: &Keys, deadline: Instant) -> Result<ServiceVerdict> {
    let Climb { subject, mut verdict, route, spent } = climb;
    match (route, &subject.exporter) {
        (Some(Ok(route)), Ok(exporter)) => {
            verdict = ladder::climb(exporter, &route, verdict, keys, deadline).await?;
            // In a container, localhost is the container itself.
            if matches!(subject.at, Ok(Some(_))) {
                listening::climb(exporter, &route, &mut verdict, deadline).await;
            }
        }
        (Some(Err(failure)), Ok(exporter)) => {
            let host = exporter.url.host_str().unwrap_or_default();
            ladder::unreachable(&mut verdict, &failure, host, spent);
        }
        _ => {}
    }
    Ok(verdict)
}

#[cfg(test)]
mod agreement_tests;
