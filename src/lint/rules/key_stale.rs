//! `key-stale`: the shell has an older value than the store, or none.

use crate::lint::{Inspection, LintRule, RuleHit, Severity, ShellVariableStatus};

pub(super) static RULE: LintRule = LintRule {
    code: "key-stale",
    severity: Severity::Warning,
    why: "docker compose takes the shell's value before any file's, so the new key is not used",
    explanation: "A value set by `gp env`, or written to .env, reaches the next workspace or loses against the shell: a terminal \
        that was open before keeps the old one, and what is started from it sends the old key. \
        `cruddur-ops run -- docker compose up` starts a command with the stored keys whatever the shell holds.",
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
                    "this terminal was opened before {name} was stored: docker compose would put nothing in its place"
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
