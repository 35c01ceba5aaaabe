//! The input of doctor's rules: the model of the compose project, the files around it, and facts from outside.
//!
//! Filled in by the caller; does no I/O.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::packages::{PythonFile, RequirementsFile};
use crate::compose::{
    self, ComposeModel, DotenvStatement, EnvFileState, FileSyntax, ProjectTextFile, ServiceModel,
    ServiceRole,
};
use crate::edit::yaml::gitpod::GitpodFile;
use crate::edit::yaml::tree::YamlSyntaxError;
use crate::instrumentation::{CodeFinding, CodeFindingKind, Instrumentation};
use crate::plan::instrument::TracingStart;
use crate::provider::Addon;

/// A project as read from disk, and facts about its surroundings.
#[derive(Debug, Clone, Default)]
pub struct Inspection {
    /// The project's folder, which the paths of findings are relative to.
    pub root: PathBuf,
    /// The compose project; `None` if it could not be read, in which case no rule reports on it.
    pub model: Option<ComposeModel>,
    /// Other compose files in the folder: the variables and services they supply count, but they are not checked
    /// themselves.
    pub other_projects: Vec<ComposeModel>,
    /// The role of each service, by its name.
    pub roles: BTreeMap<String, ServiceRole>,
    /// The `.gitpod.yml`, if it is valid YAML.
    pub gitpod: Option<WorkspaceFile>,
    /// The `.env` files and their variables.
    pub dotenvs: Vec<DotenvFile>,
    /// `devcontainer.json` files.
    pub devcontainers: Vec<ProjectTextFile>,
    /// Requirements files.
    pub requirements: Vec<RequirementsFile>,
    /// Python modules.
    pub python: Vec<PythonFile>,
    /// The files that belong to each service.
    pub code: Vec<InspectedCode>,
    /// The instrumentation of each service that has an endpoint or whose Python code is in the project, by service
    /// name.
    pub instrumentation: BTreeMap<String, Instrumentation>,
    /// The configuration files of collectors.
    pub collectors: Vec<CollectorFile>,
    /// Scripts, Dockerfiles, templates and unused files of variables that contain a key or set up tracing.
    pub texts: Vec<ProjectTextFile>,
    /// The git status of files that contain keys, by their paths relative to the project's folder.
    pub git: BTreeMap<PathBuf, KeyFileStatus>,
    /// `package.json` files.
    pub manifests: Vec<ProjectTextFile>,
    /// The `.gitignore` of the project.
    pub gitignore: Option<ProjectTextFile>,
    /// YAML files with syntax errors.
    pub broken: Vec<(ProjectTextFile, YamlSyntaxError)>,
    /// The reason why docker compose loads nothing, if the project's files refer to each other in a cycle.
    pub refusal: Option<ProjectRefusal>,
    /// Files that could not be read, with the reason; rules report nothing about them.
    pub unread: Vec<UnreadFile>,
    /// Files outside of the project, which are not checked.
    pub foreign: BTreeSet<PathBuf>,
    /// Facts from the shell, the stores and git; `None` if they were not queried.
    pub outside: Option<OutsideFacts>,
}

/// A `.gitpod.yml` and its content.
#[derive(Debug, Clone)]
pub struct WorkspaceFile {
    /// The file.
    pub file: ProjectTextFile,
    /// The content as Gitpod reads it.
    pub contents: GitpodFile,
    /// Paths that its tasks use and that do not exist: the byte of the line, and the path from the repository's folder.
    pub missing_paths: Vec<(usize, PathBuf)>,
}

/// A `.env` file and its variables.
#[derive(Debug, Clone)]
pub struct DotenvFile {
    /// The file.
    pub file: ProjectTextFile,
    /// The statements in source order; empty if docker compose rejects the file.
    pub statements: Vec<DotenvStatement>,
}

/// The files of a service's code that are in the project.
#[derive(Debug, Clone)]
pub struct InspectedCode {
    /// The service; `None` if the compose project was not read.
    pub service: Option<String>,
    /// Its modules, as indexes into [`Inspection::python`].
    pub python: Vec<usize>,
    /// The requirements that its image installs, as indexes into [`Inspection::requirements`].
    pub requirements: Vec<usize>,
    /// How its tracing is started.
    pub start: TracingStart,
}

/// The configuration file that a collector of the project uses.
#[derive(Debug, Clone)]
pub struct CollectorFile {
    /// The collector's service.
    pub service: String,
    /// The file.
    pub file: ProjectTextFile,
}

/// A line because of which docker compose does not load a project.
#[derive(Debug, Clone)]
pub struct ProjectRefusal {
    /// The file.
    pub file: ProjectTextFile,
    /// Byte offset.
    pub offset: usize,
    /// The problem: lowercase, without a full stop.
    pub text: String,
}

/// A file that exists but could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadFile {
    /// Absolute path of the file.
    pub path: PathBuf,
    /// The reason: lowercase, without a full stop.
    pub reason: String,
}

/// Facts from the shell, the stores and git. Contains no values: a rule only needs to know that a variable is set.
#[derive(Debug, Clone, Default)]
pub struct OutsideFacts {
    /// The variables of the shell and their states.
    pub shell: BTreeMap<String, ShellVariableStatus>,
    /// Variables that a store contains, with the store as a sentence calls it.
    pub stored: BTreeMap<String, String>,
    /// Misspelt shell variables, keyed by the name that was meant.
    pub misspelt: BTreeMap<String, String>,
    /// The AWS key in the shell or in a store is temporary.
    pub temporary_keys: bool,
}

/// The git status of a file that contains a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFileStatus {
    /// It is committed or staged.
    Tracked,
    /// The next `git add .` would add it.
    Untracked,
    /// Git ignores it.
    Ignored,
    /// Git may have it or add it, because the repository cannot be read; the reason.
    Unknown(String),
}

/// The state of a shell variable, compared with the value in a store or in `.env`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShellVariableStatus {
    /// Set, without contradicting any other value.
    Set,
    /// Set to an empty value.
    Empty,
    /// Set to a value other than the stored one.
    Stale,
    /// Set to a value that is certain to be rejected: a key ID, or a key that cannot send.
    WrongKey,
    /// Not set, although its store provides it to each new terminal.
    NotLoaded,
}

impl Inspection {
    /// Iterates over the services of the compose project.
    pub fn services(&self) -> impl Iterator<Item = &ServiceModel> {
        self.model.iter().flat_map(|model| &model.services)
    }

    /// Iterates over the services of the compose project and of the other compose files in the folder.
    pub fn every_service(&self) -> impl Iterator<Item = &ServiceModel> {
        self.services().chain(self.other_projects.iter().flat_map(|model| &model.services))
    }

    /// Returns a path as shown to the user: relative to the root if it is below it.
    pub fn shown<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    /// Returns the role of a service.
    pub fn role(&self, service: &ServiceModel) -> Option<ServiceRole> {
        self.roles.get(&service.name).copied()
    }

    /// Returns whether a service stores data.
    pub fn is_database(&self, service: &ServiceModel) -> bool {
        self.role(service) == Some(ServiceRole::Database)
    }

    /// Returns every file of variables with its statements: `.env`, `env_file`s, and unused ones.
    pub fn variable_files(&self) -> Vec<(&ProjectTextFile, Cow<'_, [DotenvStatement]>)> {
        let dotenvs = self
            .dotenvs
            .iter()
            .map(|dotenv| (&dotenv.file, Cow::Borrowed(dotenv.statements.as_slice())));
        let named = self.model.iter().flat_map(|model| {
            let files = model.services.iter().flat_map(|service| &service.env_files);
            let read = files.filter_map(|file| file.state.statements());
            read.map(|(id, statements)| (model.file_of(id), Cow::Borrowed(statements)))
        });
        let others =
            self.texts.iter().filter(|file| file.syntax == FileSyntax::Variables).map(|file| {
                (file, Cow::Owned(compose::parse_dotenv(&file.text).unwrap_or_default()))
            });
        let mut seen = BTreeSet::new();
        dotenvs.chain(named).chain(others).filter(|(file, _)| seen.insert(&file.path)).collect()
    }

    /// Returns every file that was read, without duplicates.
    pub fn files(&self) -> Vec<&ProjectTextFile> {
        let model = self.model.iter().flat_map(|model| &model.files);
        let mut seen = BTreeSet::new();
        let files = model
            .chain(self.gitpod.iter().map(|workspace_file| &workspace_file.file))
            .chain(self.dotenvs.iter().map(|dotenv| &dotenv.file))
            .chain(&self.devcontainers)
            .chain(self.requirements.iter().map(|file| &file.file))
            .chain(self.python.iter().map(|file| &file.file))
            .chain(&self.manifests)
            .chain(self.collectors.iter().map(|collector| &collector.file))
            .chain(&self.texts)
            .chain(self.broken.iter().map(|(file, _)| file))
            .chain(self.refusal.iter().map(|refusal| &refusal.file));
        files.filter(|file| seen.insert(&file.path)).collect()
    }

    /// Returns whether a file belongs to the project, so that it may be checked and quoted.
    pub fn is_own(&self, file: &ProjectTextFile) -> bool {
        file.syntax != FileSyntax::Foreign && !self.foreign.contains(&file.path)
    }

    /// Iterates over the requirements files that the image of a service installs.
    pub fn requirements_of(
        &self,
        service: &ServiceModel,
    ) -> impl Iterator<Item = &RequirementsFile> {
        self.own_code(service).flat_map(|code| &code.requirements).map(|at| &self.requirements[*at])
    }

    /// Iterates over the modules of a service's code.
    pub fn python_of(&self, service: &ServiceModel) -> impl Iterator<Item = &PythonFile> {
        self.own_code(service).flat_map(|code| &code.python).map(|at| &self.python[*at])
    }

    /// Iterates over the modules that use the packages of a requirements file of this inspection.
    pub fn modules_of(&self, requirements: &RequirementsFile) -> impl Iterator<Item = &PythonFile> {
        let at = self.requirements.iter().position(|file| std::ptr::eq(file, requirements));
        let lists =
            move |code: &&InspectedCode| at.is_some_and(|at| code.requirements.contains(&at));
        let code = self.code.iter().filter(lists);
        code.flat_map(|code| &code.python).map(|at| &self.python[*at])
    }

    /// Returns the requirements files that apply to a module of this inspection.
    pub fn requirements_for(&self, module: &PythonFile) -> Vec<&RequirementsFile> {
        let lists: BTreeSet<usize> =
            self.code_of(module).flat_map(|code| code.requirements.iter().copied()).collect();
        lists.into_iter().map(|at| &self.requirements[at]).collect()
    }

    /// Iterates over the services whose code includes a module.
    pub fn services_of(&self, module: &PythonFile) -> impl Iterator<Item = &ServiceModel> {
        let code = self.code_of(module);
        code.filter_map(|code| self.model.as_ref()?.service(code.service.as_ref()?))
    }

    /// Returns whether `opentelemetry-instrument` starts a service that uses the module.
    pub fn is_started_by_the_agent(&self, module: &PythonFile) -> bool {
        self.code_of(module).any(|code| code.start == TracingStart::ZeroCode)
    }

    /// Returns the findings of these kinds in the Python code of services, each with its module and the first byte of
    /// its line.
    pub fn code_findings(
        &self,
        kinds: &[CodeFindingKind],
    ) -> Vec<(&PythonFile, usize, CodeFindingKind)> {
        let found = self
            .instrumentation
            .values()
            .flat_map(|instrumentation| &instrumentation.code.findings);
        let located = found.filter(|finding| kinds.contains(&finding.kind)).filter_map(|finding| {
            let CodeFinding { kind, path, line } = finding;
            let module = self.python.iter().find(|module| module.file.path == *path)?;
            Some((module, module.offset(*line), *kind))
        });
        located.collect()
    }

    fn own_code(&self, service: &ServiceModel) -> impl Iterator<Item = &InspectedCode> {
        self.code.iter().filter(|code| code.service.as_ref() == Some(&service.name))
    }

    fn code_of(&self, module: &PythonFile) -> impl Iterator<Item = &InspectedCode> {
        let at = self.python.iter().position(|file| std::ptr::eq(file, module));
        self.code.iter().filter(move |code| at.is_some_and(|at| code.python.contains(&at)))
    }
}

/// Returns whether settings of a service may be unknown: a base it extends or an `env_file` was not read.
pub(crate) fn has_unread_settings(service: &ServiceModel) -> bool {
    let is_read = |file: &compose::EnvFile| matches!(file.state, EnvFileState::Read(..));
    !service.gaps.is_empty() || !service.env_files.iter().all(is_read)
}

/// Returns whether a service is the AWS X-Ray daemon.
pub(crate) fn is_xray_daemon(service: &ServiceModel) -> bool {
    match &service.image {
        Some(image) => Addon::Xray.runs(image),
        None => service.build.is_none() && service.name.contains("xray"),
    }
}
