//! The variables of one service that `init` would write.

use super::{RemovalRequest, RemovedLines};
use crate::compose::{ComposeModel, ServiceModel};
use crate::edit::yaml::additions::{self, Addition};
use crate::edit::yaml::environment::Wanted;
use crate::edit::yaml::removals;
use crate::instrumentation::{ENDPOINT_VARIABLES, HEADERS_VARIABLES, PROTOCOL_VARIABLES};
use crate::plan::Note;
use crate::plan::addons::{self, HostNaming};
use crate::plan::agents::{JoinSide, PlannedAgent, VariableRule};
use crate::provider::{Addon, Destination, NamedService, Variable, render_service_environments};

const NAME: &str = "OTEL_SERVICE_NAME";
/// Variables that are set to an empty value to override an env_file or a merged mapping.
const COVERED_VARIABLES: [[&str; 2]; 2] = [ENDPOINT_VARIABLES, HEADERS_VARIABLES];
/// The variables that `init` adds to an endpoint if the SDK needs them.
const SWITCHES: [(&str, &str); 4] = [
    (PROTOCOL_VARIABLES[1], "http/protobuf"),
    (PROTOCOL_VARIABLES[1], "grpc"),
    ("OTEL_TRACES_EXPORTER", "otlp"),
    ("OTEL_SDK_DISABLED", "false"),
];
/// The variables that `init` adds to an agent's own.
const SIGNALS: [&str; 2] = ["OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"];

/// Removes the service's variables that are in its own lines exactly as `init` writes them.
pub(super) fn take(
    model: &ComposeModel,
    service: &ServiceModel,
    agent: Option<&PlannedAgent>,
    request: &RemovalRequest<'_>,
    lines: &mut RemovedLines<'_>,
) {
    let destinations = request.destinations.get(&service.name).map_or(&[][..], Vec::as_slice);
    if let Some(planned) = agent {
        take_joined(model, service, planned, request, lines);
    }
    let mut is_written = |variable: &Variable| take_variable(model, service, variable, lines);
    let mut is_sent = false;
    let addons = request.addons.get(&service.name).map_or(&[][..], Vec::as_slice);
    for variable in list_expected(model, service, destinations, addons) {
        is_sent |= is_written(&variable) && variable.name != NAME;
    }
    if is_sent || agent.is_some() {
        for (name, value) in SWITCHES {
            is_written(&variable(name, value));
        }
    }
    for added in agent.into_iter().flat_map(|planned| &planned.agent.variables) {
        for value in [Some(&added.value), added.musl.as_ref()].into_iter().flatten() {
            is_written(&variable(&added.name, value));
        }
    }
    if agent.is_some() {
        for name in SIGNALS {
            is_written(&variable(name, "none"));
            is_written(&variable(name, "otlp"));
        }
    }
    if is_sent {
        take_host(model, service, destinations, lines);
    }
    note_others(model, service, lines);
}

fn variable(name: &str, value: &str) -> Variable {
    Variable { name: name.to_owned(), value: value.to_owned() }
}

/// Returns the variables that `init` writes for the service, for each of the destinations.
fn list_expected(
    model: &ComposeModel,
    service: &ServiceModel,
    destinations: &[Destination],
    addons: &[Addon],
) -> Vec<Variable> {
    let mut expected = vec![variable(NAME, &service.name)];
    for destination in destinations {
        let endpoints = [Some(&destination.endpoint), destination.on_host.as_ref()];
        let services: Vec<NamedService> = endpoints
            .into_iter()
            .flatten()
            .map(|endpoint| NamedService {
                name: service.name.clone(),
                traced_as: service.name.clone(),
                endpoint: endpoint.clone(),
            })
            .collect();
        expected.extend(
            render_service_environments(destination, &services).unwrap_or_default().concat(),
        );
    }
    expected.extend(COVERED_VARIABLES.as_flattened().iter().map(|name| variable(name, "")));
    for hosts in [HostNaming::Gitpod, HostNaming::Codespaces, HostNaming::Local] {
        let request = addons::AddonRequest {
            addons: addons.to_vec(),
            hosts,
            ..addons::AddonRequest::default()
        };
        let variables = addons::variables_of(model, &request, service).unwrap_or_default();
        expected.extend(variables.into_iter().map(|(_, variable)| variable));
    }
    expected
}

/// Removes a variable if a line of the service has it exactly as `init` writes it; returns whether one had.
fn take_variable(
    model: &ComposeModel,
    service: &ServiceModel,
    variable: &Variable,
    lines: &mut RemovedLines<'_>,
) -> bool {
    let entries = service.environment.iter().filter(|entry| {
        entry.name == variable.name
            && entry.raw() == Some(&variable.value)
            && service.defines(&entry.name_span)
    });
    let mut found = false;
    for entry in entries {
        let file = model.file(&entry.name_span);
        let file_lines = lines.service_lines.get(file.path.as_path());
        let is_written = file_lines.is_some_and(|file_lines| {
            file_lines.has_variable(&service.name, &variable.name, &variable.value)
        });
        if is_written && !lines.lacks_variable(&service.name, &variable.name) {
            let keys = ["services", &service.name, "environment"];
            lines.take(&file.path, &keys, &variable.name);
            lines.take(&file.path, &keys, &format!("{}={}", variable.name, variable.value));
            found = true;
        }
    }
    if found {
        lines.reverse.want(&Wanted {
            service: service.name.clone(),
            set: vec![(variable.name.clone(), variable.value.clone())],
            unset: Vec::new(),
        });
    }
    found
}

/// Gives variables that an agent's value was joined with the value back that they had.
fn take_joined(
    model: &ComposeModel,
    service: &ServiceModel,
    planned: &PlannedAgent,
    request: &RemovalRequest<'_>,
    lines: &mut RemovedLines<'_>,
) {
    let joined =
        planned.agent.variables.iter().filter(|variable| variable.rule == VariableRule::Join);
    for added in joined {
        let Some(entry) = service.declared(&added.name) else { continue };
        let Some(raw) = entry.raw().filter(|_| service.defines(&entry.name_span)) else { continue };
        let values = [Some(&added.value), added.musl.as_ref()].into_iter().flatten();
        let own_part = values.into_iter().find_map(|value| match added.join {
            JoinSide::Before => raw.strip_prefix(&format!("{value}{}", added.separator)),
            JoinSide::After => raw.strip_suffix(&format!("{}{value}", added.separator)),
        });
        // The agent's value alone was not joined with anything.
        let value = own_part.filter(|value| !value.trim().is_empty());
        let path = &model.file(&entry.name_span).path;
        let Some(value) = value.filter(|_| !lines.cleared.contains(path)) else { continue };
        let startup = service.startup(request.sources, Some(model.plain()));
        let of_image = startup.environment.get(&added.name);
        let is_of_image = of_image.is_some_and(|default| default.replace('$', "$$") == value);
        if is_of_image {
            take_variable(model, service, &variable(&added.name, raw), lines);
            continue;
        }
        let wanted = |value: &str| Wanted {
            service: service.name.clone(),
            set: vec![(added.name.clone(), value.to_owned())],
            unset: Vec::new(),
        };
        lines.edits(path).sets.push(wanted(value));
        lines.reverse.want(&wanted(raw));
    }
}

/// Removes the `extra_hosts` entry for this machine.
fn take_host(
    model: &ComposeModel,
    service: &ServiceModel,
    destinations: &[Destination],
    lines: &mut RemovedLines<'_>,
) {
    let Some(host) = destinations.iter().find_map(Destination::host_to_add) else { return };
    let mode = service.network_mode.as_deref().unwrap_or_default();
    let network_owner = mode.strip_prefix("service:").and_then(|name| model.service(name));
    let holder = network_owner.unwrap_or(service);
    let keys = ["services", &holder.name, "extra_hosts"];
    let path = keys.map(str::to_owned);
    let address = "host-gateway";
    let item = format!("{host}:{address}");
    let files: Vec<_> = holder
        .defined_in
        .iter()
        .map(|span| model.file(span))
        .filter(|file| !lines.cleared.contains(&file.path))
        .collect();
    for file in files {
        let Ok(tree) = file.tree() else { continue };
        let member = if additions::says(tree, &path, host, address) {
            host
        } else if removals::has_member(tree, &keys, &item) {
            &item
        } else {
            continue;
        };
        lines.take(&file.path, &keys, member);
        let entry = (host.to_owned(), address.to_owned());
        lines.reverse.add(&Addition::Item { path: path.to_vec(), item: item.clone(), entry });
    }
}

/// Says which variables for telemetry stay, and why.
fn note_others(model: &ComposeModel, service: &ServiceModel, lines: &mut RemovedLines<'_>) {
    let is_gone = |name: &str| lines.lacks_variable(&service.name, name);
    let mut others: Vec<&str> = service
        .environment
        .iter()
        .map(|entry| entry.name.as_str())
        .filter(|name| name.starts_with("OTEL_") && !is_gone(name))
        .collect();
    others.dedup();
    if !others.is_empty() {
        let mut files = service.defined_in.iter().map(|span| &model.file(span).path);
        let why = if files.any(|path| lines.cleared.contains(path)) {
            "was there before init"
        } else {
            "is not as init writes it"
        };
        let others = others.into_iter();
        let notes = others.map(|name| format!("{}: {name} stays, it {why}", service.name));
        lines.notes.extend(notes.map(Note::fact));
    }
}
