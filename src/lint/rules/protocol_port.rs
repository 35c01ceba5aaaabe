//! `protocol-port`: a protocol with the port of the other.

use super::sdk::{TracedService, traced_services};
use super::{endpoint_unreachable, telemetry};
use crate::instrumentation::{
    ENDPOINT_VARIABLES, Language, OtlpProtocol, PROTOCOL_VARIABLES, SdkSetup,
};
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "protocol-port",
    severity: Severity::Warning,
    why: "an HTTP exporter on a gRPC port, or the reverse, retries for seconds and delivers nothing",
    explanation: "By convention a receiver listens for gRPC on 4317 and for HTTP on 4318. The protocol in OTEL_EXPORTER_OTLP_PROTOCOL and the endpoint's port must match. Without the variable, the agents for Java (since release 2), .NET and Node.js use HTTP, and `opentelemetry-instrument` uses gRPC. If the collector's configuration is in the project, it is checked instead of the port number.",
    failing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://collector:4317 # <-\n  b:\n    environment:\n      - OTEL_SERVICE_NAME=b\n      - OTEL_EXPORTER_OTLP_PROTOCOL=grpc\n      - OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 # <-\n  shop:\n    build: ./shop\n    environment:\n      OTEL_SERVICE_NAME: shop\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://collector:4317 # <-\n",
        ),
        (
            "shop/Dockerfile",
            "FROM eclipse-temurin:21\nADD https://github.com/open-telemetry/opentelemetry-java-instrumentation/releases/download/v2.1.0/opentelemetry-javaagent.jar /otel/opentelemetry-javaagent.jar\nCOPY shop.jar /\nCMD [\"java\", \"-javaagent:/otel/opentelemetry-javaagent.jar\", \"-jar\", \"/shop.jar\"]\n",
        ),
        ("shop/pom.xml", "<project/>\n"),
    ],
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
                    "the protocol is {}, but this is the port of the other",
                    protocol.resolved()
                ),
                format!("use port {right}, or change {}", protocol.name),
            ));
        }
    }
    hits.extend(traced_services(inspection).filter_map(|traced| find_default(inspection, &traced)));
    hits
}

/// Reports an endpoint on the other protocol's port, for an SDK whose protocol no variable sets.
fn find_default(inspection: &Inspection, traced: &TracedService<'_>) -> Option<RuleHit> {
    let read = traced.instrumentation.filter(|read| read.setup != SdkSetup::Unknown)?;
    let is_in_python =
        read.language == Some(Language::Python) && matches!(read.setup, SdkSetup::Code { .. });
    let setting = traced.winner(ENDPOINT_VARIABLES)?;
    let endpoint = setting.resolved();
    // Python's exporters are judged where they are imported.
    if is_in_python
        || traced.winner(PROTOCOL_VARIABLES).is_some()
        || endpoint_unreachable::is_configured(inspection, traced.service, &endpoint)
    {
        return None;
    }
    let protocol = traced.settings.otlp()?.protocol;
    let is_grpc = protocol == OtlpProtocol::Grpc;
    let right = match telemetry::endpoint(&endpoint)?.port? {
        4318 if is_grpc => "grpc on port 4317",
        4317 if !is_grpc => "http/protobuf on port 4318",
        _ => return None,
    };
    let other = if is_grpc { "http/protobuf" } else { "grpc" };
    let message = format!(
        "{} sends {} unless told otherwise, and this is the port of the other",
        traced.service.name,
        protocol.as_str()
    );
    let advice = format!("send {right}, or set {} to {other}", PROTOCOL_VARIABLES[1]);
    Some(RuleHit::new(setting.file, setting.value_at, message, advice))
}
