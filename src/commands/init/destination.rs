//! `init`: chooses where telemetry goes, directly or through a collector of the project.

use crate::cli::{InitArgs, ProviderArgs};
use crate::compose::{ComposeModel, DeclaredVariable, ServiceEnvironment};
use crate::error::{Error, ErrorCode, Result};
use crate::plan::Note;
use crate::provider::collector::{FILE, SERVICE};
use crate::provider::{
    self, AccountSettings, Destination, Provider, RecognisedProvider, is_same_address,
};
use crate::session::collector;
use crate::session::context::ProjectContext;
use crate::session::current_destination::{CurrentDestination, find_current_destinations};

/// The destination of the services, and the collector on the way.
#[derive(Debug)]
pub(super) struct DestinationChoice {
    /// The provider that receives the telemetry in the end, which needs the key.
    pub(super) target: Destination,
    /// The collector between, if any.
    pub(super) collector: Option<CollectorOwner>,
    /// The project's current destination is kept because no flag names another.
    pub(super) is_unchanged: bool,
    /// Services that send elsewhere today, although no flag asked to change that.
    pub(super) leaving: Vec<(String, CurrentDestination)>,
    /// Notes on settings of an earlier provider that the new one does not need.
    pub(super) left_behind: Vec<LeftBehind>,
}

/// A setting of an earlier provider that stays in the files.
#[derive(Debug)]
pub(super) struct LeftBehind {
    /// The note on it.
    pub(super) note: Note,
    /// The services that use it, until they get another destination.
    pub(super) users: Vec<String>,
}

/// The default provider.
const HONEYCOMB: &str = "honeycomb";

/// The owner of the collector between the services and the target.
#[derive(Debug)]
pub(super) enum CollectorOwner {
    /// A collector that `init` adds, or has added.
    Ours,
    /// A collector that already exists: it has its own destination and needs no settings.
    Theirs(String),
}

impl DestinationChoice {
    fn directly(target: Destination) -> Self {
        Self {
            target,
            collector: None,
            is_unchanged: false,
            leaving: Vec::new(),
            left_behind: Vec::new(),
        }
    }

    /// Returns the destination that the services are configured with.
    pub(super) fn first(&self) -> Destination {
        match &self.collector {
            None => self.target.clone(),
            Some(CollectorOwner::Ours) => Destination::collector(SERVICE),
            Some(CollectorOwner::Theirs(service)) => Destination::collector(service),
        }
    }

    /// Returns whether a service that sends to `used` keeps its destination.
    pub(super) fn keeps(&self, used: &CurrentDestination) -> bool {
        let first = self.first();
        match used {
            CurrentDestination::Elsewhere(address, _) => is_same_address(address, &first.endpoint),
            known => known.name() == Some(&first.provider),
        }
    }

    /// Returns whether this project needs a key.
    pub(super) fn needs_key(&self) -> bool {
        !matches!(self.collector, Some(CollectorOwner::Theirs(_)))
    }
}

/// Chooses the destination of the flags, else of the project as it is, else Honeycomb.
///
/// # Errors
/// As [`Destination::of`] and [`Destination::otlp`]; `usage` when two flags contradict each other.
pub(super) fn choose(
    args: &InitArgs,
    context: &ProjectContext,
    model: &ComposeModel,
) -> Result<DestinationChoice> {
    let flags = &args.provider;
    let services = find_current_destinations(context, model);
    let used = match services.split_first() {
        Some(((_, first), rest)) if rest.iter().all(|(_, used)| used == first) => Some(first),
        _ => None,
    };
    let current = used.filter(|_| flags.provider.is_none() && says_no_account(flags));
    let named = flags.provider.as_ref().map(|name| name.0.as_str());
    let name = named.or(current.and_then(CurrentDestination::name)).unwrap_or(HONEYCOMB).to_owned();
    let known = used.and_then(CurrentDestination::provider);
    let request = DestinationRequest { args, context, model, known };
    let mut choice = match name.as_str() {
        "collector" => through_collector(&request)?,
        _ if flags.to.is_some() => {
            return Err(contradiction_error("`--to` sets where a collector sends")
                .hint("`cruddur-ops init --provider collector --to honeycomb`"));
        }
        name => DestinationChoice::directly(choose_destination(name, &request)?),
    };
    choice.is_unchanged = current.is_some() && name != HONEYCOMB;
    choice.left_behind = left_behind(&services, &name, context, model);
    if named.is_none() {
        let leaving = services.into_iter().filter(|(_, used)| used.name() != Some(&name));
        choice.leaving = leaving.map(|(service, used)| (service.to_owned(), used)).collect();
    }
    Ok(choice)
}

/// Returns notes on what stays in the files although it is no longer needed: the user may rely on it.
fn left_behind(
    services: &[(&str, CurrentDestination)],
    name: &str,
    context: &ProjectContext,
    model: &ComposeModel,
) -> Vec<LeftBehind> {
    let users = |provider| -> Vec<String> {
        let using = services.iter().filter(|(_, used)| used.name() == Some(provider));
        using.filter(|_| provider != name).map(|(service, _)| (*service).to_owned()).collect()
    };
    let senders = users("collector");
    let own_collector = collector::of_project(model)
        .filter(|service| !senders.is_empty() && collector::is_ours(service, context.root()));
    let collector = own_collector.map(|service| {
        Note::warning(format!(
            "the service {} stays, but nothing sends to it any more",
            service.name
        ))
        .hint(format!("remove it from the compose file, and delete {FILE}"))
    });
    let collector = collector.map(|note| LeftBehind { note, users: senders });
    let local = users("local");
    let host = (!local.is_empty()).then(|| LeftBehind {
        note: Note::fact(
            "`extra_hosts` with host.docker.internal stays: it is no longer needed, but harmless",
        ),
        users: local,
    });
    collector.into_iter().chain(host).collect()
}

/// Returns whether no flag describes a provider's account.
fn says_no_account(flags: &ProviderArgs) -> bool {
    flags.region.is_none()
        && flags.set.is_empty()
        && flags.endpoint.is_none()
        && flags.header.is_empty()
}

/// The flags, and what is known of the project.
struct DestinationRequest<'a> {
    args: &'a InitArgs,
    context: &'a ProjectContext<'a>,
    model: &'a ComposeModel,
    /// The provider the services send to today.
    known: Option<&'a RecognisedProvider>,
}

fn through_collector(request: &DestinationRequest<'_>) -> Result<DestinationChoice> {
    let flags = &request.args.provider;
    let to = match (&flags.to, &flags.endpoint, request.known) {
        (Some(name), ..) => &name.0,
        (None, Some(_), _) => "otlp",
        (None, None, Some(known)) => &known.provider.name,
        (None, None, None) => HONEYCOMB,
    };
    let owner = match collector::of_project(request.model) {
        Some(service) if !collector::is_ours(service, request.context.root()) => {
            CollectorOwner::Theirs(service.name.clone())
        }
        _ => CollectorOwner::Ours,
    };
    Ok(DestinationChoice {
        collector: Some(owner),
        ..DestinationChoice::directly(choose_destination(to, request)?)
    })
}

fn choose_destination(name: &str, request: &DestinationRequest<'_>) -> Result<Destination> {
    let flags = &request.args.provider;
    let own_headers = |name: &str| {
        let text = format!("{name} has its own headers: `--header` is for `otlp`");
        contradiction_error(&text)
    };
    match provider::find_provider(name) {
        Some(provider) if flags.header.is_empty() => {
            let known = request
                .known
                .filter(|known| known.provider == provider)
                .filter(|_| says_no_account(flags));
            let used = used_region(provider, request.context, request.model);
            Destination::of(
                provider,
                AccountSettings {
                    region: flags.region.as_deref().or(used),
                    endpoint: match known {
                        Some(known) => known.endpoint.as_deref(),
                        None => flags.endpoint.as_deref(),
                    },
                    settings: known.map_or(&flags.set, |known| &known.settings),
                },
            )
        }
        Some(provider) => Err(own_headers(&provider.title)),
        None if flags.region.is_some() || !flags.set.is_empty() => {
            let text = format!("`{name}` has no regions or settings");
            Err(contradiction_error(&text))
        }
        None if name == "local" => match (&flags.endpoint, flags.header.is_empty()) {
            (None, true) => Ok(Destination::local()),
            _ => Err(contradiction_error("`local` needs neither endpoint nor header")),
        },
        None => Destination::otlp(flags.endpoint.as_deref().unwrap_or_default(), &flags.header),
    }
}

fn contradiction_error(text: &str) -> Error {
    Error::new(ErrorCode::Usage, text)
}

/// Returns the region the project sends to today, from the addresses in its compose files and its collector's
/// configuration.
fn used_region<'a>(
    provider: &'a Provider,
    context: &ProjectContext,
    model: &ComposeModel,
) -> Option<&'a str> {
    let configuration = collector::read_collector_configuration(context);
    // An env_file is read only where there is one, because that takes longer.
    let with_files = model.services.iter().filter(|service| !service.env_files.is_empty());
    let in_files: Vec<ServiceEnvironment> =
        with_files.map(|service| service.intended(model.plain())).collect();
    let in_files = in_files.iter().flat_map(ServiceEnvironment::iter);
    let declared = model.services.iter().flat_map(|service| &service.environment);
    let values: Vec<&str> = configuration
        .as_deref()
        .into_iter()
        .chain(declared.filter_map(DeclaredVariable::raw))
        .chain(in_files.filter_map(|setting| setting.raw.as_deref()))
        .collect();
    let mut named = provider.regions.iter();
    let used = named.find(|region| values.iter().any(|value| value.contains(region.host())))?;
    (!used.name.is_empty()).then_some(used.name.as_str())
}
