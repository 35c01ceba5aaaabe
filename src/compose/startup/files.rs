//! Maps paths of a container to files of the project.

use std::path::{Path, PathBuf};

use super::{BuildRecipe, Startup};
use crate::compose::dockerfile::{
    BuildAction, CopiedPath, CopyOrigin, Dockerfile, ImageStage, matches_ignore_pattern,
};

/// Base images with a runtime and without files of an application.
const PLAIN_IMAGES: [&str; 12] = [
    "eclipse-temurin",
    "openjdk",
    "amazoncorretto",
    "azul/zulu-openjdk",
    "bellsoft/liberica-openjdk",
    "ibm-semeru-runtimes",
    "tomcat",
    "jetty",
    "gradle",
    "maven",
    "debian",
    "ubuntu",
];

/// Programs of a build that create no files of an application.
const PROGRAMS_WITHOUT_FILES: [&str; 14] = [
    "mkdir", "chmod", "chown", "apk", "apt-get", "apt", "useradd", "adduser", "groupadd",
    "addgroup", "usermod", "echo", "rm", "set",
];

/// Maximum number of project paths in an image; real images have fewer.
const MAX_PATHS: usize = 64;

/// A path of the container that comes from the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProjectPath {
    /// Absolute path in the container, without a trailing slash.
    pub(super) target: String,
    /// Absolute path on the host; the last component may be a pattern.
    pub(super) source: PathBuf,
    /// How it gets into the container.
    pub(super) presence: PathPresence,
}

/// How a path of the project gets into a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathPresence {
    /// Copied into a build stage whose results are copied on.
    Staged,
    /// Copied into the image.
    Copied,
    /// Mounted.
    Mounted,
}

impl ProjectPath {
    /// Returns whether it names a list of packages: `package*.json`, `requirements.txt`.
    pub(super) fn names_package_list(&self) -> bool {
        const LISTS: [&str; 7] = [
            "package.json",
            "package*.json",
            "requirements.txt",
            "pyproject.toml",
            "Pipfile",
            "composer.json",
            "Gemfile",
        ];
        self.source.file_name().is_some_and(|name| LISTS.iter().any(|list| name == *list))
    }

    /// Returns whether its last component is a pattern.
    pub(super) fn is_pattern(&self) -> bool {
        let name = self.source.file_name().unwrap_or_default().to_string_lossy();
        name.contains(['*', '?', '['])
    }

    /// Returns whether its last component is a pattern that the name of `file` matches: `*.py`.
    fn is_pattern_of(&self, file: &Path) -> bool {
        let [pattern, name] = [&*self.source, file]
            .map(|path| path.file_name().unwrap_or_default().to_string_lossy());
        matches_ignore_pattern(&pattern, &name)
    }

    /// Returns the host paths that `path` of the container may come from.
    pub(super) fn sources_of(&self, path: &str) -> Vec<PathBuf> {
        let Some(rest) = path.strip_prefix(self.target.trim_end_matches('/')) else {
            return Vec::new();
        };
        let Some(rest) = rest.strip_prefix('/') else {
            return if rest.is_empty() { vec![self.source.clone()] } else { Vec::new() };
        };
        if self.is_pattern() {
            return vec![self.source.with_file_name(rest)];
        }
        let name = self.source.file_name().unwrap_or_default().to_string_lossy();
        let below = self.source.join(rest);
        if rest == name { vec![below, self.source.clone()] } else { vec![below] }
    }
}

/// Returns whether a path names what a build outside the image makes, whose source is in a folder above.
pub(super) fn is_build_output(path: &Path) -> bool {
    const ENDINGS: [&str; 4] = ["jar", "war", "dll", "exe"];
    path.extension().and_then(|ending| ending.to_str()).is_some_and(|end| ENDINGS.contains(&end))
}

impl Startup {
    /// Returns whether a file of the project is copied into the image or mounted.
    pub fn holds(&self, file: &Path) -> bool {
        self.files.len() >= MAX_PATHS
            || self.files.iter().any(|path| {
                file.starts_with(&path.source)
                    || path.source.parent() == file.parent() && path.is_pattern_of(file)
            })
    }

    /// Returns whether a file is certainly not in the container, judging by what its image copies and runs.
    pub fn lacks_file(&self, path: &str) -> bool {
        let is_plain = self.base.as_deref().is_some_and(|base| {
            let name = base.split([':', '@']).next().unwrap_or(base);
            PLAIN_IMAGES.contains(&name.strip_prefix("docker.io/library/").unwrap_or(name))
        });
        let mut mounted = self.files.iter().filter(|path| path.presence == PathPresence::Mounted);
        let mut programs =
            self.build_commands.iter().map(|command| command.program().unwrap_or_default());
        is_plain
            && self.recipe == BuildRecipe::Read
            && !self.has_volumes
            && !mounted.any(|mount| Path::new(path).starts_with(&mount.target))
            && !self.copied.iter().any(|copied| may_provide(copied, path))
            && programs.all(|program| PROGRAMS_WITHOUT_FILES.contains(&program))
    }
}

/// Returns whether a copy may create the file at `path`.
fn may_provide(copied: &CopiedPath, path: &str) -> bool {
    let target = copied.target.trim_end_matches('/');
    let Some(rest) = path.strip_prefix(target) else { return false };
    let Some(rest) = rest.strip_prefix('/') else { return rest.is_empty() };
    let name = copied.source.rsplit('/').next().unwrap_or_default();
    let is_one_file = Path::new(name).extension().is_some() && !name.contains(['*', '?', '[']);
    !is_one_file || name == rest
}

/// Returns the project paths in the image of stage `last`.
pub(super) fn stage_paths(
    file: &Dockerfile,
    last: &ImageStage,
    context: &Path,
) -> Vec<ProjectPath> {
    let mut stages: Vec<Vec<ProjectPath>> = Vec::new();
    for stage in &file.stages {
        let mut paths = stage.below.map(|below| stages[below].clone()).unwrap_or_default();
        for copied in list_copied_paths(stage) {
            if paths.len() < MAX_PATHS {
                paths.extend(project_paths(copied, &stages, context));
            }
        }
        stages.push(paths);
        if std::ptr::eq(stage, last) {
            break;
        }
    }
    stages.pop().unwrap_or_default()
}

/// Returns the paths that a stage copies, or mounts while it is built.
fn list_copied_paths(stage: &ImageStage) -> impl Iterator<Item = &CopiedPath> {
    stage.steps.iter().flat_map(|step| match &step.action {
        BuildAction::Copy(paths) | BuildAction::Run { mounts: paths, .. } => paths.as_slice(),
        BuildAction::Entrypoint(_) | BuildAction::Command(_) => &[],
    })
}

/// Returns the project paths that one copy adds to a stage, given those of the earlier stages.
fn project_paths(
    copied: &CopiedPath,
    stages: &[Vec<ProjectPath>],
    context: &Path,
) -> Vec<ProjectPath> {
    let target = copied.target.trim_end_matches('/').to_owned();
    match copied.origin {
        CopyOrigin::Context => {
            let source = context.join(&copied.source);
            vec![ProjectPath { target, source, presence: PathPresence::Copied }]
        }
        CopyOrigin::Stage(stage) => {
            let from = format!("/{}", copied.source);
            let paths = stages.get(stage).into_iter().flatten();
            let staged = |target: String, source: PathBuf| ProjectPath {
                target,
                source,
                presence: PathPresence::Staged,
            };
            let below = |path: &str, above: &str| {
                let rest = path.strip_prefix(above.trim_end_matches('/'))?;
                (rest.is_empty() || rest.starts_with('/')).then(|| rest.to_owned())
            };
            let found = paths.map(|path| match below(&path.target, &from) {
                Some(rest) => staged(format!("{target}{rest}"), path.source.clone()),
                None => match below(&from, &path.target) {
                    Some(rest) => {
                        let source = path.source.join(rest.trim_start_matches('/'));
                        staged(target.clone(), source)
                    }
                    // Files generated from the path may be what is copied.
                    None => staged("/-".to_owned(), path.source.clone()),
                },
            });
            found.take(MAX_PATHS).collect()
        }
        CopyOrigin::Elsewhere | CopyOrigin::Text(_) => Vec::new(),
    }
}
