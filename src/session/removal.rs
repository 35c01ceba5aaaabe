//! Removes a setup from a project: first the changes in the journal, then every other line that `init` would write.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::apply::{EntryFileState, Journal};
use crate::compose::ComposeModel;
use crate::edit::yaml::ports as ports_editor;
use crate::error::Result;
use crate::instrumentation::ENDPOINT_VARIABLES;
use crate::plan::instrument::withdrawal;
use crate::plan::ports::{self, PortEntryOrigin, PortPolicy};
use crate::plan::removal::{self, CollectorSetup, RemovalRequest};
use crate::plan::{FileChange, Note, Plan, WriteMethod};
use crate::provider::collector::FILE;
use crate::provider::{self, Addon, Destination};
use crate::session::context::ProjectContext;
use crate::session::current_destination::{
    CurrentDestination, find_current_destinations, list_accounts,
};
use crate::session::{code, collector};

/// The commands whose changes make up a setup.
pub(crate) const COMMANDS: [&str; 3] = ["init", "instrument", "ports"];

/// The name under which the journal keeps a removal of the whole setup.
pub(crate) const WHOLE: &str = "remove";

/// The name under which the journal keeps a removal of some services.
pub(crate) const SERVICES: &str = "remove --service";

/// The services to remove from the setup.
#[derive(Debug, Clone)]
pub(crate) enum RemovalScope {
    /// All of them, and what belongs to the project as a whole.
    All,
    /// These.
    Services(BTreeSet<String>),
}

/// Plans to take the setup out: of the whole project, or of some services.
///
/// # Errors
/// `unsafe-edit`; if the project or the journal cannot be read.
pub(crate) fn plan(
    context: &ProjectContext,
    scope: &RemovalScope,
    journal: &Journal,
) -> Result<Plan> {
    match scope {
        RemovalScope::Services(names) => take_lines(context, names, &BTreeSet::new()),
        RemovalScope::All => {
            let TakenBack { plan: remembered, cleared } = take_back(context, journal)?;
            let after = context.with_texts(&planned_texts(&remembered));
            let names = after.project.model()?.services.iter().map(|service| service.name.clone());
            let mut removed = take_lines(&after, &names.collect(), &cleared)?;
            removed.extend(unhide(&after)?);
            removed.changes.retain(|change| !cleared.contains(&change.path));
            Ok(join(remembered, removed))
        }
    }
}

/// The changes that the journal reverts.
#[derive(Debug, Default)]
struct TakenBack {
    plan: Plan,
    /// The files that have nothing of the setup left.
    cleared: BTreeSet<PathBuf>,
}

/// Reverts the setup's changes, file by file, unless the same lines were changed since.
fn take_back(context: &ProjectContext, journal: &Journal) -> Result<TakenBack> {
    let mut plan = Plan::default();
    let (mut cleared, mut edited) = (BTreeSet::new(), BTreeSet::new());
    // An earlier removal of the whole setup already removed what older entries added.
    let mut left: BTreeSet<PathBuf> = BTreeSet::new();
    for entry in journal.entries()? {
        if COMMANDS.contains(&entry.command.as_str()) {
            edited.extend(journal.take_back(&entry, &mut plan, &left));
            cleared.extend(entry.files.into_iter().map(|file| file.path));
        } else if entry.command == WHOLE {
            let states = journal.file_states(&entry)?;
            let files = entry
                .files
                .into_iter()
                .zip(states)
                .filter(|(_, state)| *state == EntryFileState::New);
            left.extend(files.map(|(file, _)| file.path));
        }
    }
    cleared.extend(left);
    let hides = has_values(context);
    let is_kept = |path: &Path| hides && path.ends_with(".gitignore");
    let top = context.project.git_root.as_deref().unwrap_or(context.root());
    let is_ours = |path: &Path| path.starts_with(top) && !is_kept(path);
    plan.changes.retain(|change| change.before != change.after && is_ours(&change.path));
    // What docker compose would not load is left to what follows.
    if context.prove_not_refused(&plan).is_err() {
        return Ok(TakenBack::default());
    }
    cleared.retain(|path| !edited.contains(path));
    Ok(TakenBack { plan, cleared })
}

fn planned_texts(plan: &Plan) -> BTreeMap<PathBuf, Arc<str>> {
    let texts = plan.changes.iter();
    texts.map(|change| (change.path.clone(), change.after.clone().unwrap_or_default())).collect()
}

/// Merges two plans, the second made on top of the first.
fn join(first: Plan, second: Plan) -> Plan {
    let mut plan = first;
    let first = plan.changes.iter().enumerate();
    let mut places: HashMap<PathBuf, usize> =
        first.map(|(at, change)| (change.path.clone(), at)).collect();
    for change in second.changes {
        let at = *places.entry(change.path.clone()).or_insert(plan.changes.len());
        match plan.changes.get_mut(at) {
            Some(known) if known.after.is_none() => {}
            Some(known) => known.after = change.after,
            None => plan.changes.push(change),
        }
    }
    plan.changes.retain(|change| change.before != change.after);
    plan.notes.extend(second.notes);
    plan
}

/// Takes out every line that `init` would write for these services.
fn take_lines(
    context: &ProjectContext,
    names: &BTreeSet<String>,
    cleared: &BTreeSet<PathBuf>,
) -> Result<Plan> {
    let model = context.project.model()?;
    let current = find_current_destinations(context, model);
    let text = collector::read_collector_configuration(context);
    let path = context.root().join(FILE);
    let sends_to = list_collector_destinations(&current, text.as_deref().unwrap_or_default());
    let destinations = list_destinations(model, current, names);
    let (code, addons) = take_code(context, names)?;
    let request = RemovalRequest {
        services: names,
        addons: &addons,
        cleared,
        destinations: &destinations,
        sources: context.project.sources(),
        collector: text.as_deref().map(|text| CollectorSetup {
            path: &path,
            text,
            sends_to: &sends_to,
        }),
    };
    let removal::Removed { mut plan, reverse: back } = removal::plan(model, &request)?;
    context.prove_removed(&plan, &back)?;
    plan.extend(code);
    plan.extend(take_ports(context, names)?);
    Ok(plan)
}

/// Returns the destinations that `init` may have written for each of these services.
fn list_destinations(
    model: &ComposeModel,
    current: Vec<(&str, CurrentDestination)>,
    names: &BTreeSet<String>,
) -> BTreeMap<String, Vec<Destination>> {
    let found = current.into_iter().filter(|(service, _)| names.contains(*service));
    let between = collector::of_project(model).map(|service| service.name.as_str());
    let destinations = |current: CurrentDestination| match current {
        CurrentDestination::Local => vec![Destination::local()],
        CurrentDestination::Collector(_) => {
            between.map(Destination::collector).into_iter().collect()
        }
        CurrentDestination::Provider(known) => list_accounts(&known),
        CurrentDestination::Elsewhere(address, headers) => {
            Destination::otlp(&address, &headers).into_iter().collect()
        }
    };
    let mut all: BTreeMap<String, Vec<Destination>> =
        found.map(|(service, current)| (service.to_owned(), destinations(current))).collect();
    // A collector of the project that sends its own traces somewhere is no destination of its own.
    for service in names.iter().filter_map(|name| model.service(name)) {
        let endpoint = ENDPOINT_VARIABLES.iter().find_map(|name| service.declared(name)?.raw());
        if let Some(known) =
            endpoint.and_then(|endpoint| provider::recognise_provider(endpoint, &[]))
        {
            all.entry(service.name.clone()).or_insert_with(|| list_accounts(&known));
        }
    }
    all
}

/// Returns the destinations that `init` may have written into the collector's configuration.
fn list_collector_destinations(
    current: &[(&str, CurrentDestination)],
    configuration: &str,
) -> Vec<Destination> {
    let mut destinations = current
        .iter()
        .find_map(|(_, current)| match current {
            CurrentDestination::Collector(Some(known)) => Some(list_accounts(known)),
            _ => None,
        })
        .unwrap_or_default();
    if let Ok(export) = provider::collector::read(configuration) {
        let headers: Vec<String> = export
            .headers
            .iter()
            .filter_map(|(name, value)| {
                let variable = value.strip_prefix("${env:")?.strip_suffix('}')?;
                Some(format!("{name}={variable}"))
            })
            .collect();
        destinations.extend(Destination::otlp(&export.endpoint, &headers));
    }
    destinations
}

/// Takes packages and code out of the services' folders that no other service runs from.
fn take_code(
    context: &ProjectContext,
    names: &BTreeSet<String>,
) -> Result<(Plan, BTreeMap<String, Vec<Addon>>)> {
    let project = &context.project;
    let (mut plan, mut addons) = (Plan::default(), BTreeMap::new());
    let wanted: Vec<String> = names.iter().cloned().collect();
    let found = match code::find_flask_services(project, &wanted, &[]) {
        Ok(found) => found,
        Err(error) => {
            let text = format!("packages and code are not changed: {}", error.message);
            plan.notes.push(Note::warning(text));
            return Ok((plan, addons));
        }
    };
    let folders = code::list_code_folders(project)?;
    let mut users: HashMap<&Path, BTreeSet<&str>> = HashMap::new();
    for (name, folder) in &folders {
        users.entry(folder).or_default().insert(name);
    }
    let mut known: HashSet<PathBuf> = HashSet::new();
    for service in found {
        let reported = withdrawal::list_addons(&service);
        let sharing = folders.get(&*service.name).and_then(|folder| users.get(&**folder));
        let (own_services, others): (Vec<&str>, Vec<&str>) =
            sharing.into_iter().flatten().partition(|name| names.contains(**name));
        addons.extend(own_services.into_iter().map(|name| (name.to_owned(), reported.clone())));
        if let Some(other_service) = others.first() {
            let text = format!(
                "{}: its code is not changed, because {other_service} runs from it too",
                service.name
            );
            plan.notes.push(Note::fact(text));
            continue;
        }
        match withdrawal::plan(&service) {
            Ok(mut withdrawn) => {
                // One list of packages may be that of several folders.
                withdrawn.changes.retain(|change| !known.contains(&change.path));
                known.extend(withdrawn.changes.iter().map(|change| change.path.clone()));
                plan.extend(withdrawn);
            }
            Err(error) => {
                let text = format!("{}: its code is not changed: {}", service.name, error.message);
                plan.notes.push(Note::warning(text));
            }
        }
    }
    Ok((plan, addons))
}

/// Removes the services' ports from `.gitpod.yml`, and the file if it becomes empty.
fn take_ports(context: &ProjectContext, names: &BTreeSet<String>) -> Result<Plan> {
    let mut plan = Plan::default();
    let Some(file) = &context.project.gitpod else { return Ok(plan) };
    let published = context.published(context.project.model()?);
    let own_ports: BTreeSet<u16> = published
        .iter()
        .filter(|port| names.contains(&port.service))
        .map(|port| port.port)
        .collect();
    let (mut written, policies) = (Vec::new(), [PortPolicy::Keep, PortPolicy::Public]);
    for policy in policies {
        let entries = ports::entries(&published, policy, &[], &[], PortEntryOrigin::File).to_write;
        written.extend(entries.into_iter().filter(|entry| own_ports.contains(&entry.port)));
    }
    let edit = ports_editor::take_written(&file.text, &written)
        .map_err(|refusal| refusal.into_error(&file.path))?;
    let is_empty = edit.text.trim().is_empty() && !file.text.trim().is_empty();
    plan.change(FileChange {
        path: file.path.clone(),
        before: Some(Arc::clone(&file.text)),
        after: (!is_empty).then_some(edit.text),
        writing: WriteMethod::InPlace,
    });
    Ok(plan)
}

/// Returns whether `.env` has a value that git should not track.
fn has_values(context: &ProjectContext) -> bool {
    let text = context.project.source(".env").ok().flatten();
    text.is_some_and(|file| {
        file.text.lines().any(|line| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with('#')
        })
    })
}

/// Removes the line of `.gitignore` that hides `.env`, if `.env` has no values left.
fn unhide(context: &ProjectContext) -> Result<Plan> {
    const LINE: &str = "/.env";
    let mut plan = Plan::default();
    let Some(file) = context.project.source(".gitignore")? else { return Ok(plan) };
    if has_values(context) {
        return Ok(plan);
    }
    let lines = file.text.split_inclusive('\n').filter(|line| line.trim_end() != LINE);
    let after: String = lines.collect();
    plan.change(FileChange {
        path: file.path,
        before: Some(file.text),
        after: (!after.is_empty()).then(|| after.into()),
        writing: WriteMethod::Replace,
    });
    Ok(plan)
}
