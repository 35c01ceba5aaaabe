//! `port-not-configured`: a published port without an entry in the workspace configuration.

use std::ops::RangeInclusive;

use crate::compose::{PublishedPorts, ServiceRole, port_purpose};
use crate::limits;
use crate::lint::{Inspection, LintRule, RuleHit, Severity, WorkspaceFile};

pub(super) static RULE: LintRule = LintRule {
    code: "port-not-configured",
    severity: Severity::Advice,
    why: "the workspace opens an unnamed port as private: a browser on another page, such as the frontend's, cannot call it",
    explanation: "Ports that .gitpod.yml does not name are opened private when something listens, so calls from the \
        frontend's page fail with no hint why. `cruddur-ops ports` writes the entries. Databases, debuggers, \
        telemetry receivers and X-Ray's daemon should stay private and are not reported.",
    failing: &[
        (".gitpod.yml", "tasks: []\n"),
        (
            "compose.yaml",
            "services:\n  api:\n    build: .\n    ports:\n      - 4567:4567 # <-\n  db:\n    image: postgres:13\n    ports: ['5432:5432']\n",
        ),
    ],
    passing: &[
        (".gitpod.yml", "ports:\n  - port: 4567\n  - port: 8000-9000\n"),
        (
            "compose.yaml",
            "services:\n  api:\n    build: .\n    ports: ['4567:4567', '8080:80', '127.0.0.1:1:1', '90']\n  otel:\n    image: otel/opentelemetry-collector\n    ports: ['4317:4317', '14268:14268', '9411:9411']\n  debugged:\n    build: .\n    ports: ['9229:9229']\n",
        ),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let (Some(WorkspaceFile { contents, .. }), Some(model)) =
        (&inspection.gitpod, &inspection.model)
    else {
        return Vec::new();
    };
    let is_named = |port: u16| {
        let mut entries = contents.ports.iter().filter_map(|entry| entry.configured.as_ref());
        entries.any(|entry| entry.covers(port))
    };
    let is_short = |range: &RangeInclusive<u16>| range.end() - range.start() < limits::PORTS_APART;
    let mut hits = Vec::new();
    for service in &model.services {
        // Databases and telemetry receivers are not for browsers.
        if matches!(
            inspection.role(service),
            Some(ServiceRole::Database | ServiceRole::Queue | ServiceRole::TracingDaemon)
        ) {
            continue;
        }
        for published in service.ports.iter().filter(|port| is_for_a_browser(port)) {
            let hosts = published.known_hosts().filter(|hosts| is_short(hosts)).cloned();
            for host in hosts.into_iter().flatten().filter(|host| !is_named(*host)) {
                hits.push(RuleHit::new(
                    model.file(&published.span),
                    published.span.range.start,
                    format!("port {host} of {} is not in .gitpod.yml", service.name),
                    format!(
                        "`cruddur-ops ports {host}=public` opens it, `cruddur-ops ports {host}=private` keeps it closed"
                    ),
                ));
            }
        }
    }
    hits
}

/// Returns whether a browser may reach the port, and it is not used for another protocol by convention.
fn is_for_a_browser(port: &PublishedPorts) -> bool {
    let container = *port.container.start();
    port.reaches_everybody() && container != 2000 && port_purpose(container).is_none()
}
