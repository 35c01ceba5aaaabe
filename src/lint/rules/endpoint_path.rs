//! `endpoint-path`: a signal's path in the endpoint for all signals.

use crate::edit::patch::TextPatch;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "endpoint-path",
    severity: Severity::Error,
    why: "the SDK appends /v1/traces, so the request goes to /v1/traces/v1/traces and gets a 404",
    explanation: "OTEL_EXPORTER_OTLP_ENDPOINT is a base: over HTTP, SDKs append /v1/traces, /v1/metrics and \
        /v1/logs. Only OTEL_EXPORTER_OTLP_TRACES_ENDPOINT and the same variables for metrics and logs are used \
        unchanged.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: \"https://api.honeycomb.io/v1/traces\" # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: \"https://otel.example.com/\"\n      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: \"https://otel.example.com/v1/traces\"\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for scope in inspection.scopes() {
        let Some(setting) = scope.setting("OTEL_EXPORTER_OTLP_ENDPOINT") else {
            continue;
        };
        let resolved = setting.resolved();
        let value = resolved.trim_end_matches('/');
        let path =
            ["/v1/traces", "/v1/metrics", "/v1/logs"].iter().find(|path| value.ends_with(**path));
        let Some(path) = path else { continue };
        let base = value.len() - path.len();
        let hit = RuleHit::new(
            setting.file,
            setting.value_at,
            format!("{path} is part of the endpoint for all signals"),
            format!("remove `{path}` from it"),
        );
        hits.push(match &setting.value_range {
            // Text from a variable is not in this file.
            Some(bytes)
                if value.len() <= setting.text().len() && setting.text().starts_with(value) =>
            {
                hit.fixed_by(vec![TextPatch::replace(bytes.start + base..bytes.end, "")])
            }
            _ => hit,
        });
    }
    hits
}
