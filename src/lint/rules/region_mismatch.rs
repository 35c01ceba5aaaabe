//! `region-mismatch`: a key of one region with an endpoint of the other.

use super::telemetry;
use crate::compose::find_references;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};
use crate::provider;

pub(super) static RULE: LintRule = LintRule {
    code: "region-mismatch",
    severity: Severity::Warning,
    why: "a provider's regions do not know each other's keys: the wrong one answers 401, as if the key were invalid",
    explanation: "A Honeycomb key belongs to one region. Two services that send the same key to endpoints of two \
        regions cannot both be right, and a key that begins with hcb is most likely from the EU \
        (api.eu1.honeycomb.io), one that begins with hca from the US.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY}\n  b:\n    environment:\n      OTEL_SERVICE_NAME: b\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.eu1.honeycomb.io # <-\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY}\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY}\n  b:\n    environment:\n      OTEL_SERVICE_NAME: b\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.eu1.honeycomb.io\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY_EU}\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    // The first region that the key of each variable is sent to.
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for scope in inspection.scopes() {
        let (Some(setting), Some(headers)) = (
            scope.setting("OTEL_EXPORTER_OTLP_ENDPOINT"),
            scope.setting("OTEL_EXPORTER_OTLP_HEADERS"),
        ) else {
            continue;
        };
        let host = telemetry::endpoint(setting.text()).map_or("", |endpoint| endpoint.host);
        let Some((_, region)) = provider::of_host(host) else {
            continue;
        };
        let hit = |message| {
            RuleHit::new(
                setting.file,
                setting.value_at,
                message,
                "use the endpoint of the region the key was made in",
            )
        };
        if let Some(home) = telemetry::key_of(headers.text())
            .and_then(guess_key_region)
            .filter(|home| *home != region.name)
        {
            hits.push(hit(format!(
                "the key looks like one of {home}, the endpoint is {}'s",
                region.name
            )));
        }
        for reference in find_references(headers.text()) {
            match seen.iter().find(|(variable, _)| *variable == reference.name) {
                Some((variable, other)) if *other != region.name => {
                    hits.push(hit(format!(
                        "{variable} goes to {} here and to {other} elsewhere",
                        region.name
                    )));
                }
                Some(_) => {}
                None => seen.push((reference.name, &region.name)),
            }
        }
    }
    hits
}

/// Returns the region indicated by the third letter of a key.
fn guess_key_region(key: &str) -> Option<&'static str> {
    match key.get(..3) {
        Some("hca") => Some("us"),
        Some("hcb") => Some("eu"),
        _ => None,
    }
}
