//! `--app`: sends real requests with our `traceparent` to applications, then searches for the spans they send.
//!
//! Only observations count as proof: the application's reply, and its spans with our trace id. Datasets and logs do
//! not.

mod ask;
mod conclude;
mod follow;
mod search;
mod tapped;
mod target;
mod witness;

use std::cell::OnceCell;
use std::time::{Duration, SystemTime};

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::causes::AppDiagnosis;
use super::keys::KeyOwners;
use super::request::{AppRequest, ProofRequest, UnaskedServices};
use super::subject::ServiceUnderTest;
use super::tap::TapSession;
use super::wait::in_order;
use super::{LadderClimb, libraries};
use crate::error::Result;
use crate::net;
use crate::otlp::app::AppProbe;
use crate::otlp::{FailureCode, ServiceVerdict, TestTrace};
use crate::session::containers::ProjectContainers;
use crate::session::context::ProjectContext;
use crate::session::trust::AskedConsent;
use crate::ui::Ui;

use ask::AppReply;
use follow::AppFollow;
use search::SpanSearch;
use target::AppTarget;
use witness::ChosenWitness;

pub(super) use conclude::NoSpanReason;

/// The default time that an SDK batches spans before sending.
pub(super) const BATCH: Duration = Duration::from_secs(5);

/// Time that an application may take to start.
const STARTING: Duration = Duration::from_secs(30);

/// An application being proven.
struct AppUnderTest {
    subject: ServiceUnderTest,
    verdict: ServiceVerdict,
    target: AppTarget,
    probe: AppProbe,
    choice: ChosenWitness,
    /// It was to be tapped.
    tap_tried: bool,
    /// A container of it runs.
    runs: bool,
}

impl AppUnderTest {
    /// Returns whether the verdict is already final, because of its files or refused consent.
    fn is_decided(&self) -> bool {
        self.verdict.code.is_some()
    }

    fn is_asked(&self) -> bool {
        !self.is_decided() && matches!(self.target, AppTarget::Asked(_))
    }
}

/// The inputs for proving applications.
pub(super) struct AppProof<'a> {
    pub(super) app: &'a AppRequest,
    pub(super) request: &'a ProofRequest,
    pub(super) context: &'a ProjectContext<'a>,
    pub(super) containers: Option<&'a ProjectContainers>,
}

impl AppProof<'_> {
    /// Sends requests to the applications of `climbs`, searches for their spans, and explains missing ones.
    ///
    /// # Errors
    /// `untrusted-host` for an address that contains a secret; when a question is interrupted.
    pub(super) fn prove(
        &self,
        climbs: Vec<LadderClimb>,
        consent: &mut AskedConsent,
        ui: &mut Ui,
    ) -> Result<Vec<ServiceVerdict>> {
        let targets = target::find_targets(self, &climbs, consent, ui)?;
        let requested_at = SystemTime::now();
        let mut apps = net::block_on(self.prepare(climbs, targets))?;
        let Some(tap) = self.open_tap(&mut apps, ui)? else {
            let concluded = net::block_on(self.climb(apps, ui))?;
            return Ok(self.finish(concluded, requested_at, None, ui));
        };
        let concluded = net::block_on(tapped::until_interrupted(self.climb(apps, ui)));
        let finished = concluded.and_then(|concluded| {
            let verdicts = self.finish(concluded?, requested_at, Some(&tap), ui);
            tapped::draw(&tap, &verdicts, ui);
            Ok(verdicts)
        });
        tapped::close(tap, self.context, ui);
        finished
    }

    /// Adds the causes of missing spans and the other requirements to the conclusions.
    fn finish(
        &self,
        concluded: Vec<(ServiceVerdict, Option<NoSpanReason>)>,
        requested_at: SystemTime,
        tap: Option<&TapSession>,
        ui: &mut Ui,
    ) -> Vec<ServiceVerdict> {
        let diagnosis = AppDiagnosis {
            context: self.context,
            containers: self.containers,
            tap,
            requested_at,
            patience: self.request.timeout,
            findings: OnceCell::new(),
        };
        let mut verdicts = Vec::new();
        for (mut verdict, silence) in concluded {
            diagnosis.explain(&mut verdict, silence, ui);
            libraries::name_unseen(self.context, &mut verdict);
            if verdict.code == Some(FailureCode::NotAsked)
                && self.app.unasked == UnaskedServices::Tolerated
            {
                verdict.code = None;
            } else if tap.is_some() {
                self.compare_with_container(&mut verdict);
                verdict.require(self.request.required);
            }
            verdicts.push(verdict);
        }
        verdicts
    }

    async fn climb(
        &self,
        mut apps: Vec<AppUnderTest>,
        ui: &mut Ui,
    ) -> Vec<(ServiceVerdict, Option<NoSpanReason>)> {
        let replies = OnceCell::new();
        // What was just started for a tap gets the time that it takes to start, and then its own.
        if apps.iter().any(|app| app.tap_tried) {
            ui.progress("waiting for the tapped services to answer");
            let until = Instant::now() + STARTING + self.request.timeout;
            let _ = replies.set(ask_all(&apps, until).await);
        }
        let deadline = Instant::now() + self.request.timeout;
        let mut searches = SpanSearch::of(&apps);
        let asking = async {
            if replies.get().is_none() {
                let _ = replies.set(ask_all(&apps, deadline).await);
            }
        };
        let began = Instant::now();
        let following = AppFollow { apps: &apps, replies: &replies, began, deadline };
        let ((), (), datasets) = tokio::join!(
            asking,
            following.follow(&mut searches, ui),
            conclude::check_datasets(&apps, deadline)
        );
        let replies = replies.into_inner().unwrap_or_default();
        let probes: Vec<AppProbe> =
            apps.iter().filter(|app| app.is_asked()).map(|app| app.probe.clone()).collect();
        let probes: Vec<&AppProbe> = probes.iter().collect();
        let mut concluded = Vec::new();
        for (at, ((app, reply), dataset)) in apps.iter_mut().zip(replies).zip(datasets).enumerate()
        {
            let search = searches.iter().find(|search| search.members.contains(&at));
            let seen = conclude::AppOutcome { reply, dataset, search, probes: &probes };
            concluded.push(app.conclude(seen));
        }
        concluded
    }

    /// Chooses a witness for each application, concurrently.
    async fn prepare(
        &self,
        climbs: Vec<LadderClimb>,
        targets: Vec<AppTarget>,
    ) -> Vec<AppUnderTest> {
        let deadline = Instant::now() + self.request.timeout;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let run = format!("verify-{:012x}", rand::random::<u64>() >> 16);
        let keys = KeyOwners::default();
        let mut tasks = JoinSet::new();
        for (at, (climb, target)) in climbs.into_iter().zip(targets).enumerate() {
            let trace = TestTrace::new(&climb.verdict.name, now, rand::random());
            let probe = AppProbe::new(trace, &run, at);
            let keys = keys.clone();
            let runs = self.containers.is_some_and(|all| all.is_running(&climb.subject.service));
            tasks.spawn(async move {
                let LadderClimb { subject, verdict, route, .. } = climb;
                let choice = match (&subject.exporter, route) {
                    (Ok(exporter), Some(route)) => {
                        ChosenWitness::make(exporter, route, &probe.trace, &keys, deadline).await
                    }
                    _ => ChosenWitness::none("its files name no place that it sends to"),
                };
                (
                    at,
                    AppUnderTest {
                        subject,
                        verdict,
                        target,
                        probe,
                        choice,
                        tap_tried: false,
                        runs,
                    },
                )
            });
        }
        in_order(tasks.join_all().await)
    }
}

/// Sends the requests to every application.
async fn ask_all(apps: &[AppUnderTest], deadline: Instant) -> Vec<AppReply> {
    let mut tasks = JoinSet::new();
    for (at, app) in apps.iter().enumerate() {
        let address = match &app.target {
            AppTarget::Asked(address) if !app.is_decided() => Some(address.clone()),
            _ => None,
        };
        let probe = app.probe.clone();
        tasks.spawn(async move {
            let reply = match address {
                Some(address) => ask::ask(&address, &probe, deadline).await,
                None => AppReply::NotAsked,
            };
            (at, reply)
        });
    }
    in_order(tasks.join_all().await)
}
