//! `key-stale`: the shell has an older value than the store, or none.

use crate::lint::{Inspection, LintRule, RuleHit, Severity, ShellVariableStatus};

pub(super) static RULE: LintRule = LintRule {
    code: "key-stale",
    severity: Severity::Warning,
    why: "docker compose prefers the shell's value to any file's, so the new key is not used",
    explanation: "A terminal that was opened before `gp env` stored a new key keeps the old one, and so does \
        everything started from it. A key in .env is not used while the shell has another. `cruddur-ops run -- \
        docker compose up` starts a command with the stored keys, whatever the shell holds.",
    failing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY} # <-\n",
        ),
        ("(shell)", "HONEYCOMB_API_KEY stale\n"),
    ],
    passing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY}\n",
        ),
        ("(shell)", "HONEYCOMB_API_KEY set\n"),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    super::outside::uses(inspection, |name, standpoint| {
        let (message, load) = match standpoint {
            ShellVariableStatus::Stale => {
                (format!("this shell holds another {name} than the store"), "open a new terminal")
            }
            ShellVariableStatus::NotLoaded => (
                format!(
                    "this terminal was opened before {name} was stored: docker compose would use an empty value"
                ),
                "load it with `eval \"$(gp env -e)\"`",
            ),
            ShellVariableStatus::Set
            | ShellVariableStatus::Empty
            | ShellVariableStatus::WrongKey => return None,
        };
        Some((
            message,
            format!("start it with `cruddur-ops run -- docker compose up --build`, or {load}"),
        ))
    })
}
