//! Parses a Dockerfile into stages, with what each step copies and runs and with ARG and ENV replaced.
//!
//! The only parser of Dockerfiles. Must not know what the programs in them do.

mod documents;
mod ignore;
mod read;
mod shell;

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::service::{ServiceBuild, ServiceCommand};
use super::source::ProjectSources;
use super::variables::ProjectVariables;

pub use ignore::{Dockerignore, matches_ignore_pattern};
pub use read::resolve_image_path;
pub use shell::ShellCommand;

/// A Dockerfile that docker accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    /// The stages in source order; at least one.
    pub stages: Vec<ImageStage>,
}

/// One stage of a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageStage {
    /// The name after `AS`.
    pub name: Option<String>,
    /// The base image, or the name of a stage; a variable whose value is unknown stays as written.
    pub from: String,
    /// Index of the earlier stage that `from` names.
    pub below: Option<usize>,
    /// Line numbers of its `FROM`, starting at 1.
    pub lines: RangeInclusive<usize>,
    /// The steps after `FROM`, in order.
    pub steps: Vec<BuildStep>,
    /// The working folder at the end of the stage, absolute in the image.
    pub folder: String,
    /// The variables that `ENV` sets, in this stage and its base stages.
    pub environment: HashMap<String, String>,
}

/// An instruction that copies, runs or starts something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildStep {
    /// Line numbers, starting at 1.
    pub lines: RangeInclusive<usize>,
    /// The working folder of the step, absolute in the image.
    pub folder: String,
    /// The action of the step.
    pub action: BuildAction,
}

/// The action of a build step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildAction {
    /// `COPY` or `ADD`, with the copied paths.
    Copy(Vec<CopiedPath>),
    /// `RUN`.
    Run {
        /// The commands, each part of a chain separately.
        commands: Vec<ShellCommand>,
        /// Paths mounted while they run.
        mounts: Vec<CopiedPath>,
    },
    /// `ENTRYPOINT`.
    Entrypoint(Vec<ShellCommand>),
    /// `CMD`.
    Command(Vec<ShellCommand>),
}

/// A path that is copied or mounted into an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedPath {
    /// The stage, image or build context that it is copied from.
    pub origin: CopyOrigin,
    /// The path at its origin, without `./` and without leading or trailing slashes; empty for everything.
    pub source: String,
    /// The absolute path in the image; it ends in a slash if it certainly is a folder.
    pub target: String,
}

/// The origin of a copied path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyOrigin {
    /// The build context.
    Context,
    /// An earlier stage of the same file.
    Stage(usize),
    /// Another image, a named context or an address.
    Elsewhere,
    /// Inline text, as a here-document.
    Text(String),
}

impl Dockerfile {
    /// Parses a Dockerfile; `arguments` are the build arguments, which override the defaults of `ARG`.
    ///
    /// Returns `None` if docker would reject it.
    pub fn parse(text: &str, arguments: &[(String, String)]) -> Option<Self> {
        read::parse_dockerfile_text(text, arguments)
    }

    /// Returns the commands of a shell text or a word list, as a container would run them.
    pub fn commands_of(command: &ServiceCommand) -> Vec<ShellCommand> {
        let none = shell::VariableValues::new();
        match command {
            ServiceCommand::Line(line) => {
                // Docker compose splits the line into words and does not use a shell.
                shell::unwrap_command(&shell::split_words(line, &none), None, &none)
            }
            ServiceCommand::Words(words) => shell::unwrap_command(words, None, &none),
        }
    }

    /// Returns the commands of a script.
    pub fn commands_in(script: &str) -> Vec<ShellCommand> {
        shell::split_commands(script, &shell::VariableValues::new())
    }

    /// Returns the commands that a word list runs: the list itself, or the text passed to a shell.
    pub(super) fn unwrapped(words: &[String]) -> Vec<ShellCommand> {
        shell::unwrap_command(words, None, &shell::VariableValues::new())
    }

    /// Returns the index of the stage with this name or number.
    fn find(stages: &[ImageStage], name: &str) -> Option<usize> {
        let is_named = |stage: &ImageStage| {
            stage.name.as_deref().is_some_and(|stage_name| stage_name.eq_ignore_ascii_case(name))
        };
        let number = name.parse().ok().filter(|number| *number < stages.len());
        stages.iter().rposition(is_named).or(number)
    }

    /// Returns the stages that form the image of `target`, or of the last stage; each is based on the previous one.
    pub fn image(&self, target: Option<&str>) -> Option<Vec<&ImageStage>> {
        let mut at = match target {
            Some(target) => Self::find(&self.stages, target)?,
            None => self.stages.len().checked_sub(1)?,
        };
        let mut chain = vec![&self.stages[at]];
        while let Some(below) = self.stages[at].below {
            chain.insert(0, &self.stages[below]);
            at = below;
        }
        Some(chain)
    }
}

impl ServiceBuild {
    /// Returns the path of the Dockerfile; `None` if it is inline in the compose file.
    pub fn dockerfile_path(&self) -> Option<PathBuf> {
        if self.dockerfile_inline.is_some() {
            return None;
        }
        Some(self.context.join(self.dockerfile.as_deref().unwrap_or("Dockerfile")))
    }

    /// Returns the text of the Dockerfile, from its file or inline.
    pub fn dockerfile_text(&self, sources: &dyn ProjectSources) -> Option<String> {
        let Some(path) = self.dockerfile_path() else {
            return self.dockerfile_inline.clone();
        };
        sources.text(&path).found().map(|text| text.to_string())
    }

    /// Returns the values of the build arguments; without `variables`, only those without references.
    pub fn arguments(&self, variables: Option<&ProjectVariables>) -> Vec<(String, String)> {
        let known = self.args.iter().filter_map(|entry| match variables {
            Some(variables) => {
                let setting = entry.setting(variables);
                Some((setting.name, setting.value.known()?.to_owned()))
            }
            None => {
                let raw = entry.raw().filter(|raw| !raw.contains('$'))?;
                Some((entry.name.clone(), raw.to_owned()))
            }
        });
        known.collect()
    }
}

#[cfg(test)]
mod tests;
