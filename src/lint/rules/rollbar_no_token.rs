//! `rollbar-no-token`: a program that reports to Rollbar without a token.

use crate::compose::ServiceModel;
use crate::lint::inspection::has_unread_settings;
use crate::lint::{Inspection, LintRule, PythonFile, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "rollbar-no-token",
    severity: Severity::Warning,
    why: "without a token Rollbar silently drops every report",
    explanation: "requirements.txt names rollbar, and the service that is built from that folder has no \
        ROLLBAR_ACCESS_TOKEN in its environment, nor an env_file it could come from. Code that passes Rollbar \
        another value is not reported. If Rollbar is no longer used, remove the package.",
    failing: &[
        (
            "compose.yaml",
            "services:\n  api: # <-\n    build: ./api\n    environment:\n      A: b\n",
        ),
        ("api/requirements.txt", "flask\nrollbar\n"),
    ],
    passing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    build: ./api\n    environment:\n      ROLLBAR_ACCESS_TOKEN: ${ROLLBAR_ACCESS_TOKEN}\n  web:\n    build: ./web\n",
        ),
        ("api/requirements.txt", "flask\nrollbar\n"),
    ],
    check,
};

const TOKEN: &str = "ROLLBAR_ACCESS_TOKEN";

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let is_supplied = inspection.every_service_scope().any(|scope| {
        scope.setting(TOKEN).is_some()
            || super::telemetry::has_misspelt_name(&scope.assignments, TOKEN)
    });
    let Some(model) = inspection.model.as_ref().filter(|_| !is_supplied) else {
        return Vec::new();
    };
    let services = model.services.iter().filter(|service| {
        let uses = inspection.requirements_of(service).any(|file| file.read.has("rollbar"));
        uses && !has_unread_settings(service) && !takes_token_elsewhere(inspection, service)
    });
    services
        .map(|service| {
            RuleHit::new(
                model.file(&service.name_span),
                service.name_span.range.start,
                format!("{} uses rollbar and has no {TOKEN}", service.name),
                format!("add `{TOKEN}: \"${{{TOKEN}}}\"` to its environment"),
            )
        })
        .collect()
}

/// Returns whether the code calls `rollbar.init` without reading the variable.
fn takes_token_elsewhere(inspection: &Inspection, service: &ServiceModel) -> bool {
    let modules = || inspection.python_of(service);
    let starts = |module: &PythonFile| {
        module.module.calls.iter().any(|call| call.path.as_deref() == Some("rollbar.init"))
    };
    modules().any(starts) && !modules().any(|module| module.quotes(TOKEN))
}
