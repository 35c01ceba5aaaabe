//! `init`: where the project sends already, so that nobody has to say it a second time.

use std::collections::HashMap;

use crate::compose::{Model, Service};
use crate::instrumentation::{ENDPOINT_VARIABLES, HEADERS_VARIABLES};
use crate::provider::{Destination, Recognised, collector as sends, recognise};
use crate::session::collector;
use crate::session::context::ProjectContext;

/// Where a service sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Used {
    /// To `listen` on this machine.
    Local,
    /// Through the project's collector, to whom its configuration names.
    Collector(Option<Recognised>),
    /// To a provider.
    Provider(Recognised),
    /// To an address that nobody known owns, with headers whose values lie in variables: `NAME=VARIABLE`.
    Elsewhere(String, Vec<String>),
}

impl Used {
    /// As `--provider` has it; nothing for an address alone.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Local => Some("local"),
            Self::Collector(_) => Some("collector"),
            Self::Provider(known) => Some(&known.provider.name),
            Self::Elsewhere(..) => None,
        }
    }

    /// For people: the name, else the address.
    pub(super) fn shown(&self) -> &str {
        match self {
            Self::Elsewhere(address, _) => address,
            known => known.name().unwrap_or_default(),
        }
    }

    /// What says the same to `init`.
    pub(super) fn flags(&self) -> String {
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
    pub(super) fn provider(&self) -> Option<&Recognised> {
        match self {
            Self::Provider(known) | Self::Collector(Some(known)) => Some(known),
            Self::Local | Self::Collector(None) | Self::Elsewhere(..) => None,
        }
    }
}

/// Where each service sends that says so itself, by name.
pub(super) fn of_services<'a>(place: &ProjectContext, model: &'a Model) -> Vec<(&'a str, Used)> {
    let between = collector::of_project(model);
    let is_between = |service: &Service| between.is_some_and(|one| one.name == service.name);
    // Most services say the same.
    let mut known: HashMap<Said<'_>, Used> = HashMap::new();
    let services = model.services.iter().filter(|service| !is_between(service));
    services
        .filter_map(|service| {
            let said = Said::of(service)?;
            let used = known.entry(said).or_insert_with(|| used(said, between, place));
            Some((service.name.as_str(), used.clone()))
        })
        .collect()
}

/// What a service's environment says of where it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Said<'a> {
    endpoint: &'a str,
    headers: &'a str,
    /// It is on the host's own network.
    on_host: bool,
}

impl<'a> Said<'a> {
    /// Nothing where it names no address, or one that a variable holds.
    fn of(service: &'a Service) -> Option<Self> {
        let raw = |names: [&str; 2]| {
            let mut names = names.into_iter();
            names.find_map(|name| service.declared(name)?.raw())
        };
        let endpoint = raw(ENDPOINT_VARIABLES)?;
        let headers = raw(HEADERS_VARIABLES);
        let is_known = !endpoint.is_empty() && !endpoint.contains('$');
        is_known.then_some(Self {
            endpoint,
            headers: headers.unwrap_or_default(),
            on_host: service.network_mode.as_deref() == Some("host"),
        })
    }
}

fn used(said: Said<'_>, between: Option<&Service>, place: &ProjectContext) -> Used {
    let is_at = |known: Destination| match known.on_host {
        Some(address) if said.on_host => address == said.endpoint,
        _ => known.endpoint == said.endpoint,
    };
    if between.is_some_and(|service| is_at(Destination::collector(&service.name))) {
        return Used::Collector(behind(place));
    }
    if is_at(Destination::local()) {
        return Used::Local;
    }
    let headers = said.headers.split(',');
    let headers: Vec<(&str, &str)> = headers.filter_map(|pair| pair.split_once('=')).collect();
    match recognise(said.endpoint, &headers) {
        Some(known) => Used::Provider(known),
        None => {
            let headers = headers.iter().filter_map(|(name, value)| {
                let variable = value.strip_prefix("${")?.strip_suffix('}')?;
                Some(format!("{name}={variable}"))
            });
            Used::Elsewhere(said.endpoint.to_owned(), headers.collect())
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
