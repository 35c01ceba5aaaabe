//! `name-contradicts`: two names for one service.

use super::telemetry::{self, NAME};
use crate::lint::{Hit, Inspection, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    code: "name-contradicts",
    severity: Severity::Warning,
    why: "OTEL_SERVICE_NAME wins, so the name in OTEL_RESOURCE_ATTRIBUTES is never seen",
    explanation: "The specification lets OTEL_SERVICE_NAME win over service.name in OTEL_RESOURCE_ATTRIBUTES. Where both are \
        set and differ, whoever looks for the second name finds nothing. Keep the name in OTEL_SERVICE_NAME and the \
        other attributes in OTEL_RESOURCE_ATTRIBUTES.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: backend-flask\n      OTEL_RESOURCE_ATTRIBUTES: service.version=1,service.name=backend # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: backend\n      OTEL_RESOURCE_ATTRIBUTES: service.name=backend,service.version=1\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<Hit> {
    let mut hits = Vec::new();
    for scope in inspection.scopes() {
        let (Some(name), Some((setting, attribute))) =
            (scope.setting(NAME), telemetry::attribute_name(&scope.assignments))
        else {
            continue;
        };
        let literal = |text: &str| !text.is_empty() && !text.contains('$');
        if literal(name.text()) && literal(attribute) && name.text() != attribute {
            hits.push(Hit::new(
                setting.file,
                setting.value_at,
                format!(
                    "service.name={attribute} here, OTEL_SERVICE_NAME={} beside it",
                    name.text()
                ),
                "drop service.name here, or make both the same",
            ));
        }
    }
    hits
}
