//! `curly-quotes`: typographic quotes, which programs treat as letters.

use crate::edit::patch::TextPatch;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "curly-quotes",
    severity: Severity::Error,
    why: "curly quotes quote nothing: they become part of the value, and a key with them is refused",
    explanation: "Copied from a document or a chat, straight quotes turn into “ ” or ‘ ’. YAML and the shell read \
        those as part of the value.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: “api” # <-\n      OTEL_EXPORTER_OTLP_HEADERS: \"x-honeycomb-team=“${HONEYCOMB_API_KEY}”\" # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: \"api\"\n      TITLE: “Cruddur” says hello\n      AUTHOR: O’Neill\n",
    )],
    check,
};

/// Returns whether a character is a typographic quote.
pub(super) fn is_curly(character: char) -> bool {
    matches!(character, '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2018}' | '\u{2019}' | '\u{201a}')
}

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for scope in inspection.scopes() {
        for setting in &scope.assignments {
            let value = setting.text();
            let telemetry = ["OTEL_", "HONEYCOMB_", "AWS_", "ROLLBAR_"]
                .iter()
                .any(|family| setting.name.starts_with(family));
            let wrapped = value.starts_with(is_curly) && value.ends_with(is_curly);
            if !(wrapped || (telemetry && value.contains(is_curly))) {
                continue;
            }
            let hit = RuleHit::new(
                setting.file,
                setting.value_at,
                format!("the value of {} has curly quotes in it", setting.name),
                "remove them, or use straight quotes",
            );
            hits.push(match &setting.value_range {
                None => hit,
                Some(bytes) => hit.fixed_by(
                    value
                        .char_indices()
                        .filter(|(_, character)| is_curly(*character))
                        .map(|(at, character)| {
                            let start = bytes.start + at;
                            TextPatch::replace(start..start + character.len_utf8(), "")
                        })
                        .collect(),
                ),
            });
        }
    }
    hits
}
