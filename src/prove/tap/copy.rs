//! Starts a container of a service, whose spans go through our relay: a second one, or one in place of its own.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::mpsc;

use super::{TapSession, TapTarget, TappedService};
use crate::compose::{ProjectVariables, ServiceModel};
use crate::error::{Error, ErrorCode};
use crate::instrumentation::ENDPOINT_VARIABLES;
use crate::net::receiver::TelemetrySignal;
use crate::net::relay::{Relay, RelayPeer, RelayedExport};
use crate::otlp::OtlpProtocol;
use crate::session::containers::ProjectContainers;
use crate::session::context::ProjectContext;
use crate::session::copies::CopyRequest;

/// The host name of this machine in Docker Desktop's containers.
const MACHINE_NAME: &str = "host.docker.internal";

/// The variable for the batch delay of an SDK, and our value in milliseconds.
const BATCH_DELAY: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "200");

/// The variables with TLS files; some SDKs use TLS because of them, whatever the endpoint says.
const CERTIFICATES: [&str; 6] = [
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
];

/// The variables that turn off TLS for gRPC.
const INSECURE: [&str; 2] = ["OTEL_EXPORTER_OTLP_INSECURE", "OTEL_EXPORTER_OTLP_TRACES_INSECURE"];

/// A relay, and how the containers of a service reach it.
struct ReachedRelay {
    relay: Relay,
    exports: mpsc::Receiver<RelayedExport>,
    /// The gateway it listens on; without one, containers reach 127.0.0.1, as with Docker Desktop.
    gateway: Option<IpAddr>,
}

impl TapSession {
    /// Starts a second container of the service and taps it; replaces the service's own container if nothing sends it
    /// requests.
    ///
    /// # Errors
    /// The reason why there is none, in one line.
    pub(super) fn tap_copy(
        &self,
        target: &TapTarget<'_>,
        containers: &ProjectContainers,
        time: Duration,
        context: &ProjectContext,
    ) -> Result<TappedService, String> {
        let model = context.project.model().map_err(in_one_line)?;
        let service = model.service(target.service).ok_or("the project has no such service")?;
        if let Some(mode) = service.network_mode.as_deref().filter(|mode| *mode != "bridge") {
            return Err(format!("network_mode: {mode} allows no second container"));
        }
        let port = match target.url {
            Some(url) => {
                Some(containers.port_behind(target.service, url.port_or_known_default()).ok_or(
                    "it runs without a published port: nothing can ask a second container of it",
                )?)
            }
            None => {
                let mode = format!("service:{}", target.service);
                let mut others = model.services.iter();
                if let Some(sharing) =
                    others.find(|service| service.network_mode.as_deref() == Some(&mode))
                {
                    return Err(format!("{} shares its network", sharing.name));
                }
                None
            }
        };
        let reached = self.reached_relay(target, containers, time)?;
        let host = reached.gateway.map_or(MACHINE_NAME.to_owned(), |ip| ip.to_string());
        let copy = containers
            .start_copy(
                CopyRequest {
                    service: target.service,
                    environment: relay_variables(
                        service,
                        model.plain(),
                        target.exporter.protocol,
                        &reached.relay.endpoint(&host),
                    ),
                    machine_name: reached.gateway.is_none().then(|| MACHINE_NAME.to_owned()),
                    port,
                },
                context,
            )
            .map_err(in_one_line)?;
        let ReachedRelay { relay, exports, gateway } = reached;
        match gateway {
            None => relay.admit(RelayPeer::ThisMachine),
            Some(gateway) => {
                let address = copy.address_behind(gateway);
                relay.admit(RelayPeer::Address(
                    address.ok_or("its second container is on another network")?,
                ));
            }
        }
        let service = target.service.to_owned();
        Ok(TappedService { service, copy: Some(copy), relay, exports: Mutex::new(exports) })
    }

    /// Opens a relay on an address of this machine that the service's containers reach.
    fn reached_relay(
        &self,
        target: &TapTarget<'_>,
        containers: &ProjectContainers,
        time: Duration,
    ) -> Result<ReachedRelay, String> {
        for gateway in containers.gateways(target.service) {
            match self.relay(target, gateway, time) {
                Ok((relay, exports)) => {
                    return Ok(ReachedRelay { relay, exports, gateway: Some(gateway) });
                }
                // The engine is on another machine or in a virtual machine.
                Err(error) if error.code == ErrorCode::BindFailed => {}
                Err(error) => return Err(in_one_line(error)),
            }
        }
        let (relay, exports) =
            self.relay(target, Ipv4Addr::LOCALHOST.into(), time).map_err(in_one_line)?;
        Ok(ReachedRelay { relay, exports, gateway: None })
    }
}

/// Returns the variables that send a service's traces to a relay, by the endpoint variable that it already uses,
/// since an SDK may support only one. The relay speaks no TLS, even if the service has certificates.
pub(super) fn relay_variables(
    service: &ServiceModel,
    variables: &ProjectVariables,
    protocol: OtlpProtocol,
    endpoint: &str,
) -> BTreeMap<String, String> {
    let settings = service.effective(variables);
    let is_set = |name: &str| {
        let raw = settings.get(name).and_then(|setting| setting.raw.as_deref());
        raw.is_some_and(|raw| !raw.trim().is_empty())
    };
    let [traces, general] = ENDPOINT_VARIABLES;
    let path = TelemetrySignal::Traces.path();
    let (name, endpoint) = match (is_set(traces), protocol) {
        (false, _) => (general, endpoint.to_owned()),
        (true, OtlpProtocol::Grpc) => (traces, endpoint.to_owned()),
        (true, _) => (traces, format!("{endpoint}{path}")),
    };
    let mut variables =
        BTreeMap::from([(name, endpoint), (BATCH_DELAY.0, BATCH_DELAY.1.to_owned())]);
    variables.extend(
        CERTIFICATES.into_iter().filter(|name| is_set(name)).map(|name| (name, String::new())),
    );
    if protocol == OtlpProtocol::Grpc {
        variables.extend(INSECURE.map(|name| (name, "true".to_owned())));
    }
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn in_one_line(error: Error) -> String {
    match error.cause {
        Some(cause) => format!("{}: {cause}", error.message),
        None => error.message,
    }
}
