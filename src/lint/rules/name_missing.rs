//! `name-missing`: a traced service that says nobody's name.

use super::telemetry::{self, NAME};
use crate::lint::inspection::has_unread_settings;
use crate::lint::{Hit, Inspection, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    code: "name-missing",
    severity: Severity::Warning,
    why: "spans without a service name land in a dataset called unknown_service, mixed with everybody else's",
    explanation: "An OpenTelemetry SDK names a service by OTEL_SERVICE_NAME, or by service.name in \
        OTEL_RESOURCE_ATTRIBUTES. A service that has an endpoint or headers but no name sends its spans as \
        unknown_service. A service that reads variables from an env_file, or that sets its name in its own code, is not \
        looked into.",
    failing: &[(
        "compose.yaml",
        "services:\n  api: # <-\n    build: ./api\n    environment:\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    build: ./api\n    environment:\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n      OTEL_SERVICE_NAME: api\n  other:\n    build: ./other\n    env_file: other.env\n    environment:\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (model, service, scope) in inspection.service_scopes() {
        let settings = &scope.assignments;
        let is_traced = telemetry::is_traced(settings) && service.build.is_some();
        let name = scope.setting(NAME);
        let is_named = name.is_some_and(|name| name.value != Some(""))
            || telemetry::attribute_name(settings).is_some()
            || telemetry::misspelt(settings, NAME);
        if !is_traced || is_named || has_unread_settings(service) {
            continue;
        }
        let (file, at) = match name {
            Some(name) => (name.file, name.name_range.start),
            None => (model.file(&service.name_span), service.name_span.range.start),
        };
        hits.push(Hit::new(
            file,
            at,
            format!("{} is traced and has no name", service.name),
            format!(
                "add `OTEL_SERVICE_NAME: \"{}\"` to its environment, or run `cruddur-ops init`",
                service.name
            ),
        ));
    }
    hits
}
