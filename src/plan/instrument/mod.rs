//! What tracing a Python service changes in its files: packages and initialisation.
//!
//! Takes the service's texts, returns a [`Plan`]; which files those are is found by the caller.

pub mod catalogue;
pub mod early;
pub mod entry;
pub mod graph;
pub mod image;
pub mod late;
pub mod lines;
pub mod modules;
pub mod packages;
pub mod span;

mod code;
mod initialise;
mod lists;
mod naming;
mod repair;
mod slips;

use std::path::{Path, PathBuf};

use crate::edit::python::framework::{FRAMEWORKS, Framework};
use crate::edit::python::source::SyntaxError;
use crate::edit::requirements::Entry;
use crate::error::{Error, ErrorCode, Place, Result};
use crate::plan::{Note, Plan};

pub use crate::provider::Addon;
pub use image::{FixedPackages, ImageContents, LockTool, Remedy};
pub use packages::Start;
pub use repair::REPAIR;

/// A service's Python, as texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The service's name in the compose file.
    pub name: String,
    /// What paths are shown relative to.
    pub base: PathBuf,
    /// Every Python file of the service.
    pub python: Vec<SourceFile>,
    /// What it installs: one list for each image that this code runs in, none twice.
    pub packages: Vec<PackageList>,
    /// The Python it runs on, as its image's tag says: `3.10-slim-buster`.
    pub version: Option<String>,
    /// How tracing starts.
    pub start: Start,
    /// What its command starts, the likeliest first; empty where it does not say.
    pub entries: Vec<entry::Entry>,
    /// The objects that its command has served, the likeliest first.
    pub served: Vec<entry::ServedObject>,
    /// Folders of its own modules that `PYTHONPATH` names.
    pub roots: Vec<PathBuf>,
    /// Whether a browser takes part in its traces.
    pub frontend: Frontend,
    /// What was asked for besides.
    pub addons: Vec<Addon>,
}

impl Service {
    /// The frameworks that its applications may be made with.
    fn frameworks(&self) -> Vec<&'static Framework> {
        let may_use = |one: &&Framework| self.python.iter().any(|file| one.may_be_in(&file.text));
        FRAMEWORKS.iter().filter(may_use).collect()
    }
}

/// Whether the pages that call a service are traced too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Frontend {
    /// They send no trace headers.
    #[default]
    Untraced,
    /// They send `traceparent`, which a browser asks leave for.
    Traced,
}

/// A file as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Absolute path.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// Where a service lists what it installs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackageList {
    /// A requirements file, and those it includes.
    Requirements {
        /// The file pip is given.
        file: SourceFile,
        /// The files it names by `-r`, and so on.
        included: Vec<SourceFile>,
        /// Files of constraints that pip is given beside it.
        constraints: Vec<SourceFile>,
        /// Packages that other commands install.
        beside: Vec<Entry>,
    },
    /// A `pyproject.toml` that declares dependencies.
    Pyproject {
        /// The file.
        file: SourceFile,
        /// The tool whose lock lies beside it, though the image does not install from that.
        lock: Option<LockTool>,
        /// Packages that other commands install.
        beside: Vec<Entry>,
    },
    /// Something that only the person changes.
    Fixed(FixedPackages),
    /// Nowhere that was found.
    Missing,
}

impl PackageList {
    /// Whether packages are added at the same place as to `other`.
    pub fn is_same_place(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Requirements { file, .. }, Self::Requirements { file: other, .. })
            | (Self::Pyproject { file, .. }, Self::Pyproject { file: other, .. }) => {
                file.path == other.path
            }
            (Self::Fixed(fixed), Self::Fixed(other)) => fixed.remedy == other.remedy,
            _ => self == other,
        }
    }
}

/// What is done about mistakes in code that was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistakes {
    /// They are said.
    Say,
    /// Those that keep the application from starting are put right.
    Start,
    /// They are put right.
    Fix,
}

/// What makes `service` traced; nothing where it is already.
///
/// # Errors
/// `unsafe-edit`, with the place, when a file with an application is not Python or cannot be extended;
/// `hash-locked`; `no-version-set`; `toml-syntax`.
pub fn plan(service: &Service, mistakes: Mistakes) -> Result<Plan> {
    let mut plan = Plan::default();
    let code = match service.start {
        Start::InCode => Some(code::read(service)?),
        Start::ZeroCode => None,
    };
    if let Some(code) = &code
        && code.lacks_application()
    {
        // Packages alone would trace nothing.
        plan.notes.push(code::no_application(service));
        return Ok(plan);
    }
    let listed = lists::extend(service, &mut plan)?;
    let Some(listed) = listed else {
        return Ok(plan);
    };
    match code {
        Some(code) => code::extend(service, code, &listed, mistakes, &mut plan)?,
        None => plan.notes.push(Note::fact(format!(
            "{}: started by `opentelemetry-instrument`, which needs no lines in the code",
            service.name
        ))),
    }
    Ok(plan)
}

/// What makes each of these services traced, as one plan.
///
/// # Errors
/// As [`plan`].
pub fn plan_services(services: &[Service], mistakes: Mistakes) -> Result<Plan> {
    let mut whole = Plan::default();
    for service in services {
        whole.extend(plan(service, mistakes)?);
    }
    Ok(whole)
}

/// A path as the person would name it.
fn shown(service: &Service, path: &Path) -> String {
    let path = path.strip_prefix(&service.base).unwrap_or(path);
    path.display().to_string()
}

/// A file that is not Python, and where.
fn unreadable(file: &SourceFile, name: &str, error: &SyntaxError) -> Error {
    let message = format!("{name} cannot be edited: {}", error.message);
    Error::new(ErrorCode::UnsafeEdit, message).at(Place {
        path: file.path.clone(),
        line: error.line,
        column: error.column,
        text: error.text.clone(),
    })
}
