//! Proves applications whose spans pass through our relay, by the endpoint's answer to the spans of our requests.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;

use super::witness::AppWitness;
use super::{AppProof, AppTarget, AppUnderTest};
use crate::error::{Error, Result};
use crate::otlp::assembly::Trace;
use crate::otlp::response::ExportMeaning;
use crate::otlp::span::TraceId;
use crate::otlp::{Check, CheckStatus, Rung, ServiceVerdict};
use crate::prove::request::TapUse;
use crate::prove::tap::{TapSession, TapTarget, TappedExport};
use crate::session::context::{ProjectContext, unknown_service};
use crate::session::copies;
use crate::ui::prompt::DefaultAnswer;
use crate::ui::text::format_count;
use crate::ui::{Ui, interrupt, waterfall};

impl AppProof<'_> {
    /// Opens a tap for every application that `--tap` covers, and directs the requests to it.
    ///
    /// # Errors
    /// As [`TapSession::open`]; `unknown-service`; an interrupted question.
    pub(super) fn open_tap(
        &self,
        apps: &mut [AppUnderTest],
        ui: &mut Ui,
    ) -> Result<Option<Arc<TapSession>>> {
        let services = self.services_to_tap(apps, ui)?;
        if self.app.tap == TapUse::Wanted {
            apps.iter_mut().for_each(AppUnderTest::note_missing_route);
        }
        if services.is_empty() {
            return Ok(None);
        }
        let is_tapped = |app: &AppUnderTest| services.contains(&app.subject.service);
        let targets: Vec<TapTarget<'_>> =
            apps.iter().filter(|app| is_tapped(app)).filter_map(AppUnderTest::tap_target).collect();
        let tap =
            TapSession::open(&targets, self.containers, self.request.timeout, self.context, ui)?;
        let tap = Arc::new(tap);
        apps.iter_mut().filter(|app| is_tapped(app)).for_each(|app| app.choose_tap(&tap));
        Ok(Some(tap))
    }

    /// Returns the services to tap, after asking if no flag decides.
    fn services_to_tap(&self, apps: &[AppUnderTest], ui: &mut Ui) -> Result<BTreeSet<String>> {
        let is_meant = |app: &&AppUnderTest| match self.app.tap {
            TapUse::Wanted => true,
            TapUse::Offered => matches!(app.choice.witness, AppWitness::Missing(_)),
        };
        let all = apps.iter().filter(is_meant).filter_map(AppUnderTest::tap_target);
        let (addressed, indirect): (Vec<_>, Vec<_>) = all.partition(|target| target.url.is_some());
        let mut services = list_services(&addressed);
        let indirect = match self.containers {
            Some(containers) => indirect
                .into_iter()
                .filter(|target| containers.is_running(target.service))
                .collect(),
            None => indirect,
        };
        let all = [services.as_slice(), &list_services(&indirect)].concat();
        if self.app.tap == TapUse::Offered && !self.agrees_to_tap(&all, apps, ui)? {
            return Ok(BTreeSet::new());
        }
        services.extend(match self.containers {
            Some(_) => self.services_to_replace(list_services(&indirect), ui)?,
            None => list_services(&indirect),
        });
        Ok(services.into_iter().collect())
    }

    /// Asks whether to tap services whose spans no witness can see.
    fn agrees_to_tap(
        &self,
        services: &[String],
        apps: &[AppUnderTest],
        ui: &mut Ui,
    ) -> Result<bool> {
        if services.is_empty() || !ui.interactive() {
            return Ok(false);
        }
        let unseen = apps.iter().filter(|app| services.contains(&app.subject.service));
        for app in unseen {
            if let AppWitness::Missing(why) = &app.choice.witness {
                ui.say(format!("{}: its spans are not seen from here: {why}", app.subject.service));
            }
        }
        let how = match self.containers {
            Some(_) => {
                "a second container sends its spans through this program to the same endpoint"
            }
            None => {
                "you start the service once more, and it sends its spans through this program to the same endpoint"
            }
        };
        ui.say(format!("a tap proves them all the same: {how}"));
        ui.confirm("Tap it now?", "--tap", DefaultAnswer::No)
    }

    /// Returns those of `services` whose own containers may be replaced.
    fn services_to_replace(&self, services: Vec<String>, ui: &mut Ui) -> Result<Vec<String>> {
        let model = self.context.project.model()?;
        for name in &self.app.recreated {
            model.service(name).ok_or_else(|| unknown_service(name, model))?;
        }
        let (mut agreed, open): (Vec<_>, Vec<_>) =
            services.into_iter().partition(|name| self.app.recreated.contains(name));
        if open.is_empty() || !ui.interactive() {
            return Ok(agreed);
        }
        let names = open.join(", ");
        ui.say(format!(
            "{names} publishes no port, so its own container is replaced for the tap, and again afterwards: what it wrote outside of volumes is lost"
        ));
        if ui.confirm(
            &format!("Replace the container of {names}?"),
            "--recreate",
            DefaultAnswer::No,
        )? {
            agreed.extend(open);
        }
        Ok(agreed)
    }

    /// Notes if a service's container runs with another configuration than the proven one.
    pub(super) fn compare_with_container(&self, verdict: &mut ServiceVerdict) {
        let outdated = self.containers.filter(|all| all.is_outdated(&verdict.service));
        let Some(containers) = outdated else { return };
        let services = std::slice::from_ref(&verdict.service);
        let hint = format!("`{}`", containers.restart_by_hand(services));
        let mut checks = verdict.checks.iter_mut();
        let taken =
            checks.find(|check| check.rung == Rung::Accepted && check.status == CheckStatus::Pass);
        if let Some(check) = taken {
            check.status = CheckStatus::Warn;
            check.evidence += "; its own container still runs with an older configuration";
            check.hint = Some(hint);
        }
    }
}

impl AppUnderTest {
    fn tap_target(&self) -> Option<TapTarget<'_>> {
        match (&self.subject.exporter, &self.choice.route, &self.target) {
            (Ok(exporter), Some(route), target) if !self.is_decided() => {
                let url = match target {
                    AppTarget::Asked(address) => Some(address.url()),
                    AppTarget::Unreachable(_) => None,
                };
                Some(TapTarget { service: &self.subject.service, exporter, route, url })
            }
            _ => None,
        }
    }

    /// Notes that a tap could not pass the spans on, because the endpoint's address is not known.
    fn note_missing_route(&mut self) {
        if let (None, AppWitness::Missing(why)) = (&self.choice.route, &mut self.choice.witness) {
            *why = format!("it is not tapped: {why}");
        }
    }

    /// Makes the tap the application's witness and sends the requests to it; or notes why that is not possible.
    fn choose_tap(&mut self, tap: &Arc<TapSession>) {
        self.tap_tried = true;
        self.choice.witness = match tap.untapped(&self.subject.service) {
            Some(why) => AppWitness::Missing(format!("it is not tapped: {why}")),
            None => AppWitness::Tap(Arc::clone(tap)),
        };
        if let AppTarget::Asked(address) = &mut self.target
            && let Some(copy) = tap.address(&self.subject.service, address.url())
        {
            **address = copy;
        }
    }

    /// Adds the rung `accepted` if the endpoint refused the spans of our request; returns whether it did.
    pub(super) fn add_refusal(&self, tap: &TapSession, verdict: &mut ServiceVerdict) -> bool {
        let Some(export) = self.export(tap) else { return false };
        let (code, evidence, hint) = match &export.answer {
            Ok(ExportMeaning::Accepted { .. }) => return false,
            Ok(ExportMeaning::Refused { code, evidence }) => (*code, evidence, None),
            Err(failure) => (failure.code, &failure.evidence, failure.hint.clone()),
        };
        let text = format!("its own {} failed: {evidence}", export.describe());
        let check = Check::new(Rung::Accepted, CheckStatus::Fail, text);
        verdict.code = Some(code);
        verdict.check(check.hint(hint).took(export.took));
        true
    }

    /// Returns the rung `accepted`, from the spans and the endpoint's answer.
    pub(super) fn accepted(&self, tap: &TapSession, spans: Check) -> Check {
        let Some(export) = self.export(tap) else { return spans };
        let mut check = Check { rung: Rung::Accepted, ..spans }.took(export.took);
        let host = self
            .subject
            .exporter
            .as_ref()
            .ok()
            .and_then(|exporter| exporter.url.host_str())
            .unwrap_or("its endpoint");
        check.evidence =
            format!("{host} accepted its own {}: {}", export.describe(), check.evidence);
        if let Ok(ExportMeaning::Accepted { warning: Some(words) }) = &export.answer {
            check.evidence += &format!("; it says: {words}");
            check.status = check.status.warned();
        }
        check
    }

    /// Describes what passed through the tap when no span of our request did.
    pub(super) fn describe_missing_spans(&self, tap: &TapSession) -> String {
        let service = &self.subject.service;
        let exports = tap.passed().iter().filter(|export| export.service == *service).count();
        let mut text = match exports {
            0 => "no export of the application reached the tap".to_owned(),
            _ => format!(
                "{} went through the tap, without a span under our trace id",
                format_count(exports as u64, "export")
            ),
        };
        let refused = tap.refused(service);
        if refused > 0 {
            let requests = format_count(refused as u64, "request");
            text += &format!("; {requests} of others, or for another path, refused");
        }
        text
    }

    /// Returns the last export with a span of our request, or with any span if nothing requests the application.
    fn export(&self, tap: &TapSession) -> Option<Arc<TappedExport>> {
        let trace = self.probe.trace.id();
        let is_asked = matches!(self.target, AppTarget::Asked(_));
        let mut passed = tap.passed().into_iter().rev();
        passed.find(|export| {
            let mut spans = export.spans.iter();
            export.service == self.subject.service
                && spans.any(|span| !is_asked || span.trace_id.to_string() == trace)
        })
    }
}

impl TappedExport {
    /// Describes the export: `2 spans`.
    fn describe(&self) -> String {
        format_count(self.spans.len() as u64, "span")
    }
}

/// Runs `work` until it ends or an interrupt comes.
///
/// # Errors
/// `interrupted`; errors of `work`.
pub(super) async fn until_interrupted<T>(work: impl Future<Output = T>) -> Result<T> {
    tokio::select! {
        done = work => Ok(done),
        () = interrupt::wait_for_interrupt() => Err(Error::interrupted()),
    }
}

/// Draws the spans that came through the tap.
pub(super) fn draw(tap: &TapSession, verdicts: &[ServiceVerdict], ui: &mut Ui) {
    if ui.is_json() {
        return;
    }
    let exports = tap.settled();
    let (pen, verbosity) = (ui.result_pen(), ui.verbosity());
    let traces: BTreeSet<&str> =
        verdicts.iter().filter_map(|verdict| verdict.trace_id.as_deref()).collect();
    for id in traces {
        let Some(id) = TraceId::parse(id) else { continue };
        let spans: Vec<_> = exports
            .iter()
            .flat_map(|export| &export.spans)
            .filter(|span| span.trace_id == id)
            .cloned()
            .collect();
        if spans.is_empty() {
            continue;
        }
        for line in waterfall::draw(&Trace { id, spans }, &pen, verbosity) {
            ui.result(line);
        }
        ui.result("");
    }
}

/// Ends a tap and everything that was started for it, and warns about containers that could not be recreated.
pub(super) fn close(tap: Arc<TapSession>, context: &ProjectContext<'_>, ui: &mut Ui) {
    ui.progress("removing what was started for the tap");
    drop(tap);
    ui.progress_done();
    // Containers that are left have a record, as after a killed run.
    copies::sweep(context.shell, ui);
}

fn list_services(targets: &[TapTarget<'_>]) -> Vec<String> {
    targets.iter().map(|target| target.service.to_owned()).collect()
}
