//! `init`: what is detected, and the questions for the rest; each has a flag.

use super::addons::{self, Addons};
use super::key::{self, KeyChoice};
use super::{services, trial};
use crate::cli::{InitArgs, ProviderName};
use crate::commands::flow;
use crate::commands::place::Place;
use crate::commands::ports::Request;
use crate::compose::Model;
use crate::error::Result;
use crate::plan::Note;
use crate::plan::ports::Wish;
use crate::plan::telemetry::Selected;
use crate::provider::{self, Destination};
use crate::secret::Secret;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Everything that had to be known before a plan.
#[derive(Debug)]
pub(super) struct Answers {
    pub(super) destination: Destination,
    /// `None` where somebody else provides it.
    pub(super) key: Option<KeyChoice>,
    pub(super) selected: Vec<Selected>,
    pub(super) addons: Addons,
    /// `None` where ports are left alone.
    pub(super) ports: Option<Request>,
    pub(super) notes: Vec<Note>,
}

impl Answers {
    /// The services that are traced.
    pub(super) fn names(&self) -> Vec<String> {
        self.selected
            .iter()
            .map(|selected| selected.service.clone())
            .collect()
    }

    /// The secrets by the names of their variables, for what compose would see under `run`.
    pub(super) fn secrets(&self) -> Vec<(String, Secret)> {
        self.keys()
            .map(|key| (key.variable.clone(), key.secret.clone()))
            .collect()
    }

    /// Every secret, and where it goes.
    pub(super) fn keys(&self) -> impl Iterator<Item = &KeyChoice> {
        self.key.iter().chain(&self.addons.token)
    }
}

/// Detects what it can and asks for the rest.
///
/// # Errors
/// An answer that is missing where nobody can be asked.
pub(super) fn ask(args: &InitArgs, place: &Place, ui: &mut Ui) -> Result<Answers> {
    let model = place.project.model()?;
    let mut notes: Vec<Note> = Vec::new();
    for warning in &model.warnings {
        let file = place.project.shown(&warning.place.path);
        notes.push(Note::warning(format!(
            "{}:{}: {}",
            file.display(),
            warning.place.line,
            warning.text
        )));
    }
    let mut destination = destination(args, model)?;
    let key = key::choose(args, &destination, place, &mut notes, ui)?;
    if let Some(key) = &key {
        notes.extend(place.key_advice(&key.variable));
    }
    if let Some(key) = &key
        && !args.no_verify
    {
        destination = trial::run(args, destination, key, &mut notes)?;
    }
    notes.insert(
        0,
        Note::fact(format!(
            "provider: {} at {}",
            destination.title, destination.endpoint
        )),
    );
    notes.extend(place.stores(ui.redactor()).shared_names());
    let (selected, evidence) = services::choose(args, place, model, ui)?;
    notes.extend(evidence);
    let addons = addons::ask(args, place, &selected, &mut notes, ui)?;
    let mut ports = ports(args, place, ui)?;
    if let Some(request) = &mut ports {
        request.planned.extend(addons.published(model));
    }
    Ok(Answers {
        destination,
        key,
        selected,
        addons,
        ports,
        notes,
    })
}

/// The provider and region that flags name, else the region the project sends to already, else the first.
fn destination(args: &InitArgs, model: &Model) -> Result<Destination> {
    match (args.provider, provider::find("honeycomb")) {
        (ProviderName::Honeycomb, Some(honeycomb)) => {
            let used = honeycomb.regions.iter().find(|region| {
                let mut entries = model
                    .services
                    .iter()
                    .flat_map(|service| &service.environment);
                entries.any(|entry| entry.raw().is_some_and(|raw| raw.contains(region.host())))
            });
            let region = args
                .region
                .as_deref()
                .or(used.map(|region| region.name.as_str()));
            Destination::of(honeycomb, region)
        }
        _ => Destination::otlp(args.endpoint.as_deref().unwrap_or_default(), &args.header),
    }
}

fn ports(args: &InitArgs, place: &Place, ui: &mut Ui) -> Result<Option<Request>> {
    if args.no_ports {
        return Ok(None);
    }
    let live = Workspace::detect(place.shell).has_live_ports();
    let known = place.project.gitpod.is_some() || place.in_gitpod();
    let question = "Make the published ports public (all but databases and X-Ray's)?";
    let public = args.public
        || (flow::may_ask(&args.write, ui)
            && (known || live)
            && ui.confirm(question, "--public", false)?);
    let wish = if public { Wish::Public } else { Wish::Keep };
    Ok((public || known).then_some(Request {
        wish,
        asked: Vec::new(),
        live,
        devcontainer: false,
        on_start: args.on_start,
        planned: Vec::new(),
    }))
}
