//! `secret-in-build-arg`: a key passed as a build argument.

use super::secret_literal::names_a_key;
use crate::compose::find_references;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "secret-in-build-arg",
    severity: Severity::Error,
    why: "build arguments stay in the image's history, where `docker history` shows them to anyone who has the image",
    explanation: "`build.args` are recorded in the image. A key that the program needs belongs in `environment`; one \
        that only the build needs, in a build secret (`RUN --mount=type=secret`).",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    build:\n      context: .\n      args:\n        HONEYCOMB_API_KEY: ${HONEYCOMB_API_KEY} # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    build:\n      context: .\n      args:\n        - AWS_ACCOUNT_ID=${AWS_ACCOUNT_ID}\n    environment:\n      HONEYCOMB_API_KEY: ${HONEYCOMB_API_KEY}\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for (_, service, scope) in inspection.service_scopes() {
        for setting in &scope.build_args {
            let key = find_references(setting.text())
                .into_iter()
                .map(|reference| reference.name)
                .chain([setting.name])
                .find(|name| names_a_key(name));
            if let Some(key) = key.filter(|_| setting.value != Some("")) {
                hits.push(RuleHit::new(
                    setting.file,
                    setting.name_range.start,
                    format!("{key} is a build argument of {}", service.name),
                    "move it to `environment`, or make it a build secret",
                ));
            }
        }
    }
    hits
}
