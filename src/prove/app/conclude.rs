//! Forms the verdict on an application from its reply and its witness.

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::ask::AppReply;
use super::search::SpanSearch;
use super::witness::{AppWitness, ChosenWitness, LOCAL_WITNESS, OTHER_WITNESSES};
use super::{AppTarget, AppUnderTest};
use crate::instrumentation::TraceSampler;
use crate::net::failure::RequestFailure;
use crate::otlp::app::{AppProbe, AppSpan, AppSpanJudgement, find_linked, judge_app_spans};
use crate::otlp::{
    AppSighting, Check, CheckStatus, Exporter, FailureCode, OrdinaryRequest, ProvenRung, Rung,
    ServiceVerdict, TestTrace,
};
use crate::prove::beyond::{self, HoneycombLookup};
use crate::prove::ladder;
use crate::prove::wait::in_order;

/// What makes a sampler keep every request that is part of a sampled trace.
const PARENT_BASED_HINT: &str = "`OTEL_TRACES_SAMPLER=parentbased_traceidratio` records each request whose caller is recorded; else ask again";

/// The reason why no span of an application was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::prove) enum NoSpanReason {
    /// It does not reply.
    Down,
    /// It replies, and sends no span.
    NoSpan,
    /// It replies, and no witness may look for its spans.
    Unseen,
}

/// The observations on one application.
pub(super) struct AppOutcome<'a> {
    pub(super) reply: AppReply,
    /// The rung `dataset-written`, if it was checked.
    pub(super) dataset: Option<Check>,
    pub(super) search: Option<&'a SpanSearch>,
    /// The probes of all requested applications.
    pub(super) probes: &'a [&'a AppProbe],
}

/// Checks whether the dataset of each application was written to since the request, if no witness can see spans. This
/// is no proof.
pub(super) async fn check_datasets(apps: &[AppUnderTest], deadline: Instant) -> Vec<Option<Check>> {
    let mut tasks = JoinSet::new();
    for (at, app) in apps.iter().enumerate() {
        let is_wanted = app.is_asked() && matches!(app.choice.witness, AppWitness::Missing(_));
        let (exporter, choice) = (app.subject.exporter.clone(), app.choice.clone());
        let trace = app.probe.trace.clone();
        tasks.spawn(async move {
            let (Ok(exporter), true) = (exporter, is_wanted) else { return (at, None) };
            let lookup = honeycomb_lookup(&exporter, &choice, &trace, deadline);
            match lookup.filter(HoneycombLookup::may_read_datasets) {
                Some(lookup) => (at, Some(beyond::look_at_dataset(&lookup).await)),
                None => (at, None),
            }
        });
    }
    in_order(tasks.join_all().await)
}

/// Returns the lookup that the key of an exporter allows for a trace.
fn honeycomb_lookup<'a>(
    exporter: &'a Exporter,
    choice: &'a ChosenWitness,
    trace: &'a TestTrace,
    deadline: Instant,
) -> Option<HoneycombLookup<'a>> {
    let (answer, _) = choice.owner.as_ref()?;
    let whoami = answer.as_ref().ok()?;
    HoneycombLookup::new(exporter, choice.route.as_ref()?, whoami, trace, deadline)
}

impl AppUnderTest {
    fn link(&self) -> Option<String> {
        let exporter = self.subject.exporter.as_ref().ok()?;
        let lookup = honeycomb_lookup(exporter, &self.choice, &self.probe.trace, Instant::now())?;
        beyond::trace_link(&lookup, None)
    }

    /// Adds the observations to the verdict.
    pub(super) fn conclude(
        &mut self,
        seen: AppOutcome<'_>,
    ) -> (ServiceVerdict, Option<NoSpanReason>) {
        let mut verdict = std::mem::replace(&mut self.verdict, ServiceVerdict::new("", ""));
        if verdict.code.is_some() {
            return (verdict, None);
        }
        let mut sighting =
            AppSighting { witness: Some(self.choice.witness.kind()), ..AppSighting::default() };
        let silence = match (&self.target, &seen.reply) {
            (AppTarget::Asked(address), AppReply::Answered { status, location, took, .. }) => {
                sighting.url = Some(ladder::redact_url(address.url()));
                sighting.status = Some(*status);
                verdict.trace_id = Some(self.probe.trace.id());
                let found =
                    seen.search.and_then(|search| judge_app_spans(&search.spans, &self.probe));
                let check = check_app_reachable(
                    &ladder::redact_url(address.url()),
                    *status,
                    location.as_deref(),
                    found.as_ref(),
                );
                if check.status == CheckStatus::Pass {
                    verdict.prove(ProvenRung::Reachable);
                }
                verdict.check(check.took(*took));
                self.add_whose(&mut verdict);
                if !matches!(self.choice.witness, AppWitness::Tap(_)) {
                    let text = "the application sends for itself";
                    ladder::skip_rung(&mut verdict, Rung::Accepted, text);
                }
                verdict.link = self.link();
                verdict.checks.extend(seen.dataset);
                self.judge_spans(&mut verdict, &mut sighting, found, seen.search)
            }
            (AppTarget::Asked(address), AppReply::Down { failure, took }) => {
                let url = ladder::redact_url(address.url());
                // The verdict also names the endpoint, which is not what did not answer.
                let evidence = format!("no answer at {url} ({})", failure.evidence);
                let failure = RequestFailure { evidence, ..failure.clone() };
                sighting.url = Some(url);
                let host = address.url().host_str().unwrap_or_default();
                ladder::end_unreachable(&mut verdict, &failure, host, *took);
                Some(NoSpanReason::Down)
            }
            _ => {
                self.judge_unrequested(&mut verdict, &mut sighting, &seen);
                None
            }
        };
        verdict.application = Some(sighting);
        (verdict, silence)
    }

    fn add_whose(&self, verdict: &mut ServiceVerdict) {
        if let (Some((answer, took)), Some(route)) = (&self.choice.owner, &self.choice.route) {
            let host = route.url.host_str().unwrap_or_default();
            verdict.check(ladder::check_key_owner(answer, host).took(*took));
        }
    }

    /// Adds the rung `queryable` for an application that replied.
    fn judge_spans(
        &self,
        verdict: &mut ServiceVerdict,
        sighting: &mut AppSighting,
        found: Option<AppSpanJudgement>,
        search: Option<&SpanSearch>,
    ) -> Option<NoSpanReason> {
        let unanswered = match (&self.choice.witness, search) {
            (AppWitness::Missing(why), _) => Some(why.clone()),
            (_, Some(search)) => search.unanswered.clone(),
            (_, None) => None,
        };
        if let Some(why) = unanswered {
            verdict.code = Some(FailureCode::Unseen);
            let text = format!("its spans are not seen from here: {why}");
            let hint = match (&self.choice.route, self.tap_tried) {
                (None, _) => LOCAL_WITNESS.to_owned(),
                (Some(_), true) => OTHER_WITNESSES.to_owned(),
                (Some(_), false) => format!("`cruddur-ops verify --app --tap`, {OTHER_WITNESSES}"),
            };
            verdict.check(Check::new(Rung::Queryable, CheckStatus::Skip, text).hint(Some(hint)));
            return Some(NoSpanReason::Unseen);
        }
        if let AppWitness::Tap(tap) = &self.choice.witness
            && self.add_refusal(tap, verdict)
        {
            return None;
        }
        let Some(found) = found else {
            verdict.code = Some(FailureCode::NotProven);
            verdict.check(self.check_no_span());
            return Some(NoSpanReason::NoSpan);
        };
        sighting.spans = found.spans;
        sighting.linked_to = (found.spans > 0).then(|| verdict.service.clone());
        let ordinary = self.ordinary(&found);
        sighting.ordinary = Some(ordinary);
        let own_spans = search.map(|search| &search.spans).into_iter().flatten();
        let trace = self.probe.trace.id();
        verdict.libraries = AppSpan::libraries(own_spans.filter(|span| span.is_of(&trace)));
        let mut check = check_spans_arrived(&found, ordinary, &self.subject.sampler);
        let proven = match &self.choice.witness {
            AppWitness::Tap(tap) => {
                check = self.accepted(tap, check);
                ProvenRung::Accepted
            }
            _ => ProvenRung::Queryable,
        };
        if found.faults.is_empty() {
            verdict.prove(proven);
        }
        verdict.code = (check.status == CheckStatus::Fail).then_some(FailureCode::NotProven);
        verdict.check(check);
        None
    }

    /// Returns the failed check for an application of which no span arrived.
    fn check_no_span(&self) -> Check {
        let text = match &self.choice.witness {
            AppWitness::Tap(tap) => self.describe_missing_spans(tap),
            _ => "no span of the application arrived under our trace id".to_owned(),
        };
        let mut check = Check::new(Rung::Queryable, CheckStatus::Fail, text);
        let sampler = self.subject.sampler;
        if sampler.is_partial() && !sampler.parent_based {
            check.evidence +=
                &format!("; its sampler records {} of all requests, ours too", sampler.percent());
            check.hint = Some(PARENT_BASED_HINT.to_owned());
        }
        check
    }

    /// Returns what the request without a trace id shows about ordinary requests.
    fn ordinary(&self, found: &AppSpanJudgement) -> OrdinaryRequest {
        match (found.ordinary, self.subject.sampler.is_partial()) {
            (_, true) => OrdinaryRequest::Sampled,
            (true, _) => OrdinaryRequest::Recorded,
            (false, _) if found.tells_requests => OrdinaryRequest::NotRecorded,
            (false, _) => OrdinaryRequest::NotRecognisable,
        }
    }

    /// Judges an application that got no request by its spans in the traces of the others.
    fn judge_unrequested(
        &self,
        verdict: &mut ServiceVerdict,
        sighting: &mut AppSighting,
        seen: &AppOutcome<'_>,
    ) {
        if let AppWitness::Tap(tap) = &self.choice.witness
            && self.add_refusal(tap, verdict)
        {
            return;
        }
        let name = verdict.name.clone();
        let spans = seen.search.map(|search| search.spans.as_slice()).unwrap_or_default();
        if let Some((probe, count)) = find_linked(spans, &name, seen.probes) {
            sighting.spans = count;
            sighting.linked_to = Some(probe.trace.service.clone());
            verdict.trace_id = Some(probe.trace.id());
            let text = format!("{count} of its spans under the trace of {}", probe.trace.service);
            self.prove_unrequested(verdict, CheckStatus::Pass, text);
            return;
        }
        let named = seen
            .search
            .map(|search| search.named.as_slice())
            .unwrap_or_default()
            .iter()
            .filter(|span| span.is_named(&name))
            .count();
        if named > 0 {
            sighting.spans = named;
            let text = format!(
                "{named} spans with its name arrived meanwhile, in none of our traces: none of our requests led to them"
            );
            self.prove_unrequested(verdict, CheckStatus::Warn, text);
            return;
        }
        verdict.code = Some(FailureCode::NotAsked);
        let seen =
            match (&self.choice.witness, seen.search.and_then(|search| search.unanswered.as_ref()))
            {
                (AppWitness::Missing(why), _) => format!("its spans are not seen from here: {why}"),
                (_, Some(why)) => format!("its spans are not seen from here: {why}"),
                (AppWitness::Tap(tap), None) => self.describe_missing_spans(tap),
                (_, None) => "no request of ours led to a span of it".to_owned(),
            };
        let why = match self.target {
            AppTarget::Unreachable(why) => why,
            AppTarget::Asked(_) => "it was not requested",
        };
        let text = format!("nothing asks it: {why}, and {seen}");
        let could_be_tapped = matches!(self.choice.witness, AppWitness::Missing(_))
            && self.choice.route.is_some()
            && self.runs
            && !self.tap_tried;
        let hint = could_be_tapped.then(|| {
            let service = &self.subject.service;
            format!(
                "`cruddur-ops verify --app --tap --recreate {service}` replaces its container with a tapped one during the check"
            )
        });
        verdict.check(Check::new(Rung::Reachable, CheckStatus::Skip, text).hint(hint));
    }

    /// Records the spans of an application that got no request.
    fn prove_unrequested(&self, verdict: &mut ServiceVerdict, status: CheckStatus, text: String) {
        let check = Check::new(Rung::Queryable, status, text);
        let (proven, check) = match &self.choice.witness {
            AppWitness::Tap(tap) => (ProvenRung::Accepted, self.accepted(tap, check)),
            _ => (ProvenRung::Queryable, check),
        };
        verdict.prove(proven);
        verdict.check(check);
    }
}

/// Returns the rung `reachable`: whether the reply is from the application, which spans of the request prove.
fn check_app_reachable(
    url: &str,
    status: u16,
    location: Option<&str>,
    judgement: Option<&AppSpanJudgement>,
) -> Check {
    let is_its_own = judgement.is_some_and(|judgement| judgement.spans > 0);
    let status_text = format!("{status} at {url}");
    let (verdict, text) = match (status, location) {
        (500.., _) if is_its_own => {
            (CheckStatus::Warn, format!("the application answers {status_text}"))
        }
        (_, _) if is_its_own => {
            (CheckStatus::Pass, format!("the application answers {status_text}"))
        }
        (300..=399, Some(to)) => (
            CheckStatus::Warn,
            format!(
                "{status_text} leads to {to}: a sign-in page or a tunnel may have answered, not the application"
            ),
        ),
        (300..=399, None) => {
            (CheckStatus::Warn, format!("{status_text}: a redirection without a target"))
        }
        (401 | 403 | 511, _) => (
            CheckStatus::Warn,
            format!(
                "{status_text}: a sign-in page or a tunnel may have answered, not the application"
            ),
        ),
        (404, _) => (
            CheckStatus::Warn,
            format!(
                "{status_text}: another program may have answered, or the application has no such path"
            ),
        ),
        (502..=504, _) => {
            (CheckStatus::Warn, format!("{status_text}: a proxy answers, the application does not"))
        }
        (500.., _) => (CheckStatus::Warn, format!("the application answers {status_text}")),
        _ => (CheckStatus::Pass, format!("the application answers {status_text}")),
    };
    Check::new(Rung::Reachable, verdict, text)
}

fn check_spans_arrived(
    found: &AppSpanJudgement,
    ordinary: OrdinaryRequest,
    sampler: &TraceSampler,
) -> Check {
    let mut status = match (found.faults.is_empty(), found.remarks.is_empty()) {
        (true, true) => CheckStatus::Pass,
        (true, false) => CheckStatus::Warn,
        (false, _) => CheckStatus::Fail,
    };
    let mut parts = vec![found.evidence.clone()];
    parts.extend(found.faults.iter().chain(&found.remarks).cloned());
    match ordinary {
        OrdinaryRequest::Recorded => parts.push("an ordinary request is traced, too".to_owned()),
        OrdinaryRequest::Sampled => {
            status = status.warned();
            parts.push(format!("its sampler records {} of ordinary requests", sampler.percent()));
        }
        OrdinaryRequest::NotRecorded => {
            status = CheckStatus::Fail;
            parts.push("an ordinary request, one without a trace id, led to no span".to_owned());
        }
        OrdinaryRequest::NotRecognisable => {}
    }
    let hint = (ordinary == OrdinaryRequest::NotRecorded).then(|| {
        "OTEL_TRACES_SAMPLER decides which requests are recorded; its default records all"
            .to_owned()
    });
    Check::new(Rung::Queryable, status, parts.join("; ")).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_that_may_be_another_programs_is_no_proof() {
        for (status, location) in [
            (302, Some("github.dev")),
            (307, None),
            (401, None),
            (403, None),
            (404, None),
            (502, None),
            (503, None),
        ] {
            assert_eq!(
                check_app_reachable("http://a/", status, location, None).status,
                CheckStatus::Warn
            );
        }
        for status in [200, 204, 400, 405, 422] {
            assert_eq!(
                check_app_reachable("http://a/", status, None, None).status,
                CheckStatus::Pass
            );
        }
        let judgement = AppSpanJudgement { spans: 1, ..AppSpanJudgement::default() };
        for (status, location) in [(302, Some("/login")), (404, None), (401, None)] {
            assert_eq!(
                check_app_reachable("http://a/", status, location, Some(&judgement)).status,
                CheckStatus::Pass
            );
        }
    }
}
