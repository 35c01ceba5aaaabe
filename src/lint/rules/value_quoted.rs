//! `value-quoted`: a telemetry variable whose value includes its quotes.

use crate::edit::patch::TextPatch;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "value-quoted",
    severity: Severity::Error,
    why: "the quotes become part of the value, so the name, address or key is wrong",
    explanation: "In a list of `environment`, everything after `=` is the value: with `- OTEL_SERVICE_NAME=\"api\"` \
        the quotes are part of the name. Put quotes around the whole item, or none. In a mapping, only a second pair \
        of quotes has this effect.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      - OTEL_SERVICE_NAME=\"api\" # <-\n      - OTEL_EXPORTER_OTLP_ENDPOINT='https://api.honeycomb.io' # <-\n      - OTEL_EXPORTER_OTLP_HEADERS=\"x-honeycomb-team=${HONEYCOMB_API_KEY}\" # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      - \"OTEL_SERVICE_NAME=api\"\n      - OTEL_EXPORTER_OTLP_ENDPOINT=https://otel.example.com\n      - TITLE=\"Cruddur\"\n  web:\n    environment:\n      OTEL_SERVICE_NAME: \"web\"\n",
    )],
    check,
};

/// Returns whether a text is in straight quotes.
pub(super) fn is_quoted(text: &str) -> bool {
    let is_in = |quote| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
    is_in('"') || is_in('\'')
}

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for (_, _, scope) in inspection.service_scopes() {
        let is_judged =
            |name: &str| ["OTEL_", "HONEYCOMB_"].iter().any(|prefix| name.starts_with(prefix));
        for setting in scope.assignments.iter().filter(|assignment| is_judged(assignment.name)) {
            if !is_quoted(setting.text()) {
                continue;
            }
            let hit = RuleHit::new(
                setting.file,
                setting.value_at,
                format!("the quotes are part of the value of {}", setting.name),
                "remove them, or put the whole item in quotes",
            );
            hits.push(match &setting.value_range {
                None => hit,
                Some(bytes) => hit.fixed_by(vec![
                    TextPatch::replace(bytes.start..bytes.start + 1, ""),
                    TextPatch::replace(bytes.end - 1..bytes.end, ""),
                ]),
            });
        }
    }
    hits
}
