//! The Python files of a service, step by step: mistakes, initialisation, headers for browsers.

use super::initialise::{initialised, needs};
use super::lines::Needs;
use super::lists::Listed;
use super::modules::{Module, beside, is_test};
use super::{Frontend, Mistakes, Service, SourceFile, repair, shown, unreadable};
use crate::edit::python::flask::Target;
use crate::error::{Error, Result};
use crate::plan::{Change, Note, Plan, Writing};

/// One file as it stands after the steps so far.
struct Draft<'s> {
    file: &'s SourceFile,
    text: String,
}

/// Plans what the service's files change.
pub(super) fn extend(
    service: &Service,
    listed: &Listed,
    mistakes: Mistakes,
    plan: &mut Plan,
) -> Result<()> {
    let (mut drafts, mut modules) = read(service)?;
    if modules.iter().all(|module| module.apps.is_empty()) {
        plan.notes.push(Note::warning(format!(
            "{}: no `Flask(…)` was found, so nothing is initialised",
            service.name
        )));
    }
    let repaired = |text: &str, name: &str| repair::mistakes(text, name, listed.flask, mistakes);
    rewrite(service, &mut drafts, &mut modules, plan, repaired)?;
    for index in 0..modules.len() {
        let wanted = needs(&modules, index, &listed.libraries, service);
        plan.notes.extend(unnamed(service, drafts[index].file, &modules[index]));
        if wanted != Needs::default() {
            let text = initialised(&drafts[index].text, &modules[index], &wanted)
                .map_err(|reason| refused(service, drafts[index].file, &reason))?;
            step(service, &mut drafts[index], &mut modules[index], text)?;
        }
    }
    if service.frontend == Frontend::Traced {
        rewrite(service, &mut drafts, &mut modules, plan, repair::headers)?;
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

/// Takes every file through one step of its own.
fn rewrite(
    service: &Service,
    drafts: &mut [Draft<'_>],
    modules: &mut [Module],
    plan: &mut Plan,
    rewritten: impl Fn(&str, &str) -> (String, Vec<Note>),
) -> Result<()> {
    for (draft, module) in drafts.iter_mut().zip(modules) {
        let (text, notes) = rewritten(&draft.text, &shown(service, &draft.file.path));
        plan.notes.extend(notes);
        step(service, draft, module, text)?;
    }
    Ok(())
}

fn read(service: &Service) -> Result<(Vec<Draft<'_>>, Vec<Module>)> {
    let mut drafts = Vec::new();
    let mut modules = Vec::new();
    for file in service.python.iter().filter(|file| !is_test(&file.path)) {
        match Module::read(&file.path, &file.text) {
            Ok(module) => {
                modules.push(module);
                drafts.push(Draft { file, text: file.text.clone() });
            }
            Err(error) if file.text.contains("Flask(") => {
                let name = shown(service, &file.path);
                return Err(unreadable(file, &name, &error).hint(
                    "correct that line, or leave Python alone with `cruddur-ops init --no-instrument`",
                ));
            }
            Err(_) => {}
        }
    }
    Ok((drafts, modules))
}

/// Takes a file one step on; the result is read again.
fn step(service: &Service, draft: &mut Draft<'_>, module: &mut Module, text: String) -> Result<()> {
    if draft.text != text {
        *module = Module::read(&draft.file.path, &text)
            .map_err(|error| refused(service, draft.file, &error.message))?;
        draft.text = text;
    }
    Ok(())
}

/// Applications that no following line could name.
fn unnamed(service: &Service, file: &SourceFile, module: &Module) -> Vec<Note> {
    let name = shown(service, &file.path);
    let unnamed = module.apps.iter().filter_map(|app| match app.target {
        Target::Nothing(reason) => Some((app.line, reason)),
        Target::Name(_) => None,
    });
    unnamed
        .map(|(line, reason)| {
            Note::warning(format!("{name}:{line}: this application stays untraced: {reason}"))
                .hint("give it a name on a line of its own, then `cruddur-ops instrument`")
        })
        .collect()
}

/// Files that set up tracing and that no application's module reaches.
fn unused(service: &Service, drafts: &[Draft<'_>], modules: &[Module]) -> Vec<Note> {
    let reached =
        |index: usize| beside(modules, index).iter().any(|other| !modules[*other].apps.is_empty());
    let sets_up = |index: &usize| modules[*index].telemetry.provider.is_some() && !reached(*index);
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
    Error::new("unsafe-edit", format!("{name} cannot be edited safely"))
        .cause(reason)
        .hint("leave Python alone with `cruddur-ops init --no-instrument`")
}
