//! `name-contradicts`: two names for one service.

use super::sdk::{TracedService, traced_services};
use super::telemetry::{self, NAME};
use crate::instrumentation::SpanSource;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "name-contradicts",
    severity: Severity::Warning,
    why: "one of the two names wins, and a search for the other finds nothing",
    explanation: "OTEL_SERVICE_NAME overrides service.name in OTEL_RESOURCE_ATTRIBUTES. If both are set and differ, \
        a search for the second name finds nothing. Keep the name in OTEL_SERVICE_NAME and the other attributes in \
        OTEL_RESOURCE_ATTRIBUTES. A name that the code passes to `Resource.create` overrides both.",
    failing: &[
        ("code/requirements.txt", "opentelemetry-sdk\nopentelemetry-exporter-otlp\n"),
        (
            "code/app.py",
            "from opentelemetry import trace\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.resources import Resource\nprovider = TracerProvider(resource=Resource.create({\"service.name\": \"backend\"}))\ntrace.set_tracer_provider(provider)\n",
        ),
        (
            "compose.yaml",
            "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: backend-flask\n      OTEL_RESOURCE_ATTRIBUTES: service.version=1,service.name=backend # <-\n  code:\n    build: ./code\n    environment:\n      OTEL_SERVICE_NAME: code # <-\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://otel.example.com\n",
        ),
    ],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: backend\n      OTEL_RESOURCE_ATTRIBUTES: service.name=backend,service.version=1\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for scope in inspection.scopes() {
        let (Some(name), Some((setting, attribute))) =
            (scope.setting(NAME), telemetry::attribute_name(&scope.assignments))
        else {
            continue;
        };
        let literal = |text: &str| !text.is_empty() && !text.contains('$');
        if literal(name.text()) && literal(attribute) && name.text() != attribute {
            hits.push(RuleHit::new(
                setting.file,
                setting.value_at,
                format!("service.name={attribute} here, but OTEL_SERVICE_NAME={}", name.text()),
                "remove service.name here, or make both the same",
            ));
        }
    }
    hits.extend(traced_services(inspection).filter_map(|traced| by_code(&traced)));
    hits
}

/// Reports a name set in code, because of which the SDK ignores the variable.
fn by_code(traced: &TracedService<'_>) -> Option<RuleHit> {
    let read = traced.instrumentation.filter(|read| read.source == SpanSource::Code)?;
    let in_code = read.code.service_name.as_ref()?;
    let setting = traced.scope.setting(NAME)?;
    let named = setting.text();
    let differs = !named.is_empty() && !named.contains('$') && named != in_code;
    differs.then(|| {
        RuleHit::new(
            setting.file,
            setting.value_at,
            format!("the code of {} names it {in_code}, and that name wins", traced.service.name),
            "remove the name from the code, or make both the same",
        )
    })
}
