//! `port-xray-public`: a public daemon port, which signs requests for anyone.

use super::port_database_public::{OpenPort, open_ports};
use crate::lint::inspection::is_xray_daemon;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "port-xray-public",
    severity: Severity::Warning,
    why: "the daemon's TCP port 2000 signs any request to X-Ray with your AWS keys, no matter who sends it",
    explanation: "X-Ray's daemon takes segments on UDP 2000 and answers on TCP 2000 as a proxy that signs requests \
        with the AWS keys it was given. The services reach it over the compose network; a public port 2000 in \
        .gitpod.yml, or TCP 2000 published on all addresses of the host, opens that proxy to strangers. UDP does not \
        pass through Gitpod's proxy anyway.",
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

const PORT: u16 = 2000;

/// Returns whether port 2000 belongs to the daemon: by the entry's name or a service, if services were read.
fn leads_to_the_daemon(inspection: &Inspection, open: &OpenPort<'_>) -> bool {
    let name = open.configured.name.as_deref().unwrap_or_default();
    let mut services = inspection.every_service().peekable();
    let is_named = name.to_ascii_lowercase().contains("xray");
    is_named || services.peek().is_none() || services.any(is_xray_daemon)
}

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let open = open_ports(inspection)
        .filter(|open| open.decides(PORT) && leads_to_the_daemon(inspection, open));
    let mut hits: Vec<RuleHit> = open.map(|open| open.hit(PORT, "X-Ray's daemon")).collect();
    let Some(model) = &inspection.model else { return hits };
    for service in model.services.iter().filter(|service| is_xray_daemon(service)) {
        for port in service.ports.iter().filter(|port| port.reaches_everybody()) {
            if port.host_of(PORT).is_some() {
                hits.push(RuleHit::new(
                    model.file(&port.span),
                    port.span.range.start,
                    "X-Ray's TCP port is published to everyone who can reach this host",
                    "publish `2000:2000/udp`, or nothing: services reach the daemon by its name",
                ));
            }
        }
    }
    hits
}
