//! `collector-config`: a collector configuration that does not start, or sends without a key.

use std::collections::BTreeSet;

use crate::compose::ServiceModel;
use crate::lint::inspection::{CollectorFile, has_unread_settings};
use crate::lint::{Inspection, LintRule, RuleHit, Severity};
use crate::provider::listening::is_older_than;

pub(super) static RULE: LintRule = LintRule {
    code: "collector-config",
    severity: Severity::Error,
    why: "the collector does not start, or sends without the key, and every service that sends to it loses its spans",
    explanation: "The exporter `logging` was removed in release 0.111; `debug` replaces it. `${env:NAME}` reads a \
        variable of the collector's own container, so its `environment` must set it.",
    failing: &[
        (
            "compose.yaml",
            "services:\n  otel-collector:\n    image: otel/opentelemetry-collector-contrib:0.119.0\n    volumes: [\"./collector.yaml:/etc/otelcol-contrib/config.yaml\"]\n",
        ),
        (
            "collector.yaml",
            "receivers: {otlp: {protocols: {http: {endpoint: \"0.0.0.0:4318\"}}}}\nexporters:\n  logging: # <-\n  otlphttp:\n    endpoint: https://otel.example.com\n    headers:\n      x-team: ${env:TEAM_KEY} # <-\nservice:\n  pipelines:\n    traces: {receivers: [otlp], exporters: [otlphttp, logging]}\n",
        ),
    ],
    passing: &[
        (
            "compose.yaml",
            "services:\n  otel-collector:\n    image: otel/opentelemetry-collector-contrib:0.110.0\n    environment: {TEAM_KEY: \"${TEAM_KEY:?none}\"}\n    volumes: [\"./collector.yaml:/etc/otelcol-contrib/config.yaml\"]\n",
        ),
        (
            "collector.yaml",
            "receivers: {otlp: {protocols: {http: {endpoint: \"0.0.0.0:4318\"}}}}\nexporters:\n  logging:\n  otlphttp:\n    endpoint: ${env:ENDPOINT:-https://otel.example.com}\n    headers:\n      x-team: ${env:TEAM_KEY}\n      # x-other: ${env:OTHER_KEY}\nservice:\n  pipelines:\n    traces: {receivers: [otlp], exporters: [otlphttp, logging]}\n",
        ),
    ],
    check,
};

/// The first release without the `logging` exporter.
const WITHOUT_LOGGING: (u32, u32) = (0, 111);

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for config in &inspection.collectors {
        let service = inspection.model.as_ref().and_then(|model| model.service(&config.service));
        if let Some(service) = service {
            hits.extend(removed_exporter(config, service));
            hits.extend(absent_variables(config, service));
        }
    }
    hits
}

fn removed_exporter(config: &CollectorFile, service: &ServiceModel) -> Option<RuleHit> {
    let image = service.image.as_deref()?;
    let is_released = image.contains("opentelemetry-collector");
    if !is_released || is_older_than(image, WITHOUT_LOGGING) {
        return None;
    }
    let mut is_among_exporters = false;
    let (at, line) = config.file.lines().find(|(_, line)| {
        if !line.starts_with([' ', '#']) && !line.trim().is_empty() {
            is_among_exporters = line.trim_end().starts_with("exporters:");
        }
        let name = line.trim().split([':', '/']).next().unwrap_or_default();
        is_among_exporters && line.starts_with(' ') && name == "logging" && line.contains(':')
    })?;
    let indent = line.len() - line.trim_start().len();
    let message = "the exporter `logging` does not exist in this release";
    Some(RuleHit::new(
        &config.file,
        at + indent,
        message,
        "write `debug`, here and in the pipelines",
    ))
}

/// Reports variables that the configuration reads and the container does not have.
fn absent_variables(config: &CollectorFile, service: &ServiceModel) -> Vec<RuleHit> {
    if has_unread_settings(service) || service.build.is_some() {
        return Vec::new();
    }
    let files = service.env_files.iter().filter_map(|file| file.state.statements());
    let mut given: BTreeSet<&str> = files
        .flat_map(|(_, statements)| statements)
        .map(|statement| statement.name.as_str())
        .collect();
    given.extend(service.environment.iter().map(|entry| entry.name.as_str()));
    let mut hits = Vec::new();
    for (at, line) in config.file.lines() {
        let code = line.split(" #").next().unwrap_or(line);
        let references =
            code.match_indices("${env:").filter(|_| !code.trim_start().starts_with('#'));
        for (from, mark) in references {
            let name = code[from + mark.len()..].split('}').next().unwrap_or_default();
            if name.contains(':') || given.contains(name) {
                continue;
            }
            hits.push(RuleHit::new(
                &config.file,
                at + from,
                format!("{} is given no variable {name}", service.name),
                format!("add `{name}: \"${{{name}}}\"` to the environment of {}", service.name),
            ));
        }
    }
    hits
}
