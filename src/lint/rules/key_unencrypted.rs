//! `key-unencrypted`: a key that leaves this machine without TLS.

use std::net::Ipv4Addr;

use super::telemetry;
use crate::compose::find_references;
use crate::lint::scope::{ProgramVariables, VariableAssignment};
use crate::lint::{Inspection, LintRule, RuleHit, Severity};
use crate::provider;
use crate::secret::{is_secret, is_secret_name};

pub(super) static RULE: LintRule = LintRule {
    code: "key-unencrypted",
    severity: Severity::Error,
    why: "anyone on the network path can read the key, and nothing proves who receives it",
    explanation: "A key that is sent over http:// to a host on the internet can be read by every network in between. \
        Providers accept https://. A collector that does not belongs on this machine, on the compose network or on a \
        private network (`http://collector:4318`, 127.0.0.1, 10.0.0.5); such addresses are not reported. `verify` \
        sends a key to such a host only with `--trust-host`.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://evil.example # <-\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY}\n  b:\n    environment:\n      OTEL_SERVICE_NAME: b\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://api.honeycomb.io:80 # <-\n      OTEL_EXPORTER_OTLP_TRACES_HEADERS: x-tenant=a,x=${MY_KEY}\n  c:\n    environment:\n      OTEL_SERVICE_NAME: c\n      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: \"http://evil.example/${MY_KEY}\" # <-\n      ROLLBAR_ACCESS_TOKEN: ${ROLLBAR_ACCESS_TOKEN}\n      ROLLBAR_ENDPOINT: http://api.rollbar.com/api/1/ # <-\n  d:\n    environment:\n      OTEL_SERVICE_NAME: d\n      OTEL_EXPORTER_OTLP_PROTOCOL: grpc\n      OTEL_EXPORTER_OTLP_INSECURE: \"true\"\n      OTEL_EXPORTER_OTLP_ENDPOINT: evil.example:4317 # <-\n      OTEL_EXPORTER_OTLP_HEADERS: authorization=Bearer%20${TOKEN}\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY}\n  b:\n    environment:\n      OTEL_SERVICE_NAME: b\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://collector:4318\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY}\n  c:\n    environment:\n      OTEL_SERVICE_NAME: c\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://10.0.0.5:4318\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY}\n  d:\n    environment:\n      OTEL_SERVICE_NAME: d\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://collector.example.com\n      OTEL_EXPORTER_OTLP_HEADERS: x-tenant=public,x-honeycomb-dataset=${HONEYCOMB_DATASET}\n      HONEYCOMB_API_KEY: ${HONEYCOMB_API_KEY}\n  e:\n    environment:\n      OTEL_SERVICE_NAME: e\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://${COLLECTOR_HOST}\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY}\n      BACKEND_URL: http://shop.example.com\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for scope in inspection.scopes() {
        for setting in &scope.assignments {
            let value = setting.resolved();
            let Some(host) =
                plain_host(&scope, setting, &value).filter(|host| is_far(host, inspection))
            else {
                continue;
            };
            if !carries_key(&scope, setting) {
                continue;
            }
            let receiver = match provider::host_owner(host) {
                Some(owner) => format!("{}'s own host", owner.title),
                None => "a host that belongs to no known provider".to_owned(),
            };
            hits.push(RuleHit::new(
                setting.file,
                setting.value_at,
                format!("a key goes unencrypted to {host}, {receiver}"),
                "write `https://`, or send to a collector on the compose network",
            ));
        }
    }
    hits
}

/// Returns the host of a telemetry endpoint without TLS.
fn plain_host<'a>(
    scope: &ProgramVariables<'_>,
    setting: &VariableAssignment<'_>,
    value: &'a str,
) -> Option<&'a str> {
    let value = value.trim();
    if !telemetry::is_endpoint(setting.name) && !is_rollbar(setting) {
        return None;
    }
    if value.contains("://") {
        let endpoint = telemetry::endpoint(value)?;
        return endpoint.scheme.eq_ignore_ascii_case("http").then_some(endpoint.host);
    }
    let insecure = scope.assignments.iter().any(|assignment| {
        let is_switch = assignment.name.starts_with("OTEL_EXPORTER_OTLP_")
            && assignment.name.ends_with("INSECURE");
        is_switch && assignment.text().trim().eq_ignore_ascii_case("true")
    });
    let host = value.split(['/', ':']).next().unwrap_or(value);
    (insecure && !is_rollbar(setting)).then_some(host)
}

fn is_rollbar(setting: &VariableAssignment<'_>) -> bool {
    setting.name == "ROLLBAR_ENDPOINT"
}

/// Returns whether a host is remote: not this machine, a container or a private network, judging by its name.
fn is_far(host: &str, inspection: &Inspection) -> bool {
    const LOCAL_SUFFIXES: [&str; 5] = [".internal", ".local", ".localhost", ".lan", ".test"];
    let host = host.to_ascii_lowercase();
    let is_private = host.parse().is_ok_and(|address: Ipv4Addr| {
        address.is_loopback()
            || address.is_private()
            || address.is_link_local()
            || address.is_unspecified()
    });
    let is_service = inspection.every_service().any(|service| service.name == host);
    host.contains('.')
        && !host.contains(['$', '{', '[', '<'])
        && !is_private
        && !is_service
        && !LOCAL_SUFFIXES.iter().any(|suffix| host.ends_with(suffix))
}

/// Returns whether a key is sent along: in the address itself, in the headers, or as Rollbar's token.
fn carries_key(scope: &ProgramVariables<'_>, endpoint: &VariableAssignment<'_>) -> bool {
    let refers =
        |text: &str| find_references(text).iter().any(|reference| is_secret_name(reference.name));
    let in_headers = |setting: &VariableAssignment<'_>| {
        telemetry::is_headers(setting.name)
            && telemetry::split_header_pairs(setting.text()).iter().any(|(_, pair)| {
                let (name, value) = pair.split_once('=').unwrap_or(("", pair));
                let is_key = provider::is_key_header(name.trim()) && !value.trim().is_empty();
                is_key || refers(value) || is_secret(name.trim(), value)
            })
    };
    if is_rollbar(endpoint) {
        return scope
            .assignments
            .iter()
            .any(|assignment| assignment.name == "ROLLBAR_ACCESS_TOKEN");
    }
    refers(endpoint.text())
        || is_secret(endpoint.name, endpoint.text())
        || scope.assignments.iter().any(in_headers)
}
