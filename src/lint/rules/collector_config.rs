//! `collector-config`: a collector configuration that does not start, or sends without a key.

use std::collections::BTreeSet;

use super::endpoint_unreachable::configured_listeners;
use crate::compose::{AddressTarget, ServiceModel, find_endpoint_target};
use crate::edit::yaml::tree::{NodeId, YamlKind, YamlTree};
use crate::lint::inspection::{CollectorFile, has_unread_settings};
use crate::lint::scope::VariableAssignment;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};
use crate::provider::listening::{ListenerAudience, is_older_than};

pub(super) static RULE: LintRule = LintRule {
    code: "collector-config",
    severity: Severity::Error,
    why: "the collector does not start, or sends without the key, and every service that sends to it loses its spans",
    explanation: "The exporter `logging` was removed in release 0.111; `debug` replaces it. `${env:NAME}` reads a \
        variable of the collector's own container, so its `environment` must set it. A receiver can only listen at an \
        address of its own container: `0.0.0.0:4317`, or its own name. Since release 0.104 one without an address listens on \
        localhost, which a published port does not reach.",
    failing: &[
        (
            "compose.yaml",
            "services:\n  api: {image: example/api}\n  otel-collector:\n    image: otel/opentelemetry-collector-contrib:0.119.0\n    volumes: [\"./collector.yaml:/etc/otelcol-contrib/config.yaml\"]\n",
        ),
        (
            "collector.yaml",
            "receivers:\n  otlp:\n    protocols:\n      http:\n        endpoint: \"api:4318\" # <-\nexporters:\n  logging: # <-\n  otlphttp:\n    endpoint: https://otel.example.com\n    headers:\n      x-team: ${env:TEAM_KEY} # <-\nservice:\n  pipelines:\n    traces: {receivers: [otlp], exporters: [otlphttp, logging]}\n",
        ),
    ],
    passing: &[
        (
            "compose.yaml",
            "services:\n  redis: {image: redis}\n  otel-collector:\n    image: otel/opentelemetry-collector-contrib:0.110.0\n    environment: {TEAM_KEY: \"${TEAM_KEY:?none}\"}\n    volumes: [\"./collector.yaml:/etc/otelcol-contrib/config.yaml\"]\n",
        ),
        (
            "collector.yaml",
            "receivers:\n  otlp:\n    protocols:\n      http:\n        endpoint: otel-collector:4318\n  redis:\n    endpoint: redis:6379\nexporters:\n  logging:\n  otlphttp:\n    endpoint: ${env:ENDPOINT:-https://otel.example.com}\n    headers:\n      x-team: ${env:TEAM_KEY}\n      # x-other: ${env:OTHER_KEY}\nservice:\n  pipelines:\n    traces: {receivers: [otlp], exporters: [otlphttp, logging]}\n",
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
        let Some(service) = service else { continue };
        if let Ok(tree) = config.file.tree() {
            hits.extend(removed_exporter(config, tree, service));
            hits.extend(absent_variables(config, tree, service));
            hits.extend(find_foreign_receivers(inspection, (config, tree), service));
        }
        hits.extend(find_published_for_itself(inspection, service));
    }
    hits
}

fn removed_exporter(
    config: &CollectorFile,
    tree: &YamlTree,
    service: &ServiceModel,
) -> Option<RuleHit> {
    let image = service.image.as_deref()?;
    let is_released = image.contains("opentelemetry-collector");
    if !is_released || is_older_than(image, WITHOUT_LOGGING) {
        return None;
    }
    let exporters = list_components(tree, "exporters");
    let (_, (key, _)) = exporters.into_iter().find(|(kind, _)| *kind == "logging")?;
    let message = "the exporter `logging` does not exist in this release";
    Some(RuleHit::new(
        &config.file,
        tree.start(key),
        message,
        "write `debug`, here and in the pipelines",
    ))
}

/// Returns the components of a section, such as `receivers`: the type, before `/NAME`, and the entry.
fn list_components<'t>(tree: &'t YamlTree, section: &str) -> Vec<(&'t str, (NodeId, NodeId))> {
    let section = tree.root().and_then(|root| tree.get(root, section));
    let entries = section.map(|section| tree.entries(section)).unwrap_or_default();
    let components = entries.iter().filter_map(|entry| {
        let name = tree.scalar(entry.0)?;
        Some((name.split('/').next().unwrap_or(name), *entry))
    });
    components.collect()
}

/// Reports variables that the configuration reads and the container does not have.
fn absent_variables(
    config: &CollectorFile,
    tree: &YamlTree,
    service: &ServiceModel,
) -> Vec<RuleHit> {
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
    let scalars = tree.ids().map(|id| tree.node(id));
    let scalars = scalars.filter(|node| matches!(node.kind, YamlKind::Scalar(..)));
    for range in scalars.map(|scalar| &scalar.range) {
        let written = &tree.source[range.clone()];
        for (from, mark) in written.match_indices("${env:") {
            let name = written[from + mark.len()..].split('}').next().unwrap_or_default();
            // `$$` is a dollar sign.
            let is_escaped = written[..from].ends_with('$');
            if is_escaped || name.contains(':') || given.contains(name) {
                continue;
            }
            hits.push(RuleHit::new(
                &config.file,
                range.start + from,
                format!("{} is given no variable {name}", service.name),
                format!("add `{name}: \"${{{name}}}\"` to the environment of {}", service.name),
            ));
        }
    }
    hits
}

/// Reports receivers that listen at the address of another service, which the operating system refuses.
fn find_foreign_receivers(
    inspection: &Inspection,
    (config, tree): (&CollectorFile, &YamlTree),
    service: &ServiceModel,
) -> Vec<RuleHit> {
    if service.network_mode.is_some() {
        return Vec::new();
    }
    let aliases = service.aliases.iter().map(|alias| &alias.alias);
    let named = [Some(&service.name), service.container_name.as_ref(), service.hostname.as_ref()];
    let own_names: Vec<&String> = named.into_iter().flatten().chain(aliases).collect();
    let others: BTreeSet<&str> = inspection
        .services()
        .filter(|other| other.name != service.name)
        .flat_map(|other| [Some(&other.name), other.container_name.as_ref()])
        .flatten()
        .filter(|name| !own_names.contains(name))
        .map(String::as_str)
        .collect();
    let mut hits = Vec::new();
    for (at, value) in list_listening_addresses(tree) {
        let host = value.split(':').next().unwrap_or_default();
        if others.contains(host) {
            let port = value[host.len()..].trim_start_matches(':');
            let port: String = port.chars().take_while(char::is_ascii_digit).collect();
            hits.push(RuleHit::new(
                &config.file,
                at,
                format!("{} cannot listen at the address of {host}", service.name),
                format!("write `0.0.0.0:{port}`"),
            ));
        }
    }
    hits
}

/// Reports published ports on which the collector listens for its own container only, unless another service sends there,
/// which another rule reports.
fn find_published_for_itself(inspection: &Inspection, service: &ServiceModel) -> Vec<RuleHit> {
    let (Some(model), None, Some(_)) = (&inspection.model, &service.network_mode, &service.image)
    else {
        return Vec::new();
    };
    let Some((config, listeners)) = configured_listeners(inspection, service) else {
        return Vec::new();
    };
    let is_used = |port: u16| {
        let mark = format!(":{port}");
        let here = AddressTarget::Container { service: service.name.clone(), port };
        let leads_here = |sender: &ServiceModel, address: &str| {
            find_endpoint_target(model, sender, address).as_ref() == Some(&here)
        };
        inspection.service_scopes().any(|(_, sender, scope)| {
            let mut values = scope.assignments.iter().map(VariableAssignment::resolved);
            values.any(|value| value.contains(&mark) && leads_here(sender, &value))
        })
    };
    let ports = listeners
        .iter()
        .filter(|listener| listener.audience == ListenerAudience::ItselfAlone)
        .filter_map(|listener| listener.port);
    let hits = ports.filter(|port| !is_used(*port)).filter_map(|port| {
        let published = service.ports.iter().find(|ports| ports.container.contains(&port))?;
        let file = inspection.shown(&config.file.path).display();
        let hit = RuleHit::new(
            model.file(&published.span),
            published.span.range.start,
            format!("port {port} is published, and {file} has it listen on localhost, for its own container only"),
            format!("write `endpoint: 0.0.0.0:{port}` there"),
        );
        Some(hit.as_severe_as(Severity::Warning))
    });
    hits.collect()
}

/// Returns the addresses at which receivers listen, each with its first byte. Others, such as `redis`, read from theirs.
fn list_listening_addresses(tree: &YamlTree) -> Vec<(usize, &str)> {
    const LISTENING: [&str; 3] = ["otlp", "jaeger", "zipkin"];
    let receivers = list_components(tree, "receivers").into_iter();
    let listening = receivers.filter(|(kind, _)| LISTENING.contains(kind));
    let settings = listening.flat_map(|(_, (_, settings))| {
        let protocols = tree.get(settings, "protocols");
        let protocols = protocols.map(|protocols| tree.entries(protocols)).unwrap_or_default();
        std::iter::once(settings).chain(protocols.iter().map(|(_, settings)| *settings))
    });
    let addresses = settings.filter_map(|settings| {
        let endpoint = tree.get(settings, "endpoint")?;
        Some((tree.node(endpoint).range.start, tree.scalar(endpoint)?))
    });
    addresses.collect()
}
