//! `init`: where telemetry goes, directly or through a collector of the project.

use crate::cli::{InitArgs, ProviderName};
use crate::commands::collector;
use crate::commands::place::Place;
use crate::compose::Model;
use crate::error::{Error, Result};
use crate::provider::collector::SERVICE;
use crate::provider::{self, Account, Destination, Provider};

/// Where the services send, and who takes it from there.
#[derive(Debug)]
pub(super) struct Sending {
    /// Who gets the telemetry in the end, with the key.
    pub(super) target: Destination,
    /// The service between, where there is one.
    pub(super) collector: Option<Between>,
}

/// A collector between the services and the target.
#[derive(Debug)]
pub(super) enum Between {
    /// One that this program adds, or has added.
    Ours,
    /// One that was there before: it knows where it sends, and needs nothing from us.
    Theirs(String),
}

impl Sending {
    /// What the services are told.
    pub(super) fn first(&self) -> Destination {
        match &self.collector {
            None => self.target.clone(),
            Some(Between::Ours) => Destination::collector(SERVICE),
            Some(Between::Theirs(service)) => Destination::collector(service),
        }
    }

    /// Whether a key is needed here.
    pub(super) fn needs_key(&self) -> bool {
        !matches!(self.collector, Some(Between::Theirs(_)))
    }
}

/// What the flags say, else what the project does already.
///
/// # Errors
/// As [`Destination::of`] and [`Destination::otlp`]; `usage` where two flags contradict.
pub(super) fn choose(args: &InitArgs, place: &Place, model: &Model) -> Result<Sending> {
    let named = &args.provider.provider;
    if named.0 != "collector" {
        if args.provider.to.is_some() {
            return Err(contradiction("`--to` says where a collector sends")
                .hint("`cruddur-ops init --provider collector --to honeycomb`"));
        }
        return Ok(Sending {
            target: target(named, args, place, model)?,
            collector: None,
        });
    }
    let usual = match args.provider.endpoint {
        Some(_) => ProviderName("otlp".to_owned()),
        None => ProviderName::default(),
    };
    let to = args.provider.to.as_ref().unwrap_or(&usual);
    let between = match collector::of_project(model) {
        Some(service) if !collector::is_ours(service, place.root()) => {
            Between::Theirs(service.name.clone())
        }
        _ => Between::Ours,
    };
    Ok(Sending {
        target: target(to, args, place, model)?,
        collector: Some(between),
    })
}

fn target(
    name: &ProviderName,
    args: &InitArgs,
    place: &Place,
    model: &Model,
) -> Result<Destination> {
    let flags = &args.provider;
    let own_headers = |name: &str| {
        let text = format!("{name} has headers of its own: `--header` is for `otlp`");
        contradiction(&text)
    };
    match provider::find(&name.0) {
        Some(provider) if flags.header.is_empty() => {
            let used = used_region(provider, place, model);
            Destination::of(
                provider,
                Account {
                    region: flags.region.as_deref().or(used),
                    endpoint: flags.endpoint.as_deref(),
                    settings: &flags.set,
                },
            )
        }
        Some(provider) => Err(own_headers(&provider.title)),
        None if flags.region.is_some() || !flags.set.is_empty() => {
            let text = format!("`{}` has no regions and settings", name.0);
            Err(contradiction(&text))
        }
        None if name.0 == "local" => match (&flags.endpoint, flags.header.is_empty()) {
            (None, true) => Ok(Destination::local()),
            _ => Err(contradiction("`local` needs neither endpoint nor header")),
        },
        None => Destination::otlp(flags.endpoint.as_deref().unwrap_or_default(), &flags.header),
    }
}

fn contradiction(text: &str) -> Error {
    Error::new("usage", text)
}

/// The region the project sends to already, by the addresses in its compose files and its collector's configuration.
fn used_region<'a>(provider: &'a Provider, place: &Place, model: &Model) -> Option<&'a str> {
    let configuration = collector::configuration(place);
    let mut named = provider.regions.iter();
    let used = named.find(|region| {
        let host = region.host();
        let mut entries = model
            .services
            .iter()
            .flat_map(|service| &service.environment);
        let in_file = configuration
            .as_ref()
            .is_some_and(|text| text.contains(host));
        in_file || entries.any(|entry| entry.raw().is_some_and(|raw| raw.contains(host)))
    })?;
    (!used.name.is_empty()).then_some(used.name.as_str())
}
