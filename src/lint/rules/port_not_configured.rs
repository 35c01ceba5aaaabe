//! `port-not-configured`: a published port that the workspace does not know by name.

use crate::compose::port_purpose;
use crate::lint::services::{Published, Reach, Transport};
use crate::lint::{Hit, Rule, Severity, Subject};

pub(super) static RULE: Rule = Rule {
    code: "port-not-configured",
    severity: Severity::Advice,
    why: "the workspace opens an unnamed port as private: a browser on another page, such as the frontend's, cannot call it",
    explanation: "Ports that .gitpod.yml does not name are opened private when something listens, so calls from the frontend's \
        page fail without a hint at the reason. `cruddur-ops ports` writes the entries. Databases, debuggers, \
        receivers of telemetry and X-Ray's daemon are better left private and are not reported.",
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

fn check(subject: &Subject) -> Vec<Hit> {
    let Some(gitpod) = &subject.gitpod else {
        return Vec::new();
    };
    let is_named = |port: u16| {
        gitpod.ports.iter().any(|entry| {
            let range = entry.written.as_deref().and_then(|text| text.split_once(['-', ':']));
            let bounds = range.and_then(|(from, to)| Some(from.parse().ok()?..=to.parse().ok()?));
            entry.port.is_some_and(|(named, _)| named == port)
                || bounds.is_some_and(|bounds| bounds.contains(&port))
        })
    };
    let reaches_a_browser = |port: &&Published| {
        port.transport == Transport::Tcp
            && port.reach == Reach::Everybody
            && port.target != Some(2000)
            && port.target.and_then(port_purpose).is_none()
    };
    let mut hits = Vec::new();
    for (file, service) in subject.services().filter(|(_, service)| !service.is_database()) {
        for port in service.ports.iter().filter(reaches_a_browser) {
            if let Some(host) = port.host.filter(|host| !is_named(*host)) {
                hits.push(Hit::new(
                    &file.file.path,
                    port.at,
                    format!("port {host} of {} is not in .gitpod.yml", service.name),
                    format!(
                        "`cruddur-ops ports {host}=public` opens it, `cruddur-ops ports {host}=private` says that it stays closed"
                    ),
                ));
            }
        }
    }
    hits
}
