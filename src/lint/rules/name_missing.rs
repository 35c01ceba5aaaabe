//! `name-missing`: a traced service that says nobody's name.

use super::telemetry::{self, NAME};
use crate::lint::{Hit, Rule, Severity, Subject};

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

fn check(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (file, service) in subject.services() {
        let traced = telemetry::is_traced(&service.environment) && service.build.is_some();
        let named = service.setting(NAME).is_some_and(|name| name.value.as_deref() != Some(""))
            || telemetry::attribute_name(&service.environment).is_some()
            || telemetry::misspelt(&service.environment, NAME);
        if traced && !named && !service.has_unseen_settings() {
            let at = service.setting(NAME).map_or(service.at, |name| name.name_range.start);
            hits.push(Hit::new(
                &file.file.path,
                at,
                format!("{} is traced and has no name", service.name),
                format!(
                    "add `OTEL_SERVICE_NAME: \"{}\"` to its environment, or run `cruddur-ops init`",
                    service.name
                ),
            ));
        }
    }
    hits
}
