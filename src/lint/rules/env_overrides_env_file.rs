//! `env-overrides-env-file`: a variable with two different values.

use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "env-overrides-env-file",
    severity: Severity::Warning,
    why: "`environment` wins over `env_file`, even with an empty value, so the line in the file does nothing",
    explanation: "A telemetry variable is set in a service's `environment` and, with another value, in a file of its \
        `env_file`. The value in `environment` is used, so editing the file changes nothing.",
    failing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    env_file: api.env\n    environment:\n      OTEL_SERVICE_NAME: api # <-\n",
        ),
        ("api.env", "OTEL_SERVICE_NAME=backend\n"),
    ],
    passing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    env_file: [./api.env]\n    environment:\n      OTEL_SERVICE_NAME: api\n",
        ),
        ("api.env", "OTEL_SERVICE_NAME='api'\nPORT=1\n"),
    ],
    check,
};

const PREFIXES: [&str; 4] = ["OTEL_", "HONEYCOMB_", "AWS_XRAY_", "ROLLBAR_"];

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for (_, service, scope) in inspection.service_scopes() {
        let from_files =
            |path: &std::path::Path| service.env_files.iter().any(|env_file| env_file.path == path);
        for (at, setting) in scope.assignments.iter().enumerate() {
            let is_judged = PREFIXES.iter().any(|family| setting.name.starts_with(family));
            if !is_judged || setting.value.is_none() || from_files(&setting.file.path) {
                continue;
            }
            let mut below =
                scope.assignments[..at].iter().rev().filter(|other| from_files(&other.file.path));
            let other = below.find(|other| other.name == setting.name);
            if let Some(other) = other.filter(|other| other.resolved() != setting.resolved()) {
                let loser = inspection.shown(&other.file.path).display();
                hits.push(RuleHit::new(
                    setting.file,
                    setting.name_range.start,
                    format!("{} has another value in {loser}, which is ignored", setting.name),
                    "keep it in one place",
                ));
            }
        }
    }
    hits
}
