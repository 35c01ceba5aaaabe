//! `name-missing`: a traced service without a name.

use super::sdk::{TracedService, traced_services};
use super::telemetry::{self, NAME};
use crate::compose::{ComposeModel, ServiceModel};
use crate::instrumentation::SdkProblemKind;
use crate::lint::inspection::has_unread_settings;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "name-missing",
    severity: Severity::Warning,
    why: "spans without a service name land in a dataset called unknown_service, mixed with those of every other unnamed service",
    explanation: "An OpenTelemetry SDK takes a service's name from OTEL_SERVICE_NAME, or from service.name in \
        OTEL_RESOURCE_ATTRIBUTES. A service that has an endpoint or headers but no name sends its spans as \
        unknown_service. A name in the code, in the image or in the start command counts. A service with an env_file \
        or a base that was not read is not reported.",
    failing: &[(
        "compose.yaml",
        "services:\n  api: # <-\n    build: ./api\n    environment:\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n",
    )],
    passing: &[
        (
            "image/Dockerfile",
            "FROM python\nENV OTEL_SERVICE_NAME=image\nCOPY . .\nCMD [\"flask\", \"run\"]\n",
        ),
        (
            "start/Dockerfile",
            "FROM python\nCOPY . .\nCMD [\"opentelemetry-instrument\", \"--service_name\", \"start\", \"flask\", \"run\"]\n",
        ),
        (
            "compose.yaml",
            "services:\n  api:\n    build: ./api\n    environment:\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://otel.example.com\n      OTEL_SERVICE_NAME: api\n  image:\n    build: ./image\n    environment:\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://otel.example.com\n  start:\n    build: ./start\n    environment:\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://otel.example.com\n  other:\n    build: ./other\n    env_file: other.env\n    environment:\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://otel.example.com\n",
        ),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for traced in traced_services(inspection) {
        let TracedService { model, service, scope, settings: sdk, .. } = &traced;
        let settings = &scope.assignments;
        let name = scope.setting(NAME);
        let is_named = name.is_some_and(|name| name.value != Some(""))
            || !sdk.problems.iter().any(|problem| problem.kind == SdkProblemKind::NameMissing)
            || telemetry::attribute_name(settings).is_some()
            || telemetry::has_misspelt_name(settings, NAME)
            || is_refused(model, service);
        if service.build.is_none() || is_named || has_unread_settings(service) {
            continue;
        }
        let (file, at) = match name {
            Some(name) => (name.file, name.name_range.start),
            None => (model.file(&service.name_span), service.name_span.range.start),
        };
        hits.push(RuleHit::new(
            file,
            at,
            format!("{} is traced but has no name", service.name),
            format!(
                "add `OTEL_SERVICE_NAME: \"{}\"` to its environment, or run `cruddur-ops init`",
                service.name
            ),
        ));
    }
    hits
}

/// Returns whether docker compose refuses the line that sets the name: `- OTEL_SERVICE_NAME: api`.
fn is_refused(model: &ComposeModel, service: &ServiceModel) -> bool {
    model.lasting_refusals().any(|warning| {
        let (file, at) = (warning.span.file, warning.span.range.start);
        let mut definitions = service.defined_in.iter();
        let text = &model.file_of(file).text;
        definitions.any(|span| span.file == file && span.range.contains(&at))
            && text.get(at..).is_some_and(|rest| rest.starts_with(NAME))
    })
}
