//! Finds the start of a service's Python, and its module search path.

use std::path::PathBuf;

use crate::compose::{ServiceEnvironment, Startup};
use crate::plan::instrument::PythonSourceFile;
use crate::plan::instrument::entry::{
    ServedObject, StartEntry, parse_start_entries, served_objects,
};

/// Returns what the service's command starts, the likeliest first, and what it serves.
pub(super) fn find_started_modules(
    startup: &Startup,
    settings: &ServiceEnvironment,
) -> (Vec<StartEntry>, Vec<ServedObject>) {
    let flask_app = container_variable(settings, startup, "FLASK_APP");
    let lines = startup.commands.iter().map(|command| command.words.join(" "));
    let mut found = lines
        .map(|line| {
            let flask_app = flask_app.as_deref();
            (parse_start_entries(&line, flask_app), served_objects(&line, flask_app))
        })
        .filter(|(entries, _)| !entries.is_empty());
    // One-off tasks come before the long-running command.
    found.next_back().unwrap_or_default()
}

/// Returns the folders below `context` that `PYTHONPATH` names in the container: the paths that end in a folder with
/// Python files.
pub(super) fn find_python_roots(
    context: &std::path::Path,
    python: &[PythonSourceFile],
    startup: &Startup,
    settings: &ServiceEnvironment,
) -> Vec<PathBuf> {
    let value = container_variable(settings, startup, "PYTHONPATH").unwrap_or_default();
    let folders = value.split(':').filter(|folder| !folder.is_empty()).map(|folder| {
        let parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
        let ends = (0..=parts.len()).map(|from| context.join(parts[from..].join("/")));
        let has_python = |end: &PathBuf| python.iter().any(|file| file.path.starts_with(end));
        ends.into_iter().find(has_python)
    });
    folders.flatten().collect()
}

/// Returns a variable of the container, as far as the files say.
fn container_variable(
    settings: &ServiceEnvironment,
    startup: &Startup,
    name: &str,
) -> Option<String> {
    let set = settings.get(name).and_then(|setting| setting.value.known().map(str::to_owned));
    set.or_else(|| startup.environment.get(name).cloned())
}
