//! The repository that holds a folder, found as git finds it.

use std::path::{Path, PathBuf};

use super::config::GitConfig;
use crate::project::disk;

/// A repository with a working tree.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repository {
    /// The top of the working tree.
    pub(super) root: PathBuf,
    /// Holds what a worktree has of its own, such as the index.
    pub(super) own: PathBuf,
    /// Holds what all worktrees share, such as the configuration.
    pub(super) common: PathBuf,
}

impl Repository {
    /// Finds the nearest repository at or above `folder`, absolute and without links. A folder that has the files of a
    /// bare repository itself is passed over: anyone can commit such files.
    ///
    /// # Errors
    /// Why the file `.git` names no repository, which ends git's own search too.
    pub(super) fn find(folder: &Path) -> Result<Option<Self>, String> {
        for root in folder.ancestors() {
            let git = root.join(".git");
            if git.is_dir() {
                if let Some(common) = common_folder(&git) {
                    return Ok(Some(Self { root: root.to_owned(), own: git, common }));
                }
            } else if git.is_file() {
                return Self::named_by(&git, root).map(Some);
            }
        }
        Ok(None)
    }

    /// The repository that a `.git` file names, as in a worktree or a submodule.
    fn named_by(file: &Path, root: &Path) -> Result<Self, String> {
        let failed = || format!("{} names no repository", file.display());
        let own = root.join(pointer(file).ok_or_else(failed)?);
        let common = common_folder(&own).ok_or_else(failed)?;
        Ok(Self { root: root.to_owned(), own, common })
    }

    /// The repository's configuration, without what it includes.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(super) fn config(&self) -> Result<GitConfig, String> {
        let text = disk::read(&self.common.join("config")).map_err(|error| error.message)?;
        Ok(GitConfig::parse(&text.unwrap_or_default()))
    }
}

/// The path in a `.git` file.
fn pointer(file: &Path) -> Option<PathBuf> {
    let text = disk::read(file).ok()??;
    let path = text.strip_prefix("gitdir: ")?.trim_end_matches(['\r', '\n']);
    (!path.is_empty()).then(|| PathBuf::from(path))
}

/// The folder with what `own` shares with other worktrees; `None` where `own` is no repository.
fn common_folder(own: &Path) -> Option<PathBuf> {
    let named = disk::read(&own.join("commondir")).ok()?;
    let common = match named {
        Some(named) => own.join(named.trim_end_matches(['\r', '\n'])),
        None => own.to_owned(),
    };
    let has_head = own.join("HEAD").symlink_metadata().is_ok();
    (has_head && common.join("objects").is_dir() && common.join("refs").is_dir()).then_some(common)
}
