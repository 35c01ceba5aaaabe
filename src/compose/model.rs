//! The model of a compose project: its files, its services, and docker compose's warnings about them.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use foldhash::HashMap;

use crate::error::{Error, ErrorCode, FilePosition};
use crate::secret::Secret;

use super::dotenv::DotenvStatement;
use super::effective::EnvironmentVariable;
use super::interpolate::InterpolationError;
use super::reachability::ComposeNetwork;
use super::service::ServiceModel;
use super::source::{ComposeWarning, FileId, FileSpan, FileSyntax, ProjectTextFile, WarningWeight};
use super::variables::{ProjectVariables, ScopeFiles, ScopeId};

/// A compose project as its files describe it.
#[derive(Debug, Clone)]
pub struct ComposeModel {
    /// Every file that was read; the first compose file comes first.
    pub files: Vec<ProjectTextFile>,
    /// The services, in order of appearance.
    pub services: Vec<ServiceModel>,
    /// The warnings and errors that docker compose would report, with the variables that plain docker compose sees.
    pub warnings: Vec<ComposeWarning>,
    /// Positions that make docker compose fetch or run something other than the project's files and the engine: a
    /// remote part of the project or of a build, or a service run by a provider program.
    pub reaches: Vec<FileSpan>,
    pub(super) index: HashMap<String, usize>,
    pub(super) shell: Arc<BTreeMap<String, String>>,
    pub(super) scopes: Vec<ScopeFiles>,
    pub(super) plain: ProjectVariables,
    pub(super) failing: Vec<FailingTemplate>,
    /// `networks`, by key.
    pub(super) networks: HashMap<String, ComposeNetwork>,
    /// Indexes of the services by lower-case network name; computed on first use.
    pub(super) host_names: OnceLock<HashMap<String, Vec<usize>>>,
}

/// A template without a result, and its warning.
#[derive(Debug, Clone)]
pub(super) struct FailingTemplate {
    pub(super) warning: usize,
    pub(super) scope: ScopeId,
    pub(super) template: String,
}

/// A variable that plain docker compose and `run` resolve differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDifference {
    /// The service.
    pub service: String,
    /// Its value under plain docker compose.
    pub plain: EnvironmentVariable,
    /// Its value in a child process of `run`.
    pub under_run: EnvironmentVariable,
}

impl ComposeModel {
    /// Returns the service with this name.
    pub fn service(&self, name: &str) -> Option<&ServiceModel> {
        Some(&self.services[*self.index.get(name)?])
    }

    /// Returns the variables that plain docker compose sees: the shell overrides `.env`.
    pub fn plain(&self) -> &ProjectVariables {
        &self.plain
    }

    /// Returns the names that the project's `.env` files set, including those of included projects.
    pub fn assigned_names(&self) -> Vec<String> {
        let statements = self.dotenv_files().flat_map(|(_, statements)| statements);
        statements.map(|statement| statement.name.clone()).collect()
    }

    /// Iterates over the readable `.env` files of the project and included projects, each with its statements.
    pub fn dotenv_files(&self) -> impl Iterator<Item = (&ProjectTextFile, &[DotenvStatement])> {
        let files = self.scopes.iter().flat_map(|scope| &scope.files);
        files.map(|(id, statements)| (&self.files[id.0], &**statements))
    }

    /// Returns the variables that a child process of `run` sees: stored values override the shell.
    pub fn under_run(&self, stored: BTreeMap<String, Secret>) -> ProjectVariables {
        let fixed = self.plain.fixed().clone();
        ProjectVariables::new(Arc::clone(&self.shell), stored, fixed, &self.scopes)
    }

    /// Iterates over the compose files, including included and extended ones.
    pub fn compose_files(&self) -> impl Iterator<Item = &ProjectTextFile> {
        self.files
            .iter()
            .filter(|file| matches!(file.syntax, FileSyntax::Compose | FileSyntax::Foreign))
    }

    /// Returns a file by its id.
    pub fn file_of(&self, id: FileId) -> &ProjectTextFile {
        &self.files[id.0]
    }

    /// Returns the file of a span.
    pub fn file(&self, span: &FileSpan) -> &ProjectTextFile {
        &self.files[span.file.0]
    }

    /// Returns the line and column of a span's beginning.
    pub fn place(&self, span: &FileSpan) -> FilePosition {
        self.file(span).place(span.range.start)
    }

    /// Returns the text of a span, as written.
    pub fn text(&self, span: &FileSpan) -> &str {
        self.file(span).text.get(span.range.clone()).unwrap_or_default()
    }

    /// Returns the reasons why docker compose would not load the project with these variables; empty if it would.
    pub fn refusals(&self, variables: &ProjectVariables) -> Vec<Error> {
        let is_fixed = |failing: &FailingTemplate| {
            variables.interpolate(failing.scope, &failing.template).is_ok()
        };
        let refused = self.refused_unless(is_fixed);
        refused
            .map(|warning| {
                Error::new(ErrorCode::ComposeRefused, warning.text.clone())
                    .at(warning.place.clone())
            })
            .collect()
    }

    /// Returns what docker compose rejects, except templates without a result for which `is_excused` is true.
    fn refused_unless(
        &self,
        is_excused: impl Fn(&FailingTemplate) -> bool,
    ) -> impl Iterator<Item = &ComposeWarning> {
        let excused = move |index: usize| {
            self.failing.iter().find(|failing| failing.warning == index).is_some_and(&is_excused)
        };
        let warnings = self.warnings.iter().enumerate();
        warnings
            .filter(move |(index, warning)| {
                warning.weight == WarningWeight::Refused && !excused(*index)
            })
            .map(|(_, warning)| warning)
    }

    /// Iterates over the reasons why docker compose cannot load the project, whatever the shell and the stores contain:
    /// [`ComposeModel::refusals`] without missing required variables.
    pub fn lasting_refusals(&self) -> impl Iterator<Item = &ComposeWarning> {
        self.refused_unless(|failing| {
            let found = self.plain.interpolate(failing.scope, &failing.template);
            matches!(found, Err(InterpolationError::Required { .. }))
        })
    }

    /// Returns the variables that refer to one of `names` and resolve differently under `run`.
    pub fn differences(&self, under_run: &ProjectVariables, names: &[&str]) -> Vec<RunDifference> {
        let concerns = |setting: &EnvironmentVariable| {
            let mut uses = setting.uses.iter();
            uses.any(|variable_use| names.contains(&variable_use.name.as_str()))
        };
        let mut out = Vec::new();
        for service in &self.services {
            let other = service.effective(under_run);
            for plain in service.effective(&self.plain) {
                let Some(under_run) = other.get(&plain.name) else {
                    continue;
                };
                if plain.value != under_run.value && (concerns(&plain) || concerns(under_run)) {
                    out.push(RunDifference {
                        service: service.name.clone(),
                        plain,
                        under_run: under_run.clone(),
                    });
                }
            }
        }
        out
    }
}
