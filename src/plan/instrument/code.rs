//! Edits the Python files of a service in steps: mistakes, initialisation, headers for browsers.

use super::catalogue::InstrumentedLibrary;
use super::early::early_place;
use super::graph::ImportGraph;
use super::initialise::{initialise_module, module_needs};
use super::lines::{ModuleNeeds, requests_symbol};
use super::lists::InstalledForCode;
use super::modules::{PythonModule, is_gunicorn_config, is_test, modules_run_together};
use super::naming::{name_returned, resolve_applications};
use super::{
    FrontendTracing, MistakePolicy, PythonService, PythonSourceFile, display_service_path, repair,
    unreadable_python_error,
};
use crate::edit::python::flask::AppBinding;
use crate::edit::python::framework::FRAMEWORKS;
use crate::error::{Error, ErrorCode, Result};
use crate::plan::{FileChange, Note, Plan, WriteMethod};

/// A file after the steps so far.
struct FileDraft<'s> {
    file: &'s PythonSourceFile,
    text: String,
}

/// A service's files as they were read, and their modules.
pub(super) struct CodeDrafts<'s> {
    drafts: Vec<FileDraft<'s>>,
    modules: Vec<PythonModule>,
}

impl CodeDrafts<'_> {
    /// Returns whether no module creates an application or traces anything by itself.
    pub(super) fn lacks_application(&self) -> bool {
        let is_bare =
            |module: &PythonModule| module.apps.is_empty() && module.telemetry.provider.is_none();
        self.modules.iter().all(is_bare)
    }
}

/// Returns the note that there is nothing to initialise.
pub(super) fn no_application(service: &PythonService) -> Note {
    Note::warning(format!(
        "{}: no `Flask(…)` was found, so its packages and code are not changed",
        service.name
    ))
    .hint("name the object in its start command (`gunicorn module:object`), then `cruddur-ops instrument`")
}

/// Plans the changes to the service's files.
pub(super) fn extend(
    service: &PythonService,
    code: CodeDrafts<'_>,
    installed: &InstalledForCode,
    mistakes: MistakePolicy,
    plan: &mut Plan,
) -> Result<()> {
    let CodeDrafts { mut drafts, mut modules } = code;
    let read = modules.clone();
    let graph = ImportGraph::new(&read, &service.roots);
    let repaired = |text: &str, name: &str, index: usize| {
        repair::fix_mistakes(text, name, installed.flask, mistakes, (&graph, index))
    };
    rewrite_drafts(service, &mut drafts, &mut modules, plan, repaired)?;
    for index in 0..modules.len() {
        if let Some(text) = name_returned(&drafts[index].text, &modules, index) {
            advance_draft(service, &mut drafts[index], &mut modules[index], text)?;
        }
    }
    for index in 0..modules.len() {
        plan.notes.extend(unnamed_app_notes(service, drafts[index].file, &modules[index]));
        let parts = missing_setup(service, &modules, index, &installed.libraries);
        if parts.iter().any(|(_, wanted, _)| !wanted.outside_workers.is_empty()) {
            plan.notes.push(Note::fact(format!(
                "{}: Redis is not traced in Celery workers, where each poll of the queue would be a trace",
                service.name
            )));
        }
        for (index, wanted, early) in parts {
            let text = initialise_module(&drafts[index].text, &modules[index], &wanted, early)
                .map_err(|reason| refused_code_error(service, drafts[index].file, &reason))?;
            advance_draft(service, &mut drafts[index], &mut modules[index], text)?;
        }
    }
    if service.frontend == FrontendTracing::Traced {
        let headers = |text: &str, name: &str, _: usize| repair::allow_trace_headers(text, name);
        rewrite_drafts(service, &mut drafts, &mut modules, plan, headers)?;
    }
    plan.notes.extend(unused_setup_notes(service, &drafts, &modules));
    for draft in drafts {
        plan.change(FileChange {
            path: draft.file.path.clone(),
            before: Some(draft.file.text.as_str().into()),
            after: Some(draft.text.into()),
            writing: WriteMethod::Replace,
        });
    }
    Ok(())
}

/// Returns the setup that one module's applications lack, by the module it is added to, each with the byte offset of
/// the statement that library instrumentations go before.
fn missing_setup(
    service: &PythonService,
    modules: &[PythonModule],
    index: usize,
    libraries: &[&InstrumentedLibrary],
) -> Vec<(usize, ModuleNeeds, Option<usize>)> {
    let graph = ImportGraph::new(modules, &service.roots);
    let mut wanted = module_needs(&graph, index, libraries, service);
    let early = match wanted.instrumentors.len() {
        // The HTTP client is instrumented whenever it was created.
        0 | 1 if wanted.instrumentors.iter().all(|symbol| *symbol == requests_symbol()) => None,
        _ => Some(early_place(&graph, index, &service.entries, libraries)),
    };
    let mut parts = Vec::new();
    if let Some(place) = early.filter(|place| place.module != index) {
        let instrumentors = std::mem::take(&mut wanted.instrumentors);
        let outside_workers = std::mem::take(&mut wanted.outside_workers);
        let libraries = ModuleNeeds { instrumentors, outside_workers, ..ModuleNeeds::default() };
        parts.push((place.module, libraries, place.before));
    }
    parts.push((index, wanted, early.and_then(|place| place.before)));
    parts.retain(|(_, wanted, _)| *wanted != ModuleNeeds::default());
    parts
}

/// Applies one step to every file.
fn rewrite_drafts(
    service: &PythonService,
    drafts: &mut [FileDraft<'_>],
    modules: &mut [PythonModule],
    plan: &mut Plan,
    rewritten: impl Fn(&str, &str, usize) -> (String, Vec<Note>),
) -> Result<()> {
    for (index, (draft, module)) in drafts.iter_mut().zip(modules).enumerate() {
        let (text, notes) =
            rewritten(&draft.text, &display_service_path(service, &draft.file.path), index);
        plan.notes.extend(notes);
        advance_draft(service, draft, module, text)?;
    }
    Ok(())
}

/// Reads the service's files.
///
/// # Errors
/// `unsafe-edit` for a file that creates an application and is not valid Python.
pub(super) fn read(service: &PythonService) -> Result<CodeDrafts<'_>> {
    let mut drafts = Vec::new();
    let mut modules = Vec::new();
    for file in service.python.iter().filter(|file| !is_test(&file.path)) {
        match PythonModule::read(&file.path, &file.text) {
            Ok(module) => {
                modules.push(module);
                drafts.push(FileDraft { file, text: file.text.clone() });
            }
            Err(error) if FRAMEWORKS.iter().any(|framework| framework.is_called_in(&file.text)) => {
                let name = display_service_path(service, &file.path);
                return Err(unreadable_python_error(file, &name, &error).hint(
                    "fix that line, or leave out Python with `cruddur-ops init --no-instrument`",
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
fn advance_draft(
    service: &PythonService,
    draft: &mut FileDraft<'_>,
    module: &mut PythonModule,
    text: String,
) -> Result<()> {
    if draft.text != text {
        *module = PythonModule::read_with(&draft.file.path, &text, &module.flask)
            .map_err(|error| refused_code_error(service, draft.file, &error.message))?;
        draft.text = text;
    }
    Ok(())
}

/// Returns notes on applications without a name that later lines could refer to.
fn unnamed_app_notes(
    service: &PythonService,
    file: &PythonSourceFile,
    module: &PythonModule,
) -> Vec<Note> {
    let name = display_service_path(service, &file.path);
    let unnamed = module.apps.iter().filter_map(|app| match app.target {
        AppBinding::Nothing(reason) => Some((app.line, reason)),
        AppBinding::Returned => Some((app.line, "it is returned without a name")),
        AppBinding::Name(_) => None,
    });
    unnamed
        .map(|(line, reason)| {
            Note::warning(format!("{name}:{line}: this application stays untraced: {reason}"))
                .hint("give it a name on its own line, then run `cruddur-ops instrument`")
        })
        .collect()
}

/// Returns notes on files that set up tracing although no application's module imports them.
fn unused_setup_notes(
    service: &PythonService,
    drafts: &[FileDraft<'_>],
    modules: &[PythonModule],
) -> Vec<Note> {
    let graph = ImportGraph::new(modules, &service.roots);
    let reached = |index: usize| {
        modules_run_together(&graph, index).iter().any(|other| !modules[*other].apps.is_empty())
    };
    let sets_up = |index: &usize| {
        let module = &modules[*index];
        let is_settings = is_gunicorn_config(&module.path);
        module.telemetry.provider.is_some() && !is_settings && !reached(*index)
    };
    let found = (0..modules.len()).filter(sets_up);
    found
        .map(|index| {
            let name = display_service_path(service, &drafts[index].file.path);
            Note::warning(format!("{name} sets up tracing, but no application imports it"))
        })
        .collect()
}

fn refused_code_error(service: &PythonService, file: &PythonSourceFile, reason: &str) -> Error {
    let name = display_service_path(service, &file.path);
    Error::new(ErrorCode::UnsafeEdit, format!("{name} cannot be edited safely"))
        .cause(reason)
        .hint("leave out Python with `cruddur-ops init --no-instrument`")
}
