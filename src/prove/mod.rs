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
mod subject;
mod subjects;
mod tap;
mod tls;
mod wait;
mod warnings;

use std::time::Duration;

use crate::consent::ClearedDestination;
use crate::error::{Error, Result};
use crate::net;
use crate::net::failure::RequestFailure;
use crate::net::route::EndpointRoute;
use crate::otlp::assembly::Trace;
use crate::otlp::{ProofMode, ProofReport, ServiceVerdict};
use crate::session::containers::ProjectContainers;
use crate::session::context::ProjectContext;
use crate::session::secrets::{collect_known, stored_variables};
use crate::session::trust::AskedConsent;
use crate::ui::Ui;
use tokio::task::JoinSet;
use tokio::time::Instant;

pub(crate) use request::{
    AddonScope, AppRequest, ProjectStage, ProofRequest, TapUse, UnaskedServices,
};

use app::AppProof;
use keys::KeyOwners;
use subject::ServiceUnderTest;
use subjects::MissingKeyPolicy;
use wait::{in_order, join_numbered_tasks};

/// The route to a service's endpoint, or why there is none.
type ExporterRoute = std::result::Result<EndpointRoute, RequestFailure>;

/// A service being proven: its verdict so far, and the time spent.
struct LadderClimb {
    subject: ServiceUnderTest,
    verdict: ServiceVerdict,
    /// `None` if nothing is sent.
    route: Option<ExporterRoute>,
    spent: Duration,
}

/// Sends a test trace for each service to its destination, tests its addons, and shows how far each got.
pub(crate) fn prove(
    request: &ProofRequest,
    context: &ProjectContext,
    ui: &mut Ui,
) -> Result<ProofReport> {
    let stored = stored_variables(context, ui.redactor())?;
    let subjects = subjects::find(request, MissingKeyPolicy::Reported, context, &stored, ui)?;
    let addons = addons::find_addon_subjects(request, context, &stored, ui)?;
    if subjects.is_empty() && addons.is_empty() {
        return Err(subjects::nothing_to_prove_error(context));
    }
    let containers = match request.application {
        Some(_) => ProjectContainers::find(context, ui),
        None => None,
    };
    let containers = offer_new_containers(containers, &subjects, request, context, ui)?;
    let known = collect_known(context, &stored, ui.redactor())?;
    let mut consent = AskedConsent::new(known, &request.trusted_hosts);
    let begun = clear_exports(subjects, &mut consent, ui)?;
    let climbs = net::block_on(look_up(begun, request.timeout))?;
    let (mode, verdicts) = match &request.application {
        None => (ProofMode::Trace, net::block_on(climb_ladders(climbs, request, ui))??),
        Some(app) => {
            let mode = match app.url {
                Some(_) => ProofMode::App,
                None => ProofMode::Project,
            };
            let proof = AppProof { app, request, context, containers: containers.as_ref() };
            (mode, proof.prove(climbs, &mut consent, ui)?)
        }
    };
    let addon_verdicts = addons::prove(addons, &mut consent, request, context.shell, ui)?;
    let report = ProofReport::new(mode, verdicts).with_addons(addon_verdicts);
    ui.verdict(&report);
    if report.lacks_key() {
        crate::session::secrets::show_codespace_delay(context.shell, ui);
    }
    Ok(report)
}

/// Offers new containers if those of the subjects run with an outdated configuration.
fn offer_new_containers(
    containers: Option<ProjectContainers>,
    subjects: &[ServiceUnderTest],
    request: &ProofRequest,
    context: &ProjectContext,
    ui: &mut Ui,
) -> Result<Option<ProjectContainers>> {
    let Some(found) = containers else {
        return Ok(None);
    };
    let names = subjects.iter().map(|subject| subject.service.clone());
    let outdated: Vec<String> = names.filter(|name| found.is_outdated(name)).collect();
    if found.offer(&outdated, request.restart, ui)? {
        Ok(ProjectContainers::find(context, ui))
    } else {
        Ok(Some(found))
    }
}

/// Does the same as [`prove`] with the embedded receiver in place of every endpoint; nothing leaves this machine.
/// Also returns the traces that arrived.
pub(crate) fn prove_locally(
    request: &ProofRequest,
    context: &ProjectContext,
    ui: &mut Ui,
) -> Result<(ProofReport, Vec<Trace>)> {
    let stored = stored_variables(context, ui.redactor())?;
    let subjects = subjects::find(request, MissingKeyPolicy::Replaced, context, &stored, ui)?;
    if subjects.is_empty() {
        return Err(subjects::nothing_to_prove_error(context));
    }
    let (verdicts, traces) = net::block_on(local::prove(subjects, request.timeout))??;
    let report = ProofReport::new(ProofMode::Local, verdicts);
    ui.verdict(&report);
    Ok((report, traces))
}

/// A service before any lookup, and what may be sent.
struct ClearedSubject {
    subject: ServiceUnderTest,
    verdict: ServiceVerdict,
    cleared: Option<ClearedDestination>,
}

/// Asks for consent where it is needed; ends the verdict of services without it.
fn clear_exports(
    subjects: Vec<ServiceUnderTest>,
    consent: &mut AskedConsent,
    ui: &mut Ui,
) -> Result<Vec<ClearedSubject>> {
    let begun = subjects.into_iter().map(|subject| {
        let mut verdict = ladder::begin(&subject);
        let cleared = match (&subject.exporter, subject.stop, &subject.at) {
            (Ok(exporter), None, Ok(_)) => {
                consent::clear(&subject, exporter, &mut verdict, consent, ui)?
            }
            _ => None,
        };
        Ok(ClearedSubject { subject, verdict, cleared })
    });
    begun.collect()
}

/// Resolves every endpoint, concurrently; sends nothing.
async fn look_up(begun: Vec<ClearedSubject>, budget: Duration) -> Vec<LadderClimb> {
    let mut tasks = JoinSet::new();
    for (at, begun) in begun.into_iter().enumerate() {
        tasks.spawn(async move {
            let started = Instant::now();
            let route = route_export(&begun, started + budget).await;
            let ClearedSubject { subject, verdict, .. } = begun;
            (at, LadderClimb { verdict, subject, route, spent: started.elapsed() })
        });
    }
    let mut climbs = in_order(tasks.join_all().await);
    share_clients(&mut climbs);
    climbs
}

/// Makes services with the same host share one client.
fn share_clients(climbs: &mut [LadderClimb]) {
    let mut hosts: Vec<EndpointRoute> = Vec::new();
    for climb in climbs {
        let Some(Ok(route)) = &mut climb.route else {
            continue;
        };
        let host = route.at_path("/");
        match hosts.iter().find(|known| **known == host) {
            Some(known) => route.client_cache = known.client_cache.clone(),
            None => hosts.push(host),
        }
    }
}

async fn route_export(begun: &ClearedSubject, deadline: Instant) -> Option<ExporterRoute> {
    let subject = &begun.subject;
    let exporter = subject.exporter.as_ref().ok()?;
    let found = match (&subject.at, &begun.cleared) {
        _ if subject.stop.is_some() => return None,
        (Err(failure), _) => Err(failure.clone()),
        (Ok(_), Some(cleared)) => EndpointRoute::find(cleared, deadline).await,
        (Ok(_), None) => return None,
    };
    Some(found.and_then(|route| tls::add_tls_material(route, exporter, &subject.mounts)))
}

/// Proves every service concurrently, with a progress line.
async fn climb_ladders(
    climbs: Vec<LadderClimb>,
    request: &ProofRequest,
    ui: &mut Ui,
) -> Result<Vec<ServiceVerdict>> {
    let started = Instant::now();
    let keys = KeyOwners::default();
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
    join_numbered_tasks(tasks, request.timeout, ui).await
}

async fn climb_one(
    climb: LadderClimb,
    keys: &KeyOwners,
    deadline: Instant,
) -> Result<ServiceVerdict> {
    let LadderClimb { subject, mut verdict, route, spent } = climb;
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
            ladder::end_unreachable(&mut verdict, &failure, host, spent);
        }
        _ => {}
    }
    Ok(verdict)
}

#[cfg(test)]
mod agreement_tests;
