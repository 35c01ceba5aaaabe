//! Plans the changes that trace a Python service: packages and initialisation.
//!
//! Takes the service's texts and returns a [`Plan`]; the caller finds the files.

pub(crate) mod catalogue;
pub(crate) mod early;
pub mod entry;
pub(crate) mod graph;
pub(crate) mod image;
pub(crate) mod late;
pub(crate) mod lines;
pub(crate) mod modules;
pub(crate) mod packages;
pub mod span;
pub(crate) mod withdrawal;

mod code;
mod initialise;
mod lists;
mod naming;
mod repair;
mod slips;

use std::path::{Path, PathBuf};

use crate::edit::python::framework::{FRAMEWORKS, PythonFramework};
use crate::edit::python::source::PythonSyntaxError;
use crate::edit::requirements::RequirementEntry;
use crate::error::{Error, ErrorCode, FilePosition, Result};
use crate::plan::{Note, Plan};

pub use crate::provider::Addon;
pub use image::{FixedPackages, ImageContents, LockTool, ManualAddition};
pub use packages::TracingStart;
pub use repair::REPAIR;

/// The Python code of a service, as texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PythonService {
    /// The service's name in the compose file.
    pub name: String,
    /// The folder that paths are shown relative to.
    pub base: PathBuf,
    /// Every Python file of the service.
    pub python: Vec<PythonSourceFile>,
    /// Its lists of packages: one for each image that runs this code, without duplicates.
    pub packages: Vec<PackageList>,
    /// Its Python version, from its image's tag: `3.10-slim-buster`.
    pub version: Option<String>,
    /// How tracing starts.
    pub start: TracingStart,
    /// The modules that its command starts, the likeliest first; empty if unknown.
    pub entries: Vec<entry::StartEntry>,
    /// The objects that its command serves, the likeliest first.
    pub served: Vec<entry::ServedObject>,
    /// Folders of its modules that `PYTHONPATH` lists.
    pub roots: Vec<PathBuf>,
    /// Whether browsers take part in its traces.
    pub frontend: FrontendTracing,
    /// The requested addons.
    pub addons: Vec<Addon>,
}

impl PythonService {
    /// Returns the frameworks that its applications may use.
    fn frameworks(&self) -> Vec<&'static PythonFramework> {
        let may_use = |framework: &&PythonFramework| {
            self.python.iter().any(|file| framework.may_be_in(&file.text))
        };
        FRAMEWORKS.iter().filter(may_use).collect()
    }
}

/// Whether the pages that call a service are traced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FrontendTracing {
    /// They send no trace headers.
    #[default]
    Untraced,
    /// They send `traceparent`, which CORS must allow.
    Traced,
}

/// A file as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonSourceFile {
    /// Absolute path.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// The place where a service lists its packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackageList {
    /// A requirements file, and the files it includes.
    Requirements {
        /// The file passed to pip.
        file: PythonSourceFile,
        /// The files it includes by `-r`, directly or indirectly.
        included: Vec<PythonSourceFile>,
        /// Constraints files passed to pip with it.
        constraints: Vec<PythonSourceFile>,
        /// Packages that other commands install.
        also_installed: Vec<RequirementEntry>,
    },
    /// A `pyproject.toml` that declares dependencies.
    Pyproject {
        /// The file.
        file: PythonSourceFile,
        /// The tool whose lock is next to it, although the image does not install from that lock.
        lock: Option<LockTool>,
        /// Packages that other commands install.
        also_installed: Vec<RequirementEntry>,
    },
    /// A source that only the user changes.
    Fixed(FixedPackages),
    /// No list was found.
    Missing,
}

impl PackageList {
    /// Returns whether packages are added at the same place as for `other`.
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

/// The treatment of mistakes in existing code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MistakePolicy {
    /// Report them.
    Say,
    /// Fix those that keep the application from starting.
    Start,
    /// Fix them.
    Fix,
}

/// Plans the changes that trace `service`; empty if it is already traced.
///
/// # Errors
/// `unsafe-edit`, with the place, when a file with an application is not valid Python or cannot be extended;
/// `hash-locked`; `no-version-set`; `toml-syntax`.
pub fn plan_instrumentation(service: &PythonService, mistakes: MistakePolicy) -> Result<Plan> {
    let mut plan = Plan::default();
    let code = match service.start {
        TracingStart::InCode => Some(code::read(service)?),
        TracingStart::ZeroCode => None,
    };
    if let Some(code) = &code
        && code.lacks_application()
    {
        // Packages without initialisation would trace nothing.
        plan.notes.push(code::no_application(service));
        return Ok(plan);
    }
    let installed = lists::extend(service, &mut plan)?;
    let Some(installed) = installed else {
        return Ok(plan);
    };
    match code {
        Some(code) => code::extend(service, code, &installed, mistakes, &mut plan)?,
        None => plan.notes.push(Note::fact(format!(
            "{}: started by `opentelemetry-instrument`, which needs no lines in the code",
            service.name
        ))),
    }
    Ok(plan)
}

/// Plans the changes that trace these services, as one plan.
///
/// # Errors
/// As [`plan_instrumentation`].
pub fn plan_services(services: &[PythonService], mistakes: MistakePolicy) -> Result<Plan> {
    let mut whole = Plan::default();
    for service in services {
        whole.extend(plan_instrumentation(service, mistakes)?);
    }
    Ok(whole)
}

/// Returns a path as shown to the user.
fn display_service_path(service: &PythonService, path: &Path) -> String {
    let path = path.strip_prefix(&service.base).unwrap_or(path);
    path.display().to_string()
}

/// Returns the error for a file that is not valid Python, with the place.
fn unreadable_python_error(
    file: &PythonSourceFile,
    name: &str,
    error: &PythonSyntaxError,
) -> Error {
    let message = format!("{name} cannot be edited: {}", error.message);
    Error::new(ErrorCode::UnsafeEdit, message).at(FilePosition {
        path: file.path.clone(),
        line: error.line,
        column: error.column,
        text: error.text.clone(),
    })
}
