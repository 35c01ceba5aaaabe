//! Finds where the project's services already send, so that the user need not repeat it.

use std::collections::HashMap;

use crate::compose::{
    AddressTarget, ComposeModel, ServiceModel, VariableOrigin, find_endpoint_target,
};
use crate::instrumentation::{ENDPOINT_VARIABLES, HEADERS_VARIABLES, read_headers};
use crate::provider::{
    AccountSettings, Destination, RecognisedProvider, collector as sends, is_same_address,
    recognise_provider,
};
use crate::session::collector;
use crate::session::context::ProjectContext;

/// The destination of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CurrentDestination {
    /// To `listen` on this machine.
    Local,
    /// The project's collector, and the provider in its configuration.
    Collector(Option<RecognisedProvider>),
    /// A provider.
    Provider(RecognisedProvider),
    /// An address of an unknown owner, with headers whose values are in variables: `NAME=VARIABLE`.
    Elsewhere(String, Vec<String>),
}

impl CurrentDestination {
    /// Returns the name for `--provider`; `None` for an address.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Local => Some("local"),
            Self::Collector(_) => Some("collector"),
            Self::Provider(known) => Some(&known.provider.name),
            Self::Elsewhere(..) => None,
        }
    }

    /// Returns the name, else the address, for people.
    pub(crate) fn shown(&self) -> &str {
        match self {
            Self::Elsewhere(address, _) => address,
            known => known.name().unwrap_or_default(),
        }
    }

    /// Returns the flags of `init` for this destination.
    pub(crate) fn flags(&self) -> String {
        match self {
            Self::Elsewhere(address, headers) => {
                let headers: String =
                    headers.iter().map(|header| format!(" --header {header}")).collect();
                format!("--provider otlp --endpoint {address}{headers}")
            }
            known => format!("--provider {}", known.shown()),
        }
    }

    /// Returns the provider that receives the telemetry in the end.
    pub(crate) fn provider(&self) -> Option<&RecognisedProvider> {
        match self {
            Self::Provider(known) | Self::Collector(Some(known)) => Some(known),
            Self::Local | Self::Collector(None) | Self::Elsewhere(..) => None,
        }
    }
}

/// Returns the destination of each service that sets one, by name.
pub(crate) fn find_current_destinations<'a>(
    context: &ProjectContext,
    model: &'a ComposeModel,
) -> Vec<(&'a str, CurrentDestination)> {
    let between = collector::of_project(model);
    let is_between = |service: &ServiceModel| {
        between.is_some_and(|collector_service| collector_service.name == service.name)
    };
    // Cached, because most services have the same settings.
    let mut known: HashMap<DestinationSettings, CurrentDestination> = HashMap::new();
    let services = model.services.iter().filter(|service| !is_between(service));
    services
        .filter_map(|service| {
            let settings = DestinationSettings::of(model, service, between)?;
            let used = known
                .entry(settings)
                .or_insert_with_key(|settings| destination_in_use(settings, between, context));
            Some((service.name.as_str(), used.clone()))
        })
        .collect()
}

/// The destination settings in a service's environment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct DestinationSettings {
    /// The endpoint, with variables replaced.
    endpoint: String,
    /// The headers, as written.
    headers: String,
    /// Whether it is on the host's network.
    on_host: bool,
    /// Whether the endpoint is the project's collector, on any port.
    reaches_collector: bool,
}

impl DestinationSettings {
    /// Returns the settings; `None` without an endpoint, or if it needs an unset variable.
    fn of(
        model: &ComposeModel,
        service: &ServiceModel,
        collector: Option<&ServiceModel>,
    ) -> Option<Self> {
        let reaches = |endpoint: &str| {
            collector.is_some_and(|collector| {
                let target = find_endpoint_target(model, service, endpoint);
                matches!(target, Some(AddressTarget::Container { service, .. }) if service == collector.name)
            })
        };
        let declared = ENDPOINT_VARIABLES.into_iter().find_map(|name| {
            let setting = service.declared(name)?.setting(model.plain());
            let value = setting.value.known()?.trim();
            let is_set = setting
                .uses
                .iter()
                .all(|variable_use| variable_use.won_by != VariableOrigin::Unset);
            (is_set && !value.is_empty()).then(|| value.to_owned())
        });
        // An env_file is read as well if it names the project's collector.
        let in_file = || {
            if collector.is_none() || service.env_files.is_empty() {
                return None;
            }
            let settings = service.intended(model.plain());
            let known_value = |name| Some(settings.get(name)?.value.known()?.trim().to_owned());
            ENDPOINT_VARIABLES
                .into_iter()
                .find_map(known_value)
                .filter(|endpoint| reaches(endpoint))
        };
        let endpoint = declared.or_else(in_file)?;
        let mut names = HEADERS_VARIABLES.into_iter();
        let headers = names.find_map(|name| service.declared(name)?.raw());
        Some(Self {
            reaches_collector: reaches(&endpoint),
            endpoint,
            headers: headers.unwrap_or_default().to_owned(),
            on_host: service.network_mode.as_deref() == Some("host"),
        })
    }
}

fn destination_in_use(
    settings: &DestinationSettings,
    collector: Option<&ServiceModel>,
    context: &ProjectContext,
) -> CurrentDestination {
    let is_at = |known: Destination| match known.on_host {
        Some(address) if settings.on_host => is_same_address(&address, &settings.endpoint),
        _ => is_same_address(&known.endpoint, &settings.endpoint),
    };
    let is_between = |service: &ServiceModel| is_at(Destination::collector(&service.name));
    if settings.reaches_collector || collector.is_some_and(is_between) {
        return CurrentDestination::Collector(destination_behind_collector(context));
    }
    if is_at(Destination::local()) {
        return CurrentDestination::Local;
    }
    let read = read_headers(&settings.headers);
    let headers: Vec<(&str, &str)> =
        read.iter().map(|header| (header.name.as_str(), header.value.expose())).collect();
    match recognise_provider(&settings.endpoint, &headers) {
        Some(known) => CurrentDestination::Provider(known),
        None => {
            let headers = headers.iter().filter_map(|(name, value)| {
                let variable = value.strip_prefix("${")?.strip_suffix('}')?;
                Some(format!("{name}={variable}"))
            });
            CurrentDestination::Elsewhere(settings.endpoint.clone(), headers.collect())
        }
    }
}

/// Returns the provider that the collector added by `init` sends to.
fn destination_behind_collector(context: &ProjectContext) -> Option<RecognisedProvider> {
    let export = sends::read(&collector::read_collector_configuration(context)?).ok()?;
    let headers: Vec<(&str, &str)> =
        export.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    recognise_provider(&export.endpoint, &headers)
}

/// Returns a provider's destination in each of its regions.
pub(crate) fn list_accounts(known: &RecognisedProvider) -> Vec<Destination> {
    let names = known.provider.regions.iter().map(|region| region.name.as_str());
    let regions = [None].into_iter().chain(names.filter(|name| !name.is_empty()).map(Some));
    let endpoint = known.endpoint.as_deref();
    let accounts =
        regions.map(|region| AccountSettings { region, endpoint, settings: &known.settings });
    accounts.filter_map(|account| Destination::of(known.provider, account).ok()).collect()
}
