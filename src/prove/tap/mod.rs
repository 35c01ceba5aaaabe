//! `--tap`: a relay of ours between an application and its endpoint, so that the endpoint's own answer to the application's
//! own bytes is the proof.
//!
//! A service of the project gets a second container, which alone sends through the relay; the project's containers are not
//! touched. Without one, the person starts the application with an endpoint of ours.

mod copy;
mod start;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use url::Url;

use crate::consent::Cleared;
use crate::error::{Error, Result};
use crate::limits::TAPPED_SERVICES as MOST;
use crate::net::BackgroundRuntime;
use crate::net::failure::Failure;
use crate::net::receiver::{Limits, Signal};
use crate::net::relay::{Relay, RelayOptions, RelayPeer, RelayedExport};
use crate::net::route::Route;
use crate::otlp::response::Meaning;
use crate::otlp::span::Span;
use crate::otlp::{Code, Exporter, Protocol};
use crate::session::containers::Containers;
use crate::session::context::ProjectContext;
use crate::session::copies::RunningCopy;
use crate::ui::Ui;
use crate::ui::interrupt::{self, Mode};

/// How long the endpoint has for an answer where the service's SDK does not say.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// How long docker may take to start one second container.
const START_TIME: Duration = Duration::from_secs(60);

/// A service that is to be tapped.
pub(super) struct TapTarget<'a> {
    /// In the compose file.
    pub(super) service: &'a str,
    pub(super) exporter: &'a Exporter,
    /// The way to the endpoint, with what the service trusts and shows.
    pub(super) route: &'a Route,
    /// Where it is asked.
    pub(super) url: &'a Url,
}

/// An export of traces that went through a tap.
#[derive(Debug)]
pub(super) struct TappedExport {
    /// The service that sent it.
    pub(super) service: String,
    pub(super) spans: Vec<Span>,
    /// The endpoint's own answer, or why there was none.
    pub(super) answer: Result<Meaning, Failure>,
    /// From the end of the request to the end of the answer.
    pub(super) took: Duration,
}

/// The taps of a run. Dropping it removes the second containers, then the relays.
#[derive(Debug)]
pub(super) struct Tap {
    services: Vec<TappedService>,
    /// Services that could not be tapped, and why.
    untapped: BTreeMap<String, String>,
    passed: Mutex<Vec<Arc<TappedExport>>>,
    background: BackgroundRuntime,
    /// An interrupt must not leave a container behind.
    _guard: interrupt::Guard,
}

/// A service with its relay. The copy goes first.
#[derive(Debug)]
struct TappedService {
    service: String,
    copy: Option<RunningCopy>,
    relay: Relay,
    exports: Mutex<mpsc::Receiver<RelayedExport>>,
}

impl Tap {
    /// Taps each of `targets`: a second container where the service runs in one, else a relay that the person points the
    /// application at. Calls docker, and waits for it.
    ///
    /// # Errors
    /// `network`; an interrupt.
    pub(super) fn open(
        targets: &[TapTarget<'_>],
        containers: Option<&Containers>,
        time: Duration,
        place: &ProjectContext,
        ui: &mut Ui,
    ) -> Result<Self> {
        let mut tap = Self {
            services: Vec::new(),
            untapped: BTreeMap::new(),
            passed: Mutex::default(),
            background: BackgroundRuntime::start()?,
            _guard: interrupt::during(Mode::Remember),
        };
        // The relay of the first one is there while all the others are started.
        let time = (0..=targets.len()).fold(time, |time, _| time + START_TIME);
        for (at, target) in targets.iter().enumerate() {
            ui.progress(&format!("starting a second container of {}", target.service));
            if interrupt::seen() {
                return Err(Error::interrupted());
            }
            let tapped = match (target.exporter.protocol, containers) {
                _ if at >= MOST => Err(format!(
                    "no more than {MOST} services are tapped at once; --service names some"
                )),
                (_, Some(containers)) => tap.tap_copy(target, containers, time, place),
                (Protocol::Grpc, None) => Err(GRPC.to_owned()),
                (_, None) => tap.tap_by_hand(target, time),
            };
            match tapped {
                Ok(service) => tap.services.push(service),
                Err(why) => drop(tap.untapped.insert(target.service.to_owned(), why)),
            }
        }
        ui.progress_done();
        tap.say_how_to_start(targets, place, ui);
        Ok(tap)
    }

    /// Where the second container of a service answers what is asked for at `url`; `None` where it has none.
    pub(super) fn address(&self, service: &str, url: &Url) -> Option<Cleared> {
        let copy = self.copy(service)?;
        Cleared::on_this_machine(url, Some(copy.address()?))
    }

    /// The second container of a service.
    pub(super) fn copy(&self, service: &str) -> Option<&RunningCopy> {
        self.tapped(service)?.copy.as_ref()
    }

    /// Why a service is not tapped.
    pub(super) fn untapped(&self, service: &str) -> Option<&str> {
        self.untapped.get(service).map(String::as_str)
    }

    /// Every export of traces so far, in the order in which the endpoints answered.
    pub(super) fn passed(&self) -> Vec<Arc<TappedExport>> {
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        for tapped in &self.services {
            let mut exports = tapped.exports.lock().unwrap_or_else(PoisonError::into_inner);
            while let Ok(export) = exports.try_recv() {
                if export.signal != Signal::Traces {
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

    /// The spans of every export that the endpoint has answered for good: what it could not take now is sent again.
    pub(super) fn settled_spans(&self) -> Vec<Span> {
        let passed = self.passed();
        let settled = passed.iter().filter(|export| match &export.answer {
            Ok(Meaning::Accepted { .. }) => true,
            Ok(Meaning::Refused { code, .. }) => {
                !matches!(code, Code::Throttled | Code::ServerError)
            }
            Err(failure) => failure.code == Code::UntrustedHost,
        });
        settled.flat_map(|export| export.spans.iter().cloned()).collect()
    }

    /// Requests to the relay of a service that were refused: of other programs, or for another path.
    pub(super) fn refused(&self, service: &str) -> usize {
        self.tapped(service).map_or(0, |tapped| tapped.relay.refused())
    }

    fn tapped(&self, service: &str) -> Option<&TappedService> {
        self.services.iter().find(|tapped| tapped.service == service)
    }

    /// A relay that listens on `ip`.
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
            limits: Limits::of_a_relay(),
            patience: target.exporter.timeout.unwrap_or(ANSWER_TIME),
            deadline: Instant::now() + time,
        };
        self.background.wait_for(Relay::open(options))?
    }

    /// Taps the application that the person starts, which any program of this machine could be.
    fn tap_by_hand(&self, target: &TapTarget<'_>, time: Duration) -> Result<TappedService, String> {
        let relay = self.relay(target, Ipv4Addr::LOCALHOST.into(), time);
        let (relay, exports) = relay.map_err(|error| error.message)?;
        relay.admit(RelayPeer::ThisMachine);
        let service = target.service.to_owned();
        Ok(TappedService { service, copy: None, relay, exports: Mutex::new(exports) })
    }
}

/// Why an application that is started by hand is not tapped where it speaks gRPC.
const GRPC: &str = "gRPC has no path that other programs of this machine do not know: its second container could be tapped";
