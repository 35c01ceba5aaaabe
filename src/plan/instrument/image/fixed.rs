//! Packages that are decided where this program does not write: what it takes to add some, exact.

use super::command::LockTool;
use crate::edit::requirements::{Addition, Entry};

/// Packages that a lock, a Dockerfile, a base image or a list with hashes decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedPackages {
    /// What the application asks for.
    pub declared: Vec<Entry>,
    /// What is installed in the end, as far as it is written.
    pub installed: Vec<Entry>,
    /// What decides, as a clause: `backend/uv.lock decides what its image installs`.
    pub decided_by: String,
    /// Whether `installed` is all there is.
    pub contents: ImageContents,
    /// How packages are added.
    pub remedy: Remedy,
}

/// How much of what an image installs is written in the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageContents {
    /// All of it.
    Written,
    /// Some of it lies in another image, or in a list that is not here.
    Hidden,
}

/// How packages are added by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// A command that takes their names.
    Command(String),
    /// A line of its own in a file that makes an image.
    ImageLine {
        /// The file as the person would name it.
        file: String,
        /// The line it goes behind, 1 for the first line.
        after: usize,
        /// The command that takes their names.
        command: String,
    },
    /// A command before the one a service starts.
    StartCommand {
        /// The service.
        service: String,
        /// The command that takes their names.
        command: String,
    },
    /// Lines of a conda environment.
    Environment(String),
    /// Lines of the file that a list is compiled from, and the command that compiles it.
    Compiled {
        /// The file, or the list itself where it does not say.
        source: String,
        /// The list.
        list: String,
    },
    /// A rule that lets `.dockerignore` pass this list.
    Unignored {
        /// The `.dockerignore`.
        file: String,
        /// The list.
        list: String,
    },
}

impl Remedy {
    /// The command that adds packages to a project of `tool` in `folder`, empty for the project's own.
    pub(super) fn of_tool(tool: LockTool, folder: &str, member: Option<&str>) -> Self {
        let at = |option: &str| match folder {
            "" => String::new(),
            folder => format!(" {option} {folder}"),
        };
        let member = member.map(|member| format!(" --package {member}")).unwrap_or_default();
        Self::Command(match tool {
            LockTool::Uv => format!("uv add --no-sync{}{member}", at("--project")),
            LockTool::Poetry => format!("poetry{} add --lock", at("-C")),
            LockTool::Pdm => format!("pdm add --no-sync{}", at("-p")),
            LockTool::Pipenv if folder.is_empty() => "pipenv install".to_owned(),
            LockTool::Pipenv => format!("PIPENV_PIPFILE={folder}/Pipfile pipenv install"),
        })
    }

    /// What to do to add these packages, on one line.
    pub fn step(&self, packages: &[Addition]) -> String {
        let lines: Vec<String> = packages.iter().map(Addition::line).collect();
        let names: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
        match self {
            Self::Command(command) => format!("{command} {}", names.join(" ")),
            Self::ImageLine { file, after, command } => {
                format!("{file}, after line {after}: RUN {command} {}", lines.join(" "))
            }
            Self::StartCommand { service, command } => {
                format!("the command of `{service}`, first: {command} {}", lines.join(" "))
            }
            Self::Environment(file) => {
                format!("{file}, below `- pip:`: {}", lines.join(", "))
            }
            Self::Compiled { source, list } if source == list => {
                format!("{list}, with all they depend on: {}", lines.join(", "))
            }
            Self::Compiled { source, list } => format!(
                "{source}: {}; then `uv pip compile {source} --output-file {list}`",
                lines.join(", ")
            ),
            Self::Unignored { file, list } => format!("{file}, last line: !{list}"),
        }
    }
}
