//! What starts a service's Python, and where its modules are found.

use std::path::PathBuf;

use crate::compose::{BuildAction, Command, ImageStage, Service, Settings};
use crate::plan::instrument::SourceFile;
use crate::plan::instrument::entry::{Entry, entries};

/// What the service's command or its image starts, the likeliest first.
pub(super) fn started(
    service: &Service,
    stages: &[&ImageStage],
    dockerfile: Option<&str>,
    settings: &Settings,
) -> Vec<Entry> {
    let command = match &service.command {
        Some(Command::Line(line)) => line.clone(),
        Some(Command::Words(words)) => words.join(" "),
        None => image_command(stages),
    };
    let flask_app = variable(settings, dockerfile, "FLASK_APP");
    entries(&command, flask_app.as_deref())
}

/// `ENTRYPOINT` and `CMD` of the topmost stage that has any.
fn image_command(stages: &[&ImageStage]) -> String {
    let (mut entrypoint, mut command) = (String::new(), String::new());
    for step in stages.iter().flat_map(|stage| &stage.steps) {
        let line = |commands: &[crate::compose::ShellCommand]| {
            let lines = commands.iter().map(|one| one.words.join(" "));
            lines.collect::<Vec<_>>().join(" ")
        };
        match &step.action {
            BuildAction::Entrypoint(commands) => {
                entrypoint = line(commands);
                command.clear();
            }
            BuildAction::Command(commands) => command = line(commands),
            _ => {}
        }
    }
    format!("{entrypoint} {command}")
}

/// The folders below `context` that `PYTHONPATH` names in the container: paths that end in a folder with Python files.
pub(super) fn roots(
    context: &std::path::Path,
    python: &[SourceFile],
    dockerfile: Option<&str>,
    settings: &Settings,
) -> Vec<PathBuf> {
    let value = variable(settings, dockerfile, "PYTHONPATH").unwrap_or_default();
    let folders = value.split(':').filter(|folder| !folder.is_empty()).map(|folder| {
        let parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
        let ends = (0..=parts.len()).map(|from| context.join(parts[from..].join("/")));
        let has_python = |end: &PathBuf| python.iter().any(|file| file.path.starts_with(end));
        ends.into_iter().find(has_python)
    });
    folders.flatten().collect()
}

/// A variable of the container, as far as the files say.
fn variable(settings: &Settings, dockerfile: Option<&str>, name: &str) -> Option<String> {
    let set = settings.get(name).and_then(|setting| setting.value.known().map(str::to_owned));
    set.or_else(|| {
        let lines = dockerfile?.lines().map(str::trim).filter(|line| line.starts_with("ENV "));
        let words = lines.flat_map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>());
        let mut values = words.filter_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        values.next().map(|value| value.trim_matches(['"', '\'']).to_owned())
    })
}
