//! `xray-address`: segments sent to an address without a daemon.

use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "xray-address",
    severity: Severity::Warning,
    why: "segments are sent over UDP, which reports no errors: a wrong address silently loses all of them",
    explanation: "AWS_XRAY_DAEMON_ADDRESS is `host:port`, or `tcp:host:port udp:host:port`, without a scheme. The \
        host is the name of the daemon's service in the compose file; a name that no service has does not resolve.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      AWS_XRAY_DAEMON_ADDRESS: http://xray-daemon:2000 # <-\n  b:\n    environment:\n      AWS_XRAY_DAEMON_ADDRESS: xray:2000 # <-\n  xray-daemon:\n    image: amazon/aws-xray-daemon\n    environment: {AWS_REGION: us-east-1}\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      AWS_XRAY_DAEMON_ADDRESS: tcp:xray-daemon:2000 udp:xray-daemon:2000\n  xray-daemon:\n    image: amazon/aws-xray-daemon\n    environment: {AWS_REGION: us-east-1}\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for (_, service, scope) in inspection.service_scopes() {
        let Some(setting) = scope.setting("AWS_XRAY_DAEMON_ADDRESS") else {
            continue;
        };
        let value = setting.resolved();
        if value.is_empty() || value.contains('$') {
            continue;
        }
        let hit = |message: String, advice: &str| {
            RuleHit::new(setting.file, setting.value_at, message, advice)
        };
        if value.contains("://") || !value.split(' ').all(is_address) {
            hits.push(
                hit(
                    format!("`{value}` is not the address of a daemon"),
                    "write `xray-daemon:2000`",
                )
                .as_severe_as(Severity::Error),
            );
            continue;
        }
        let host = value.split(' ').next().and_then(read_daemon_host).unwrap_or_default();
        let known = host.contains('.')
            || host == "localhost"
            || inspection.every_service().any(|other| other.name == host);
        if !known && service.network_mode.is_none() {
            hits.push(hit(
                format!("no service is called {host}"),
                "use the name of the daemon's service, or remove the line",
            ));
        }
    }
    hits
}

fn is_address(part: &str) -> bool {
    let bare = part.strip_prefix("tcp:").or_else(|| part.strip_prefix("udp:")).unwrap_or(part);
    bare.split_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

fn read_daemon_host(part: &str) -> Option<&str> {
    let bare = part.strip_prefix("tcp:").or_else(|| part.strip_prefix("udp:")).unwrap_or(part);
    bare.split_once(':').map(|(host, _)| host)
}
