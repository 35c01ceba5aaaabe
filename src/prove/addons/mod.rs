//! Proves the addons, X-Ray's daemon and Rollbar: a test report for each, with a verdict.

mod aws;
mod rollbar;
mod xray;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::time::SystemTime;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::request::{AddonScope, ProjectStage, ProofRequest};
use super::subject::EffectiveSettings;
use super::subjects;
use super::wait::join_numbered_tasks;
use crate::compose::{EnvironmentVariable, ProjectVariables, ServiceModel};
use crate::error::Result;
use crate::net;
use crate::otlp::{AddonVerdict, Check, CheckStatus, FailureCode, Rung, ServiceVerdict};
use crate::plan::instrument::catalogue::python_catalogue;
use crate::provider::AddonProfile;
use crate::secret::{Redactor, Secret};
use crate::session::context::ProjectContext;
use crate::session::trust::AskedConsent;
use crate::shell::Shell;
use crate::ui::Ui;

/// A service and one addon it reports to.
#[derive(Debug)]
pub(super) struct AddonUnderTest {
    profile: &'static AddonProfile,
    verdict: ServiceVerdict,
    /// The probe; `None` if nothing may be sent.
    target: Option<Box<dyn AddonProbe>>,
    usage: AddonUsage,
}

/// Whether a service's code reports to an addon that its variables configure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AddonUsage {
    /// It does, or that is unknown.
    Assumed,
    /// Its code is available and does not: the variables are left over.
    LeftOver,
}

/// The receiver of a service's reports to one addon.
trait AddonProbe: std::fmt::Debug + Send + Sync {
    /// Checks that the report may be sent, or ends the verdict; returns `false` if nothing may be sent.
    ///
    /// # Errors
    /// When a question is interrupted.
    fn clear(
        &mut self,
        verdict: &mut ServiceVerdict,
        consent: &mut AskedConsent,
        ui: &mut Ui,
    ) -> Result<bool>;

    /// Sends a test report and follows it as far as possible.
    fn climb<'a>(
        &'a self,
        verdict: ServiceVerdict,
        attempt: &'a ProbeAttempt,
    ) -> Pin<Box<dyn Future<Output = ServiceVerdict> + Send + 'a>>;
}

/// The resources for one report.
#[derive(Debug)]
struct ProbeAttempt {
    shell: Shell,
    stage: ProjectStage,
    deadline: Instant,
}

/// Finds a service's settings for one addon.
type ProbeFinder =
    fn(&EffectiveSettings<'_>, &ProjectVariables, &Redactor) -> Option<AddonUnderTest>;

/// The finder of each addon.
const FINDERS: [ProbeFinder; 2] = [xray::subject, rollbar::subject];

/// Returns the addons that the requested services report to; none under `--no-addons`.
///
/// # Errors
/// When the project cannot be read.
pub(super) fn find_addon_subjects(
    request: &ProofRequest,
    context: &ProjectContext,
    stored: &BTreeMap<String, Secret>,
    ui: &Ui,
) -> Result<Vec<AddonUnderTest>> {
    let mut found = Vec::new();
    if request.addons == AddonScope::LeftOut {
        return Ok(found);
    }
    let model = context.project.model()?;
    let variables = model.under_run(stored.clone());
    let none = BTreeSet::new();
    for service in &model.services {
        if subjects::is_named(request, model, service) == Some(false) {
            continue;
        }
        let effective = EffectiveSettings::new(model, service, &variables, &none);
        let before = found.len();
        found.extend(FINDERS.iter().filter_map(|find| find(&effective, &variables, ui.redactor())));
        for subject in &mut found[before..] {
            effective.teach(ui.redactor());
            subject.usage = find_addon_usage(context, service, subject.profile);
        }
    }
    Ok(found)
}

/// Returns how a service's Python code uses an addon's SDK.
fn find_addon_usage(
    context: &ProjectContext,
    service: &ServiceModel,
    profile: &AddonProfile,
) -> AddonUsage {
    let facts = python_catalogue().addon(profile.name);
    let package =
        facts.and_then(|facts| facts.packages.first()).map(|package| package.package.as_str());
    let (Some(package), Some(build)) = (package, &service.build) else {
        return AddonUsage::Assumed;
    };
    let python = context.project.python_files(&build.context);
    let module = package.replace('-', "_");
    let manifest = context.project.source(build.context.join("package.json")).ok().flatten();
    let is_used = python.is_empty()
        || python.iter().any(|file| file.text.contains(&module))
        || manifest.is_some_and(|file| file.text.contains(package));
    if is_used { AddonUsage::Assumed } else { AddonUsage::LeftOver }
}

impl AddonUnderTest {
    /// Returns a subject whose setting names the target or the credentials.
    fn new(
        profile: &'static AddonProfile,
        effective: &EffectiveSettings<'_>,
        setting: &EnvironmentVariable,
    ) -> Self {
        let name = &effective.service.name;
        let mut verdict = ServiceVerdict::new(name, name);
        let evidence = format!("{} from {}", setting.name, effective.source(setting));
        verdict.check(Check::new(Rung::Configured, CheckStatus::Pass, evidence));
        Self { profile, verdict, target: None, usage: AddonUsage::Assumed }
    }

    /// Adds a warning to the rung `configured`.
    fn warn(&mut self, warning: &str) {
        for check in &mut self.verdict.checks {
            check.status = CheckStatus::Warn;
            check.evidence += &format!("; {warning}");
        }
    }

    /// Returns the subject with its verdict ended; nothing is sent.
    fn stopped(mut self, code: FailureCode, evidence: &str, hint: Option<String>) -> Self {
        self.verdict.code = Some(code);
        self.verdict.checks =
            vec![Check::new(Rung::Configured, CheckStatus::Fail, evidence).hint(hint)];
        self.target = None;
        self
    }
}

/// Sends a report to each addon concurrently, after asking about untrusted hosts.
///
/// # Errors
/// When a question is interrupted.
pub(super) fn prove(
    subjects: Vec<AddonUnderTest>,
    consent: &mut AskedConsent,
    request: &ProofRequest,
    shell: &Shell,
    ui: &mut Ui,
) -> Result<Vec<AddonVerdict>> {
    let subjects = clear_addon_subjects(subjects, consent, ui)?;
    let asks_application = request.application.is_some();
    net::block_on(async {
        let deadline = Instant::now() + request.timeout;
        let mut tasks = JoinSet::new();
        for (at, subject) in subjects.into_iter().enumerate() {
            let attempt = ProbeAttempt { shell: shell.clone(), stage: request.stage, deadline };
            tasks.spawn(async move {
                let verdict = match &subject.target {
                    Some(probe) => probe.climb(subject.verdict, &attempt).await,
                    None => subject.verdict,
                };
                let verdict = match (asks_application, subject.usage) {
                    (true, AddonUsage::LeftOver) => forgive_unused_addon(verdict),
                    _ => verdict,
                };
                let verdict = AddonVerdict {
                    addon: subject.profile.name.as_str(),
                    title: subject.profile.name.title().to_owned(),
                    verdict,
                };
                Ok((at, verdict))
            });
        }
        join_numbered_tasks(tasks, request.timeout, ui).await
    })?
}

/// Turns a failure into a warning because none of the application's code reports there.
fn forgive_unused_addon(mut verdict: ServiceVerdict) -> ServiceVerdict {
    verdict.code = None;
    for check in verdict.checks.iter_mut().filter(|check| check.status == CheckStatus::Fail) {
        check.status = CheckStatus::Warn;
        check.evidence += "; no code of the service uses it, so its variables can go";
    }
    verdict
}

/// Checks that each report may be sent, before any lookup; ends the verdict of those that may not.
fn clear_addon_subjects(
    subjects: Vec<AddonUnderTest>,
    consent: &mut AskedConsent,
    ui: &mut Ui,
) -> Result<Vec<AddonUnderTest>> {
    let mut cleared = Vec::new();
    for mut subject in subjects {
        let verdict = &mut subject.verdict;
        let may_send = match &mut subject.target {
            Some(probe) => probe.clear(verdict, consent, ui)?,
            None => false,
        };
        if !may_send {
            subject.target = None;
        }
        cleared.push(subject);
    }
    Ok(cleared)
}

/// Returns the time since the Unix epoch.
fn time_since_epoch() -> std::time::Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap_or_default()
}
