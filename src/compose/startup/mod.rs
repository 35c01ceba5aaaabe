//! Determines what a service's container starts, and which files of the project are in it.

mod expansion;
mod files;
mod wrappers;

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::dockerfile::{
    BuildAction, CopiedPath, Dockerfile, ImageStage, ShellCommand, resolve_image_path,
};
use super::purpose::image_purpose;
use super::references::ReferenceKind;
use super::service::{HostMount, ServiceModel};
use super::source::{ProjectSources, SourceText};
use super::variables::ProjectVariables;

use expansion::expand_scripts;
use files::{PathPresence, ProjectPath, is_build_output, stage_paths};

pub use wrappers::unwrap_program;

/// The start commands of a service's container, and the origin of its files.
#[derive(Debug, Clone, Default)]
pub struct Startup {
    /// The base image of what is built here, or the image that is pulled.
    pub base: Option<String>,
    /// The commands that run, in order; readable scripts are replaced by their commands.
    pub commands: Vec<ShellCommand>,
    /// The commands that run while the image is built, in order.
    pub build_commands: Vec<ShellCommand>,
    /// The paths that are copied into the image, in order.
    pub copied: Vec<CopiedPath>,
    /// Whether volumes may hold more files: named ones, or those of other services.
    pub has_volumes: bool,
    /// The working folder, absolute in the container.
    pub folder: String,
    /// The variables that the image sets with `ENV`.
    pub environment: HashMap<String, String>,
    /// Whether the Dockerfile of the image could be read.
    pub recipe: BuildRecipe,
    /// The Dockerfile of an image that is built here, if docker accepts it.
    pub dockerfile: Option<Dockerfile>,
    files: Vec<ProjectPath>,
    /// The folder of the Dockerfile and the build context, if it is built here.
    build: Vec<PathBuf>,
    /// Folders that may hold the code; computed on first use.
    code_folders: OnceCell<Vec<(PathBuf, CodeReason)>>,
    /// Its own folder in a shared build context; computed on first use.
    own_folder: OnceCell<Option<PathBuf>>,
}

/// How an image is obtained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BuildRecipe {
    /// Built from a Dockerfile that was read.
    Read,
    /// Built from a Dockerfile that is missing or invalid.
    Unread,
    /// Pulled.
    #[default]
    Pulled,
}

/// The reason why a folder may contain a service's code, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeReason {
    /// The start command names a file in it.
    Started,
    /// It is the working folder of the command.
    WorkingFolder,
    /// It is mounted.
    Mounted,
    /// It is copied into the image.
    Copied,
    /// The Dockerfile is in it.
    Dockerfile,
    /// The image is built from it.
    Context,
}

/// Maximum number of words in which a file name is searched for; real start commands have fewer.
const MAX_WORDS: usize = 64;

impl ServiceModel {
    /// Returns what its container starts; without `variables`, as far as that is known without them.
    pub fn startup(
        &self,
        sources: &dyn ProjectSources,
        variables: Option<&ProjectVariables>,
    ) -> Startup {
        let is_volume = |kind| kind == ReferenceKind::Volume;
        let mut startup = Startup {
            folder: "/".to_owned(),
            has_volumes: self.references.iter().any(|reference| is_volume(reference.kind)),
            ..Startup::default()
        };
        let (mut entrypoint, mut command) = (Vec::new(), Vec::new());
        if let Some(build) = &self.build {
            let dockerfile_path = build.dockerfile_path();
            startup
                .build
                .extend(dockerfile_path.and_then(|path| path.parent().map(Path::to_owned)));
            startup.build.push(build.context.clone());
            startup.recipe = BuildRecipe::Unread;
            let text = build.dockerfile_text(sources);
            let file = text.and_then(|text| Dockerfile::parse(&text, &build.arguments(variables)));
            if let Some(file) = &file
                && let Some(image) = file.image(build.target.as_deref())
            {
                startup.recipe = BuildRecipe::Read;
                startup.take_image(file, &image, &build.context);
                (entrypoint, command) = image_commands(&image);
            }
            if startup.recipe == BuildRecipe::Unread {
                startup.files.push(ProjectPath {
                    target: String::new(),
                    source: build.context.clone(),
                    presence: PathPresence::Copied,
                });
            }
            startup.dockerfile = file;
        } else {
            startup.base.clone_from(&self.image);
        }
        startup.folder = match &self.working_dir {
            Some(folder) => resolve_image_path("/", folder),
            None => startup.folder,
        };
        let mut mounts: Vec<&HostMount> = self.mounts.iter().collect();
        mounts.sort_by_key(|mount| mount.target.len());
        startup.files.extend(mounts.into_iter().map(|mount| ProjectPath {
            target: resolve_image_path("/", &mount.target),
            source: mount.source.clone(),
            presence: PathPresence::Mounted,
        }));
        if let Some(declared) = &self.entrypoint {
            (entrypoint, command) = (Dockerfile::commands_of(declared), Vec::new());
        }
        if let Some(declared) = &self.command {
            command = Dockerfile::commands_of(declared);
        }
        let started = append_arguments(entrypoint, command);
        startup.commands = expand_scripts(&startup, sources, &started);
        startup
    }
}

impl Startup {
    fn take_image(&mut self, file: &Dockerfile, image: &[&ImageStage], context: &Path) {
        let (Some(first), Some(last)) = (image.first(), image.last()) else { return };
        self.base = Some(first.from.clone());
        self.folder.clone_from(&last.folder);
        self.environment.clone_from(&last.environment);
        self.files = stage_paths(file, last, context);
        for step in image.iter().flat_map(|stage| &stage.steps) {
            match &step.action {
                BuildAction::Run { commands, .. } => {
                    self.build_commands.extend_from_slice(commands)
                }
                BuildAction::Copy(paths) => self.copied.extend_from_slice(paths),
                BuildAction::Entrypoint(_) | BuildAction::Command(_) => {}
            }
        }
    }

    /// Returns whether files of the project are copied into the image or mounted.
    pub fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// Returns the build context, if its image is built here.
    pub fn context(&self) -> Option<&Path> {
        self.build.last().map(PathBuf::as_path)
    }

    /// Returns whether the whole build context is copied into the image.
    pub fn copies_context(&self) -> bool {
        self.files.iter().any(|project_path| Some(project_path.source.as_path()) == self.context())
    }

    /// Returns the file or folder of the project at an absolute path of the container.
    pub fn origin(&self, path: &str, sources: &dyn ProjectSources) -> Option<PathBuf> {
        let mut found =
            self.files.iter().rev().flat_map(|project_path| project_path.sources_of(path));
        found.find(|source| sources.exists(source))
    }

    /// Returns the folders that may contain the program's code, the likeliest first.
    pub fn code_folders(&self, sources: &dyn ProjectSources) -> &[(PathBuf, CodeReason)] {
        self.code_folders.get_or_init(|| self.find_code_folders(sources))
    }

    /// Returns whether files that are directly in a folder are copied into the working folder.
    fn brings_files_of(&self, folder: &Path) -> bool {
        self.files.iter().any(|path| {
            path.presence != PathPresence::Mounted
                && path.target.trim_end_matches('/') == self.folder.trim_end_matches('/')
                && path.source.parent() == Some(folder)
                && path.names_package_list()
        })
    }

    /// Returns the folder of the Dockerfile, if the image is made of it and of other folders of the build context, and of
    /// nothing directly in the context: in a repository of several programs, those belong to other programs.
    pub fn own_folder(&self, sources: &dyn ProjectSources) -> Option<&Path> {
        let found =
            self.own_folder.get_or_init(|| self.find_own_folder(sources).map(Path::to_owned));
        found.as_deref()
    }

    fn find_own_folder(&self, sources: &dyn ProjectSources) -> Option<&Path> {
        let [dockerfile, context] = self.build.as_slice() else { return None };
        let is_below = dockerfile != context && dockerfile.starts_with(context);
        if !is_below || self.recipe != BuildRecipe::Read {
            return None;
        }
        let mut copied =
            self.files.iter().filter(|path| path.presence != PathPresence::Mounted).peekable();
        copied.peek()?;
        let mut holds_own = false;
        for path in copied {
            let source = path.source.as_path();
            let is_whole = context.starts_with(source) || !source.starts_with(context);
            let is_at_top = source.parent() == Some(context)
                && (path.is_pattern() || sources.text(source).found().is_some());
            let is_own = source.starts_with(dockerfile) || dockerfile.starts_with(source);
            if is_whole || is_at_top || (!is_own && is_build_output(source)) {
                return None;
            }
            holds_own |= is_own;
        }
        holds_own.then_some(dockerfile)
    }

    /// Returns whether the image is that of a known program, and no file of the project is added to it.
    pub fn is_known_program(&self) -> bool {
        self.recipe == BuildRecipe::Read
            && self.files.is_empty()
            && self.base.as_deref().and_then(image_purpose).is_some()
    }

    fn find_code_folders(&self, sources: &dyn ProjectSources) -> Vec<(PathBuf, CodeReason)> {
        let mut found: Vec<(PathBuf, CodeReason)> = Vec::new();
        if self.is_known_program() {
            return found;
        }
        let mut add = |folder: PathBuf, reason: CodeReason| {
            if found.iter().all(|(known, _)| *known != folder) {
                found.push((folder, reason));
            }
        };
        let own_folder = self.own_folder(sources);
        for file in self.started_files(sources) {
            let above = file.ancestors().skip(1);
            let inside = |folder: &&Path| !self.is_root(folder) && self.roots_contain(folder);
            above.take_while(inside).for_each(|path| add(path.to_owned(), CodeReason::Started));
        }
        if let Some(folder) = self.origin(&self.folder, sources)
            && !self.build.contains(&folder)
        {
            add(folder, CodeReason::WorkingFolder);
        }
        for project_path in
            self.files.iter().filter(|project_path| project_path.presence == PathPresence::Mounted)
        {
            add(project_path.source.clone(), CodeReason::Mounted);
        }
        // `COPY package*.json ./` takes the list of packages from the context, whatever else other folders list.
        if let Some(context) = self.context().filter(|context| self.brings_files_of(context)) {
            add(context.to_owned(), CodeReason::Context);
        }
        if let Some(folder) = own_folder {
            add(folder.to_owned(), CodeReason::Copied);
        }
        for copied in [PathPresence::Copied, PathPresence::Staged] {
            for project_path in
                self.files.iter().filter(|project_path| project_path.presence == copied)
            {
                let parent = project_path.source.parent().map(Path::to_owned);
                for folder in [Some(project_path.source.clone()), parent].into_iter().flatten() {
                    if !self.build.contains(&folder) && self.roots_contain(&folder) {
                        add(folder, CodeReason::Copied);
                    }
                }
            }
        }
        if let [dockerfile, context] = self.build.as_slice()
            && dockerfile != context
        {
            add(dockerfile.clone(), CodeReason::Dockerfile);
        }
        if let Some(context) = self.build.last().filter(|_| own_folder.is_none()) {
            add(context.clone(), CodeReason::Context);
        }
        found
    }

    /// Returns the files of the project that the commands name.
    pub fn started_files(&self, sources: &dyn ProjectSources) -> impl Iterator<Item = PathBuf> {
        let words = self.commands.iter().flat_map(|command| &command.words).take(MAX_WORDS);
        words.filter_map(move |word| self.started_file(word, sources))
    }

    /// Returns the file of the project that a word of the command names: `api/app.py`, `api.wsgi:app`, `dist/main`.
    fn started_file(&self, word: &str, sources: &dyn ProjectSources) -> Option<PathBuf> {
        if self.files.is_empty() || word.starts_with('-') || word.contains("://") {
            return None;
        }
        let path = word.split(':').next().filter(|path| !path.is_empty())?;
        let module = format!("{}.py", path.replace('.', "/"));
        [path, module.as_str()].into_iter().find_map(|path| {
            let whole = resolve_image_path(&self.folder, path);
            let found = self.origin(&whole, sources)?;
            matches!(sources.text(&found), SourceText::Found(_)).then_some(found)
        })
    }

    fn is_root(&self, folder: &Path) -> bool {
        self.build.last().is_some_and(|context| context == folder)
    }

    fn roots_contain(&self, folder: &Path) -> bool {
        let mounts =
            self.files.iter().filter(|project_path| project_path.presence == PathPresence::Mounted);
        let mut roots = mounts.map(|project_path| &project_path.source).chain(self.build.last());
        roots.any(|root| folder.starts_with(root))
    }
}

/// Returns the effective `ENTRYPOINT` and `CMD` of an image: the last of each.
fn image_commands(image: &[&ImageStage]) -> (Vec<ShellCommand>, Vec<ShellCommand>) {
    let (mut entrypoint, mut command) = (Vec::new(), Vec::new());
    for step in image.iter().flat_map(|stage| &stage.steps) {
        match &step.action {
            BuildAction::Entrypoint(commands) => {
                entrypoint.clone_from(commands);
                command.clear();
            }
            BuildAction::Command(commands) => command.clone_from(commands),
            BuildAction::Copy(_) | BuildAction::Run { .. } => {}
        }
    }
    (entrypoint, command)
}

/// Returns an entrypoint with the command appended as its arguments.
fn append_arguments(
    mut entrypoint: Vec<ShellCommand>,
    command: Vec<ShellCommand>,
) -> Vec<ShellCommand> {
    match (entrypoint.pop(), command.into_iter()) {
        (None, command) => command.collect(),
        (Some(last), mut command) => {
            let first = command.next().unwrap_or_default();
            let words = [last.words, first.words].concat();
            let mut started = Dockerfile::unwrapped(&words);
            if let Some(shell_command) = started.first_mut() {
                shell_command.variables.extend(last.variables);
                shell_command.variables.extend(first.variables);
            }
            entrypoint.into_iter().chain(started).chain(command).collect()
        }
    }
}

#[cfg(test)]
mod tests;
