//! Plans the removal of a setup from a project: exactly the lines that `init` would write, and no others.

mod services;
mod variables;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::agents;
use super::compose_changes::ComposeChanges;
use super::{FileChange, Note, Plan, WriteMethod};
use crate::compose::{ComposeModel, ProjectSources, ServiceModel};
use crate::edit::yaml::ServiceLines;
use crate::edit::yaml::environment::{self, Wanted};
use crate::edit::yaml::removals::{self, Removal};
use crate::edit::yaml::service_lists::{self, WantedMember};
use crate::error::Result;
use crate::provider::{Addon, Destination};

/// A request to remove the services' lines from a compose project.
pub(crate) struct RemovalRequest<'a> {
    /// The services that are traced no longer.
    pub services: &'a BTreeSet<String>,
    /// The destinations of each service, as `init` may have written them.
    pub destinations: &'a BTreeMap<String, Vec<Destination>>,
    /// The addons that the code of each service reports to by blocks of this program's.
    pub addons: &'a BTreeMap<String, Vec<Addon>>,
    /// Files that were restored completely: everything in them was there before `init`.
    pub cleared: &'a BTreeSet<PathBuf>,
    /// The project's files.
    pub sources: &'a dyn ProjectSources,
    /// The configuration of the collector that `init` adds, if it exists.
    pub collector: Option<CollectorSetup<'a>>,
}

/// The configuration of the project's collector.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CollectorSetup<'a> {
    /// Absolute path.
    pub path: &'a Path,
    /// Its text.
    pub text: &'a str,
    /// Its destinations, as `init` may have written them.
    pub sends_to: &'a [Destination],
}

/// The result of planning a removal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Removed {
    /// The files.
    pub plan: Plan,
    /// The changes that would turn the planned project back into the present one.
    pub reverse: ComposeChanges,
}

/// Plans to take the services' lines out of the compose files, and the services that only those needed.
///
/// # Errors
/// `unsafe-edit` when a compose file cannot be edited without changing what else it says.
pub(crate) fn plan(model: &ComposeModel, request: &RemovalRequest<'_>) -> Result<Removed> {
    let mut lines = RemovedLines::of(model, request.cleared);
    for service in request.services.iter().filter_map(|name| model.service(name)) {
        let agent = agents::find_planned(model, service);
        variables::take(model, service, agent.as_ref(), request, &mut lines);
        services::take_members(model, service, agent.as_ref(), &mut lines);
    }
    services::take_unused(model, request, &mut lines)?;
    let mut removed = Removed { reverse: lines.reverse, ..Removed::default() };
    removed.plan.notes = lines.notes;
    for (path, edits) in lines.by_path {
        let plan = &mut removed.plan;
        if !edits.sets.is_empty() {
            plan.amend(model, &path, |text| environment::set(text, &edits.sets))?;
        }
        if !edits.removals.is_empty() {
            let removals: Vec<Removal> = edits
                .removals
                .into_iter()
                .map(|(path, members)| Removal { path, members })
                .collect();
            plan.amend(model, &path, |text| removals::take(text, &removals))?;
        }
        if !edits.relisted.is_empty() {
            plan.amend(model, &path, |text| service_lists::relist(text, &edits.relisted))?;
        }
    }
    if let (Some(file), true) = (request.collector, lines.collector) {
        removed.plan.change(FileChange {
            path: file.path.to_owned(),
            before: Some(file.text.into()),
            after: None,
            writing: WriteMethod::Replace,
        });
    }
    Ok(removed)
}

/// The lines to remove, and the changes they made.
#[derive(Debug)]
struct RemovedLines<'a> {
    /// The services' own lines in each file that is not cleared.
    service_lines: BTreeMap<&'a Path, ServiceLines<'a>>,
    by_path: BTreeMap<PathBuf, FileEdits>,
    cleared: &'a BTreeSet<PathBuf>,
    reverse: ComposeChanges,
    notes: Vec<Note>,
    /// The file of the collector goes.
    collector: bool,
}

/// The changes to one compose file.
#[derive(Debug, Default)]
struct FileEdits {
    /// Members that go, by the keys that lead to their collection.
    removals: BTreeMap<Vec<String>, Vec<String>>,
    /// Variables that get the value back that an agent's was added to.
    sets: Vec<Wanted>,
    /// Services whose `depends_on` may become a list again.
    relisted: Vec<String>,
}

impl<'a> RemovedLines<'a> {
    fn of(model: &'a ComposeModel, cleared: &'a BTreeSet<PathBuf>) -> Self {
        let files = model.compose_files().filter(|file| !cleared.contains(&file.path));
        let own_files = files
            .filter_map(|file| Some((file.path.as_path(), ServiceLines::find(file.tree().ok()?)?)));
        Self {
            service_lines: own_files.collect(),
            by_path: BTreeMap::new(),
            cleared,
            reverse: ComposeChanges::default(),
            notes: Vec::new(),
            collector: false,
        }
    }

    fn edits(&mut self, path: &Path) -> &mut FileEdits {
        self.by_path.entry(path.to_owned()).or_default()
    }

    fn take(&mut self, path: &Path, keys: &[&str], member: &str) {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        self.edits(path).removals.entry(keys).or_default().push(member.to_owned());
    }

    /// Removes an item from a service's list if one of its files has it exactly as `init` writes it.
    fn take_member(
        &mut self,
        model: &ComposeModel,
        service: &ServiceModel,
        wanted: &WantedMember,
    ) -> bool {
        let mut found = false;
        let mut paths: Vec<&Arc<str>> = Vec::new();
        for span in &service.defined_in {
            let file = model.file(span);
            let is_known = paths.iter().any(|text| Arc::ptr_eq(text, &file.text));
            let file_lines = self.service_lines.get(file.path.as_path());
            if is_known || !file_lines.is_some_and(|lines| lines.has_member(wanted)) {
                continue;
            }
            paths.push(&file.text);
            let key = wanted.member.key();
            let keys = ["services", service.name.as_str(), key];
            self.take(&file.path, &keys, wanted.member.text());
            if key == "depends_on" {
                self.edits(&file.path).relisted.push(service.name.clone());
            }
            found = true;
        }
        if found {
            self.reverse.add_member(wanted);
        }
        found
    }

    /// Returns whether a variable of a service goes.
    fn lacks_variable(&self, service: &str, name: &str) -> bool {
        self.reverse.services.get(service).is_some_and(|changes| changes.sets(name))
    }

    fn lacks(&self, service: &str, list: &str, name: &str) -> bool {
        let changes = self.reverse.services.get(service);
        changes.is_some_and(|changes| {
            changes.items.get(list).is_some_and(|items| items.contains(name))
        })
    }
}
