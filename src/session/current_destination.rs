//! Where the project's services send already, so that nobody has to say it a second time.

use std::collections::HashMap;

use crate::compose::{AddressTarget, Model, Origin, Service, find_endpoint_target};
use crate::instrumentation::{ENDPOINT_VARIABLES, HEADERS_VARIABLES, read_headers};
use crate::provider::{Destination, Recognised, collector as sends, is_same_address, recognise};
use crate::session::collector;
use crate::session::context::ProjectContext;

/// Where a service sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CurrentDestination {
    /// To `listen` on this machine.
    Local,
    /// Through the project's collector, to whom its configuration names.
    Collector(Option<Recognised>),
    /// To a provider.
    Provider(Recognised),
    /// To an address that nobody known owns, with headers whose values lie in variables: `NAME=VARIABLE`.
    Elsewhere(String, Vec<String>),
}

impl CurrentDestination {
    /// As `--provider` has it; nothing for an address alone.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Local => Some("local"),
            Self::Collector(_) => Some("collector"),
            Self::Provider(known) => Some(&known.provider.name),
            Self::Elsewhere(..) => None,
        }
    }

    /// For people: the name, else the address.
    pub(crate) fn shown(&self) -> &str {
        match self {
            Self::Elsewhere(address, _) => address,
            known => known.name().unwrap_or_default(),
        }
    }

    /// What says the same to `init`.
    pub(crate) fn flags(&self) -> String {
        match self {
            Self::Elsewhere(address, headers) => {
                let headers = headers.iter().map(|header| format!(" --header {header}"));
                let headers: String = headers.collect();
                format!("--provider otlp --endpoint {address}{headers}")
            }
            known => format!("--provider {}", known.shown()),
        }
    }

    /// Who has it in the end.
    pub(crate) fn provider(&self) -> Option<&Recognised> {
        match self {
            Self::Provider(known) | Self::Collector(Some(known)) => Some(known),
            Self::Local | Self::Collector(None) | Self::Elsewhere(..) => None,
        }
    }
}

/// Where each service sends that says so itself, by name.
pub(crate) fn find_current_destinations<'a>(
    place: &ProjectContext,
    model: &'a Model,
) -> Vec<(&'a str, CurrentDestination)> {
    let between = collector::of_project(model);
    let is_between = |service: &Service| between.is_some_and(|one| one.name == service.name);
    // Most services say the same.
    let mut known: HashMap<DestinationSettings, CurrentDestination> = HashMap::new();
    let services = model.services.iter().filter(|service| !is_between(service));
    services
        .filter_map(|service| {
            let said = DestinationSettings::of(model, service, between)?;
            let used = known.entry(said).or_insert_with_key(|said| used(said, between, place));
            Some((service.name.as_str(), used.clone()))
        })
        .collect()
}

/// What a service's environment says of where it sends.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct DestinationSettings {
    /// With the values of its variables.
    endpoint: String,
    /// As written.
    headers: String,
    /// It is on the host's own network.
    on_host: bool,
    /// The address is one of the project's collector, whatever its port.
    reaches_collector: bool,
}

impl DestinationSettings {
    /// Nothing where it names no address, or one that a variable holds which nobody sets.
    fn of(model: &Model, service: &Service, between: Option<&Service>) -> Option<Self> {
        let endpoint = ENDPOINT_VARIABLES.into_iter().find_map(|name| {
            let setting = service.declared(name)?.setting(model.plain());
            let value = setting.value.known()?.trim();
            let is_set = setting.uses.iter().all(|one| one.won_by != Origin::Unset);
            (is_set && !value.is_empty()).then(|| value.to_owned())
        })?;
        let mut names = HEADERS_VARIABLES.into_iter();
        let headers = names.find_map(|name| service.declared(name)?.raw());
        let target = find_endpoint_target(model, service, &endpoint);
        let reaches_collector = between.is_some_and(|between| {
            matches!(&target, Some(AddressTarget::Container { service, .. }) if *service == between.name)
        });
        Some(Self {
            endpoint,
            headers: headers.unwrap_or_default().to_owned(),
            on_host: service.network_mode.as_deref() == Some("host"),
            reaches_collector,
        })
    }
}

fn used(
    said: &DestinationSettings,
    between: Option<&Service>,
    place: &ProjectContext,
) -> CurrentDestination {
    let is_at = |known: Destination| match known.on_host {
        Some(address) if said.on_host => is_same_address(&address, &said.endpoint),
        _ => is_same_address(&known.endpoint, &said.endpoint),
    };
    let is_between = |service: &Service| is_at(Destination::collector(&service.name));
    if said.reaches_collector || between.is_some_and(is_between) {
        return CurrentDestination::Collector(behind(place));
    }
    if is_at(Destination::local()) {
        return CurrentDestination::Local;
    }
    let headers = read_headers(&said.headers);
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|header| (header.name.as_str(), header.value.expose())).collect();
    match recognise(&said.endpoint, &headers) {
        Some(known) => CurrentDestination::Provider(known),
        None => {
            let headers = headers.iter().filter_map(|(name, value)| {
                let variable = value.strip_prefix("${")?.strip_suffix('}')?;
                Some(format!("{name}={variable}"))
            });
            CurrentDestination::Elsewhere(said.endpoint.clone(), headers.collect())
        }
    }
}

/// Whom the collector that `init` added sends to.
fn behind(place: &ProjectContext) -> Option<Recognised> {
    let sends = sends::read(&collector::configuration(place)?).ok()?;
    let headers = sends.headers.iter();
    let headers: Vec<(&str, &str)> =
        headers.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    recognise(&sends.endpoint, &headers)
}
