//! Traces where a file of an image comes from: the build context, a lock exported by a tool, or an unknown place.

use super::command::{SyncCommand, base_name, read_export, read_output};
use super::{ImageFiles, PythonSourceFile};
use crate::compose::{
    BuildAction, CopiedPath, CopyOrigin, Dockerfile, ShellCommand, matches_ignore_pattern,
    resolve_image_path,
};
use crate::error::Result;

/// The origin of a path in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PathOrigin {
    /// A file of the project.
    File(PythonSourceFile),
    /// A file of the project that `.dockerignore` excludes.
    Ignored(String),
    /// The export of a lock in this folder by a tool, at this point of the build.
    Export(SyncCommand, BuildPoint),
    /// A file from outside the project.
    Elsewhere,
}

/// A point in a build; earlier steps are visible to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BuildPoint {
    /// The index of the stage in the file.
    pub(super) stage: usize,
    /// The index of the current step in the stage.
    pub(super) step: usize,
    /// The working folder, absolute in the image.
    pub(super) folder: String,
}

/// The most copies to follow from a file back to its origin.
const MAX_COPIES: usize = 8;

/// Finds the origin of `path`, absolute in the image, at `point`; `None` if no step creates it.
pub(super) fn find_origin(
    file: &Dockerfile,
    point: &BuildPoint,
    path: &str,
    files: &dyn ImageFiles,
) -> Result<Option<PathOrigin>> {
    OriginSearch { file, files }.at(point.stage, point.step, path, MAX_COPIES)
}

struct OriginSearch<'a> {
    file: &'a Dockerfile,
    files: &'a dyn ImageFiles,
}

impl OriginSearch<'_> {
    fn at(&self, stage: usize, step: usize, path: &str, left: usize) -> Result<Option<PathOrigin>> {
        let Some(written) = self.file.stages.get(stage).filter(|_| left > 0) else {
            return Ok(None);
        };
        let until = step.saturating_add(1).min(written.steps.len());
        for (at, build_step) in written.steps[..until].iter().enumerate().rev() {
            let found = match &build_step.action {
                BuildAction::Copy(paths) => self.copied(paths, path, left)?,
                BuildAction::Run { commands, mounts } => {
                    let point = BuildPoint { stage, step: at, folder: build_step.folder.clone() };
                    match self.written(point, commands, path, left)? {
                        // Only this step sees its mounts; later steps see what it writes.
                        None if at == step => self.copied(mounts, path, left)?,
                        found => found,
                    }
                }
                BuildAction::Entrypoint(_) | BuildAction::Command(_) => None,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        match written.below {
            Some(below) => self.at(below, usize::MAX, path, left - 1),
            None => Ok(None),
        }
    }

    fn copied(&self, paths: &[CopiedPath], path: &str, left: usize) -> Result<Option<PathOrigin>> {
        for copied in paths.iter().rev() {
            for source in copy_source_paths(copied, path) {
                let found = match &copied.origin {
                    CopyOrigin::Context => self.context(&source)?,
                    CopyOrigin::Stage(stage) => {
                        self.at(*stage, usize::MAX, &resolve_image_path("/", &source), left - 1)?
                    }
                    CopyOrigin::Elsewhere | CopyOrigin::Text(_) => Some(PathOrigin::Elsewhere),
                };
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }

    fn context(&self, path: &str) -> Result<Option<PathOrigin>> {
        let found = self.files.in_context(path)?;
        Ok(found.map(|file| {
            if self.files.is_ignored(path) {
                PathOrigin::Ignored(path.to_owned())
            } else {
                PathOrigin::File(file)
            }
        }))
    }

    /// Returns the origin of `path` if the commands of a step wrote it.
    fn written(
        &self,
        mut point: BuildPoint,
        commands: &[ShellCommand],
        path: &str,
        left: usize,
    ) -> Result<Option<PathOrigin>> {
        let mut found = None;
        for command in commands {
            let words = &command.words;
            let [program, rest @ ..] = words.as_slice() else { continue };
            if let ("cd", [to, ..]) = (program.as_str(), rest) {
                point.folder = resolve_image_path(&point.folder, to);
                continue;
            }
            let copies = matches!(base_name(program), "cp" | "mv").then(|| rest.last()).flatten();
            let output =
                command.output.clone().or_else(|| read_output(words)).or_else(|| copies.cloned());
            if output.is_none_or(|output| resolve_image_path(&point.folder, &output) != path) {
                continue;
            }
            if let Some(export) = read_export(words) {
                found = Some(PathOrigin::Export(export, point.clone()));
                continue;
            }
            // The output of `grep`, `sed` or `cp` is attributed to its input file.
            let named = rest
                .iter()
                .filter(|word| !word.starts_with('-'))
                .map(|word| resolve_image_path(&point.folder, word))
                .filter(|source| source != path);
            found = Some(PathOrigin::Elsewhere);
            for from in named.collect::<Vec<_>>().iter().rev() {
                let before = point.step.checked_sub(1);
                let origin = match before {
                    Some(before) => self.at(point.stage, before, from, left - 1)?,
                    None => None,
                };
                if origin.is_some() {
                    found = origin;
                    break;
                }
            }
        }
        Ok(found)
    }
}

/// Returns the paths that a copy may have brought to `path`, the likeliest first.
fn copy_source_paths(copied: &CopiedPath, path: &str) -> Vec<String> {
    let target = copied.target.trim_end_matches('/');
    let Some(rest) = path.strip_prefix(target) else { return Vec::new() };
    let join = |folder: &str, name: &str| match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    };
    let Some(rest) = rest.strip_prefix('/') else {
        return if rest.is_empty() { vec![copied.source.clone()] } else { Vec::new() };
    };
    let (parent, name) = copied.source.rsplit_once('/').unwrap_or(("", &copied.source));
    let first = rest.split('/').next().unwrap_or(rest);
    if name.contains(['*', '?', '[']) {
        return if matches_ignore_pattern(name, first) {
            vec![join(parent, rest)]
        } else {
            Vec::new()
        };
    }
    if rest == name {
        return vec![copied.source.clone(), join(&copied.source, rest)];
    }
    vec![join(&copied.source, rest)]
}
