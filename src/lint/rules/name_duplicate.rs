//! `name-duplicate`: two services with the same name.

use std::collections::HashMap;

use super::telemetry::NAME;
use crate::compose::{ServiceModel, ServiceRole};
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "name-duplicate",
    severity: Severity::Warning,
    why: "two programs with one name share a dataset, so you cannot tell which of them was slow",
    explanation: "OTEL_SERVICE_NAME tells one program from another; only replicas of one program share it. Two \
        services that are built from different folders, or run different images, each need their own name. Usually \
        one service's block was copied to the next.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    build: ./api\n    environment:\n      OTEL_SERVICE_NAME: api\n  worker:\n    build: ./worker\n    environment:\n      - OTEL_SERVICE_NAME=api # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    build: ./api\n    environment:\n      OTEL_SERVICE_NAME: api\n  api-2:\n    build: ./api\n    environment:\n      OTEL_SERVICE_NAME: api\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    let mut earlier: HashMap<String, Vec<&ServiceModel>> = HashMap::new();
    for (_, service, scope) in inspection.service_scopes() {
        let Some(setting) = scope.setting(NAME) else {
            continue;
        };
        // What runs tests or ends sends no traces of its own.
        if inspection.role(service) == Some(ServiceRole::Task) {
            continue;
        }
        let name = setting.resolved();
        // Another rule reports a name that comes from a variable.
        if !is_literal(&name) || !is_literal(setting.text()) {
            continue;
        }
        let same = earlier.entry(name.to_string()).or_default();
        let other =
            same.iter().find(|other| other.build != service.build || other.image != service.image);
        if let Some(other) = other {
            hits.push(RuleHit::new(
                setting.file,
                setting.value_at,
                format!("{} and {} are both called {name}", other.name, service.name),
                format!("name it after the service: `OTEL_SERVICE_NAME: \"{}\"`", service.name),
            ));
        }
        same.push(service);
    }
    hits
}

fn is_literal(name: &str) -> bool {
    !name.is_empty() && !name.contains('$')
}
