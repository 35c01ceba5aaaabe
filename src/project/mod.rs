//! Finds the project and reads its files, each once. The only reader of the user's project files.
//!
//! Texts are read byte for byte, so that editors can patch them. Must not write, ask or print.

mod boundary;
mod disk;
mod git;
mod python;
mod tasks;
mod texts;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use foldhash::HashMap;

use crate::compose::{
    self, ComposeFileSource, ComposeLocation, ComposeModel, ProjectSources, SourceText,
    no_compose_file,
};
use crate::edit::yaml::tree::YamlTree;
use crate::error::{Error, ErrorCode, Result};
use crate::shell::Shell;

use disk::CachedDisk;

pub use boundary::ProjectBoundary;
pub(crate) use disk::read_text_file;
pub use git::GitFileStatus;

/// A project file as read from disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectFile {
    /// Absolute path.
    pub path: PathBuf,
    /// The text, including byte order mark, line endings and a missing final newline.
    pub text: Arc<str>,
}

/// A compose project on disk.
#[derive(Debug)]
pub struct Project {
    /// The folder of the first compose file.
    pub root: PathBuf,
    /// The root of the git repository.
    pub git_root: Option<PathBuf>,
    /// The address of the repository's `origin`, without credentials.
    pub git_remote: Option<String>,
    /// `.gitpod.yml`, at the repository's root or next to the compose file.
    pub gitpod: Option<ProjectFile>,
    /// devcontainer.json, at one of the paths that its specification allows.
    pub devcontainer: Option<ProjectFile>,
    /// Other devcontainer.json files, which a workspace may use instead.
    pub other_devcontainers: Vec<PathBuf>,
    boundary: ProjectBoundary,
    start: ComposeLocation,
    shell: Shell,
    disk: CachedDisk,
    /// The Python files of each folder that was searched.
    python: Mutex<HashMap<OsString, Vec<ProjectFile>>>,
    model: OnceLock<Result<ComposeModel>>,
}

impl Project {
    /// Finds the project at or above `directory`, relative to the shell's folder; by default at or above the shell's
    /// folder.
    ///
    /// # Errors
    /// `no-compose-file`; `unreadable-file`, `file-too-large`, `not-utf8` if a file cannot be used.
    pub fn discover(shell: &Shell, directory: Option<&Path>) -> Result<Self> {
        let folder = resolve_start_folder(shell, directory)?;
        let disk = CachedDisk::default();
        let start = compose::find_compose_project(&disk, shell.variables(), &folder)
            .map_err(|error| add_location_hints(error, &disk, &folder, directory))?;
        Self::open(shell, disk, start)
    }

    /// Opens a folder without a compose file: its model is an error, the other files can be read.
    ///
    /// # Errors
    /// As [`Project::discover`].
    pub fn without_compose(shell: &Shell, directory: Option<&Path>) -> Result<Self> {
        let folder = resolve_start_folder(shell, directory)?;
        let start = ComposeLocation {
            folder: folder.clone(),
            current_folder: folder,
            files: Vec::new(),
            env_here: Vec::new(),
            env_project: Vec::new(),
            passed_over: Vec::new(),
            named: ComposeFileSource::Nowhere,
        };
        Self::open(shell, CachedDisk::default(), start)
    }

    fn open(shell: &Shell, mut disk: CachedDisk, start: ComposeLocation) -> Result<Self> {
        let git_root = git::root(&disk, &start.folder);
        let boundary = ProjectBoundary::new(&find_project_root(&disk, &start));
        disk.boundary = Some(boundary.clone());
        let mut project = Self {
            git_remote: git_root.as_deref().and_then(|root| git::remote(&disk, root)),
            git_root,
            gitpod: None,
            devcontainer: None,
            other_devcontainers: Vec::new(),
            root: start.folder.clone(),
            boundary,
            start,
            shell: shell.clone(),
            disk,
            python: Mutex::default(),
            model: OnceLock::new(),
        };
        project.gitpod = project.first(&[".gitpod.yml"])?;
        let mut devcontainers = project.devcontainers().into_iter();
        if let Some(first) = devcontainers.next() {
            project.devcontainer = project.source(first)?;
        }
        project.other_devcontainers = devcontainers.collect();
        Ok(project)
    }

    /// Returns the compose files; later ones override earlier ones, and the first is the one to edit.
    pub fn compose_files(&self) -> &[PathBuf] {
        &self.start.files
    }

    /// Returns one sentence for each other compose file in the folder, which docker compose ignores.
    pub fn passed_over(&self) -> impl Iterator<Item = String> {
        let first = self.compose_files().first().map(|first| self.shown(first));
        let first = first.unwrap_or_default().display().to_string();
        self.start.passed_over.iter().map(move |path| {
            let path = self.shown(path);
            format!("{} is here too, and docker compose reads {first} instead", path.display())
        })
    }

    /// Returns the model of the compose project, loaded on first use.
    ///
    /// # Errors
    /// A compose file that cannot be read or is not YAML (`invalid-yaml`), and cycles (`compose-cycle`).
    pub fn model(&self) -> Result<&ComposeModel> {
        let load = || {
            if self.start.files.is_empty() {
                Err(no_compose_file(&self.start.current_folder))
            } else {
                ComposeModel::load(&self.disk, &self.start, self.shell.variables())
            }
        };
        self.model.get_or_init(load).as_ref().map_err(Clone::clone)
    }

    /// Loads the model with other texts for some files, by absolute path, and their trees if known.
    ///
    /// # Errors
    /// As [`Project::model`].
    pub fn planned_model(
        &self,
        texts: &BTreeMap<PathBuf, Arc<str>>,
        trees: &BTreeMap<PathBuf, Arc<YamlTree>>,
    ) -> Result<ComposeModel> {
        self.model()?.load_planned(&self.disk, &self.start, texts, trees)
    }

    /// Loads the model of other compose files, with the folder and the `.env` of this project.
    ///
    /// # Errors
    /// As [`Project::model`].
    pub fn model_of(&self, files: Vec<PathBuf>) -> Result<ComposeModel> {
        let start = ComposeLocation { files, ..self.start.clone() };
        ComposeModel::load(&self.disk, &start, self.shell.variables())
    }

    /// Returns the project as it would be with these texts at these absolute paths. Writes nothing.
    pub fn with_texts(&self, texts: &BTreeMap<PathBuf, Arc<str>>) -> Self {
        let replaced = |file: &Option<ProjectFile>| {
            let file = file.clone()?;
            let text = texts.get(&file.path).map_or(file.text, Arc::clone);
            Some(ProjectFile { path: file.path, text })
        };
        Self {
            root: self.root.clone(),
            git_root: self.git_root.clone(),
            git_remote: self.git_remote.clone(),
            gitpod: replaced(&self.gitpod),
            devcontainer: replaced(&self.devcontainer),
            other_devcontainers: self.other_devcontainers.clone(),
            boundary: self.boundary.clone(),
            start: self.start.clone(),
            shell: self.shell.clone(),
            disk: self.disk.with_texts(texts),
            python: Mutex::default(),
            model: OnceLock::new(),
        }
    }

    /// Returns the YAML files in the project's folder that are named like compose files, sorted by name.
    pub fn compose_files_here(&self) -> Vec<PathBuf> {
        disk::compose_files_in(&self.root)
    }

    /// Reads a file of the project, by its absolute path or relative to the root; `None` if it does not exist.
    ///
    /// # Errors
    /// `unreadable-file`, `file-too-large`, `not-utf8`; `outside-project`, because foreign files must not be shown.
    pub fn source(&self, path: impl AsRef<Path>) -> Result<Option<ProjectFile>> {
        let path = self.root.join(path);
        match self.disk.text(&path) {
            SourceText::Found(text) => {
                self.boundary.real(&path)?;
                Ok(Some(ProjectFile { path, text }))
            }
            SourceText::Missing => Ok(None),
            SourceText::Unreadable(error) => Err(error),
        }
    }

    /// Returns the boundary of the project.
    pub fn boundary(&self) -> &ProjectBoundary {
        &self.boundary
    }

    /// Returns the folder that the search started from. Absolute.
    pub fn here(&self) -> &Path {
        &self.start.current_folder
    }

    /// Returns the path of `.gitpod.yml`, whether it exists or not.
    pub fn gitpod_path(&self) -> PathBuf {
        let top = self.git_root.as_ref().unwrap_or(&self.root);
        let found = self.gitpod.as_ref().map(|file| file.path.clone());
        found.unwrap_or_else(|| top.join(".gitpod.yml"))
    }

    /// Returns the path of devcontainer.json, whether it exists or not.
    pub fn devcontainer_path(&self) -> PathBuf {
        let top = self.git_root.as_ref().unwrap_or(&self.root);
        let found = self.devcontainer.as_ref().map(|file| file.path.clone());
        found.unwrap_or_else(|| top.join(".devcontainer/devcontainer.json"))
    }

    /// Returns access to the project's files as texts.
    pub fn sources(&self) -> &dyn ProjectSources {
        &self.disk
    }

    /// Returns a path as shown to the user: relative to the root if it is below it.
    pub fn shown(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_owned()
    }

    /// Returns the folders in which tools look for their files: the repository's root, then the project's own.
    fn tops(&self) -> Vec<PathBuf> {
        let mut tops: Vec<PathBuf> = self.git_root.iter().cloned().collect();
        if !tops.contains(&self.root) {
            tops.push(self.root.clone());
        }
        tops
    }

    fn first(&self, names: &[&str]) -> Result<Option<ProjectFile>> {
        for top in self.tops() {
            for name in names {
                if let Some(file) = self.source(top.join(name))? {
                    return Ok(Some(file));
                }
            }
        }
        Ok(None)
    }

    /// Returns every devcontainer.json, starting with the file that tools use by default.
    fn devcontainers(&self) -> Vec<PathBuf> {
        let tops = self.tops();
        let usual = tops.iter().flat_map(|top| {
            [".devcontainer/devcontainer.json", ".devcontainer.json"].map(|name| top.join(name))
        });
        let named = tops.iter().flat_map(|top| {
            disk::list_folder(&top.join(".devcontainer"))
                .into_iter()
                .map(|folder| folder.join("devcontainer.json"))
        });
        usual.chain(named).filter(|path| path.is_file()).collect()
    }
}

/// Returns the folder that the search for a project starts from.
///
/// # Errors
/// `no-compose-file` if it is not a folder.
fn resolve_start_folder(shell: &Shell, directory: Option<&Path>) -> Result<PathBuf> {
    let here = match directory {
        Some(directory) => shell.folder().join(directory),
        None => shell.folder().to_owned(),
    };
    if !here.is_dir() {
        let message = if here.exists() {
            format!("{} is a file, not a folder", here.display())
        } else {
            format!("there is no folder {}", here.display())
        };
        return Err(Error::new(ErrorCode::NoComposeFile, message)
            .hint("`-C DIR` names the folder that has a compose file"));
    }
    Ok(compose::clean_path(&here))
}

/// Returns the root of the repository around the project, or the project's folder. Compose files elsewhere that a
/// `.env` names do not change it: the author of that file must not decide where files are written.
fn find_project_root(disk: &CachedDisk, start: &ComposeLocation) -> PathBuf {
    let compose_files = match start.named {
        ComposeFileSource::InAFile => &start.current_folder,
        ComposeFileSource::Nowhere | ComposeFileSource::InTheShell => &start.folder,
    };
    git::root(disk, compose_files).unwrap_or_else(|| compose_files.clone())
}

/// Adds hints to the error for a missing compose file: files that docker compose finds only if told, and subfolders that
/// contain one.
fn add_location_hints(
    mut error: Error,
    disk: &CachedDisk,
    here: &Path,
    directory: Option<&Path>,
) -> Error {
    if error.code == ErrorCode::NoComposeFile {
        let mut projects = disk::folders_below(here, 3);
        projects.retain(|folder| compose::is_project(disk, folder));
        let names = projects.iter().filter_map(|folder| folder.strip_prefix(here).ok());
        let typed = directory.unwrap_or(Path::new(""));
        let names = names.map(|name| typed.join(name));
        let hints = names.map(|name| format!("`-C {}` names one below", name.display()));
        error.hints.splice(0..0, hints.take(3));
        let paths = disk::compose_files_in(here);
        let others: Vec<_> = paths.iter().filter_map(|path| path.file_name()?.to_str()).collect();
        if let Some(first) = others.first() {
            let few = others[..others.len().min(8)].join(", ");
            let hints = [
                format!("`-f {first}` reads that one"),
                format!("`COMPOSE_FILE={first}` in .env has docker compose read it too"),
            ];
            error.hints.splice(0..0, hints);
            error = error.cause(format!("docker compose does not look for {few} by itself"));
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)], below: &str) -> (tempfile::TempDir, Result<Project>) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let shell = Shell::new([], folder.path().to_owned());
        let project = Project::discover(&shell, Some(Path::new(below)));
        (folder, project)
    }

    const COMPOSE: &str = "services:\n  a:\n    image: x\n";

    #[test]
    fn the_nearest_folder_above_with_a_compose_file_is_the_project() {
        let (folder, project) = project(
            &[
                ("docker-compose.yml", COMPOSE),
                (".gitpod.yml", "ports: []\n"),
                (".devcontainer/other/devcontainer.json", "{}"),
                (".devcontainer/more/devcontainer.json", "{}"),
                ("a/b/keep", ""),
            ],
            "a/b",
        );
        let project = project.unwrap();
        assert_eq!(project.root, folder.path());
        assert_eq!(project.model().unwrap().services[0].name, "a");
        assert_eq!(&*project.gitpod.as_ref().unwrap().text, "ports: []\n");
        let path = |name: &str| folder.path().join(".devcontainer").join(name);
        assert_eq!(project.devcontainer_path(), path("more/devcontainer.json"));
        assert_eq!(project.other_devcontainers, [path("other/devcontainer.json")]);
        assert_eq!(project.gitpod_path(), folder.path().join(".gitpod.yml"));
    }

    #[test]
    fn names_are_tried_in_the_order_of_docker_compose() {
        let (folder, project) = project(
            &[
                ("docker-compose.yml", COMPOSE),
                ("compose.yml", COMPOSE),
                ("docker-compose.override.yaml", COMPOSE),
            ],
            ".",
        );
        let project = project.unwrap();
        let path = |name: &str| folder.path().join(name);
        assert_eq!(
            project.compose_files(),
            [path("compose.yml"), path("docker-compose.override.yaml")]
        );
        assert_eq!(project.start.passed_over, [path("docker-compose.yml")]);
    }

    #[test]
    fn no_compose_file_is_an_error_that_says_what_to_do() {
        let (_folder, project) = project(&[], ".");
        let error = project.unwrap_err();
        assert_eq!(error.code, ErrorCode::NoComposeFile);
        assert_eq!(error.hints[0], "`-C DIR` names the folder that has one");
        let (_folder, above) = self::project(&[("shop/compose.yaml", COMPOSE)], ".");
        let hints = above.unwrap_err().hints;
        assert_eq!(hints[0], "`-C ./shop` names one below");
        let files = [
            ("a/deep/er/compose.yaml", COMPOSE),
            ("b/docker/local/docker-compose.yml", COMPOSE),
            ("node_modules/sample/compose.yaml", COMPOSE),
            ("services/api/compose.yaml", COMPOSE),
            ("too/deep/to/see/compose.yaml", COMPOSE),
        ];
        let (_folder, above) = self::project(&files, ".");
        let hints = above.unwrap_err().hints;
        let below = hints.iter().filter(|hint| hint.ends_with("names one below"));
        assert_eq!(
            below.collect::<Vec<_>>(),
            [
                "`-C ./services/api` names one below",
                "`-C ./a/deep/er` names one below",
                "`-C ./b/docker/local` names one below",
            ]
        );
    }
}
