//! Finds the repository of a folder as git does.

use std::path::{Path, PathBuf};

use super::config::GitConfig;
use crate::project::disk;

/// A repository with a working tree.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GitRepository {
    /// The root of the working tree.
    pub(super) root: PathBuf,
    /// The folder of this worktree's own data, such as the index.
    pub(super) git_folder: PathBuf,
    /// The folder of data shared by all worktrees, such as the configuration.
    pub(super) common: PathBuf,
}

impl GitRepository {
    /// Finds the nearest repository at or above `folder`, which is absolute and has no links. Skips folders that look
    /// like a bare repository, because anyone can commit such files.
    ///
    /// # Errors
    /// The reason why a `.git` file names no repository, which ends git's own search as well.
    pub(super) fn find(folder: &Path) -> Result<Option<Self>, String> {
        for root in folder.ancestors() {
            let git = root.join(".git");
            if git.is_dir() {
                if let Some(common) = common_folder(&git) {
                    return Ok(Some(Self { root: root.to_owned(), git_folder: git, common }));
                }
            } else if git.is_file() {
                return Self::named_by(&git, root).map(Some);
            }
        }
        Ok(None)
    }

    /// Returns the repository that a `.git` file names, as in a worktree or submodule.
    fn named_by(file: &Path, root: &Path) -> Result<Self, String> {
        let failed = || format!("{} names no repository", file.display());
        let git_folder = root.join(read_git_pointer(file).ok_or_else(failed)?);
        let common = common_folder(&git_folder).ok_or_else(failed)?;
        Ok(Self { root: root.to_owned(), git_folder, common })
    }

    /// Reads the repository's configuration, without its includes.
    ///
    /// # Errors
    /// The reason why it cannot be read.
    pub(super) fn config(&self) -> Result<GitConfig, String> {
        let text =
            disk::read_text_file(&self.common.join("config")).map_err(|error| error.message)?;
        Ok(GitConfig::parse(&text.unwrap_or_default()))
    }
}

/// Reads the path in a `.git` file.
fn read_git_pointer(file: &Path) -> Option<PathBuf> {
    let text = disk::read_text_file(file).ok()??;
    let path = text.strip_prefix("gitdir: ")?.trim_end_matches(['\r', '\n']);
    (!path.is_empty()).then(|| PathBuf::from(path))
}

/// Returns the folder shared with other worktrees; `None` if `git_folder` is none of a repository.
fn common_folder(git_folder: &Path) -> Option<PathBuf> {
    let named = disk::read_text_file(&git_folder.join("commondir")).ok()?;
    let common = match named {
        Some(named) => git_folder.join(named.trim_end_matches(['\r', '\n'])),
        None => git_folder.to_owned(),
    };
    let has_head = git_folder.join("HEAD").symlink_metadata().is_ok();
    (has_head && common.join("objects").is_dir() && common.join("refs").is_dir()).then_some(common)
}
