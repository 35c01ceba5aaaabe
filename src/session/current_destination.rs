//! Finds where the project's services already send, so that the user need not repeat it.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::compose::{
    AddressTarget, ComposeModel, EnvironmentVariable, ServiceEnvironment, ServiceModel,
    VariableOrigin, find_endpoint_target,
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

    /// Describes the destination in a sentence about where a service sends.
    pub(crate) fn describe(&self) -> &str {
        match self {
            Self::Local => "`listen` on this machine",
            Self::Collector(_) => "the project's collector",
            known => known.shown(),
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

/// Returns the address that a service sends to, with variables replaced; `None` if it has none, or an unset variable is
/// in it.
pub(crate) fn find_endpoint(model: &ComposeModel, service: &ServiceModel) -> Option<String> {
    DeclaredExport::of(model, service).endpoint()
}

/// The variables of a service that say where its telemetry goes, from `environment` and `env_file`.
struct DeclaredExport<'a> {
    model: &'a ComposeModel,
    service: &'a ServiceModel,
    /// All its variables; `None` without an env_file, where `environment` alone is faster.
    with_files: Option<ServiceEnvironment>,
}

impl<'a> DeclaredExport<'a> {
    fn of(model: &'a ComposeModel, service: &'a ServiceModel) -> Self {
        // The template of an env_file that is yet to be generated counts as the file.
        let with_files = (!service.env_files.is_empty()).then(|| service.intended(model.plain()));
        Self { model, service, with_files }
    }

    fn get(&self, name: &str) -> Option<Cow<'_, EnvironmentVariable>> {
        match &self.with_files {
            Some(variables) => variables.get(name).map(Cow::Borrowed),
            None => Some(Cow::Owned(self.service.declared(name)?.setting(self.model.plain()))),
        }
    }

    fn endpoint(&self) -> Option<String> {
        ENDPOINT_VARIABLES.into_iter().find_map(|name| {
            let variable = self.get(name)?;
            let value = variable.value.known()?.trim();
            let mut uses = variable.uses.iter();
            let is_set = uses.all(|variable_use| variable_use.won_by != VariableOrigin::Unset);
            (is_set && !value.is_empty()).then(|| value.to_owned())
        })
    }

    /// Returns the headers as written, or no text.
    fn headers(&self) -> String {
        let mut names = HEADERS_VARIABLES.into_iter();
        names.find_map(|name| self.get(name)?.raw.clone()).unwrap_or_default()
    }
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
        let declared = DeclaredExport::of(model, service);
        let endpoint = declared.endpoint()?;
        Some(Self {
            reaches_collector: reaches(&endpoint),
            endpoint,
            headers: declared.headers(),
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
