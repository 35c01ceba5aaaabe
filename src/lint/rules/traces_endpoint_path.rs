//! `traces-endpoint-path`: the endpoint of one signal without that signal's path.

use super::sdk::{TracedService, traced_services};
use super::telemetry;
use crate::edit::patch::TextPatch;
use crate::instrumentation::{EndpointSource, SdkProblemKind};
use crate::lint::scope::ProgramVariables;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "traces-endpoint-path",
    severity: Severity::Error,
    why: "the endpoint of a single signal is used unchanged, so spans are posted to / and get a 404",
    explanation: "Over HTTP, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must be the whole address, /v1/traces included; \
        nothing is appended to it. Over gRPC there is no path, so an endpoint on port 4317, or one whose protocol is \
        grpc, is right as it is. An endpoint that code passes to `OTLPSpanExporter` is used unchanged too, wherever \
        it comes from.",
    failing: &[
        ("code/requirements.txt", "opentelemetry-sdk\nopentelemetry-exporter-otlp\n"),
        (
            "code/app.py",
            "import os\nfrom opentelemetry import trace\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\nprovider = TracerProvider()\nexporter = OTLPSpanExporter(endpoint=os.getenv('OTEL_EXPORTER_OTLP_ENDPOINT')) # <-\nprovider.add_span_processor(BatchSpanProcessor(exporter))\ntrace.set_tracer_provider(provider)\n",
        ),
        (
            "compose.yaml",
            "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://collector:4318 # <-\n      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: http://collector:4318/ # <-\n  code:\n    build: ./code\n    environment:\n      OTEL_SERVICE_NAME: code\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://collector:4318\n",
        ),
    ],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://collector:4318/v1/traces\n  b:\n    environment:\n      OTEL_SERVICE_NAME: b\n      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://collector:4317\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    inspection
        .scopes()
        .iter()
        .flat_map(|scope| {
            ["traces", "metrics", "logs"]
                .into_iter()
                .filter_map(|signal| find_missing_path(scope, signal))
        })
        .chain(traced_services(inspection).filter_map(|traced| in_code(inspection, &traced)))
        .collect()
}

/// Reports `OTLPSpanExporter(endpoint=os.getenv("OTEL_EXPORTER_OTLP_ENDPOINT"))`: an endpoint passed in code is used
/// unchanged.
fn in_code(inspection: &Inspection, traced: &TracedService<'_>) -> Option<RuleHit> {
    let missing = SdkProblemKind::EndpointPathMissing;
    let source = traced.settings.otlp()?.source;
    let is_missing = traced.settings.problems.iter().any(|problem| problem.kind == missing);
    let exporter = traced.instrumentation?.code.exporter.as_ref()?;
    let (path, line) = exporter.place.as_ref()?;
    let module = inspection.python.iter().find(|module| module.file.path == *path)?;
    (source == EndpointSource::Code && is_missing).then(|| {
        RuleHit::new(
            &module.file,
            module.offset(*line),
            format!(
                "the endpoint that {} passes here is used unchanged, without /v1/traces",
                traced.service.name
            ),
            "remove `endpoint=`: the exporter reads the variable itself, and appends the path",
        )
    })
}

fn find_missing_path(scope: &ProgramVariables<'_>, signal: &str) -> Option<RuleHit> {
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
    let hit = RuleHit::new(
        setting.file,
        setting.value_at,
        format!("{} has no path", setting.name),
        format!("append `/v1/{signal}`"),
    );
    let end = setting.value_range.as_ref()?.end;
    Some(hit.fixed_by(vec![TextPatch::replace(
        end - endpoint.path.len()..end,
        format!("/v1/{signal}"),
    )]))
}
