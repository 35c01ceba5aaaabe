//! Probes X-Ray's daemon: a segment by UDP, which is never answered, and the sampling rules by TCP, which the daemon
//! fetches from AWS.

use std::net::SocketAddr;
use std::pin::Pin;

use tokio::time::Instant;
use url::Url;

use super::{AddonProbe, AddonUnderTest, ProbeAttempt, aws, time_since_epoch};
use crate::addon::AddonOutcome;
use crate::addon::xray::{HostAndPort, XrayAddresses, XraySegment, read_sampling_rules};
use crate::compose::{ProjectVariables, VariableValue};
use crate::consent::{ClearedDestination, OutgoingRequest};
use crate::net::failure::RequestFailure;
use crate::net::http::{self, HttpRequest};
use crate::net::route::EndpointRoute;
use crate::net::udp;
use crate::otlp::{Check, CheckStatus, FailureCode, ProvenRung, Rung, ServiceVerdict};
use crate::prove::consent::withhold_verdict;
use crate::prove::request::ProjectStage;
use crate::prove::subject::EffectiveSettings;
use crate::prove::{ladder, reach};
use crate::provider::{Addon, is_aws_region};
use crate::secret::{Redactor, Secret};
use crate::session::trust::AskedConsent;
use crate::shell::Shell;
use crate::ui::Ui;

/// The path of the request.
const RULES: &str = "/GetSamplingRules";

/// The variable that disables the application's SDK.
const SWITCH: &str = "AWS_XRAY_SDK_ENABLED";

/// The daemon at the address in a service's environment.
#[derive(Debug)]
pub(super) struct XrayProbe {
    udp: DaemonPort,
    tcp: DaemonPort,
    /// Its name, if it is a service of this project.
    daemon_service: Option<String>,
    region: Option<String>,
    /// AWS keys by variable, as the daemon gets them.
    keys: Vec<(String, Secret)>,
}

/// One of the daemon's two ports.
#[derive(Debug)]
struct DaemonPort {
    at: HostAndPort,
    /// The address from this machine, if it differs from the container's view; or why it cannot be reached.
    reachable_at: Result<Option<SocketAddr>, RequestFailure>,
    /// The URL of its API; segments go to the same host and port.
    url: Option<Url>,
    /// `None` until consent was given.
    cleared: Option<ClearedDestination>,
}

/// Returns a service's settings for X-Ray's daemon.
pub(super) fn subject(
    effective: &EffectiveSettings<'_>,
    variables: &ProjectVariables,
    _: &Redactor,
) -> Option<AddonUnderTest> {
    let profile = Addon::Xray.profile()?;
    let setting = effective.settings.get(&profile.address)?;
    let mut subject = AddonUnderTest::new(profile, effective, setting);
    let value = match &setting.value {
        VariableValue::Known(value) if !value.expose().trim().is_empty() => value.expose(),
        VariableValue::Unknown(reason) => {
            return Some(subject.stopped(FailureCode::NotConfigured, reason, None));
        }
        VariableValue::Known(_) | VariableValue::Absent => return None,
    };
    let Some(addresses) = XrayAddresses::read(value) else {
        let text = format!("{} is `{value}`, which is not the address of a daemon", setting.name);
        let hint = "`cruddur-ops doctor --explain xray-address` shows how to write it";
        return Some(subject.stopped(FailureCode::NotConfigured, &text, Some(hint.to_owned())));
    };
    let side = |at: HostAndPort, protocol| DaemonPort {
        reachable_at: reach::find_port_address(
            effective.model,
            effective.service,
            (&at.host, at.port),
            protocol,
        ),
        url: Url::parse(&format!("http://{}:{}{RULES}", at.host, at.port)).ok(),
        cleared: None,
        at,
    };
    let apart = effective.service.network_mode.as_deref() != Some("host");
    if apart && reach::is_own(&addresses.udp.host) {
        subject.warn("in a container this address is the container itself, not this machine");
    }
    let switch = effective.settings.get(SWITCH).and_then(|setting| setting.value.known());
    if switch.is_some_and(|value| value.trim().eq_ignore_ascii_case("false")) {
        subject.warn("AWS_XRAY_SDK_ENABLED is false: the application itself sends nothing");
    }
    let daemon_service = effective.model.service(&addresses.udp.host);
    let settings = daemon_service.map(|daemon| daemon.effective(variables));
    let mut regions = profile.daemon.iter().flat_map(|daemon| &daemon.regions).filter_map(|name| {
        let region = settings.as_ref()?.get(name)?.value.known()?;
        is_aws_region(region).then(|| region.to_owned())
    });
    let keys = profile.secrets.iter().filter_map(|name| {
        let key = variables.get(name).filter(|key| !key.is_empty())?;
        Some((name.clone(), Secret::new(key)))
    });
    subject.verdict.endpoint = Some(value.trim().to_owned());
    subject.target = Some(Box::new(XrayProbe {
        udp: side(addresses.udp, "udp"),
        tcp: side(addresses.tcp, "tcp"),
        daemon_service: daemon_service.map(|daemon| daemon.name.clone()),
        region: regions.next(),
        keys: keys.collect(),
    }));
    Some(subject)
}

/// The result of trying one of the daemon's ports.
enum PortAttempt<T> {
    /// This machine cannot reach it.
    Hidden(RequestFailure),
    Done(Result<T, RequestFailure>),
}

impl AddonProbe for XrayProbe {
    fn clear(
        &mut self,
        verdict: &mut ServiceVerdict,
        consent: &mut AskedConsent,
        ui: &mut Ui,
    ) -> crate::error::Result<bool> {
        for side in [&mut self.udp, &mut self.tcp] {
            let (Some(url), Ok(address)) = (&side.url, &side.reachable_at) else {
                continue;
            };
            let outgoing = OutgoingRequest {
                address: *address,
                texts: &[verdict.service.as_bytes()],
                ..OutgoingRequest::to(url)
            };
            match consent.clear(&outgoing, &verdict.service, ui)? {
                Ok(cleared) => side.cleared = Some(cleared),
                Err(objection) => {
                    withhold_verdict(verdict, url, &objection);
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn climb<'a>(
        &'a self,
        verdict: ServiceVerdict,
        attempt: &'a ProbeAttempt,
    ) -> Pin<Box<dyn Future<Output = ServiceVerdict> + Send + 'a>> {
        Box::pin(self.report(verdict, attempt))
    }
}

impl XrayProbe {
    /// Sends a segment, requests the sampling rules, and looks for the trace; adds the results to the verdict.
    async fn report(&self, mut verdict: ServiceVerdict, attempt: &ProbeAttempt) -> ServiceVerdict {
        let ProbeAttempt { shell, stage, deadline } = attempt;
        let (stage, deadline) = (*stage, *deadline);
        let started = Instant::now();
        let segment = XraySegment::new(&verdict.service, time_since_epoch(), rand::random());
        let sent = self.send(&segment, deadline).await;
        let attempt = match &sent {
            // If nothing receives the segment, nothing answers requests either.
            PortAttempt::Done(Err(_)) => None,
            _ => Some(self.ask(deadline).await),
        };
        let failure = match (&sent, &attempt) {
            (PortAttempt::Done(Err(failure)), _) => Some(failure),
            (_, Some(PortAttempt::Done(Err(failure)))) if !failure.reached => Some(failure),
            _ => None,
        };
        if let Some(failure) = failure {
            self.unreachable(&mut verdict, failure, stage, started);
            return verdict;
        }
        let reachable = check_daemon_reachable(&sent, attempt.as_ref());
        if matches!(sent, PortAttempt::Done(Ok(_))) {
            verdict.trace_id = Some(segment.trace_id().to_owned());
        }
        if reachable.status == CheckStatus::Pass {
            verdict.prove(ProvenRung::Reachable);
        }
        verdict.check(reachable.took(started.elapsed()));
        let silence = "segments get no answer, so whether it was accepted is unknown";
        ladder::skip_rung(&mut verdict, Rung::Accepted, silence);
        check_daemon_owner(&mut verdict, attempt, started);
        if let (Some(trace_id), None) = (&verdict.trace_id, verdict.code) {
            let shell = self.shell(shell);
            let region = self.region.as_deref();
            let check = aws::find(trace_id, region, &shell, deadline).await;
            if check.status == CheckStatus::Pass {
                verdict.prove(ProvenRung::Queryable);
            }
            verdict.check(check);
        }
        verdict
    }

    async fn send(&self, segment: &XraySegment, deadline: Instant) -> PortAttempt<EndpointRoute> {
        match self.udp.find_route(deadline).await {
            PortAttempt::Done(Ok(route)) => {
                PortAttempt::Done(udp::send(&route, &segment.datagram()).await.map(|()| route))
            }
            other => other,
        }
    }

    async fn ask(&self, deadline: Instant) -> PortAttempt<(EndpointRoute, AddonOutcome)> {
        match self.tcp.find_route(deadline).await {
            PortAttempt::Hidden(failure) => PortAttempt::Hidden(failure),
            PortAttempt::Done(Err(failure)) => PortAttempt::Done(Err(failure)),
            PortAttempt::Done(Ok(route)) => {
                let received = http::send(&route, HttpRequest::PostJson("{}"), &[], deadline).await;
                PortAttempt::Done(
                    received.map(|received| (route, read_sampling_rules(&received.answer))),
                )
            }
        }
    }

    /// Ends the verdict, unless the daemon need not be running yet.
    fn unreachable(
        &self,
        verdict: &mut ServiceVerdict,
        failure: &RequestFailure,
        stage: ProjectStage,
        started: Instant,
    ) {
        let mut failure = failure.clone();
        if let (Some(daemon_service), FailureCode::Connect) = (&self.daemon_service, failure.code) {
            if stage == ProjectStage::Written {
                let text = format!("{daemon_service} is not running yet: {}", failure.evidence);
                ladder::skip_rung(verdict, Rung::Reachable, &text);
                return;
            }
            failure = failure.hint(format!(
                "is the daemon running? `cruddur-ops run -- docker compose up {daemon_service}` starts it and shows its output"
            ));
        }
        if failure.code == FailureCode::Dns {
            failure = failure
                .hint("`cruddur-ops doctor --explain xray-address` shows what is allowed there");
        }
        ladder::end_unreachable(verdict, &failure, &self.udp.at.host, started.elapsed());
    }

    /// Returns the shell with the daemon's keys.
    fn shell(&self, shell: &Shell) -> Shell {
        let variables = shell.variables().clone().into_iter();
        let keys = self.keys.iter().map(|(name, key)| (name.clone(), key.expose().to_owned()));
        Shell::new(variables.chain(keys), shell.folder().to_owned())
    }
}

impl DaemonPort {
    async fn find_route(&self, deadline: Instant) -> PortAttempt<EndpointRoute> {
        if let Err(failure) = &self.reachable_at {
            return PortAttempt::Hidden(failure.clone());
        }
        let Some(cleared) = &self.cleared else {
            let text = format!("{} is not a host name", self.at.host);
            return PortAttempt::Done(Err(RequestFailure::before(FailureCode::Dns, text)));
        };
        PortAttempt::Done(EndpointRoute::find(cleared, deadline).await)
    }
}

/// Returns the rung `reachable`, if nothing was refused.
fn check_daemon_reachable(
    sent: &PortAttempt<EndpointRoute>,
    attempt: Option<&PortAttempt<(EndpointRoute, AddonOutcome)>>,
) -> Check {
    let check = |status, evidence| Check::new(Rung::Reachable, status, evidence);
    let answers = match attempt {
        Some(PortAttempt::Done(Ok((route, _)))) => Some(ladder::describe_route(route)),
        _ => None,
    };
    match (sent, answers) {
        (PortAttempt::Done(Ok(_)), Some(answers)) => check(
            CheckStatus::Pass,
            format!("a segment was sent by UDP; by TCP the daemon answers: {answers}"),
        ),
        (PortAttempt::Done(Ok(route)), None) if route.is_loopback() => check(
            CheckStatus::Pass,
            "a segment was sent by UDP, and this machine refused nothing".to_owned(),
        ),
        (PortAttempt::Done(_), None) => check(
            CheckStatus::Warn,
            "a segment was sent by UDP, which does not show whether anything received it"
                .to_owned(),
        ),
        (PortAttempt::Done(Err(_)) | PortAttempt::Hidden(_), Some(answers)) => check(
            CheckStatus::Pass,
            format!("no segment was sent; by TCP the daemon answers: {answers}"),
        ),
        (PortAttempt::Hidden(failure), None) => {
            check(CheckStatus::Skip, failure.evidence.clone()).hint(failure.hint.clone())
        }
    }
}

/// Adds the rung `whose`: the daemon's AWS keys and its region.
fn check_daemon_owner(
    verdict: &mut ServiceVerdict,
    attempt: Option<PortAttempt<(EndpointRoute, AddonOutcome)>>,
    started: Instant,
) {
    let check = |status, evidence: String| {
        Check::new(Rung::Whose, status, evidence).took(started.elapsed())
    };
    match attempt {
        Some(PortAttempt::Done(Ok((_, AddonOutcome::Taken(evidence))))) => {
            verdict.check(check(CheckStatus::Pass, evidence));
        }
        Some(PortAttempt::Done(Ok((_, AddonOutcome::Refused(code, evidence))))) => {
            verdict.code = Some(code);
            let hint = (code == FailureCode::KeyRejected).then(|| {
                "`cruddur-ops key set --variable AWS_ACCESS_KEY_ID` and `cruddur-ops key set --variable AWS_SECRET_ACCESS_KEY` store others; `cruddur-ops run -- docker compose up` hands them over".to_owned()
            });
            verdict.check(check(CheckStatus::Fail, evidence).hint(hint));
        }
        Some(PortAttempt::Done(Err(failure))) => {
            let text = format!("AWS keys and region: {}", failure.evidence);
            verdict.check(check(CheckStatus::Warn, text).hint(failure.hint));
        }
        Some(PortAttempt::Hidden(failure)) => {
            let text = format!("AWS keys and region are not proven: {}", failure.evidence);
            verdict.check(check(CheckStatus::Skip, text).hint(failure.hint));
        }
        None => {}
    }
}
