//! Explains why an application sent nothing, from its containers, their logs and its files.

use std::cell::OnceCell;
use std::path::Path;
use std::time::{Duration, SystemTime};

use url::Url;

use super::app::{BATCH, NoSpanReason};
use super::tap::TapSession;
use crate::compose::{ServiceModel, VariableValue};
use crate::lint::{self, LintFinding, Severity};
use crate::otlp::log::{self, LogSymptom};
use crate::otlp::{CheckStatus, FailureCode, Rung, ServiceVerdict};
use crate::plan::FileChange;
use crate::plan::instrument::{self, MistakePolicy};
use crate::session::code;
use crate::session::collect::collect_inspection;
use crate::session::containers::ProjectContainers;
use crate::session::context::ProjectContext;
use crate::session::copies::RunningCopy;
use crate::ui::Ui;

/// Rules whose findings explain missing spans.
const SILENCING: [&str; 16] = [
    "curly-quotes",
    "endpoint-path",
    "env-near-miss",
    "exporter-protocol",
    "header-colon",
    "header-unencoded",
    "init-missing",
    "init-order",
    "key-unset",
    "localhost-in-container",
    "protocol-port",
    "reloader",
    "requirement-glued",
    "requirement-missing",
    "requirement-near-miss",
    "traces-endpoint-path",
];

/// Exit codes of a container that was stopped: normal, or by a signal.
const STOPPED: [i64; 3] = [0, 137, 143];

/// A cause, and what to do about it.
struct SilenceCause {
    text: String,
    hint: String,
    weight: CauseWeight,
}

/// The weight of a cause for spans that could not be searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CauseWeight {
    /// They may have arrived nevertheless.
    Possible,
    /// They did not arrive: the application's log says so.
    Refutes,
}

impl SilenceCause {
    fn new(text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { text: text.into(), hint: hint.into(), weight: CauseWeight::Possible }
    }

    fn of_log(symptom: &LogSymptom) -> Self {
        Self { weight: CauseWeight::Refutes, ..Self::new(symptom.words(), symptom.hint()) }
    }
}

/// Returns the cause that the second container shows.
fn of_copy(
    copy: &RunningCopy,
    service: &ServiceModel,
    silence: NoSpanReason,
) -> Option<SilenceCause> {
    match (copy.log(), silence) {
        (Some(log), _) => log::find_last_symptom(&log).as_ref().map(SilenceCause::of_log),
        (None, NoSpanReason::Down) => Some(SilenceCause::new(
            "its second container ended",
            format!("`docker compose run --rm --no-deps {}` shows why", service.name),
        )),
        (None, _) => None,
    }
}

/// The evidence on a silent application.
pub(super) struct AppDiagnosis<'a> {
    pub(super) context: &'a ProjectContext<'a>,
    pub(super) containers: Option<&'a ProjectContainers>,
    /// The second containers that got the requests instead.
    pub(super) tap: Option<&'a TapSession>,
    /// When the request was sent.
    pub(super) requested_at: SystemTime,
    /// The time its spans were waited for.
    pub(super) patience: Duration,
    /// The findings of doctor, once inspected; empty if the project cannot be read.
    pub(super) findings: OnceCell<Vec<LintFinding>>,
}

impl AppDiagnosis<'_> {
    /// Adds the likeliest cause to the failed rung.
    pub(super) fn explain(
        &self,
        verdict: &mut ServiceVerdict,
        silence: Option<NoSpanReason>,
        ui: &mut Ui,
    ) {
        let Some(silence) = silence else { return };
        let url = verdict.application.as_ref().and_then(|app| app.url.as_deref()?.parse().ok());
        let cause = self.cause(&verdict.service, url.as_ref(), silence, ui);
        let rung = match silence {
            NoSpanReason::Down => Rung::Reachable,
            NoSpanReason::NoSpan | NoSpanReason::Unseen => Rung::Queryable,
        };
        let Some(check) = verdict.checks.iter_mut().find(|check| check.rung == rung) else {
            return;
        };
        match (cause, silence) {
            (Some(cause), _) => {
                check.evidence = format!("{}; {}", check.evidence, cause.text);
                check.hint = Some(cause.hint);
                // A log can only disprove arrival.
                if (silence, cause.weight) == (NoSpanReason::Unseen, CauseWeight::Refutes) {
                    check.status = CheckStatus::Fail;
                    verdict.code = Some(FailureCode::NotProven);
                }
            }
            (None, NoSpanReason::NoSpan) => {
                check.hint.get_or_insert_with(|| UNKNOWN.to_owned());
            }
            (None, NoSpanReason::Down | NoSpanReason::Unseen) => {}
        }
    }

    /// Returns the most certain cause: the container, its log, the files, the batch delay.
    fn cause(
        &self,
        service: &str,
        url: Option<&Url>,
        silence: NoSpanReason,
        ui: &mut Ui,
    ) -> Option<SilenceCause> {
        let model = self.context.project.model().ok()?;
        let service = model.service(service)?;
        let copy = self.tap.and_then(|tap| tap.copy(&service.name));
        let container = match copy {
            Some(copy) => of_copy(copy, service, silence),
            None => self
                .containers
                .and_then(|containers| self.of_container(containers, service, silence, ui)),
        };
        match (container, silence) {
            (Some(cause), _) => Some(cause),
            // A second container is asked where it was put.
            (None, NoSpanReason::Down) if copy.is_some() => None,
            (None, NoSpanReason::Down) => of_port(service, url?),
            (None, NoSpanReason::Unseen) => None,
            (None, NoSpanReason::NoSpan) => self
                .of_files(service, ui)
                .or_else(|| self.of_code(service))
                .or_else(|| self.of_batch(service)),
        }
    }

    fn of_container(
        &self,
        containers: &ProjectContainers,
        service: &ServiceModel,
        silence: NoSpanReason,
        ui: &mut Ui,
    ) -> Option<SilenceCause> {
        let name = service.name.as_str();
        let again = containers.restart_by_hand(std::slice::from_ref(&service.name));
        let log = |since| containers.log(name, since);
        if !containers.is_running(name) {
            // The application may also run outside docker.
            if silence != NoSpanReason::Down {
                return None;
            }
            let Some(ended) = containers.of(name).next() else {
                return Some(SilenceCause::new(
                    format!("{name} has no container"),
                    format!("`{again}` starts it"),
                ));
            };
            let text = format!("its container ended with status {}", ended.status);
            let symptom = log(None).as_deref().and_then(log::find_last_symptom);
            return Some(match symptom.filter(LogSymptom::ends_it) {
                Some(symptom) => {
                    SilenceCause::new(format!("{text}; {}", symptom.words()), symptom.hint())
                }
                None if STOPPED.contains(&ended.status) => {
                    SilenceCause::new(text, format!("`{again}` starts it"))
                }
                None => SilenceCause::new(text, format!("`docker compose logs {name}` shows why")),
            });
        }
        if containers.is_outdated(name) {
            return Some(SilenceCause::new(
                "its container was not restarted since its configuration changed",
                format!("`{again}`"),
            ));
        }
        let read_symptom =
            || log(Some(self.requested_at)).as_deref().and_then(log::find_last_symptom);
        let symptom = match silence {
            NoSpanReason::Unseen => self.awaited(read_symptom, ui),
            NoSpanReason::Down | NoSpanReason::NoSpan => read_symptom(),
        };
        if let Some(symptom) = symptom {
            return Some(SilenceCause::of_log(&symptom));
        }
        let started = containers.of(name).filter_map(|container| container.started).max()?;
        let newer = self.newer(service, started)?;
        Some(SilenceCause::new(
            format!("{newer} was changed after its container was started"),
            format!("`{again}`"),
        ))
    }

    /// Reads the log until a batch must have been sent, because nothing has waited for that yet.
    fn awaited(&self, look: impl Fn() -> Option<LogSymptom>, ui: &mut Ui) -> Option<LogSymptom> {
        const PAUSE: Duration = Duration::from_millis(300);
        let limit = (BATCH + Duration::from_secs(1)).min(self.patience);
        loop {
            let found = look();
            let left = limit.saturating_sub(self.requested_at.elapsed().unwrap_or(limit));
            if found.is_some() || left.is_zero() {
                ui.progress_done();
                return found;
            }
            ui.progress(&format!("reading its log, {} s left", left.as_secs()));
            std::thread::sleep(PAUSE.min(left));
        }
    }

    /// Returns a file of the service's code that was modified after `started`.
    fn newer(&self, service: &ServiceModel, started: SystemTime) -> Option<String> {
        let context = &service.build.as_ref()?.context;
        let python = self.context.project.python_files(context);
        let others = ["requirements.txt", "Dockerfile"].map(|name| context.join(name));
        let mut paths = python.iter().map(|file| file.path.as_path());
        let written = |path: &Path| fs_err::metadata(path).ok()?.modified().ok();
        let late = |path: &&Path| written(path).is_some_and(|time| time > started);
        let found =
            paths.find(late).or_else(|| others.iter().map(|path| path.as_path()).find(late))?;
        Some(self.context.project.shown(found).display().to_string())
    }

    /// Returns a cause among doctor's findings in the service's files.
    fn of_files(&self, service: &ServiceModel, ui: &mut Ui) -> Option<SilenceCause> {
        let examine = || collect_inspection(self.context, ui).map(|read| lint::examine(&read));
        let findings = self.findings.get_or_init(|| examine().unwrap_or_default());
        let found = findings
            .iter()
            .filter(|finding| {
                finding.severity > Severity::Advice && SILENCING.contains(&finding.code)
            })
            .find(|finding| self.is_about(finding, service))?;
        Some(SilenceCause::new(
            format!("{}:{}: {}", found.place.path.display(), found.place.line, found.message),
            format!("`cruddur-ops doctor --explain {}`: {}", found.code, found.advice),
        ))
    }

    /// Returns a cause if the service's code must be changed to start tracing.
    fn of_code(&self, service: &ServiceModel) -> Option<SilenceCause> {
        let names = std::slice::from_ref(&service.name);
        let found = code::find_flask_services(&self.context.project, names, &[]).ok()?;
        let plan = instrument::plan_services(&found, MistakePolicy::Say).ok()?;
        if let Some(step) = plan.steps.first() {
            let why = "its image does not have OpenTelemetry's packages, so its code cannot start tracing";
            return Some(SilenceCause::new(why, format!("`{step}`, then `cruddur-ops init`")));
        }
        let text = |text: Option<&str>, call| text.is_some_and(|text| text.contains(call));
        // Without these two calls, no request creates a span; without the others, only fewer.
        let starts = |change: &&FileChange| {
            ["set_tracer_provider(", "instrument_app("].into_iter().any(|call| {
                text(change.after.as_deref(), call) && !text(change.before.as_deref(), call)
            })
        };
        let change = plan.changes.iter().find(starts)?;
        let shown = self.context.project.shown(&change.path);
        Some(SilenceCause::new(
            format!("{} does not start tracing", shown.display()),
            format!("`cruddur-ops instrument --service {}`", service.name),
        ))
    }

    /// Returns whether a finding is in the service's folder or its lines of the compose file.
    fn is_about(&self, finding: &LintFinding, service: &ServiceModel) -> bool {
        let path = self.context.root().join(&finding.place.path);
        let built = service.build.as_ref().map(|build| &build.context);
        if built.is_some_and(|context| path.starts_with(context)) && path != *self.context.root() {
            let compose = self.context.project.compose_files();
            if !compose.contains(&path) {
                return true;
            }
        }
        let Ok(model) = self.context.project.model() else {
            return false;
        };
        service.defined_in.iter().any(|span| {
            let file = model.file(span);
            let first = file.place(span.range.start).line;
            let last = file.place(span.range.end.saturating_sub(1)).line;
            file.path == path && (first..=last).contains(&finding.place.line)
        })
    }

    /// Returns a cause if its spans may still be in a batch.
    fn of_batch(&self, service: &ServiceModel) -> Option<SilenceCause> {
        let model = self.context.project.model().ok()?;
        let settings = service.effective(model.plain());
        let delay = settings
            .get("OTEL_BSP_SCHEDULE_DELAY")
            .and_then(|setting| match &setting.value {
                VariableValue::Known(text) => {
                    text.expose().trim().parse().ok().map(Duration::from_millis)
                }
                VariableValue::Absent | VariableValue::Unknown(_) => None,
            })
            .unwrap_or(BATCH);
        (delay + Duration::from_secs(1) > self.patience).then(|| {
            SilenceCause::new(
                format!(
                    "its SDK sends collected spans only every {}",
                    humantime::format_duration(delay)
                ),
                "`cruddur-ops verify --timeout 30s` waits longer",
            )
        })
    }
}

/// Returns a cause if the application listens on another port.
fn of_port(service: &ServiceModel, url: &Url) -> Option<SilenceCause> {
    let port = url.port_or_known_default()?;
    let ports = service.ports.iter().filter(|published| published.protocol == "tcp");
    let hosts: Vec<_> = ports.filter_map(|published| published.host.clone()).collect();
    if hosts.is_empty() || hosts.iter().any(|range| range.contains(&port)) {
        return None;
    }
    let own_port = *hosts[0].start();
    let mut right = url.clone();
    // Cannot fail for an HTTP URL.
    let _ = right.set_port(Some(own_port));
    Some(SilenceCause::new(
        format!("{} publishes port {own_port}, not {port}", service.name),
        format!("`cruddur-ops verify --app {right}`"),
    ))
}

/// The possible causes when nothing can be seen.
const UNKNOWN: &str = "not restarted since the edit, no packages in its image, or a worker that was killed before \
                       its batch was sent: `cruddur-ops doctor` checks these, and `--timeout 30s` waits longer";
