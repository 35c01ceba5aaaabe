//! `--tap`: puts our relay between an application and its endpoint, so that the endpoint's answer to the
//! application's own bytes is the proof.
//!
//! A service gets a second container, and only that one sends through the relay; the project's containers are not
//! changed. If a second one cannot be requested, the service's own is replaced for a while, after a yes that names
//! it. Without docker, the user starts the application with our endpoint.

mod copy;
mod start;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use url::Url;

use crate::consent::ClearedDestination;
use crate::error::{Error, Result};
use crate::limits::TAPPED_SERVICES as MOST;
use crate::net::BackgroundRuntime;
use crate::net::failure::RequestFailure;
use crate::net::receiver::{ReceiverLimits, TelemetrySignal};
use crate::net::relay::{Relay, RelayOptions, RelayPeer, RelayedExport};
use crate::net::route::EndpointRoute;
use crate::otlp::response::ExportMeaning;
use crate::otlp::span::OtlpSpan;
use crate::otlp::{Exporter, FailureCode};
use crate::session::containers::ProjectContainers;
use crate::session::context::ProjectContext;
use crate::session::copies::RunningCopy;
use crate::ui::Ui;
use crate::ui::interrupt::{self, InterruptMode};

/// The default time for an answer of the endpoint.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// The longest time to start a second container.
const START_TIME: Duration = Duration::from_secs(60);

/// A service to tap.
pub(super) struct TapTarget<'a> {
    /// The name in the compose file.
    pub(super) service: &'a str,
    pub(super) exporter: &'a Exporter,
    /// The route to the endpoint, with the service's TLS material.
    pub(super) route: &'a EndpointRoute,
    /// The URL of its requests; `None` if nothing requests it.
    pub(super) url: Option<&'a Url>,
}

/// An export of traces that came through a tap.
#[derive(Debug)]
pub(super) struct TappedExport {
    /// The service that sent it.
    pub(super) service: String,
    pub(super) spans: Vec<OtlpSpan>,
    /// The endpoint's answer, or why there was none.
    pub(super) answer: Result<ExportMeaning, RequestFailure>,
    /// The time from the end of the request to the end of the answer.
    pub(super) took: Duration,
}

/// The taps of a run. Dropping it removes the second containers, then the relays.
#[derive(Debug)]
pub(super) struct TapSession {
    services: Vec<TappedService>,
    /// Services that could not be tapped, with reasons.
    untapped: BTreeMap<String, String>,
    passed: Mutex<Vec<Arc<TappedExport>>>,
    background: BackgroundRuntime,
    /// Makes sure that an interrupt leaves no container behind.
    _guard: interrupt::InterruptGuard,
}

/// A service with its relay. The copy is dropped first.
#[derive(Debug)]
struct TappedService {
    service: String,
    copy: Option<RunningCopy>,
    relay: Relay,
    exports: Mutex<mpsc::Receiver<RelayedExport>>,
}

impl TapSession {
    /// Taps each of `targets`: by a second container if the service runs in one, else by a relay to which the user
    /// points the application. Calls docker and waits for it.
    ///
    /// # Errors
    /// `network`; when it is interrupted.
    pub(super) fn open(
        targets: &[TapTarget<'_>],
        containers: Option<&ProjectContainers>,
        time: Duration,
        context: &ProjectContext,
        ui: &mut Ui,
    ) -> Result<Self> {
        let mut tap = Self {
            services: Vec::new(),
            untapped: BTreeMap::new(),
            passed: Mutex::default(),
            background: BackgroundRuntime::start()?,
            _guard: interrupt::set_interrupt_mode(InterruptMode::Remember),
        };
        // The first relay must stay open while all the others are started.
        let time = (0..=targets.len()).fold(time, |time, _| time + START_TIME);
        for (at, target) in targets.iter().enumerate() {
            ui.progress(&format!("starting a tapped container of {}", target.service));
            if interrupt::was_interrupted() {
                return Err(Error::interrupted());
            }
            let tapped = match containers {
                _ if at >= MOST => Err(format!(
                    "no more than {MOST} services are tapped at once; `--service` selects some"
                )),
                Some(containers) => tap.tap_copy(target, containers, time, context),
                None => tap.tap_by_hand(target, time),
            };
            match tapped {
                Ok(service) => tap.services.push(service),
                Err(why) => drop(tap.untapped.insert(target.service.to_owned(), why)),
            }
        }
        ui.progress_done();
        tap.show_start_commands(targets, context, ui)?;
        Ok(tap)
    }

    /// Returns the address of a service's second container for `url`; `None` without one.
    pub(super) fn address(&self, service: &str, url: &Url) -> Option<ClearedDestination> {
        let copy = self.copy(service)?;
        ClearedDestination::on_this_machine(url, Some(copy.address()?))
    }

    /// Returns a service's second container.
    pub(super) fn copy(&self, service: &str) -> Option<&RunningCopy> {
        self.tapped(service)?.copy.as_ref()
    }

    /// Returns why a service is not tapped.
    pub(super) fn untapped(&self, service: &str) -> Option<&str> {
        self.untapped.get(service).map(String::as_str)
    }

    /// Returns every export of traces so far, in the order of the endpoint's answers.
    pub(super) fn passed(&self) -> Vec<Arc<TappedExport>> {
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        for tapped in &self.services {
            let mut exports = tapped.exports.lock().unwrap_or_else(PoisonError::into_inner);
            while let Ok(export) = exports.try_recv() {
                if export.signal != TelemetrySignal::Traces {
                    continue;
                }
                passed.push(Arc::new(TappedExport {
                    service: tapped.service.clone(),
                    spans: export.spans,
                    answer: export.outcome,
                    took: export.took,
                }));
            }
        }
        passed.clone()
    }

    /// Returns every export with a final answer; those that may be retried will be sent again.
    pub(super) fn settled(&self) -> Vec<Arc<TappedExport>> {
        let mut exports = self.passed();
        exports.retain(|export| match &export.answer {
            Ok(ExportMeaning::Accepted { .. }) => true,
            Ok(ExportMeaning::Refused { code, .. }) => {
                !matches!(code, FailureCode::Throttled | FailureCode::ServerError)
            }
            Err(failure) => failure.code == FailureCode::UntrustedHost,
        });
        exports
    }

    /// Returns the number of requests to a service's relay that were refused: from other programs, or for another
    /// path.
    pub(super) fn refused(&self, service: &str) -> usize {
        self.tapped(service).map_or(0, |tapped| tapped.relay.refused())
    }

    fn tapped(&self, service: &str) -> Option<&TappedService> {
        self.services.iter().find(|tapped| tapped.service == service)
    }

    /// Opens a relay on `ip`.
    fn relay(
        &self,
        target: &TapTarget<'_>,
        ip: IpAddr,
        time: Duration,
    ) -> Result<(Relay, mpsc::Receiver<RelayedExport>)> {
        let options = RelayOptions {
            ip,
            route: target.route.clone(),
            protocol: target.exporter.protocol,
            limits: ReceiverLimits::of_a_relay(),
            patience: target.exporter.timeout.unwrap_or(ANSWER_TIME),
            deadline: Instant::now() + time,
        };
        self.background.wait_for(Relay::open(options))?
    }

    /// Opens a tap for an application that the user starts, which any program on this machine could be.
    fn tap_by_hand(&self, target: &TapTarget<'_>, time: Duration) -> Result<TappedService, String> {
        let relay = self.relay(target, Ipv4Addr::LOCALHOST.into(), time);
        let (relay, exports) = relay.map_err(|error| error.message)?;
        relay.admit(RelayPeer::TokenHolder);
        let service = target.service.to_owned();
        Ok(TappedService { service, copy: None, relay, exports: Mutex::new(exports) })
    }
}
