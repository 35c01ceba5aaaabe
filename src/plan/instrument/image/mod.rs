//! Reads what an image installs and how it starts, from its Dockerfile and its compose file.
//!
//! Reads files through [`ImageFiles`]; runs no commands.

mod choice;
mod command;
mod fixed;
mod origin;
mod survey;

#[cfg(test)]
mod tests;

use std::path::Path;

use super::{PackageList, PythonSourceFile, TracingStart};
use crate::compose::{BuildAction, Dockerfile, ServiceCommand, ShellCommand};
use crate::error::Result;

pub use command::LockTool;
pub use fixed::{FixedPackages, ImageContents, ManualAddition};

/// The way a service's image is built and started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ImageRecipe<'r> {
    /// The Dockerfile; `None` if there is none that docker can read.
    pub dockerfile: Option<&'r Dockerfile>,
    /// The file that builds the image, as shown to the user.
    pub shown: &'r str,
    /// The stage to build; by default, the last.
    pub target: Option<&'r str>,
    /// The image that is pulled if none is built.
    pub pulled: Option<&'r str>,
    /// The service's command, which overrides the image's.
    pub command: Option<&'r ServiceCommand>,
    /// The working folder, if the compose file sets it.
    pub folder: Option<&'r str>,
    /// The service's name.
    pub service: &'r str,
    /// The folder that paths are shown relative to.
    pub root: &'r Path,
}

/// The files that an image is built from, each read at most once.
pub(crate) trait ImageFiles {
    /// Returns a file of the build context, by its path there.
    ///
    /// # Errors
    /// When an existing file cannot be read.
    fn in_context(&self, path: &str) -> Result<Option<PythonSourceFile>>;

    /// Returns whether `.dockerignore` excludes a path of the build context.
    fn is_ignored(&self, path: &str) -> bool;

    /// Returns the file that a mount shows at an absolute path of the running container.
    ///
    /// # Errors
    /// As [`ImageFiles::in_context`].
    fn mounted(&self, path: &str) -> Result<Option<PythonSourceFile>>;

    /// Returns a file by its absolute path on the host.
    ///
    /// # Errors
    /// As [`ImageFiles::in_context`].
    fn at(&self, path: &Path) -> Result<Option<PythonSourceFile>>;
}

/// The packages of a service's image, and how it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceImage {
    /// The list that determines its packages.
    pub packages: PackageList,
    /// The evidence for that.
    pub evidence: PackageEvidence,
    /// How tracing starts.
    pub start: TracingStart,
    /// The Python version, from the tag of the base image: `3.10-slim-buster`.
    pub python: Option<String>,
}

/// The evidence for how an image gets its packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackageEvidence {
    /// A command that installs Python packages.
    Command,
    /// No such command: the base image has them, or the build is unknown.
    Nothing,
}

/// Reads what a service's image installs and starts.
///
/// # Errors
/// A file that exists and cannot be read; `toml-syntax`.
pub(crate) fn read(recipe: &ImageRecipe<'_>, files: &dyn ImageFiles) -> Result<ServiceImage> {
    let found = survey::survey(recipe, files)?;
    let image = recipe.dockerfile.and_then(|file| file.image(recipe.target));
    let base = image
        .as_ref()
        .and_then(|image| image.first())
        .map(|stage| stage.from.as_str())
        .or(recipe.pulled);
    Ok(ServiceImage {
        packages: choice::choose(recipe, &found, files)?,
        evidence: if found.is_empty() {
            PackageEvidence::Nothing
        } else {
            PackageEvidence::Command
        },
        start: start(recipe),
        python: base.and_then(python_version),
    })
}

fn start(recipe: &ImageRecipe<'_>) -> TracingStart {
    const AGENT: &str = "opentelemetry-instrument";
    let commands = start_commands(recipe);
    let mut words = commands.iter().flat_map(|command| &command.words);
    if words.any(|word| word.contains(AGENT)) {
        TracingStart::ZeroCode
    } else {
        TracingStart::InCode
    }
}

/// Returns what the container runs: the image's entrypoint, then the service's command or else the image's.
fn start_commands(recipe: &ImageRecipe<'_>) -> Vec<ShellCommand> {
    let image = recipe.dockerfile.and_then(|file| file.image(recipe.target)).unwrap_or_default();
    let (mut entrypoint, mut command) = (&[][..], &[][..]);
    for step in image.iter().flat_map(|stage| &stage.steps) {
        match &step.action {
            BuildAction::Entrypoint(commands) => entrypoint = commands,
            BuildAction::Command(commands) => command = commands,
            BuildAction::Copy(_) | BuildAction::Run { .. } => {}
        }
    }
    let service_command = recipe.command.map(Dockerfile::commands_of);
    [entrypoint, service_command.as_deref().unwrap_or(command)].concat()
}

/// Returns the version in a Python image's tag: `3.10-slim-buster` of `python:3.10-slim-buster`.
fn python_version(base: &str) -> Option<String> {
    let (name, tag) = base.split('@').next()?.rsplit_once(':')?;
    let named = name == "python" || name.ends_with("/python");
    (named && tag.starts_with(|first: char| first.is_ascii_digit())).then(|| tag.to_owned())
}
