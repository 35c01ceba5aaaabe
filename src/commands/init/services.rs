//! `init`: chooses the services to trace.

use std::collections::HashSet;
use std::path::Path;

use super::destination::DestinationChoice;
use crate::cli::InitArgs;
use crate::commands::flow;
use crate::compose::{
    Classification, ComposeModel, ServiceModel, ServiceRole, classify_service, is_collector,
};
use crate::error::Result;
use crate::plan::Note;
use crate::plan::agents::is_agent_service;
use crate::plan::telemetry::SelectedService;
use crate::provider::collector::SERVICE;
use crate::secret::RedactedText;
use crate::session::context::{ProjectContext, unknown_service};
use crate::session::current_destination::{CurrentDestination, find_current_destinations};
use crate::ui::Ui;
use crate::ui::text::join_first_names;

/// Chooses the services to trace, with a note on the evidence for each.
#[derive(Debug, Default)]
pub(super) struct ChosenServices {
    pub(super) selected: Vec<SelectedService>,
    pub(super) notes: Vec<Note>,
    /// Services that already send and were deselected.
    pub(super) dropped: Vec<String>,
    /// Whether every service to trace sends there already, so that nothing was asked.
    pub(super) is_settled: bool,
}

impl ChosenServices {
    fn new(selected: Vec<SelectedService>, notes: Vec<Note>) -> Self {
        Self { selected, notes, ..Self::default() }
    }
}

/// Chooses the services to trace.
///
/// # Errors
/// `unknown-service`; `answer-missing` without a terminal.
pub(super) fn choose(
    args: &InitArgs,
    sending: &DestinationChoice,
    context: &ProjectContext,
    model: &ComposeModel,
    ui: &mut Ui,
) -> Result<ChosenServices> {
    let through_collector = sending.collector.is_some();
    let mut chosen = choose_services(args, sending, context, model, ui)?;
    let ChosenServices { selected, notes, .. } = &mut chosen;
    // A collector must not be traced through itself.
    let collects = |selected: &SelectedService| {
        let service = model.service(&selected.service);
        selected.service == SERVICE || service.is_some_and(is_collector)
    };
    for collector in selected.extract_if(.., |selected| through_collector && collects(selected)) {
        let text = format!("{} is a collector, which is never traced itself", collector.service);
        notes.push(Note::fact(text));
    }
    let copies =
        |selected: &SelectedService| model.service(&selected.service).is_some_and(is_agent_service);
    for copier in selected.extract_if(.., |selected| copies(selected)) {
        let text = format!(
            "{} copies an agent for other services, and is never traced itself",
            copier.service
        );
        notes.push(Note::fact(text));
    }
    Ok(chosen)
}

fn choose_services(
    args: &InitArgs,
    sending: &DestinationChoice,
    context: &ProjectContext,
    model: &ComposeModel,
    ui: &mut Ui,
) -> Result<ChosenServices> {
    if args.all_services {
        let selected = model.services.iter().map(|service| select_service(&service.name)).collect();
        let note = Note::warning(
            "every service is traced, databases and frontends too: what ends up in a browser is public",
        );
        return Ok(ChosenServices::new(selected, vec![note]));
    }
    let mut classes: Vec<Classification> = model
        .services
        .iter()
        .map(|service| classify_service(service, context.project.sources()))
        .collect();
    if !args.service.is_empty() {
        return select_named_services(args, sending, model, &classes);
    }
    let sends = find_current_destinations(context, model);
    let is_settled = keep_current_senders(&mut classes, model, &sends, sending);
    let mut notes = Vec::new();
    let (chosen, listed) = if is_settled && flow::may_ask(&args.write, ui) {
        notes.push(
            Note::fact("every service to trace sends already")
                .hint("`cruddur-ops remove --service NAME` takes one out"),
        );
        (classes.iter().map(|class| class.traced).collect(), Vec::new())
    } else {
        ask_services(args, model, &classes, ui)?
    };
    notes.extend(explain_choice(model, &classes, &chosen, &listed));
    let selected: Vec<SelectedService> = model
        .services
        .iter()
        .zip(&chosen)
        .filter(|(_, chosen)| **chosen)
        .map(|(service, _)| select_service(&service.name))
        .collect();
    if selected.is_empty() {
        notes.extend(explain_empty_choice(context, model));
    } else if listed.is_empty() && classes.iter().any(|class| class.role == ServiceRole::Other) {
        notes.push(Note::fact(
            "`--service NAME`, given once for each service, chooses them instead",
        ));
    }
    let senders: HashSet<&str> = sends.iter().map(|(service, _)| *service).collect();
    let is_dropped = |(at, _): &(usize, &ServiceModel)| classes[*at].traced && !chosen[*at];
    let dropped = model.services.iter().enumerate().filter(is_dropped);
    let dropped = dropped
        .map(|(_, service)| service.name.clone())
        .filter(|name| senders.contains(name.as_str()))
        .collect();
    Ok(ChosenServices { dropped, is_settled, ..ChosenServices::new(selected, notes) })
}

/// Returns a note on each service and why it is traced or not, except what a list has just shown in full.
fn explain_choice(
    model: &ComposeModel,
    classes: &[Classification],
    chosen: &[bool],
    listed: &[bool],
) -> Vec<Note> {
    let services = model.services.iter().zip(classes).enumerate();
    let notes = services.filter_map(|(at, (service, class))| {
        let is_told = listed.get(at) == Some(&true) && chosen[at] == class.traced;
        match chosen[at] {
            _ if is_told => None,
            true => Some(traced_note(&service.name, class)),
            false => (!is_agent_service(service)).then(|| untraced_note(&service.name, class)),
        }
    });
    notes.collect()
}

/// Returns notes on why no service is traced, and how to choose one.
fn explain_empty_choice(context: &ProjectContext, model: &ComposeModel) -> Vec<Note> {
    if model.services.is_empty() {
        return vec![Note::warning("the compose project has no service")];
    }
    let empty =
        Note::warning("no service is traced").hint("`cruddur-ops init --service NAME` chooses one");
    [Some(empty), unread_compose_files(context)].into_iter().flatten().collect()
}

/// Marks services that send to the chosen destination as traced, because an earlier run set them up. Returns whether
/// these are all services to trace.
fn keep_current_senders(
    classes: &mut [Classification],
    model: &ComposeModel,
    sends: &[(&str, CurrentDestination)],
    sending: &DestinationChoice,
) -> bool {
    let keeps =
        |name: &str| sends.iter().any(|(sender, used)| *sender == name && sending.keeps(used));
    let mut is_settled = true;
    for (service, class) in model.services.iter().zip(&mut *classes) {
        let sends_already = keeps(&service.name);
        is_settled &= sends_already || !class.traced;
        if sends_already && !class.traced {
            class.traced = true;
            class.evidence = "it sends there already".to_owned();
        }
    }
    is_settled && classes.iter().any(|class| class.traced)
}

/// Chooses services, in their order: those with evidence, or the user's choice if there is a terminal. Also returns
/// for which of them the list showed the evidence in full.
fn ask_services(
    args: &InitArgs,
    model: &ComposeModel,
    classes: &[Classification],
    ui: &mut Ui,
) -> Result<(Vec<bool>, Vec<bool>)> {
    let chosen: Vec<bool> = classes.iter().map(|class| class.traced).collect();
    if model.services.len() < 2 || !flow::may_ask(&args.write, ui) {
        return Ok((chosen, Vec::new()));
    }
    let named = model.services.iter().zip(classes);
    let pen = ui.pen();
    let items: Vec<RedactedText> = named
        .map(|(service, class)| pen.show(&format!("{}  {}", service.name, class.evidence)))
        .collect();
    let (items, listed) = ui.fit_entries(&items);
    let picked = ui.choose(
        "Which services are traced? (space selects, enter continues)",
        "--service NAME",
        &items,
        &chosen,
    )?;
    let chosen: Vec<bool> = (0..items.len()).map(|index| picked.contains(&index)).collect();
    let services = model.services.iter().zip(&chosen);
    let names: Vec<&str> =
        services.filter(|(_, chosen)| **chosen).map(|(service, _)| service.name.as_str()).collect();
    ui.say(match names.as_slice() {
        [] => "no service is traced".to_owned(),
        names => format!("traced: {}", names.join(", ")),
    });
    Ok((chosen, listed))
}

fn select_service(service: &str) -> SelectedService {
    SelectedService { service: service.to_owned(), name: None }
}

fn select_named_services(
    args: &InitArgs,
    sending: &DestinationChoice,
    model: &ComposeModel,
    classes: &[Classification],
) -> Result<ChosenServices> {
    let mut selected: Vec<SelectedService> = Vec::new();
    let mut notes = Vec::new();
    for text in &args.service {
        let (service, name) = match text.split_once('=') {
            Some((service, name)) if !name.trim().is_empty() => {
                (service, Some(name.trim().to_owned()))
            }
            Some((service, _)) => (service, None),
            None => (text.as_str(), None),
        };
        let Some(index) = model.services.iter().position(|known| known.name == service) else {
            return Err(unknown_service(service, model));
        };
        if classes[index].role == ServiceRole::Frontend && sending.collector.is_none() {
            notes.push(Note::warning(format!(
                "{service} is a browser frontend ({}): what ends up in a browser is public, and a dev server reads none of these variables",
                classes[index].evidence
            )));
        }
        if selected.iter().all(|selected| selected.service != service) {
            notes.push(traced_note(service, &classes[index]));
            selected.push(SelectedService { service: service.to_owned(), name });
        }
    }
    Ok(ChosenServices::new(selected, notes))
}

/// Returns a note on the compose files that docker compose reads only if `-f` names them.
fn unread_compose_files(context: &ProjectContext) -> Option<Note> {
    let shown = |path: &Path| context.project.shown(path).display().to_string();
    let read = context.project.compose_files();
    let mut unread = context.project.compose_files_here();
    unread.retain(|path| !read.contains(path));
    let names: Vec<String> = unread.iter().map(|path| shown(path)).collect();
    let first = names.first()?;
    let read: Vec<String> = read.iter().map(|path| shown(path)).collect();
    let read = read.join(" -f ");
    let listed = join_first_names(&names);
    let pronoun = if names.len() == 1 { "it" } else { "them" };
    let note = Note::fact(format!("docker compose reads {listed} only if `-f` names {pronoun}"));
    Some(note.hint(format!("`cruddur-ops init -f {read} -f {first}` reads {first} as well")))
}

fn traced_note(service: &str, class: &Classification) -> Note {
    Note::fact(format!("{service}: traced ({})", class.evidence))
}

fn untraced_note(service: &str, class: &Classification) -> Note {
    let reason = match class.role {
        ServiceRole::Frontend => "; not recommended: a browser bundle is public",
        _ => "",
    };
    Note::fact(format!("{service}: not traced ({}{reason})", class.evidence))
}
