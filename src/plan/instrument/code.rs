//! Edits the Python files of a service in steps: mistakes, initialisation, headers for browsers.

use super::catalogue::Library;
use super::early::early_place;
use super::graph::ImportGraph;
use super::initialise::{initialised, needs};
use super::lines::{Needs, requests};
use super::lists::Listed;
use super::modules::{Module, beside, is_gunicorn_config, is_test};
use super::naming::{name_returned, resolve_applications};
use super::{Frontend, Mistakes, Service, SourceFile, repair, shown, unreadable};
use crate::edit::python::flask::Target;
use crate::edit::python::framework::FRAMEWORKS;
use crate::error::{Error, ErrorCode, Result};
use crate::plan::{Change, Note, Plan, Writing};

/// A file after the steps so far.
struct Draft<'s> {
    file: &'s SourceFile,
    text: String,
}

/// A service's files as they were read, and their modules.
pub(super) struct CodeDrafts<'s> {
    drafts: Vec<Draft<'s>>,
    modules: Vec<Module>,
}

impl CodeDrafts<'_> {
    /// Returns whether no module creates an application or traces anything by itself.
    pub(super) fn lacks_application(&self) -> bool {
        let is_bare =
            |module: &Module| module.apps.is_empty() && module.telemetry.provider.is_none();
        self.modules.iter().all(is_bare)
    }
}

/// Returns the note that there is nothing to initialise.
pub(super) fn no_application(service: &Service) -> Note {
    Note::warning(format!(
        "{}: no `Flask(…)` was found, so its packages and code are left alone",
        service.name
    ))
    .hint("name the object in its start command (`gunicorn module:object`), then `cruddur-ops instrument`")
}

/// Plans the changes to the service's files.
pub(super) fn extend(
    service: &Service,
    code: CodeDrafts<'_>,
    listed: &Listed,
    mistakes: Mistakes,
    plan: &mut Plan,
) -> Result<()> {
    let CodeDrafts { mut drafts, mut modules } = code;
    let read = modules.clone();
    let graph = ImportGraph::new(&read, &service.roots);
    let repaired = |text: &str, name: &str, index: usize| {
        repair::mistakes(text, name, listed.flask, mistakes, (&graph, index))
    };
    rewrite(service, &mut drafts, &mut modules, plan, repaired)?;
    for index in 0..modules.len() {
        if let Some(text) = name_returned(&drafts[index].text, &modules, index) {
            step(service, &mut drafts[index], &mut modules[index], text)?;
        }
    }
    for index in 0..modules.len() {
        plan.notes.extend(unnamed(service, drafts[index].file, &modules[index]));
        let parts = lacking(service, &modules, index, &listed.libraries);
        if parts.iter().any(|(_, wanted, _)| !wanted.outside_workers.is_empty()) {
            plan.notes.push(Note::fact(format!(
                "{}: Redis stays untraced in workers of Celery, where each poll of the queue would be a trace",
                service.name
            )));
        }
        for (index, wanted, early) in parts {
            let text = initialised(&drafts[index].text, &modules[index], &wanted, early)
                .map_err(|reason| refused(service, drafts[index].file, &reason))?;
            step(service, &mut drafts[index], &mut modules[index], text)?;
        }
    }
    if service.frontend == Frontend::Traced {
        let headers = |text: &str, name: &str, _: usize| repair::headers(text, name);
        rewrite(service, &mut drafts, &mut modules, plan, headers)?;
    }
    plan.notes.extend(unused(service, &drafts, &modules));
    for draft in drafts {
        plan.change(Change {
            path: draft.file.path.clone(),
            before: Some(draft.file.text.as_str().into()),
            after: Some(draft.text.into()),
            writing: Writing::Replace,
        });
    }
    Ok(())
}

/// Returns the setup that one module's applications lack, by the module it is added to, each with the byte offset of
/// the statement that library instrumentations go before.
fn lacking(
    service: &Service,
    modules: &[Module],
    index: usize,
    libraries: &[&Library],
) -> Vec<(usize, Needs, Option<usize>)> {
    let graph = ImportGraph::new(modules, &service.roots);
    let mut wanted = needs(&graph, index, libraries, service);
    let early = match wanted.instrumentors.len() {
        // The HTTP client is instrumented whenever it was created.
        0 | 1 if wanted.instrumentors.iter().all(|one| *one == requests()) => None,
        _ => Some(early_place(&graph, index, &service.entries, libraries)),
    };
    let mut parts = Vec::new();
    if let Some(place) = early.filter(|place| place.module != index) {
        let instrumentors = std::mem::take(&mut wanted.instrumentors);
        let outside_workers = std::mem::take(&mut wanted.outside_workers);
        let libraries = Needs { instrumentors, outside_workers, ..Needs::default() };
        parts.push((place.module, libraries, place.before));
    }
    parts.push((index, wanted, early.and_then(|place| place.before)));
    parts.retain(|(_, wanted, _)| *wanted != Needs::default());
    parts
}

/// Applies one step to every file.
fn rewrite(
    service: &Service,
    drafts: &mut [Draft<'_>],
    modules: &mut [Module],
    plan: &mut Plan,
    rewritten: impl Fn(&str, &str, usize) -> (String, Vec<Note>),
) -> Result<()> {
    for (index, (draft, module)) in drafts.iter_mut().zip(modules).enumerate() {
        let (text, notes) = rewritten(&draft.text, &shown(service, &draft.file.path), index);
        plan.notes.extend(notes);
        step(service, draft, module, text)?;
    }
    Ok(())
}

/// Reads the service's files.
///
/// # Errors
/// `unsafe-edit` for a file that creates an application and is not valid Python.
pub(super) fn read(service: &Service) -> Result<CodeDrafts<'_>> {
    let mut drafts = Vec::new();
    let mut modules = Vec::new();
    for file in service.python.iter().filter(|file| !is_test(&file.path)) {
        match Module::read(&file.path, &file.text) {
            Ok(module) => {
                modules.push(module);
                drafts.push(Draft { file, text: file.text.clone() });
            }
            Err(error) if FRAMEWORKS.iter().any(|one| one.is_called_in(&file.text)) => {
                let name = shown(service, &file.path);
                return Err(unreadable(file, &name, &error).hint(
                    "correct that line, or leave Python alone with `cruddur-ops init --no-instrument`",
                ));
            }
            Err(_) => {}
        }
    }
    let texts: Vec<&str> = drafts.iter().map(|draft| draft.text.as_str()).collect();
    resolve_applications(service, &texts, &mut modules);
    Ok(CodeDrafts { drafts, modules })
}

/// Replaces a file's text, and parses the result.
fn step(service: &Service, draft: &mut Draft<'_>, module: &mut Module, text: String) -> Result<()> {
    if draft.text != text {
        *module = Module::read_with(&draft.file.path, &text, &module.flask)
            .map_err(|error| refused(service, draft.file, &error.message))?;
        draft.text = text;
    }
    Ok(())
}

/// Returns notes on applications without a name that later lines could refer to.
fn unnamed(service: &Service, file: &SourceFile, module: &Module) -> Vec<Note> {
    let name = shown(service, &file.path);
    let unnamed = module.apps.iter().filter_map(|app| match app.target {
        Target::Nothing(reason) => Some((app.line, reason)),
        Target::Returned => Some((app.line, "it is returned without a name")),
        Target::Name(_) => None,
    });
    unnamed
        .map(|(line, reason)| {
            Note::warning(format!("{name}:{line}: this application stays untraced: {reason}"))
                .hint("give it a name on its own line, then run `cruddur-ops instrument`")
        })
        .collect()
}

/// Returns notes on files that set up tracing although no application's module imports them.
fn unused(service: &Service, drafts: &[Draft<'_>], modules: &[Module]) -> Vec<Note> {
    let graph = ImportGraph::new(modules, &service.roots);
    let reached =
        |index: usize| beside(&graph, index).iter().any(|other| !modules[*other].apps.is_empty());
    let sets_up = |index: &usize| {
        let module = &modules[*index];
        let is_settings = is_gunicorn_config(&module.path);
        module.telemetry.provider.is_some() && !is_settings && !reached(*index)
    };
    let found = (0..modules.len()).filter(sets_up);
    found
        .map(|index| {
            let name = shown(service, &drafts[index].file.path);
            Note::warning(format!("{name} sets up tracing, but no application imports it"))
        })
        .collect()
}

fn refused(service: &Service, file: &SourceFile, reason: &str) -> Error {
    let name = shown(service, &file.path);
    Error::new(ErrorCode::UnsafeEdit, format!("{name} cannot be edited safely"))
        .cause(reason)
        .hint("leave Python alone with `cruddur-ops init --no-instrument`")
}
