//! Packages that are decided in files this program does not write, and the exact steps to add some.

use super::command::LockTool;
use crate::edit::requirements::{PackageAddition, RequirementEntry};

/// Packages that are decided by a lock, a Dockerfile, a base image or a list with hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedPackages {
    /// The packages that the application declares.
    pub declared: Vec<RequirementEntry>,
    /// The packages that are installed, as far as the files say.
    pub installed: Vec<RequirementEntry>,
    /// The file that decides, as a clause: `backend/uv.lock decides what its image installs`.
    pub decided_by: String,
    /// Whether `installed` is complete.
    pub contents: ImageContents,
    /// The way to add packages.
    pub remedy: ManualAddition,
}

/// Whether the project lists everything that an image installs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageContents {
    /// Everything is listed.
    Written,
    /// Some packages come from another image, or from a list outside the project.
    Hidden,
}

/// The way to add packages by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManualAddition {
    /// A command that takes the packages' names.
    Command(String),
    /// A new line in a file that builds an image.
    ImageLine {
        /// The file, as shown to the user.
        file: String,
        /// The number of the line it goes after, starting at 1.
        after: usize,
        /// The command that takes the packages' names.
        command: String,
    },
    /// A command to run before a service's start command.
    StartCommand {
        /// The service.
        service: String,
        /// The command that takes the packages' names.
        command: String,
    },
    /// Lines of a conda environment.
    Environment(String),
    /// Lines in the source of a compiled list, and the command that compiles it.
    Compiled {
        /// The source, or the list itself if the source is unknown.
        source: String,
        /// The list.
        list: String,
    },
    /// A rule in `.dockerignore` that includes this list.
    Unignored {
        /// The `.dockerignore`.
        file: String,
        /// The list.
        list: String,
    },
}

impl ManualAddition {
    /// Returns the command that adds packages to a project of `tool` in `folder`; an empty folder means the current
    /// one.
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

    /// Returns the step that adds these packages, in one line.
    pub fn step(&self, packages: &[PackageAddition]) -> String {
        let lines: Vec<String> = packages.iter().map(PackageAddition::line).collect();
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

    /// Returns the same step for a sentence: only what can be copied is between backticks.
    pub fn advice(&self, packages: &[PackageAddition]) -> String {
        let step = self.step(packages);
        match self {
            Self::Command(_) => format!("`{step}`"),
            Self::Compiled { source, list } if source != list => step,
            Self::ImageLine { .. }
            | Self::StartCommand { .. }
            | Self::Environment(_)
            | Self::Compiled { .. }
            | Self::Unignored { .. } => match step.split_once(": ") {
                Some((place, lines)) => format!("{place}: `{lines}`"),
                None => step,
            },
        }
    }
}
