//! What an image installs and how it starts, as its Dockerfile and its compose file say.
//!
//! Reads files through [`ImageFiles`]; runs none of the commands it reads.

mod choice;
mod command;
mod fixed;
mod origin;
mod survey;

#[cfg(test)]
mod tests;

use std::path::Path;

use super::{PackageList, SourceFile, Start};
use crate::compose::{BuildAction, Command, Dockerfile, ShellCommand};
use crate::error::Result;

pub use command::LockTool;
pub use fixed::{FixedPackages, ImageContents, Remedy};

/// How a service's image is made and what it starts.
#[derive(Debug, Clone, Copy)]
pub struct ImageRecipe<'r> {
    /// The Dockerfile; `None` where there is none that docker can read.
    pub dockerfile: Option<&'r Dockerfile>,
    /// The file whose lines make the image, as the person would name it.
    pub shown: &'r str,
    /// The stage that is built; none: the last.
    pub target: Option<&'r str>,
    /// The image that is pulled where none is built.
    pub pulled: Option<&'r str>,
    /// What the service runs instead of the image's own command.
    pub command: Option<&'r Command>,
    /// The folder it runs in, where the compose file says so.
    pub folder: Option<&'r str>,
    /// The service's name.
    pub service: &'r str,
    /// What paths are shown relative to.
    pub root: &'r Path,
}

/// The files that an image is made of. Each is read at most once.
pub trait ImageFiles {
    /// A file of the build context, by its path there.
    ///
    /// # Errors
    /// What keeps a file that lies there from being read.
    fn in_context(&self, path: &str) -> Result<Option<SourceFile>>;

    /// Whether docker leaves a path of the build context out.
    fn is_ignored(&self, path: &str) -> bool;

    /// The file that a mount shows at an absolute path of the running container.
    ///
    /// # Errors
    /// As [`ImageFiles::in_context`].
    fn mounted(&self, path: &str) -> Result<Option<SourceFile>>;

    /// A file by its absolute path on the host.
    ///
    /// # Errors
    /// As [`ImageFiles::in_context`].
    fn at(&self, path: &Path) -> Result<Option<SourceFile>>;
}

/// What a service's image installs and starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceImage {
    /// What decides which packages it has.
    pub packages: PackageList,
    /// Whether a command tells so.
    pub evidence: PackageEvidence,
    /// How it starts.
    pub start: Start,
    /// The version of its Python, as the tag of the image below says: `3.10-slim-buster`.
    pub python: Option<String>,
}

/// What is known of how an image gets its packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackageEvidence {
    /// A command that installs Python packages.
    Command,
    /// No such command: a base image has them, or nothing says how the image is made.
    Nothing,
}

/// Reads what a service's image installs and starts.
///
/// # Errors
/// A file that lies there and cannot be read; `toml-syntax`.
pub fn read(recipe: &ImageRecipe<'_>, files: &dyn ImageFiles) -> Result<ServiceImage> {
    let found = survey::survey(recipe, files)?;
    let image = recipe.dockerfile.and_then(|file| file.image(recipe.target));
    let base = image.as_ref().and_then(|image| image.first()).map(|stage| stage.from.as_str());
    let base = base.or(recipe.pulled);
    Ok(ServiceImage {
        packages: choice::choose(recipe, &found, files)?,
        evidence: match found.is_empty() {
            true => PackageEvidence::Nothing,
            false => PackageEvidence::Command,
        },
        start: start(recipe),
        python: base.and_then(python_version),
    })
}

fn start(recipe: &ImageRecipe<'_>) -> Start {
    const AGENT: &str = "opentelemetry-instrument";
    let commands = start_commands(recipe);
    let mut words = commands.iter().flat_map(|command| &command.words);
    if words.any(|word| word.contains(AGENT)) { Start::ZeroCode } else { Start::InCode }
}

/// What the container runs: the image's entrypoint, then the service's command or else the image's.
fn start_commands(recipe: &ImageRecipe<'_>) -> Vec<ShellCommand> {
    let image = recipe.dockerfile.and_then(|file| file.image(recipe.target)).unwrap_or_default();
    let (mut entrypoint, mut command) = (&[][..], &[][..]);
    for step in image.iter().flat_map(|stage| &stage.steps) {
        match &step.action {
            BuildAction::Entrypoint(own) => entrypoint = own,
            BuildAction::Command(own) => command = own,
            BuildAction::Copy(_) | BuildAction::Run { .. } => {}
        }
    }
    let own = recipe.command.map(Dockerfile::commands_of);
    [entrypoint, own.as_deref().unwrap_or(command)].concat()
}

/// The version a Python image is tagged with: `3.10-slim-buster` of `python:3.10-slim-buster`.
fn python_version(base: &str) -> Option<String> {
    let (name, tag) = base.split('@').next()?.rsplit_once(':')?;
    let named = name == "python" || name.ends_with("/python");
    (named && tag.starts_with(|first: char| first.is_ascii_digit())).then(|| tag.to_owned())
}
