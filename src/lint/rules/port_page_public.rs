//! `port-page-public`: the page of `listen --web` on a port that the whole internet may open.

use super::port_database_public::open_ports;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};
use crate::plan::ports::PAGE_PORT;

pub(super) static RULE: LintRule = LintRule {
    code: "port-page-public",
    severity: Severity::Error,
    why: "the page of `cruddur-ops listen --web` shows every trace, and a public port lets anyone try its address",
    explanation: "`cruddur-ops listen --web` serves a page with every span that arrived, on port 4319 unless \
        `--web-port` changes it. Its address lets one browser in, and a private port keeps everyone else out. With a \
        public port 4319 in .gitpod.yml, the address is the only protection. If 4319 is a port of your own, move it \
        to another number.",
    failing: &[(
        ".gitpod.yml",
        "ports:\n  - name: traces\n    port: 4319\n    visibility: public # <-\n",
    )],
    passing: &[(
        ".gitpod.yml",
        "ports:\n  - port: 4319\n    visibility: private\n  - port: 4000-4999\n    visibility: public\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    // A service of the project that has the port is no page of ours.
    let is_theirs = inspection
        .every_service()
        .flat_map(|service| &service.ports)
        .filter_map(|port| port.known_hosts())
        .any(|hosts| hosts.contains(&PAGE_PORT));
    if is_theirs {
        return Vec::new();
    }
    let open = open_ports(inspection).filter(|open| open.decides(PAGE_PORT));
    open.map(|open| open.hit(PAGE_PORT, "the page of `listen --web`")).collect()
}
