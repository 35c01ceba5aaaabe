//! `localhost-in-container`: an address that refers to the container itself.

use super::telemetry;
use crate::compose::{
    AddressTarget, ComposeModel, ServiceModel, bundler_prefix, find_endpoint_target,
};
use crate::lint::scope::VariableAssignment;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "localhost-in-container",
    severity: Severity::Error,
    why: "inside a container localhost is the container itself, where nothing listens",
    explanation: "A service reaches another by its name: `http://collector:4318`, `xray-daemon:2000`, `db:5432`. \
        localhost and 127.0.0.1 are right only with `network_mode: host`. Addresses that a browser uses \
        (FRONTEND_URL, REACT_APP_…) are not checked; for servers that do not receive telemetry this is a warning.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    build: .\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://localhost:4318 # <-\n      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://0.0.0.0:4318/v1/traces # <-\n      CONNECTION_URL: postgresql://u:p@127.0.0.1:5432/x # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://collector:4318\n      FRONTEND_URL: http://localhost:3000\n      CONNECTION_URL: postgresql://u:p@db:5432/x\n  b:\n    network_mode: host\n    environment:\n      OTEL_SERVICE_NAME: b\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://localhost:4318\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for (model, service, scope) in inspection.service_scopes() {
        if service.network_mode.is_some() {
            continue;
        }
        for setting in &scope.assignments {
            let Some((severity, port)) = own_address(inspection, (model, service), setting) else {
                continue;
            };
            let other = port.and_then(|port| {
                inspection.every_service().find(|other| {
                    other.ports.iter().any(|published| published.container.contains(&port))
                })
            });
            let advice = match other {
                Some(other) => format!("use the service's name: `{}`", other.name),
                None => "use the name of the service that listens there".to_owned(),
            };
            hits.push(
                RuleHit::new(
                    setting.file,
                    setting.value_at,
                    format!("{} points {} to itself", setting.name, service.name),
                    advice,
                )
                .as_severe_as(severity),
            );
        }
    }
    hits
}

/// Returns the port of an address meant for another container, and how likely that is.
fn own_address(
    inspection: &Inspection,
    (model, service): (&ComposeModel, &ServiceModel),
    setting: &VariableAssignment<'_>,
) -> Option<(Severity, Option<u16>)> {
    let resolved = setting.resolved();
    let value = resolved.as_ref();
    if setting.name == "AWS_XRAY_DAEMON_ADDRESS" {
        return is_local(value).then_some((Severity::Error, Some(2000)));
    }
    let endpoint = telemetry::endpoint(value)?;
    let is_own = || find_endpoint_target(model, service, value) == Some(AddressTarget::Own);
    if !is_local(endpoint.host) && (!telemetry::is_endpoint(setting.name) || !is_own()) {
        return None;
    }
    // A program next to a collector in the same container is correct, as in an all-in-one image.
    if telemetry::is_endpoint(setting.name) {
        let severity = if service.build.is_some() { Severity::Error } else { Severity::Warning };
        return Some((severity, endpoint.port));
    }
    const SERVERS: [&str; 9] = [
        "postgres",
        "postgresql",
        "mysql",
        "mariadb",
        "mongodb",
        "redis",
        "rediss",
        "amqp",
        "amqps",
    ];
    let server = SERVERS.contains(&endpoint.scheme)
        || (endpoint.scheme.starts_with("http")
            && ["DB_URL", "DYNAMO", "AWS_ENDPOINT_URL"]
                .iter()
                .any(|part| setting.name.contains(part))
            && bundler_prefix(setting.name).is_none());
    let serves_itself = endpoint.port.is_some_and(|own_port| {
        service.ports.iter().any(|port| port.container.contains(&own_port))
    });
    (server && !serves_itself && !inspection.is_database(service))
        .then_some((Severity::Warning, endpoint.port))
}

fn is_local(address: &str) -> bool {
    let authority = address.rsplit('@').next().unwrap_or(address);
    let without_port = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let host = without_port.rsplit(':').next().unwrap_or(without_port);
    host == "localhost" || host.starts_with("127.0.0.")
}
