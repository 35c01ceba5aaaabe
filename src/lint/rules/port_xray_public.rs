//! `port-xray-public`: a daemon that signs anybody's requests.

use super::port_database_public::{private, public};
use crate::lint::gitpod::PortEntry;
use crate::lint::services::{Reach, Service, Transport};
use crate::lint::{Hit, Rule, Severity, Subject};

pub(super) static RULE: Rule = Rule {
    code: "port-xray-public",
    severity: Severity::Warning,
    why: "the daemon's TCP port 2000 signs any request to X-Ray with your AWS keys, whoever sends it",
    explanation: "X-Ray's daemon takes segments on UDP 2000 and answers on TCP 2000 as a proxy that signs requests with the AWS \
        keys it was given. The services reach it over the compose network; a public port 2000 in .gitpod.yml, or TCP 2000 \
        published to every address of the host, gives that to strangers. UDP does not pass through Gitpod's proxy anyway.",
    failing: &[
        (
            ".gitpod.yml",
            "ports:\n  - name: xray-daemon\n    port: 2000\n    visibility: public # <-\n",
        ),
        (
            "compose.yaml",
            "services:\n  xray-daemon:\n    image: amazon/aws-xray-daemon\n    environment: {AWS_REGION: us-east-1}\n    ports:\n      - 2000:2000 # <-\n",
        ),
    ],
    passing: &[
        (".gitpod.yml", "ports:\n  - name: xray-daemon\n    port: 2000\n    visibility: private\n"),
        (
            "compose.yaml",
            "services:\n  xray-daemon:\n    image: amazon/aws-xray-daemon\n    environment: {AWS_REGION: us-east-1}\n    ports:\n      - 2000:2000/udp\n      - 127.0.0.1:2000:2000\n",
        ),
    ],
    check,
};

/// Returns whether port 2000 is the daemon's: the entry is named after it, or a service runs it, as far as services were read.
fn leads_to_the_daemon(subject: &Subject, entry: &PortEntry) -> bool {
    let mut services = subject.every_service().peekable();
    let is_named = entry.name.to_ascii_lowercase().contains("xray");
    is_named || services.peek().is_none() || services.any(Service::is_xray_daemon)
}

fn check(subject: &Subject) -> Vec<Hit> {
    let mut hits: Vec<Hit> = public(subject)
        .filter(|(port, entry, _)| *port == 2000 && leads_to_the_daemon(subject, entry))
        .map(|(port, _, visibility)| private(subject, port, visibility, "X-Ray's daemon"))
        .collect();
    for (file, service) in subject.services().filter(|(_, service)| service.is_xray_daemon()) {
        for port in &service.ports {
            let open = port.transport == Transport::Tcp
                && port.reach == Reach::Everybody
                && port.host.is_some();
            if open && port.target == Some(2000) {
                hits.push(Hit::new(
                    &file.file.path,
                    port.at,
                    "X-Ray's TCP port is published to everybody who reaches this host",
                    "publish `2000:2000/udp`, or nothing: services reach the daemon by its name",
                ));
            }
        }
    }
    hits
}
