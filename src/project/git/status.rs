//! Determines the git status of a file without running git.
//!
//! Nothing named in a repository's configuration is run, fetched or opened, and nothing that is read here is shown.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use gix_ignore::glob::pattern::Case;

use super::config::GitConfig;
use super::ignore::{GitIgnoreRules, PathKind};
use super::index::{self, IndexQuery, IndexState};
use super::repository::GitRepository;
use crate::project::disk;
use crate::shell::Shell;

/// Maximum size of an index in bytes; real ones are smaller.
const MAX_INDEX_BYTES: u64 = 1024 * 1024 * 1024;

/// The git status of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GitFileStatus {
    /// It is committed or staged.
    Tracked,
    /// Git ignores it.
    Ignored,
    /// The next `git add .` would add it.
    Untracked,
    /// It is not in a repository.
    NoRepository,
    /// The repository cannot be read, for this reason; git may track the file or add it.
    Unknown(String),
}

impl GitFileStatus {
    /// Determines the git status of `name` in `folder`, whether it exists or not.
    pub fn of(folder: &Path, name: &str, shell: &Shell) -> Self {
        let read = || {
            // Git uses the folder itself, not the links that lead to it.
            let folder = std::fs::canonicalize(folder).map_err(|error| error.to_string())?;
            let Some(repository) = GitRepository::find(&folder)? else {
                return Ok(Self::NoRepository);
            };
            repository.status(&folder.join(name), shell)
        };
        read().unwrap_or_else(Self::Unknown)
    }
}

impl GitRepository {
    fn status(&self, file: &Path, shell: &Shell) -> Result<GitFileStatus, String> {
        let config = self.config()?;
        self.check_root(&config)?;
        let relative = file.strip_prefix(&self.root).map_err(|error| error.to_string())?;
        let case = if config.is_set("core", "ignorecase") { Case::Fold } else { Case::Sensitive };
        let sha256 = config
            .value("extensions", "objectformat")
            .is_some_and(|format| format.eq_ignore_ascii_case("sha256"));
        let path = git_path(relative);
        let hash_length = if sha256 { 32 } else { 20 };
        match self.look_up(IndexQuery { path: &path, case, hash_length })? {
            IndexState::Tracked => return Ok(GitFileStatus::Tracked),
            IndexState::Sparse => {
                return Err("the index is sparse and says nothing of this folder".to_owned());
            }
            IndexState::Absent => {}
        }
        Ok(if self.ignores(relative, case, &config, shell)? {
            GitFileStatus::Ignored
        } else {
            GitFileStatus::Untracked
        })
    }

    /// Fails if the configuration sets another working tree, because index paths are relative to that.
    fn check_root(&self, config: &GitConfig) -> Result<(), String> {
        let Some(named) = config.value("core", "worktree") else {
            return Ok(());
        };
        match std::fs::canonicalize(self.git_folder.join(named)) {
            Ok(real) if real == self.root => Ok(()),
            _ => Err("its working tree is another folder".to_owned()),
        }
    }

    fn look_up(&self, query: IndexQuery) -> Result<IndexState, String> {
        let Some(index) = read_index(&self.git_folder.join("index"), query)? else {
            return Ok(IndexState::Absent);
        };
        let Some(shared) = &index.shared else {
            return Ok(index.state);
        };
        let path = self.git_folder.join(format!("sharedindex.{}", shared.name));
        let base = read_index(&path, query)?.ok_or("the shared index is missing")?;
        match base.shared {
            None => Ok(index.state.max(shared.remaining(&base)?)),
            Some(_) => Err("the shared index is split itself".to_owned()),
        }
    }

    /// Returns whether the rules ignore the file or a folder above it: files below an ignored folder cannot be included
    /// again.
    fn ignores(
        &self,
        relative: &Path,
        case: Case,
        config: &GitConfig,
        shell: &Shell,
    ) -> Result<bool, String> {
        let mut rules = GitIgnoreRules::new(case);
        // The repository's configuration may replace the user's rules with others.
        if config.value("core", "excludesfile").is_none() && !config.includes() {
            let rules_of_the_user = super::excludes::read(shell).unwrap_or_default();
            rules.add(&rules_of_the_user, Path::new(""))?;
        }
        let exclude = read_bytes(&self.common.join("info/exclude"))?;
        rules.add(&exclude, Path::new(""))?;
        let mut folder = PathBuf::new();
        let mut components = relative.components().peekable();
        while let Some(component) = components.next() {
            // Git does not follow a `.gitignore` that is a link.
            let file = self.root.join(&folder).join(".gitignore");
            if !file.is_symlink() {
                rules.add(&read_bytes(&file)?, &folder)?;
            }
            folder.push(component);
            let is_folder = components.peek().is_some() || self.root.join(&folder).is_dir();
            let kind = if is_folder { PathKind::Folder } else { PathKind::File };
            if rules.ignore(&git_path(&folder), kind) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Reads an index file; `None` if it does not exist.
fn read_index(path: &Path, query: IndexQuery) -> Result<Option<index::IndexAnswer>, String> {
    let failed = |why: String| format!("cannot read {}: {why}", path.display());
    let Some((file, length)) =
        disk::open_regular_file(path).map_err(|error| failed(error.message))?
    else {
        return Ok(None);
    };
    if length > MAX_INDEX_BYTES {
        return Err(failed("it is larger than 1 GiB".to_owned()));
    }
    index::look_up(BufReader::new(file), length, query).map(Some).map_err(failed)
}

/// Reads the bytes of a rule file; empty if it does not exist.
fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = disk::read_bytes(path).map_err(|error| error.message)?;
    Ok(bytes.unwrap_or_default())
}

/// Converts a relative path to git's form.
fn git_path(path: &Path) -> Vec<u8> {
    let names = path.components().map(|component| component.as_os_str().as_encoded_bytes());
    names.collect::<Vec<_>>().join(&b'/')
}
