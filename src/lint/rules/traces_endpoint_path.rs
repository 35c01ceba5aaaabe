//! `traces-endpoint-path`: the endpoint of one signal without that signal's path.

use super::telemetry;
use crate::edit::patch::Patch;
use crate::lint::scope::Scope;
use crate::lint::{Hit, Inspection, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    code: "traces-endpoint-path",
    severity: Severity::Error,
    why: "a signal's own endpoint is used as it stands, so spans are posted to / and answered 404",
    explanation: "Over HTTP, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must be the whole address, /v1/traces included; nothing is \
        appended to it. Over gRPC there is no path, so an endpoint on port 4317, or one whose protocol is grpc, is right as \
        it is.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://collector:4318 # <-\n      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: http://collector:4318/ # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://collector:4318/v1/traces\n  b:\n    environment:\n      OTEL_SERVICE_NAME: b\n      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://collector:4317\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<Hit> {
    inspection
        .scopes()
        .iter()
        .flat_map(|scope| {
            ["traces", "metrics", "logs"].into_iter().filter_map(|signal| missing(scope, signal))
        })
        .collect()
}

fn missing(scope: &Scope<'_>, signal: &str) -> Option<Hit> {
    let prefix = format!("OTEL_EXPORTER_OTLP_{}", signal.to_ascii_uppercase());
    let setting = scope.setting(&format!("{prefix}_ENDPOINT"))?;
    let protocol = scope
        .setting(&format!("{prefix}_PROTOCOL"))
        .or_else(|| scope.setting("OTEL_EXPORTER_OTLP_PROTOCOL"))
        .map_or("", |protocol| protocol.text());
    let endpoint = telemetry::endpoint(setting.text())?;
    let http =
        protocol.starts_with("http/") || (protocol.is_empty() && endpoint.port == Some(4318));
    if !http || !matches!(endpoint.path, "" | "/") {
        return None;
    }
    let hit = Hit::new(
        setting.file,
        setting.value_at,
        format!("{} has no path", setting.name),
        format!("end it with `/v1/{signal}`"),
    );
    let end = setting.value_range.as_ref()?.end;
    Some(
        hit.mended_by(vec![Patch::replace(
            end - endpoint.path.len()..end,
            format!("/v1/{signal}"),
        )]),
    )
}
