//! `init`: plans the added collector, and how clients outside the containers reach it.

use crate::compose::{ComposeModel, ServiceRole, classify_service};
use crate::plan::Note;
use crate::plan::collector::CollectorSettings;
use crate::plan::ports::PublishedTcpPort;
use crate::plan::telemetry::SelectedService;
use crate::provider::Destination;
use crate::provider::collector::{PORT, SERVICE};
use crate::session::context::ProjectContext;
use crate::workspace::Workspace;

/// Returns the collector these services need, and a note for each browser frontend among them.
pub(super) fn plan(
    to: &Destination,
    selected: &[SelectedService],
    context: &ProjectContext,
    model: &ComposeModel,
) -> (CollectorSettings, Vec<Note>) {
    let mut notes = Vec::new();
    let chosen = selected.iter().filter_map(|selected| model.service(&selected.service));
    let mut collector = CollectorSettings {
        to: to.clone(),
        origins: Vec::new(),
        published: false,
        networks: Vec::new(),
    };
    let workspace = Workspace::detect(context.shell);
    let address = workspace.port_url(PORT).unwrap_or_else(|| format!("http://localhost:{PORT}"));
    for service in chosen {
        for network in &service.networks {
            if !collector.networks.contains(network) {
                collector.networks.push(network.clone());
            }
        }
        collector.published |= service.network_mode.as_deref() == Some("host");
        if classify_service(service, context.project.sources()).role != ServiceRole::Frontend {
            continue;
        }
        collector.published = true;
        let ports = service.ports.iter().filter(|port| port.protocol == "tcp");
        let hosts = ports.filter_map(|port| port.host.as_ref());
        for port in hosts.map(|range| *range.start()) {
            let local_origins =
                ["localhost", "127.0.0.1"].map(|host| format!("http://{host}:{port}"));
            let pages = local_origins.into_iter().chain(workspace.any_url(port));
            for page in pages {
                if !collector.origins.contains(&page) {
                    collector.origins.push(page);
                }
            }
        }
        notes.push(Note::fact(format!(
            "{}: its pages send spans to {}/v1/traces and hold no key; the collector accepts them from {}",
            service.name,
            address,
            collector.origins.join(", ")
        )));
    }
    // The default network has access to the outside; the services' own networks may not.
    let network = "default".to_owned();
    if !collector.networks.is_empty() && !collector.networks.contains(&network) {
        collector.networks.insert(0, network);
    }
    (collector, notes)
}

/// Returns the port that the collector publishes.
pub(super) fn port(collector: &CollectorSettings) -> Option<PublishedTcpPort> {
    collector.published.then(|| PublishedTcpPort::new(PORT, SERVICE, ServiceRole::TracingDaemon))
}
