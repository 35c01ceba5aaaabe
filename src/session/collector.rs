//! Finds a project's OpenTelemetry Collector, and its configuration.

use std::path::{Path, PathBuf};

use crate::compose::{
    ComposeModel, ProjectSources, ServiceCommand, ServiceModel, is_collector, mounted_path,
};
use crate::provider::collector::{FILE, SERVICE};
use crate::session::context::ProjectContext;

/// Returns the project's collector, preferably one added by `init`.
pub(crate) fn of_project(model: &ComposeModel) -> Option<&ServiceModel> {
    model.service(SERVICE).or_else(|| {
        let mut services = model.services.iter();
        services.find(|service| is_collector(service))
    })
}

/// Returns whether `init` added it: it runs with the file that `init` writes.
pub(crate) fn is_ours(service: &ServiceModel, root: &Path) -> bool {
    let file = root.join(FILE);
    service.name == SERVICE && service.mounts.iter().any(|mount| mount.source == file)
}

/// Returns the text of the file that `init` writes, if it exists.
pub(crate) fn read_collector_configuration(context: &ProjectContext) -> Option<String> {
    read_optional_text(context.project.sources(), &context.root().join(FILE))
}

/// Returns the configuration file of a collector, if it is on this machine.
pub(crate) fn file_of(service: &ServiceModel) -> Option<PathBuf> {
    const USUAL_FILES: [&str; 3] =
        ["/etc/otelcol/config.yaml", "/etc/otelcol-contrib/config.yaml", "/etc/otel/config.yaml"];
    let named = service.command.as_ref().map(named_in).unwrap_or_default();
    // The collector merges several files into one configuration.
    let mut wanted = match named.as_slice() {
        [] => USUAL_FILES.to_vec(),
        [named] => vec![named.as_str()],
        _ => return None,
    }
    .into_iter();
    wanted.find_map(|path| mounted_path(&service.mounts, Path::new(path)))
}

/// Returns the files of all `--config=FILE` and `--config FILE`.
fn named_in(command: &ServiceCommand) -> Vec<String> {
    let words: Vec<&str> = match command {
        ServiceCommand::Line(line) => line.split_whitespace().collect(),
        ServiceCommand::Words(words) => words.iter().map(String::as_str).collect(),
    };
    let named = words.iter().enumerate().filter_map(|(at, word)| {
        let path = match word.strip_prefix("--config")? {
            "" => *words.get(at + 1)?,
            rest => rest.strip_prefix('=')?,
        };
        Some(path.trim_start_matches("file:").to_owned())
    });
    named.collect()
}

/// Returns the text of a file, if readable.
pub(crate) fn read_optional_text(sources: &dyn ProjectSources, path: &Path) -> Option<String> {
    sources.text(path).found().map(|text| text.to_string())
}
