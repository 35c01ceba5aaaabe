//! `provider-mismatch`: exports that the provider does not accept.

use super::sdk::{TracedService, traced_services};
use super::{telemetry, value_quoted};
use crate::compose::find_references;
use crate::instrumentation::{
    ENDPOINT_VARIABLES, HEADERS_VARIABLES, ProviderMismatch, SdkProblemKind, SpanSource,
    compare_with_provider,
};
use crate::lint::inspection::has_unread_settings;
use crate::lint::{Inspection, LintRule, RuleHit, Severity, ShellVariableStatus};

pub(super) static RULE: LintRule = LintRule {
    code: "provider-mismatch",
    severity: Severity::Error,
    why: "the provider answers each request with an error, and no span is stored",
    explanation: "The endpoint decides which headers are needed: api.honeycomb.io reads the key from \
        `x-honeycomb-team` alone. ui.honeycomb.io serves web pages and accepts no telemetry. A Classic key needs \
        x-honeycomb-dataset too. `init` and `verify` make the same checks.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-teams=${HONEYCOMB_API_KEY} # <-\n  web:\n    environment:\n      OTEL_SERVICE_NAME: web\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://ui.honeycomb.io # <-\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY}\n  job:\n    environment:\n      OTEL_SERVICE_NAME: job\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.eu1.honeycomb.io # <-\n  dd:\n    environment:\n      OTEL_SERVICE_NAME: dd\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team= # <-\n",
    )],
    passing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n      OTEL_EXPORTER_OTLP_HEADERS: X-Honeycomb-Team=${HONEYCOMB_API_KEY}\n  own:\n    environment:\n      OTEL_SERVICE_NAME: own\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://collector:4318\n  all:\n    environment:\n      OTEL_SERVICE_NAME: all\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n      OTEL_EXPORTER_OTLP_HEADERS: ${HEADERS}\n  code:\n    build: ./code\n    environment:\n      OTEL_SERVICE_NAME: code\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n",
        ),
        ("code/requirements.txt", "opentelemetry-sdk\nopentelemetry-exporter-otlp-proto-http\n"),
        (
            "code/app.py",
            "import os\nfrom opentelemetry import trace\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\nprovider = TracerProvider()\nprovider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(headers={'x-honeycomb-team': os.environ['KEY']})))\ntrace.set_tracer_provider(provider)\n",
        ),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    traced_services(inspection)
        .flat_map(|traced| find_provider_mismatches(inspection, &traced))
        .collect()
}

fn find_provider_mismatches(inspection: &Inspection, traced: &TracedService<'_>) -> Vec<RuleHit> {
    let Some(otlp) = traced.settings.otlp() else { return Vec::new() };
    let Some(url) = &otlp.url else { return Vec::new() };
    let found = compare_with_provider(url, &otlp.headers).into_iter();
    let hits = found.filter_map(|found| {
        let variable = match &found {
            ProviderMismatch::WebPages { .. } => ENDPOINT_VARIABLES[1],
            ProviderMismatch::HeaderMissing { name } => {
                return missing_header(inspection, traced, name, &found);
            }
            // An empty variable does not mean that the header is empty in the file.
            ProviderMismatch::HeaderEmpty { .. }
                if traced
                    .winner(HEADERS_VARIABLES)
                    .is_some_and(|setting| setting.text().contains('$')) =>
            {
                return None;
            }
            // `key-unset` covers the shell's key.
            ProviderMismatch::WrongKey { .. } if is_from_shell(inspection, traced) => return None,
            ProviderMismatch::HeaderMisspelt { .. }
            | ProviderMismatch::HeaderEmpty { .. }
            | ProviderMismatch::WrongKey { .. }
            | ProviderMismatch::DatasetMissing => HEADERS_VARIABLES[1],
            // Other rules report these.
            ProviderMismatch::Unencrypted
            | ProviderMismatch::NameAsKey { .. }
            | ProviderMismatch::OtherHeaderEmpty { .. } => return None,
        };
        Some(provider_mismatch_hit(traced, variable, &found))
    });
    hits.collect()
}

/// Returns whether the headers refer to a shell variable that contains the wrong kind of key.
fn is_from_shell(inspection: &Inspection, traced: &TracedService<'_>) -> bool {
    let Some(outside) = &inspection.outside else { return false };
    let headers = traced.winner(HEADERS_VARIABLES).map_or("", |setting| setting.text());
    find_references(headers)
        .iter()
        .any(|reference| outside.shell.get(reference.name) == Some(&ShellVariableStatus::WrongKey))
}

fn provider_mismatch_hit(
    traced: &TracedService<'_>,
    variable: &str,
    found: &ProviderMismatch,
) -> RuleHit {
    let names =
        if variable == ENDPOINT_VARIABLES[1] { ENDPOINT_VARIABLES } else { HEADERS_VARIABLES };
    let (file, at) = match traced.winner(names) {
        Some(setting) => (setting.file, setting.value_at),
        None => traced.place(variable),
    };
    RuleHit::new(file, at, found.words(), found.hint())
}

/// Reports a missing key header, unless there is another cause or code adds it.
fn missing_header(
    inspection: &Inspection,
    traced: &TracedService<'_>,
    name: &str,
    found: &ProviderMismatch,
) -> Option<RuleHit> {
    let settings = &traced.scope.assignments;
    let is_dropped = |problem: &SdkProblemKind| {
        matches!(problem, SdkProblemKind::HeaderDropped | SdkProblemKind::HeaderUnsendable)
    };
    let has_other_cause = traced.settings.problems.iter().any(|problem| is_dropped(&problem.kind))
        || telemetry::has_misspelt_name(settings, HEADERS_VARIABLES[1])
        || traced
            .winner(HEADERS_VARIABLES)
            .is_some_and(|assignment| value_quoted::is_quoted(assignment.text()))
        || has_unread_settings(traced.service);
    let header = name.to_ascii_lowercase();
    let mut modules = inspection.python_of(traced.service);
    let in_code = modules.any(|module| module.file.text.to_ascii_lowercase().contains(&header));
    if has_other_cause || in_code {
        return None;
    }
    let hit = provider_mismatch_hit(traced, HEADERS_VARIABLES[1], found);
    match traced.instrumentation.map(|read| &read.source) {
        Some(SpanSource::Nothing | SpanSource::Vendor(_)) => None,
        Some(SpanSource::Agent) => Some(hit),
        Some(SpanSource::Code) if inspection.python_of(traced.service).next().is_some() => {
            Some(hit)
        }
        // Code that was not read may add it.
        _ if traced.service.build.is_some() => Some(hit.as_severe_as(Severity::Warning)),
        _ => Some(hit),
    }
}
