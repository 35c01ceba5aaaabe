//! `name-from-variable`: a name from a variable that all services share.

use super::telemetry::NAME;
use crate::compose::sole_reference;
use crate::edit::patch::TextPatch;
use crate::lint::scope::VariableAssignment;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "name-from-variable",
    severity: Severity::Warning,
    why: "a name held in the workspace's environment is the same for every service that reads it, and empty in a new shell",
    explanation: "A service's name belongs to the service. Taken from a variable of the dev environment \
        (`${HONEYCOMB_SERVICE_NAME}`, `${OTEL_SERVICE_NAME}`), it is shared by every service that does the same, and \
        in a shell that does not set it the service has no name. A variable that only one service uses is not \
        reported.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    build: .\n    environment:\n      OTEL_SERVICE_NAME: \"${HONEYCOMB_SERVICE_NAME}\" # <-\n  worker:\n    build: ./worker\n    environment:\n      - OTEL_SERVICE_NAME # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    build: .\n    environment:\n      OTEL_SERVICE_NAME: api\n  worker:\n    build: ./worker\n    environment:\n      OTEL_SERVICE_NAME: ${WORKER_NAME}\n",
    )],
    check,
};

const SHARED: [&str; 4] =
    ["HONEYCOMB_SERVICE_NAME", "OTEL_SERVICE_NAME", "SERVICE_NAME", "OTEL_SERVICE"];

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let variable = |name: &VariableAssignment<'_>| match name.value {
        None => Some(NAME.to_owned()),
        Some(value) => sole_reference(value)
            .filter(|reference| !reference.rest.contains('-'))
            .map(|reference| reference.name.to_owned()),
    };
    let scopes: Vec<_> = inspection.service_scopes().collect();
    let taken: Vec<String> =
        scopes.iter().filter_map(|(_, _, scope)| variable(scope.setting(NAME)?)).collect();
    let mut hits = Vec::new();
    for (_, service, scope) in &scopes {
        let Some(name) = scope.setting(NAME) else {
            continue;
        };
        let Some(variable) = variable(name) else {
            continue;
        };
        let users = taken.iter().filter(|other| **other == variable).count();
        if !SHARED.contains(&variable.as_str()) && users < 2 {
            continue;
        }
        let hit = RuleHit::new(
            name.file,
            name.value_at,
            format!("the name of {} comes from the variable {variable}", service.name),
            format!("write the name itself: `OTEL_SERVICE_NAME: \"{}\"`", service.name),
        );
        hits.push(match &name.value_range {
            Some(range) => {
                hit.fixed_by(vec![TextPatch::replace(range.clone(), service.name.as_str())])
            }
            None => hit,
        });
    }
    hits
}
