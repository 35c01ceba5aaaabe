//! Plans telemetry variables: what each traced service lacks or has too many of, and the compose files to change.

mod changes;
mod port_protocol;
mod protocol;
mod switches;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};

use super::{Note, Plan, WriteMethod, find_file};
use crate::compose::{
    AddressTarget, ComposeModel, EnvironmentVariable, ProjectVariables, ServiceEnvironment,
    ServiceModel, find_endpoint_target,
};
use crate::edit::yaml::EditRefusal;
use crate::edit::yaml::additions::{self, Addition};
use crate::edit::yaml::environment::{self, Wanted};
use crate::error::{Error, ErrorCode, Result};
use crate::instrumentation::Instrumentation;
use crate::provider::{Destination, NamedService, Variable, render_service_environments};

pub(super) use changes::file_of;
use changes::{ENDPOINT, EndpointOrigin, EnvironmentChanges, TRACES_ENDPOINT};
use port_protocol::fit_to_port;
use switches::switch_on;

/// The variable with a service's name.
const NAME: &str = "OTEL_SERVICE_NAME";
/// The variable with the protocol.
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";

/// A service to trace, and the name the user gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SelectedService {
    /// The compose service.
    pub service: String,
    /// `--service NAME=OTEL_NAME`
    pub name: Option<String>,
}

/// The settings that services are wired with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TelemetryRequest<'a> {
    /// The selected services, each once.
    pub selected: &'a [SelectedService],
    /// The destination.
    pub destination: &'a Destination,
    /// The values of variables for interpolation.
    pub variables: &'a ProjectVariables,
    /// The instrumentation of each service, by its name in the compose file.
    pub instrumentation: &'a BTreeMap<String, Instrumentation>,
    /// The variables that services need for their agents, by the service's name in the compose file.
    pub agents: &'a BTreeMap<String, Vec<Variable>>,
    /// Returns the variable that a misspelt name stands for.
    pub spelling: fn(&str) -> Option<&'static str>,
    /// Services that are written to the last file that names them, because other files have no effect.
    pub last: &'a BTreeSet<String>,
}

/// Plans that every selected service sends to the destination under its own name, and adds `additions` to the compose
/// files.
///
/// # Errors
/// `unsafe-edit` when a compose file cannot be edited without changing its other contents; `name-taken` when two
/// services would share a name.
pub(crate) fn plan(
    model: &ComposeModel,
    request: &TelemetryRequest<'_>,
    additions: Vec<(PathBuf, Addition)>,
) -> Result<Plan> {
    let TelemetryRequest { destination, variables, spelling, last, .. } = *request;
    let effective: EffectiveEnvironments = model
        .services
        .iter()
        .map(|service| (service.name.as_str(), service.intended(variables)))
        .collect();
    let traced = choose_service_names(model, request, &effective)?;
    let mut plan = Plan::default();
    let mut files = WantedByFile { by_path: BTreeMap::new(), last };
    for (path, addition) in additions {
        files.of(&path).1.push(addition);
    }
    for (traced, mut variables) in
        traced.iter().zip(render_service_environments(destination, &traced)?)
    {
        let agent = request.agents.get(&traced.name).into_iter().flatten();
        for variable in agent {
            if variables.iter().all(|setting| setting.name != variable.name) {
                variables.push(variable.clone());
            }
        }
        if let Some(service) = model.service(&traced.name) {
            let settings = &effective[service.name.as_str()];
            let sent_by = request.instrumentation.get(&service.name);
            let (variables, notes) = switch_on(sent_by, settings, variables, service);
            plan.notes.extend(notes);
            let (mut variables, notes) = protocol::add_protocol(sent_by, &service.name, variables);
            plan.notes.extend(notes);
            let is_moved = fit_to_port(sent_by, model, service, &mut variables);
            let is_planned = traced.endpoint == destination.endpoint
                || destination.on_host.as_ref() == Some(&traced.endpoint);
            let endpoint = if is_planned && !is_moved {
                EndpointOrigin::Planned
            } else {
                EndpointOrigin::Kept
            };
            let changes = EnvironmentChanges::of(service, settings, variables, spelling, endpoint);
            plan.notes.extend(changes.spread(model, service, &mut files));
            plan.notes.extend(files.add_host(model, service, destination));
        }
    }
    // Free the settings early: they are large for many services.
    drop(effective);
    for (path, (wanted, additions)) in files.by_path {
        plan.extend(edit_compose_file(model, &path, &wanted, &additions)?);
    }
    Ok(plan)
}

/// The planned variables and additions by file.
struct WantedByFile<'a> {
    /// For each path, the variables of its services, and whole entries.
    by_path: BTreeMap<PathBuf, (Vec<Wanted>, Vec<Addition>)>,
    /// As [`TelemetryRequest::last`].
    last: &'a BTreeSet<String>,
}

impl WantedByFile<'_> {
    fn of(&mut self, path: &Path) -> &mut (Vec<Wanted>, Vec<Addition>) {
        self.by_path.entry(path.to_owned()).or_default()
    }

    /// Adds the host entry that a service's container needs to reach this machine; returns a note if that is not
    /// possible.
    fn add_host(
        &mut self,
        model: &ComposeModel,
        service: &ServiceModel,
        destination: &Destination,
    ) -> Option<Note> {
        let host = destination.host_to_add()?;
        let mode = service.network_mode.as_deref().unwrap_or_default();
        let network_owner = mode.strip_prefix("service:").and_then(|name| model.service(name));
        if mode == "host" {
            return None;
        }
        if network_owner.is_none() && (mode == "none" || mode.contains(':')) {
            return Some(Note::warning(format!(
                "{}: with `network_mode: {mode}` it cannot resolve {host}",
                service.name
            )));
        }
        let service = network_owner.unwrap_or(service);
        if service.extra_hosts.iter().any(|have| have.name == host) {
            return None;
        }
        let file = file_of(model, service, None, self.last)?;
        let addition = Addition::Item {
            path: ["services", &service.name, "extra_hosts"].map(str::to_owned).into(),
            item: format!("{host}:host-gateway"),
            entry: (host.to_owned(), "host-gateway".to_owned()),
        };
        let additions = &mut self.of(&file.path).1;
        if !additions.contains(&addition) {
            additions.push(addition);
        }
        None
    }
}

/// The effective environment of each service.
type EffectiveEnvironments<'a> = HashMap<&'a str, ServiceEnvironment>;

/// Chooses the name of each selected service: the requested one, else its current one if valid, else its compose
/// name.
fn choose_service_names(
    model: &ComposeModel,
    request: &TelemetryRequest<'_>,
    effective: &EffectiveEnvironments,
) -> Result<Vec<NamedService>> {
    let TelemetryRequest { selected, destination, agents, .. } = *request;
    let mut taken: HashMap<&str, usize> = HashMap::new();
    for service in &model.services {
        if let Some(name) = literal_name(&effective[service.name.as_str()]) {
            *taken.entry(name).or_default() += 1;
        }
    }
    let mut traced: Vec<NamedService> = Vec::with_capacity(selected.len());
    let mut used: HashMap<String, String> = HashMap::new();
    for selected in selected {
        let settings = effective.get(selected.service.as_str());
        let own_name = settings.and_then(literal_name).filter(|name| {
            let foreign = model.service(name).is_some() && *name != selected.service;
            taken.get(name) == Some(&1) && !foreign
        });
        let name = selected.name.as_deref().or(own_name).unwrap_or(&selected.service).to_owned();
        if let Some(other) = used.insert(name.clone(), selected.service.clone()) {
            return Err(Error::new(
                ErrorCode::NameTaken,
                format!("`{other}` and `{}` would both be traced as `{name}`", selected.service),
            )
            .hint(format!("`--service {}=another-name` gives it its own name", selected.service)));
        }
        let service = model.service(&selected.service);
        let on_host =
            service.is_some_and(|service| service.network_mode.as_deref() == Some("host"));
        let other = destination.on_host.as_ref().filter(|_| on_host);
        let agent = agents.get(&selected.service).into_iter().flatten();
        let has_protocol = agent.into_iter().any(|variable| variable.name == PROTOCOL);
        // A port serves one protocol: an agent that supports only one uses the planned port.
        let existing_endpoint =
            service.zip(settings).filter(|_| !has_protocol).and_then(|(service, settings)| {
                endpoint_to_collector(model, service, settings, destination)
            });
        traced.push(NamedService {
            name: selected.service.clone(),
            traced_as: name,
            endpoint: existing_endpoint
                .unwrap_or_else(|| other.unwrap_or(&destination.endpoint).clone()),
        });
    }
    Ok(traced)
}

/// Returns the endpoint by which a service already sends to the planned collector; its SDK then determines port and
/// protocol.
fn endpoint_to_collector(
    model: &ComposeModel,
    service: &ServiceModel,
    settings: &ServiceEnvironment,
    destination: &Destination,
) -> Option<String> {
    let value_of = |name: &str| {
        let value = settings.get(name)?.value.known()?.trim();
        (!value.is_empty()).then_some(value)
    };
    if destination.provider != "collector" || value_of(TRACES_ENDPOINT).is_some() {
        return None;
    }
    let endpoint = value_of(ENDPOINT)?;
    let target = find_endpoint_target(model, service, endpoint)?;
    let collector = destination.endpoint.split("://").nth(1)?.split(':').next()?;
    let is_there =
        matches!(target, AddressTarget::Container { service, .. } if service == collector);
    is_there.then(|| endpoint.to_owned())
}

/// Returns a name that is set in a file, not empty, and without variables.
fn literal_name(settings: &ServiceEnvironment) -> Option<&str> {
    let setting = settings.get(NAME)?;
    let is_literal = setting.uses.is_empty() && is_written(setting);
    let name = setting.value.known().filter(|_| is_literal)?;
    Some(strip_item_quotes(name)).filter(|name| !name.trim().is_empty())
}

/// Removes the quotes that a list item makes part of a name.
fn strip_item_quotes(name: &str) -> &str {
    let inner = |quote: char| name.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(name)
}

/// Returns whether the value is in a file of the project rather than passed on from the shell.
fn is_written(setting: &EnvironmentVariable) -> bool {
    setting.raw.is_some()
}

fn edit_compose_file(
    model: &ComposeModel,
    path: &Path,
    wanted: &[Wanted],
    additions: &[Addition],
) -> Result<Plan> {
    let file = find_file(model, path)?;
    let refused = |refusal: EditRefusal| refusal.into_error(path);
    let set = match file.tree() {
        Ok(tree) => environment::set_in(tree, wanted),
        Err(_) => environment::set(&file.text, wanted),
    };
    let mut edit = set.map_err(refused)?;
    if !additions.is_empty() {
        let added = additions::add(&edit.text, additions).map_err(refused)?;
        (edit.text, edit.tree) = (added.text, added.tree);
    }
    let mut plan = Plan::default();
    let before = Some(Arc::clone(&file.text));
    plan.edited(path, before, edit, WriteMethod::Replace);
    wanted.iter().for_each(|wanted| plan.compose.want(wanted));
    additions.iter().for_each(|addition| plan.compose.add(addition));
    Ok(plan)
}
