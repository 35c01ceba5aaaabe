//! `protocol-port`: a protocol with the port of the other.

use super::{endpoint_unreachable, telemetry};
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "protocol-port",
    severity: Severity::Warning,
    why: "an HTTP exporter on a gRPC port, or the reverse, retries for seconds and delivers nothing",
    explanation: "By convention a receiver listens for gRPC on 4317 and for HTTP on 4318. The protocol that \
        OTEL_EXPORTER_OTLP_PROTOCOL names and the port of the endpoint must belong together. A collector whose \
        configuration is here is not judged by its ports.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://collector:4317 # <-\n  b:\n    environment:\n      - OTEL_SERVICE_NAME=b\n      - OTEL_EXPORTER_OTLP_PROTOCOL=grpc\n      - OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_PROTOCOL: grpc\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://collector:4317\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for scope in inspection.scopes() {
        for signal in ["", "TRACES_", "METRICS_", "LOGS_"] {
            let named =
                |suffix: &str| scope.setting(&format!("OTEL_EXPORTER_OTLP_{signal}{suffix}"));
            let protocol =
                named("PROTOCOL").or_else(|| scope.setting("OTEL_EXPORTER_OTLP_PROTOCOL"));
            let (Some(setting), Some(protocol)) = (named("ENDPOINT"), protocol) else {
                continue;
            };
            let is_configured = |service| {
                endpoint_unreachable::is_configured(inspection, service, &setting.resolved())
            };
            if scope.service.is_some_and(is_configured) {
                continue;
            }
            let port = telemetry::endpoint(&setting.resolved()).and_then(|endpoint| endpoint.port);
            let right = match (&*protocol.resolved(), port) {
                ("grpc", Some(4318)) => "4317",
                ("http/protobuf" | "http/json", Some(4317)) => "4318",
                _ => continue,
            };
            hits.push(RuleHit::new(
                setting.file,
                setting.value_at,
                format!(
                    "the protocol is {}, and this is the port of the other",
                    protocol.resolved()
                ),
                format!("use port {right}, or change {}", protocol.name),
            ));
        }
    }
    hits
}
