//! Collects doctor's inputs: the project's files, the shell, the stores and git.

mod inspect;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::lint::{self, Inspection, KeyFileStatus, OutsideFacts, ShellVariableStatus};
use crate::project::{GitFileStatus, Project};
use crate::provider::key_shape;
use crate::secret::{self, Secret, key_owner};
use crate::session::context::ProjectContext;
use crate::shell::Shell;
use crate::stores::{StoreKind, Stores};
use crate::ui::Ui;

pub(crate) use inspect::inspect_project;

/// Reads everything, and adds every key found in a file to the redactor.
///
/// # Errors
/// `unreadable-file`, `not-utf8` for a file that docker compose or the workspace would read; `too-large` for a
/// project beyond a limit.
pub(crate) fn collect_inspection(context: &ProjectContext, ui: &Ui) -> Result<Inspection> {
    let mut inspection = inspect_project(&context.project)?;
    teach_redactor(&inspection, ui);
    inspection.outside = inspect_outside(context, &inspection, ui);
    inspection.git = git_standings(context, &inspection, ui);
    Ok(inspection)
}

/// Returns the prefix of the project's folder in GitHub's paths: `sub/`.
pub(crate) fn repository_prefix(project: &Project) -> PathBuf {
    let top = project.git_root.as_ref().unwrap_or(&project.root);
    project.root.strip_prefix(top).unwrap_or(Path::new("")).to_owned()
}

/// Adds the keys in the project's files to the redactor, as far as the files can be read.
pub(crate) fn learn_written_keys(context: &ProjectContext, ui: &Ui) {
    if let Ok(inspection) = inspect_project(&context.project) {
        teach_redactor(&inspection, ui);
    }
}

/// Adds keys in files to the redactor, as findings show lines.
fn teach_redactor(inspection: &Inspection, ui: &Ui) {
    for found in lint::keys(inspection) {
        ui.redactor().learn("a secret", &Secret::new(found));
    }
    let files = inspection.variable_files();
    for statement in files.iter().flat_map(|(_, statements)| &**statements) {
        let value = statement.raw().unwrap_or_default();
        if secret::is_secret(&statement.name, value) {
            ui.redactor().learn(&statement.name, &Secret::new(value));
        }
    }
}

/// Returns the state of the shell, the stores and git; `None` in CI, which gets its keys elsewhere.
fn inspect_outside(
    context: &ProjectContext,
    inspection: &Inspection,
    ui: &Ui,
) -> Option<OutsideFacts> {
    if context.shell.var("CI").is_some() {
        return None;
    }
    let stores = context.stores(ui.redactor());
    let mut outside = OutsideFacts::default();
    for name in lint::asked(inspection) {
        ask_stores(stores, context.shell, &name, &mut outside);
    }
    for typed in context.shell.variables().keys() {
        let intended = lint::find_intended_variable(typed)
            .filter(|intended| context.shell.raw(intended).is_none());
        outside.misspelt.extend(intended.map(|intended| (intended.to_owned(), typed.clone())));
    }
    Some(outside)
}

/// Returns git's treatment of files with keys. In CI only tracked files count, as others are temporary.
fn git_standings(
    context: &ProjectContext,
    inspection: &Inspection,
    ui: &Ui,
) -> BTreeMap<PathBuf, KeyFileStatus> {
    let mut statuses = BTreeMap::new();
    if context.project.git_root.is_none() {
        return statuses;
    }
    for path in lint::files_with_keys(inspection) {
        let shown = inspection.shown(&path).to_owned();
        let status = if shown == Path::new(".env") {
            context.stores(ui.redactor()).env_file_exposure().unwrap_or(GitFileStatus::Ignored)
        } else {
            git_status_of(&path, context.shell)
        };
        let status = match status {
            GitFileStatus::Tracked => KeyFileStatus::Tracked,
            GitFileStatus::Untracked => KeyFileStatus::Untracked,
            GitFileStatus::Ignored => KeyFileStatus::Ignored,
            GitFileStatus::Unknown(why) => KeyFileStatus::Unknown(why),
            GitFileStatus::NoRepository => continue,
        };
        let is_taken = matches!(status, KeyFileStatus::Tracked | KeyFileStatus::Ignored);
        if is_taken || context.shell.var("CI").is_none() {
            statuses.insert(shown, status);
        }
    }
    statuses
}

fn git_status_of(path: &Path, shell: &Shell) -> GitFileStatus {
    match (path.parent(), path.file_name().and_then(|name| name.to_str())) {
        (Some(folder), Some(name)) => GitFileStatus::of(folder, name, shell),
        _ => GitFileStatus::NoRepository,
    }
}

fn ask_stores(stores: &Stores, shell: &Shell, name: &str, outside: &mut OutsideFacts) {
    let found = stores.find(name);
    if name == "AWS_ACCESS_KEY_ID" {
        let is_temporary = |value: &Secret| lint::is_temporary_key(value.expose());
        outside.temporary_keys = match shell.secret(name) {
            Some(value) => is_temporary(&value),
            None => found.first().is_some_and(|found| is_temporary(&found.secret)),
        };
    }
    let in_stores: Vec<_> = found.iter().filter(|found| found.store != StoreKind::Env).collect();
    if let Some(value) = shell.raw(name) {
        let differs = in_stores.first().is_some_and(|stored| stored.secret.expose() != value);
        let is_wrong =
            key_owner(name) == Some("Honeycomb") && key_shape::never_sends(value).is_some();
        let status = match (value.is_empty(), differs) {
            (true, _) => ShellVariableStatus::Empty,
            _ if is_wrong => ShellVariableStatus::WrongKey,
            (_, true) => ShellVariableStatus::Stale,
            _ => ShellVariableStatus::Set,
        };
        outside.shell.insert(name.to_owned(), status);
    } else if !in_stores.is_empty() && in_stores.iter().all(|stored| stored.store == StoreKind::Gp)
    {
        outside.shell.insert(name.to_owned(), ShellVariableStatus::NotLoaded);
    }
    if let Some(stored) = in_stores.first() {
        outside.stored.insert(name.to_owned(), stored.store.title().to_owned());
    }
}
