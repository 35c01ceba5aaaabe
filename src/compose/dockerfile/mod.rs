//! A Dockerfile: its stages, and what each step copies and runs, with ARG and ENV replaced.
//!
//! The one reader of Dockerfiles. Must not know what any program that is run there does.

mod documents;
mod ignore;
mod read;
mod shell;

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::service::{Build, Command};
use super::source::Sources;
use super::variables::Variables;

pub use ignore::{Dockerignore, matches as ignore_matches};
pub use read::absolute;
pub use shell::ShellCommand;

/// A Dockerfile that docker can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    /// The stages, in the order they are written; at least one.
    pub stages: Vec<ImageStage>,
}

/// One stage of a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageStage {
    /// The name after `AS`.
    pub name: Option<String>,
    /// The image it stands on, or the name of a stage; a variable whose value is unknown stays as written.
    pub from: String,
    /// The earlier stage of this file that `from` names.
    pub below: Option<usize>,
    /// The lines of its `FROM`, 1 for the first line.
    pub lines: RangeInclusive<usize>,
    /// What follows, in order.
    pub steps: Vec<BuildStep>,
    /// The working folder at its end, absolute in the image.
    pub folder: String,
    /// The variables that `ENV` sets, in it and in the stages below.
    pub environment: HashMap<String, String>,
}

/// One instruction that copies, runs or starts something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildStep {
    /// Its lines, 1 for the first line.
    pub lines: RangeInclusive<usize>,
    /// The working folder at that point, absolute in the image.
    pub folder: String,
    /// What it does.
    pub action: BuildAction,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildAction {
    /// `COPY` or `ADD`: what is copied.
    Copy(Vec<CopiedPath>),
    /// `RUN`.
    Run {
        /// The commands, each part of a chain one of its own.
        commands: Vec<ShellCommand>,
        /// Paths that are mounted while they run.
        mounts: Vec<CopiedPath>,
    },
    /// `ENTRYPOINT`.
    Entrypoint(Vec<ShellCommand>),
    /// `CMD`.
    Command(Vec<ShellCommand>),
}

/// One path that is copied or mounted into an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedPath {
    /// Where it comes from.
    pub origin: CopyOrigin,
    /// The path there, without `./` and slashes at its ends; empty for the whole.
    pub source: String,
    /// The path in the image, absolute; it ends in a slash where it is a folder for certain.
    pub target: String,
}

/// What a path is copied from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyOrigin {
    /// The build context.
    Context,
    /// An earlier stage of the same file.
    Stage(usize),
    /// Another image, a named context or an address.
    Elsewhere,
    /// The text itself, as a here-document.
    Text(String),
}

impl Dockerfile {
    /// Reads a Dockerfile; `arguments` are the values given by the build, which win over defaults of `ARG`.
    ///
    /// `None` where docker would refuse it.
    pub fn parse(text: &str, arguments: &[(String, String)]) -> Option<Self> {
        read::read(text, arguments)
    }

    /// The commands of a shell text or of a list of words, as a container would run them.
    pub fn commands_of(command: &Command) -> Vec<ShellCommand> {
        let none = shell::Values::new();
        match command {
            Command::Line(line) => {
                // Docker compose splits the line into words and runs no shell.
                shell::unwrap_command(&shell::split_words(line, &none), None, &none)
            }
            Command::Words(words) => shell::unwrap_command(words, None, &none),
        }
    }

    /// The commands of a script.
    pub fn commands_in(script: &str) -> Vec<ShellCommand> {
        shell::split_commands(script, &shell::Values::new())
    }

    /// The commands that a list of words starts: itself, or those of the text that a shell is given.
    pub(super) fn unwrapped(words: &[String]) -> Vec<ShellCommand> {
        shell::unwrap_command(words, None, &shell::Values::new())
    }

    /// The stage of a name or number that is written before stage `before`.
    fn find(stages: &[ImageStage], name: &str) -> Option<usize> {
        let own = |stage: &ImageStage| {
            stage.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name))
        };
        let number = name.parse().ok().filter(|number| *number < stages.len());
        stages.iter().rposition(own).or(number)
    }

    /// The stages that make the image of `target`, or of the last stage: each stands on the one before it.
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

impl Build {
    /// Where the Dockerfile lies; `None` where its text stands in the compose file itself.
    pub fn dockerfile_path(&self) -> Option<PathBuf> {
        if self.dockerfile_inline.is_some() {
            return None;
        }
        Some(self.context.join(self.dockerfile.as_deref().unwrap_or("Dockerfile")))
    }

    /// The Dockerfile as it is written, wherever it stands.
    pub fn dockerfile_text(&self, sources: &dyn Sources) -> Option<String> {
        let Some(path) = self.dockerfile_path() else {
            return self.dockerfile_inline.clone();
        };
        sources.text(&path).found().map(|text| text.to_string())
    }

    /// The values of the build's arguments; without `variables` only those that refer to none.
    pub fn arguments(&self, variables: Option<&Variables>) -> Vec<(String, String)> {
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
