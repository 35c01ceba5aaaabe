//! `key-unset`: a key variable without a value.

use super::telemetry;
use crate::lint::scope::ProgramVariables;
use crate::lint::{Inspection, LintRule, RuleHit, Severity, ShellVariableStatus};

pub(super) static RULE: LintRule = LintRule {
    code: "key-unset",
    severity: Severity::Error,
    why: "an empty key is sent as no key: the provider answers 401 and every span is lost",
    explanation: "A header with nothing after its `=`, or an empty key variable, looks configured and is not. docker \
        compose uses an empty variable as it is, and an empty HONEYCOMB_API_KEY in the shell overrides .env.",
    failing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team= # <-\n  b:\n    environment:\n      - ROLLBAR_ACCESS_TOKEN= # <-\n      - MY=${HONEYCOMB_API_KEY} # <-\n",
        ),
        ("(shell)", "HONEYCOMB_API_KEY empty\n"),
    ],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY}\n      ROLLBAR_ACCESS_TOKEN: ${ROLLBAR_ACCESS_TOKEN}\n",
    )],
    check,
};

const KEYS: [&str; 3] = ["HONEYCOMB_API_KEY", "ROLLBAR_ACCESS_TOKEN", "AWS_SECRET_ACCESS_KEY"];

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for scope in inspection.scopes() {
        for setting in &scope.assignments {
            let empty_header = telemetry::is_headers(setting.name)
                && telemetry::key_of(setting.text())
                    .is_some_and(|key| matches!(key, "" | "\"\"" | "''"));
            let empty_key = KEYS.contains(&setting.name) && setting.value == Some("");
            if empty_header || (empty_key && !is_filled_elsewhere(inspection, &scope, setting.name))
            {
                hits.push(RuleHit::new(
                    setting.file,
                    setting.name_range.start,
                    format!("{} holds no key", setting.name),
                    "store the key with `cruddur-ops key set` and refer to it: `${HONEYCOMB_API_KEY}`",
                ));
            }
        }
    }
    hits.extend(super::outside::uses(inspection, |name, standpoint| match standpoint {
        ShellVariableStatus::Empty => Some((
            format!("{name} is empty in this shell, and the shell overrides every file"),
            if inspection.outside.as_ref().is_some_and(|outside| outside.stored.contains_key(name))
            {
                "`cruddur-ops run -- docker compose up --build` uses what is stored; in Gitpod \
                         `eval \"$(gp env -e)\"` loads it into this shell"
                    .to_owned()
            } else {
                format!("`unset {name}`, and `cruddur-ops key set` stores it")
            },
        )),
        ShellVariableStatus::WrongKey => Some((
            format!("{name} in this shell is a key's ID, or a key that cannot send telemetry"),
            format!("`unset {name}`, and store the key itself with `cruddur-ops key set`"),
        )),
        ShellVariableStatus::Set | ShellVariableStatus::Stale | ShellVariableStatus::NotLoaded => {
            None
        }
    }));
    hits
}

/// Returns whether the shell or a store has the value, so that an empty line in `.env` is harmless.
fn is_filled_elsewhere(inspection: &Inspection, scope: &ProgramVariables<'_>, name: &str) -> bool {
    let outside = inspection.outside.as_ref();
    scope.service.is_none()
        && outside.is_some_and(|outside| {
            outside.stored.contains_key(name)
                || matches!(
                    outside.shell.get(name),
                    Some(ShellVariableStatus::Set | ShellVariableStatus::Stale)
                )
        })
}
