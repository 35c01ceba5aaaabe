//! `init`: detects what it can and asks for the rest; each question has a flag.

use std::collections::{BTreeMap, HashSet};

use super::addons::{self, AddonAnswers};
use super::agents::AgentAnswers;
use super::destination::{self, CollectorOwner, DestinationChoice};
use super::key::{self, KeyChoice};
use super::services::{self, ChosenServices};
use super::{collector, spans, trial};
use crate::cli::InitArgs;
use crate::commands::flow;
use crate::error::{ErrorCode, Result};
use crate::instrumentation::Instrumentation;
use crate::plan::collector::CollectorSettings;
use crate::plan::ports::PortPolicy;
use crate::plan::telemetry::SelectedService;
use crate::plan::{Note, gitpod};
use crate::provider::{self, Destination};
use crate::secret::Secret;
use crate::session::context::ProjectContext;
use crate::session::ports::PortsRequest;
use crate::ui::Ui;
use crate::ui::prompt::DefaultAnswer;
use crate::workspace::Workspace;

/// The answers needed before planning.
#[derive(Debug)]
pub(super) struct InitAnswers {
    /// The destination that services send to.
    pub(super) destination: Destination,
    /// The collector between the services and the provider, if `init` adds it.
    pub(super) collector: Option<CollectorSettings>,
    /// `None` when the key is provided from elsewhere.
    pub(super) key: Option<KeyChoice>,
    pub(super) selected: Vec<SelectedService>,
    /// Services that already send and are no longer traced.
    pub(super) dropped: Vec<String>,
    /// The instrumentation found in each service, by its name.
    pub(super) instrumentation: BTreeMap<String, Instrumentation>,
    /// The agents that services are started with.
    pub(super) agents: AgentAnswers,
    pub(super) addons: AddonAnswers,
    /// `None` when ports are left alone.
    pub(super) ports: Option<PortsRequest>,
    pub(super) notes: Vec<Note>,
}

impl InitAnswers {
    /// Returns the names of the traced services.
    pub(super) fn names(&self) -> Vec<String> {
        self.selected.iter().map(|selected| selected.service.clone()).collect()
    }

    /// Returns the secrets by variable, as docker compose would see them under `run`.
    pub(super) fn secrets(&self) -> Vec<(String, Secret)> {
        self.keys().map(|key| (key.variable.clone(), key.secret.clone())).collect()
    }

    /// Returns every secret and where it goes.
    pub(super) fn keys(&self) -> impl Iterator<Item = &KeyChoice> {
        self.key.iter().chain(&self.addons.tokens)
    }
}

/// Detects what it can and asks for the rest.
///
/// # Errors
/// When an answer is missing and there is no terminal.
pub(super) fn ask(args: &InitArgs, context: &ProjectContext, ui: &mut Ui) -> Result<InitAnswers> {
    let model = context.project.model()?;
    let mut notes: Vec<Note> = Vec::new();
    for warning in &model.warnings {
        let file = context.project.shown(&warning.place.path);
        notes.push(Note::warning(format!(
            "{}:{}: {}",
            file.display(),
            warning.place.line,
            warning.text
        )));
    }
    notes.extend(context.project.passed_over().map(Note::warning));
    let mut sending = destination::choose(args, context, model)?;
    let mut key = None;
    if sending.needs_key() {
        let (chosen, new_notes) = known_key(args, &mut sending, context, ui)?;
        key = chosen;
        notes.extend(new_notes);
    }
    let heading = destination_notes(&sending);
    notes.splice(0..0, heading);
    notes.extend(context.stores(ui.redactor()).shared_names());
    let chosen = services::choose(args, &sending, context, model, ui)?;
    let ChosenServices { selected, notes: evidence, dropped, is_settled } = chosen;
    notes.extend(evidence);
    notes.extend(changed_destination_notes(&sending, &selected));
    let moved: HashSet<&String> =
        dropped.iter().chain(selected.iter().map(|selected| &selected.service)).collect();
    let is_moved = |name: &String| moved.contains(name);
    let unused = sending.left_behind.iter().filter(|left| left.users.iter().all(is_moved));
    notes.extend(unused.map(|left| left.note.clone()));
    let collector = match sending.collector {
        Some(CollectorOwner::Ours) => {
            let (collector, new_notes) =
                collector::plan(&sending.target, &selected, context, model);
            notes.extend(new_notes);
            Some(collector)
        }
        _ => None,
    };
    let instrumentation = spans::read(args, context, &selected)?;
    let (addons, new_notes) = addons::ask(args, context, &selected, ui)?;
    notes.extend(new_notes);
    let mut ports = ask_ports(args, context, is_settled, ui)?;
    if let Some(request) = &mut ports {
        request.planned.extend(collector.as_ref().and_then(collector::port));
        request.planned.extend(addons.published(model));
    }
    Ok(InitAnswers {
        destination: sending.first(),
        collector,
        key,
        selected,
        dropped,
        instrumentation,
        agents: AgentAnswers::default(),
        addons,
        ports,
        notes,
    })
}

/// The number of times a key is asked for before the command fails.
const MAX_ATTEMPTS: usize = 3;

/// Returns the key after trying it at its destination; asks again for a rejected one if there is a terminal.
fn known_key(
    args: &InitArgs,
    destination: &mut DestinationChoice,
    context: &ProjectContext,
    ui: &mut Ui,
) -> Result<(Option<KeyChoice>, Vec<Note>)> {
    let (mut key, mut notes) = key::choose(args, &destination.target, context, ui)?;
    for tries in 1.. {
        let Some(choice) = &key else { break };
        let advice = context.key_advice(&choice.variable);
        if args.no_verify {
            notes.extend(advice);
            break;
        }
        match trial::run(args, destination.target.clone(), choice, ui.redactor()) {
            Ok((target, new_notes)) => {
                destination.target = target;
                notes.extend(advice.into_iter().chain(new_notes));
                break;
            }
            Err(error)
                if error.code == ErrorCode::KeyRejected
                    && tries < MAX_ATTEMPTS
                    && !args.key_stdin
                    && flow::may_ask(&args.write, ui) =>
            {
                ui.error(&error);
                let (again, new_notes) = key::ask_again(choice, &destination.target, context, ui)?;
                key = Some(again);
                notes = new_notes;
            }
            Err(error) => return Err(error),
        }
    }
    Ok((key, notes))
}

/// Returns one line for each place that receives data.
fn destination_notes(destination: &DestinationChoice) -> Vec<Note> {
    let target = &destination.target;
    if let Some(CollectorOwner::Theirs(service)) = &destination.collector {
        return vec![Note::fact(format!(
            "the service {service} is already a collector: the services send to it, and its configuration decides where it sends"
        ))];
    }
    let by = match destination.collector {
        Some(_) => ", through a collector that alone holds the key",
        None => "",
    };
    let unchanged = if destination.is_unchanged {
        ", as before (`--provider honeycomb` changes that)"
    } else {
        ""
    };
    let mut notes = vec![Note::fact(format!(
        "provider: {} at {}{by}{unchanged}",
        target.title, target.endpoint
    ))];
    if provider::find_provider(&target.provider).is_some_and(|known| !known.confirmed) {
        notes.push(
            Note::warning(format!(
                "the address and headers of {} come from its documentation and are untested",
                target.title
            ))
            .hint("`cruddur-ops verify` tests them; `--endpoint URL` overrides the address"),
        );
    }
    notes
}

/// Returns notes on services whose traces would change destination without having been asked to.
fn changed_destination_notes(
    destination: &DestinationChoice,
    selected: &[SelectedService],
) -> Vec<Note> {
    let selected: HashSet<&str> =
        selected.iter().map(|selected| selected.service.as_str()).collect();
    let leaving = destination.leaving.iter();
    leaving
        .filter(|(service, _)| selected.contains(service.as_str()))
        .map(|(service, used)| {
            Note::warning(format!("{service} currently sends to {}", used.describe()))
                .hint(format!("`{}` keeps it there", used.flags()))
        })
        .collect()
}

fn ask_ports(
    args: &InitArgs,
    context: &ProjectContext,
    are_services_settled: bool,
    ui: &mut Ui,
) -> Result<Option<PortsRequest>> {
    if args.no_ports {
        return Ok(None);
    }
    let live = Workspace::detect(context.shell).has_live_ports();
    let known = context.project.gitpod.is_some() || context.in_gitpod();
    let question =
        "Make the published ports public (all but databases, debuggers, admin pages and X-Ray's)?";
    let configured = context.configured_ports();
    let published = context.published(context.project.model()?);
    let is_decided = if known {
        published.iter().all(|port| gitpod::entry_for_port(&configured, port.port).is_some())
    } else {
        // Live ports alone do not show whether they were decided on; a setup does.
        published.is_empty() || are_services_settled
    };
    let public = args.public
        || (flow::may_ask(&args.write, ui)
            && (known || live)
            && !is_decided
            && ui.confirm(question, "--public", DefaultAnswer::No)?);
    let policy = if public { PortPolicy::Public } else { PortPolicy::Keep };
    Ok((public || known).then_some(PortsRequest {
        policy,
        requested: Vec::new(),
        live,
        gitpod: false,
        devcontainer: false,
        on_start: args.on_start,
        planned: Vec::new(),
    }))
}
