//! `header-colon`: a header in HTTP syntax, where OpenTelemetry expects `name=value`.

use super::telemetry;
use crate::edit::patch::TextPatch;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "header-colon",
    severity: Severity::Error,
    why: "the exporter drops the pair as malformed, so the request carries no key and is refused",
    explanation: "OTEL_EXPORTER_OTLP_HEADERS is a list of `name=value` pairs with commas between them, not the `name: value` \
        of HTTP. SDKs drop a pair without `=` with at most one line in a log, and the provider answers 401.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_EXPORTER_OTLP_HEADERS: \"x-honeycomb-team: ${HONEYCOMB_API_KEY}\" # <-\n      OTEL_SERVICE_NAME: api\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_EXPORTER_OTLP_HEADERS: \"x-honeycomb-team=${HONEYCOMB_API_KEY},a=b:c\"\n      OTEL_SERVICE_NAME: api\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for scope in inspection.scopes() {
        for setting in
            scope.assignments.iter().filter(|assignment| telemetry::is_headers(assignment.name))
        {
            for (at, pair) in telemetry::split_header_pairs(setting.text()) {
                let Some((name, colon)) = find_misplaced_colon(pair) else {
                    continue;
                };
                let hit = RuleHit::new(
                    setting.file,
                    setting.value_at,
                    format!("`{name}` is followed by `:`"),
                    format!("write `{name}=`"),
                );
                hits.push(match &setting.value_range {
                    None => hit,
                    Some(bytes) => {
                        let blanks = pair[colon + 1..].len() - pair[colon + 1..].trim_start().len();
                        let lead = pair.len() - pair.trim_start().len();
                        let start = bytes.start + at;
                        let range = start + lead..start + colon + 1 + blanks;
                        hit.fixed_by(vec![TextPatch::replace(range, format!("{name}="))])
                    }
                });
            }
        }
    }
    hits
}

/// Returns the position of a colon used as an equals sign, after a header name and before any `=`, and that name,
/// without quotes.
fn find_misplaced_colon(pair: &str) -> Option<(&str, usize)> {
    let colon = pair.find(':')?;
    let name = pair[..colon].trim().trim_matches(['"', '\'']);
    let is_name =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    (is_name && !pair[colon..].starts_with("://")).then_some((name, colon))
}
