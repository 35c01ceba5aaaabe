//! Reads the git repository of a folder without running git.

mod config;
mod excludes;
mod ignore;
mod index;
mod repository;
mod status;

use std::path::{Path, PathBuf};

use crate::compose::{ProjectSources, SourceText};
use config::GitConfig;

pub use status::GitFileStatus;

/// Returns the nearest folder at or above `start` that contains `.git`.
pub(super) fn root(disk: &dyn ProjectSources, start: &Path) -> Option<PathBuf> {
    let mut folders = start.ancestors();
    let found = folders.find(|folder| disk.exists(&folder.join(".git")))?;
    Some(found.to_owned())
}

/// Returns the address of `origin`, or of the first remote, without credentials.
pub(super) fn remote(disk: &dyn ProjectSources, root: &Path) -> Option<String> {
    let config =
        GitConfig::parse(&read_git_text(disk, &find_git_folder(disk, root)?.join("config"))?);
    let origin = config.remotes().find(|(name, _)| *name == "origin");
    let (_, address) = origin.or_else(|| config.remotes().next())?;
    Some(without_credentials(address))
}

/// Returns the folder of git's configuration: `.git`, or the folder that a worktree's `.git` file names.
fn find_git_folder(disk: &dyn ProjectSources, root: &Path) -> Option<PathBuf> {
    let git = root.join(".git");
    let SourceText::Found(pointer) = disk.text(&git) else {
        return Some(git);
    };
    let git_folder = root.join(pointer.trim().strip_prefix("gitdir:")?.trim());
    Some(match read_git_text(disk, &git_folder.join("commondir")) {
        Some(common) => git_folder.join(common.trim()),
        None => git_folder,
    })
}

fn read_git_text(disk: &dyn ProjectSources, path: &Path) -> Option<String> {
    disk.text(path).found().map(|text| text.to_string())
}

fn without_credentials(address: &str) -> String {
    match address.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.split('/').next().unwrap_or_default();
            let shown = host.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{shown}{}", &rest[host.len()..])
        }
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::disk::CachedDisk;

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn origin_is_found_without_its_token() {
        let folder = tempfile::tempdir().unwrap();
        write(
            &folder.path().join(".git/config"),
            "[core]\n\turl = no\n[remote \"fork\"]\n\turl = git@example.com:a/b.git\n\
             [remote \"origin\"]\n\turl = https://me:token@example.com/c/d@e\n",
        );
        let disk = CachedDisk::default();
        let below = folder.path().join("a/b");
        assert_eq!(root(&disk, &below).as_deref(), Some(folder.path()));
        assert_eq!(remote(&disk, folder.path()).as_deref(), Some("https://example.com/c/d@e"));
    }

    #[test]
    fn a_worktree_has_the_remote_of_its_repository() {
        let folder = tempfile::tempdir().unwrap();
        let main = folder.path().join("main/.git");
        write(&main.join("config"), "[remote \"up\"]\n url = git@example.com:a/b.git\n");
        write(&main.join("worktrees/w/commondir"), "../..\n");
        let pointer = format!("gitdir: {}\n", main.join("worktrees/w").display());
        write(&folder.path().join("w/.git"), &pointer);
        assert_eq!(
            remote(&CachedDisk::default(), &folder.path().join("w")).as_deref(),
            Some("git@example.com:a/b.git")
        );
    }
}
