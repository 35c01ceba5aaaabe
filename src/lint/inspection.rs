//! What doctor's rules look at: the model of the compose project, what lies beside it, and what is known outside.
//!
//! Everything is read elsewhere, once; nothing is read here.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::packages::{PythonFile, RequirementsFile};
use crate::compose::{self, EnvFileState, File, Holds, Model, Role, Service, Statement};
use crate::edit::yaml::gitpod::GitpodFile;
use crate::edit::yaml::tree::SyntaxError;
use crate::instrumentation::{CodeFinding, CodeFindingKind, Instrumentation};
use crate::plan::instrument::Start;
use crate::provider::Addon;

/// A project as it was read, and what is known of the world outside.
#[derive(Debug, Clone, Default)]
pub struct Inspection {
    /// The project's folder, which findings' paths are relative to.
    pub root: PathBuf,
    /// The compose project; `None` where it could not be read, of which nothing is claimed.
    pub model: Option<Model>,
    /// Other compose files of the folder: what they supply is supplied, and nothing in them is judged.
    pub beside: Vec<Model>,
    /// What each service is for, by its name.
    pub roles: BTreeMap<String, Role>,
    /// `.gitpod.yml`, if it is YAML.
    pub gitpod: Option<WorkspaceFile>,
    /// The `.env` files, and what each sets.
    pub dotenvs: Vec<DotenvFile>,
    /// `devcontainer.json` files.
    pub devcontainers: Vec<File>,
    /// Requirements files.
    pub requirements: Vec<RequirementsFile>,
    /// Python modules.
    pub python: Vec<PythonFile>,
    /// Which of these belong to which service.
    pub code: Vec<InspectedCode>,
    /// What sends the spans of each service that is told where they go or whose Python is here, by the service's name.
    pub instrumentation: BTreeMap<String, Instrumentation>,
    /// The configurations of collectors.
    pub collectors: Vec<CollectorFile>,
    /// Scripts, Dockerfiles, templates and files of variables that no service reads, as far as they hold a key or trace.
    pub texts: Vec<File>,
    /// What git does with the files that hold keys, by their paths below the project's folder.
    pub git: BTreeMap<PathBuf, FileStanding>,
    /// `package.json` files.
    pub manifests: Vec<File>,
    /// `.gitignore` of the project.
    pub gitignore: Option<File>,
    /// YAML files that are none, and why.
    pub broken: Vec<(File, SyntaxError)>,
    /// Why docker compose loads nothing of the project, where its files refer to each other in a circle.
    pub refusal: Option<ProjectRefusal>,
    /// Files that could not be read, and why; of them nothing is claimed.
    pub unread: Vec<UnreadFile>,
    /// Files outside of the project, which are not judged.
    pub foreign: BTreeSet<PathBuf>,
    /// What the shell, the stores and git say; `None` where they were not asked.
    pub outside: Option<Outside>,
}

/// A `.gitpod.yml` and what it says.
#[derive(Debug, Clone)]
pub struct WorkspaceFile {
    /// The file.
    pub file: File,
    /// What Gitpod reads in it.
    pub contents: GitpodFile,
}

/// A `.env` file and what it sets.
#[derive(Debug, Clone)]
pub struct DotenvFile {
    /// The file.
    pub file: File,
    /// In the order they stand; empty where docker compose refuses the file.
    pub statements: Vec<Statement>,
}

/// The code of a service, as far as it is in the project.
#[derive(Debug, Clone)]
pub struct InspectedCode {
    /// The service; `None` where the compose project was not read.
    pub service: Option<String>,
    /// Its modules, by their place in [`Inspection::python`].
    pub python: Vec<usize>,
    /// What its image installs from, by place in [`Inspection::requirements`].
    pub requirements: Vec<usize>,
    /// How its tracing starts.
    pub start: Start,
}

/// The configuration that a collector of the project runs with.
#[derive(Debug, Clone)]
pub struct CollectorFile {
    /// The collector's service.
    pub service: String,
    /// The file.
    pub file: File,
}

/// A line for which docker compose loads nothing of a project.
#[derive(Debug, Clone)]
pub struct ProjectRefusal {
    /// The file.
    pub file: File,
    /// The byte it is about.
    pub offset: usize,
    /// What is wrong: lowercase, without a full stop.
    pub text: String,
}

/// A file that is there and could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadFile {
    /// The file. Absolute.
    pub path: PathBuf,
    /// Why: lowercase, without a full stop.
    pub reason: String,
}

/// What the shell, the stores and git say. Values stay outside: a rule needs to know that there is one.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// Variables of the shell.
    pub shell: BTreeMap<String, Standpoint>,
    /// Variables that some store holds, and the store's name.
    pub stored: BTreeMap<String, String>,
}

/// What git does with a file that holds a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileStanding {
    /// It is committed or staged.
    Tracked,
    /// The next `git add .` takes it.
    Untracked,
    /// It is passed over.
    Ignored,
    /// Git may have it or take it: the repository cannot be read, for this reason.
    Unknown(String),
}

/// A shell variable, compared with what a store or `.env` holds under its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standpoint {
    /// Set, and nothing contradicts it.
    Set,
    /// Set to nothing.
    Empty,
    /// Set to something else than what is stored.
    Stale,
    /// Set to what is sure to be refused: the ID of a key, or one that does not send.
    WrongKey,
}

impl Inspection {
    /// The services of the compose project.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.model.iter().flat_map(|model| &model.services)
    }

    /// The services of the compose project and of the compose files beside it.
    pub fn every_service(&self) -> impl Iterator<Item = &Service> {
        self.services().chain(self.beside.iter().flat_map(|model| &model.services))
    }

    /// A path as the user would name it: relative to the root where it lies below.
    pub fn shown<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    /// What a service is for.
    pub fn role(&self, service: &Service) -> Option<Role> {
        self.roles.get(&service.name).copied()
    }

    /// Whether a service keeps data.
    pub fn is_database(&self, service: &Service) -> bool {
        self.role(service) == Some(Role::Database)
    }

    /// Every file of variables, with what it sets: `.env`, those of `env_file`, and those that no service reads.
    pub fn variable_files(&self) -> Vec<(&File, Cow<'_, [Statement]>)> {
        let dotenvs =
            self.dotenvs.iter().map(|one| (&one.file, Cow::Borrowed(one.statements.as_slice())));
        let named = self.model.iter().flat_map(|model| {
            let files = model.services.iter().flat_map(|service| &service.env_files);
            let read = files.filter_map(|file| file.state.statements());
            read.map(|(id, statements)| (model.file_of(id), Cow::Borrowed(statements)))
        });
        let others = self.texts.iter().filter(|file| file.holds == Holds::Variables);
        let others = others
            .map(|file| (file, Cow::Owned(compose::parse_dotenv(&file.text).unwrap_or_default())));
        let mut seen = BTreeSet::new();
        dotenvs.chain(named).chain(others).filter(|(file, _)| seen.insert(&file.path)).collect()
    }

    /// Every file that was read, each once.
    pub fn files(&self) -> Vec<&File> {
        let model = self.model.iter().flat_map(|model| &model.files);
        let mut seen = BTreeSet::new();
        let files = model
            .chain(self.gitpod.iter().map(|one| &one.file))
            .chain(self.dotenvs.iter().map(|one| &one.file))
            .chain(&self.devcontainers)
            .chain(self.requirements.iter().map(|one| &one.file))
            .chain(self.python.iter().map(|one| &one.file))
            .chain(&self.manifests)
            .chain(self.collectors.iter().map(|one| &one.file))
            .chain(&self.texts)
            .chain(self.broken.iter().map(|(file, _)| file))
            .chain(self.refusal.iter().map(|refusal| &refusal.file));
        files.filter(|file| seen.insert(&file.path)).collect()
    }

    /// Whether a file is the project's own, to be judged and quoted from.
    pub fn is_own(&self, file: &File) -> bool {
        file.holds != Holds::Foreign && !self.foreign.contains(&file.path)
    }

    /// The requirements files that the image of a service installs from.
    pub fn requirements_of(&self, service: &Service) -> impl Iterator<Item = &RequirementsFile> {
        self.own_code(service).flat_map(|code| &code.requirements).map(|at| &self.requirements[*at])
    }

    /// The modules that are code of a service.
    pub fn python_of(&self, service: &Service) -> impl Iterator<Item = &PythonFile> {
        self.own_code(service).flat_map(|code| &code.python).map(|at| &self.python[*at])
    }

    /// The modules that run with what a requirements file lists.
    pub fn modules_of(&self, requirements: &RequirementsFile) -> impl Iterator<Item = &PythonFile> {
        let lists = |code: &&InspectedCode| {
            code.requirements.iter().any(|at| self.requirements[*at].is(requirements))
        };
        let code = self.code.iter().filter(lists);
        code.flat_map(|code| &code.python).map(|at| &self.python[*at])
    }

    /// The requirements files that say what a module runs with.
    pub fn requirements_for(&self, module: &PythonFile) -> Vec<&RequirementsFile> {
        let lists: BTreeSet<usize> =
            self.code_of(module).flat_map(|code| code.requirements.iter().copied()).collect();
        lists.into_iter().map(|at| &self.requirements[at]).collect()
    }

    /// The services that a module is code of.
    pub fn services_of(&self, module: &PythonFile) -> impl Iterator<Item = &Service> {
        let code = self.code_of(module);
        code.filter_map(|code| self.model.as_ref()?.service(code.service.as_ref()?))
    }

    /// Whether a service whose code a module is starts by `opentelemetry-instrument`.
    pub fn is_started_by_the_agent(&self, module: &PythonFile) -> bool {
        self.code_of(module).any(|code| code.start == Start::ZeroCode)
    }

    /// Every finding of these kinds in the Python of services: its module, and the byte its line begins at.
    pub fn code_findings(
        &self,
        kinds: &[CodeFindingKind],
    ) -> Vec<(&PythonFile, usize, CodeFindingKind)> {
        let found = self.instrumentation.values().flat_map(|one| &one.code.findings);
        let located = found.filter(|one| kinds.contains(&one.kind)).filter_map(|one| {
            let CodeFinding { kind, path, line } = one;
            let module = self.python.iter().find(|module| module.file.path == *path)?;
            Some((module, module.offset(*line), *kind))
        });
        located.collect()
    }

    fn own_code(&self, service: &Service) -> impl Iterator<Item = &InspectedCode> {
        self.code.iter().filter(|code| code.service.as_ref() == Some(&service.name))
    }

    fn code_of(&self, module: &PythonFile) -> impl Iterator<Item = &InspectedCode> {
        let holds = |at: &usize| self.python[*at].file.path == module.file.path;
        self.code.iter().filter(move |code| code.python.iter().any(holds))
    }
}

/// Whether settings of a service may be missing here: a base it extends or an `env_file` was not read.
pub fn has_unread_settings(service: &Service) -> bool {
    let is_read = |file: &compose::EnvFile| matches!(file.state, EnvFileState::Read(..));
    !service.gaps.is_empty() || !service.env_files.iter().all(is_read)
}

/// Whether a service is AWS's X-Ray daemon.
pub fn is_xray_daemon(service: &Service) -> bool {
    match &service.image {
        Some(image) => Addon::Xray.runs(image),
        None => service.build.is_none() && service.name.contains("xray"),
    }
}
