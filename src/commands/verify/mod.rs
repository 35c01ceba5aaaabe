//! `verify`: send a test trace for each service and say how far it was proven to get.

mod app;
mod beyond;
mod consent;
mod deliver;
mod ladder;
mod local;
mod reach;
mod subject;
mod subjects;
mod tls;

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use url::Url;

use crate::cli::{Global, Require, VerifyArgs};
use crate::commands::Outcome;
use crate::error::{Error, Result};
use crate::net;
use crate::net::failure::Failure;
use crate::net::route::{Route, Via};
use crate::otlp::assembly::Trace;
use crate::otlp::{Proven, Report, ServiceVerdict};
use crate::project::Project;
use crate::shell::Shell;
use crate::ui::Ui;

use consent::Consent;
use subject::Subject;

/// A service on its way up: what is known of it, and how long that took of its time.
struct Climb {
    subject: Subject,
    verdict: ServiceVerdict,
    route: Option<Result<Route, Failure>>,
    spent: Duration,
}

pub(super) fn run(
    args: &VerifyArgs,
    global: &Global,
    shell: &Shell,
    ui: &mut Ui,
) -> Result<Outcome> {
    let project = Project::discover(shell, global.directory.as_deref())?;
    let report = match args.local {
        true => prove_locally(args, &project, shell, ui)?.0,
        false => prove(args, &project, shell, ui)?,
    };
    ui.document(&report)?;
    Ok(match report.passed {
        true => Outcome::Yes,
        false => Outcome::No,
    })
}

/// Sends a test trace for each service to where its traces go, and shows how far each got.
pub(super) fn prove(
    args: &VerifyArgs,
    project: &Project,
    shell: &Shell,
    ui: &mut Ui,
) -> Result<Report> {
    let application = args.app.as_deref().map(address).transpose()?;
    let subjects = subjects::find(args, project, shell, ui)?;
    let climbs = net::block_on(look_up(subjects, args.timeout))?;
    let climbs = ask(climbs, args, ui)?;
    let verdicts = net::block_on(climb(climbs, application, args, ui))??;
    let report = Report::new(verdicts);
    ui.verdict(&report);
    Ok(report)
}

/// As [`prove`], with the embedded receiver in place of every endpoint; nothing leaves this machine. Answers with
/// the traces that arrived, too.
pub(super) fn prove_locally(
    args: &VerifyArgs,
    project: &Project,
    shell: &Shell,
    ui: &mut Ui,
) -> Result<(Report, Vec<Trace>)> {
    let subjects = subjects::find(args, project, shell, ui)?;
    let (verdicts, traces) = net::block_on(local::prove(subjects, args.timeout))??;
    let report = Report::new(verdicts);
    ui.verdict(&report);
    ui.say("the embedded receiver stood in for every endpoint: nothing left this machine");
    Ok((report, traces))
}

/// Looks every endpoint up, all at once; sends nothing.
async fn look_up(subjects: Vec<Subject>, budget: Duration) -> Vec<Climb> {
    let mut tasks = JoinSet::new();
    for (at, subject) in subjects.into_iter().enumerate() {
        tasks.spawn(async move {
            let started = Instant::now();
            let route = route(&subject, started + budget).await;
            let climb = Climb {
                verdict: ladder::begin(&subject),
                subject,
                route,
                spent: started.elapsed(),
            };
            (at, climb)
        });
    }
    in_order(tasks.join_all().await)
}

async fn route(subject: &Subject, deadline: Instant) -> Option<Result<Route, Failure>> {
    let exporter = subject.exporter.as_ref().ok()?;
    if subject.stop.is_some() {
        return None;
    }
    let found = match &subject.at {
        Err(failure) => Err(failure.clone()),
        Ok(None) => Route::look_up(&exporter.url, deadline).await,
        Ok(Some(address)) => {
            let mut url = exporter.url.clone();
            // Neither http nor https refuses a port.
            let _ = url.set_port(Some(address.port()));
            Ok(Route {
                url,
                via: Via::Addresses(vec![*address]),
                material: net::trust::Material::default(),
            })
        }
    };
    Some(found.and_then(|route| tls::equip(route, subject)))
}

/// Asks for every host that nobody vouched for; whose answer is no ends there.
fn ask(climbs: Vec<Climb>, args: &VerifyArgs, ui: &mut Ui) -> Result<Vec<Climb>> {
    let mut consent = Consent::new(&args.trust_host);
    climbs
        .into_iter()
        .map(|mut climb| {
            if let Some(Ok(route)) = &climb.route
                && !consent.given(&climb.subject, route, ui)?
            {
                consent::withhold(&mut climb.verdict, route);
                climb.route = None;
            }
            Ok(climb)
        })
        .collect()
}

/// Climbs with every service at once, while a line says that it takes time.
async fn climb(
    climbs: Vec<Climb>,
    application: Option<Url>,
    args: &VerifyArgs,
    ui: &mut Ui,
) -> Result<Vec<ServiceVerdict>> {
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for (at, climb) in climbs.into_iter().enumerate() {
        let (budget, required) = (args.timeout, rung(args.require));
        let application = application.clone();
        tasks.spawn(async move {
            let deadline = started + budget.saturating_sub(climb.spent);
            let mut verdict = up(climb, application, deadline).await?;
            verdict.require(required);
            Ok::<_, Error>((at, verdict))
        });
    }
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.tick().await;
    let mut done = Vec::new();
    while !tasks.is_empty() {
        tokio::select! {
            Some(finished) = tasks.join_next() => done.push(finished.map_err(lost)??),
            _ = ticks.tick() => {
                let left = args.timeout.saturating_sub(started.elapsed()).as_secs();
                ui.progress(&format!("waiting for {} of {} services, {left} s left", tasks.len(), tasks.len() + done.len()));
            }
        }
    }
    ui.progress_done();
    Ok(in_order(done))
}

async fn up(climb: Climb, application: Option<Url>, deadline: Instant) -> Result<ServiceVerdict> {
    let Climb {
        subject,
        mut verdict,
        route,
        spent,
    } = climb;
    match (route, &subject.exporter) {
        (Some(Ok(route)), Ok(exporter)) => match application {
            None => ladder::climb(exporter, &route, verdict, deadline).await,
            Some(url) => {
                let way = app::Way {
                    exporter,
                    route: &route,
                    deadline,
                };
                Ok(way.climb(&url, verdict).await)
            }
        },
        (Some(Err(failure)), Ok(exporter)) => {
            let host = exporter.url.host_str().unwrap_or_default();
            ladder::unreachable(&mut verdict, &failure, host, spent);
            Ok(verdict)
        }
        _ => Ok(verdict),
    }
}

/// The address of the application.
fn address(text: &str) -> Result<Url> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err(Error::new(
            "url-invalid",
            format!("`{text}` is no http or https address"),
        )
        .hint("`cruddur-ops verify --app http://localhost:4567/`")),
    }
}

fn in_order<T>(mut numbered: Vec<(usize, T)>) -> Vec<T> {
    numbered.sort_by_key(|(at, _)| *at);
    numbered.into_iter().map(|(_, one)| one).collect()
}

fn lost(error: tokio::task::JoinError) -> Error {
    Error::new("internal", "a verdict was lost on its way").cause(error)
}

/// The rung that was asked for.
fn rung(require: Require) -> Proven {
    match require {
        Require::Accepted => Proven::Accepted,
        Require::DatasetWritten => Proven::DatasetWritten,
        Require::Queryable => Proven::Queryable,
    }
}
