//! `.env` next to the compose file: mode 0600, ignored by git, other lines unchanged.

mod git;
pub mod text;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{PreparedStore, SecretStore, SecretVisibility, StoreError, StoreKind, StoreProfile};
use crate::apply;
use crate::compose::DotenvError;
use crate::error::Error;
use crate::plan::{FileChange, Note, Plan, WriteMethod};
use crate::project::{self, GitFileStatus};
use crate::secret::{Secret, is_secret, key_owner, looks_like_key};
use crate::shell::Shell;

/// The properties of this store.
pub(super) const PROFILE: StoreProfile = StoreProfile {
    name: "dotenv",
    title: ".env",
    summary: "`.env` next to the compose file, ignored by git",
    sight: SecretVisibility::Store,
    notice: None,
};

const FILE: &str = ".env";

const IGNORE_FILE: &str = ".gitignore";

/// The `.env` of one project.
#[derive(Debug)]
pub(super) struct DotenvStore {
    folder: PathBuf,
    path: PathBuf,
    shell: Shell,
}

impl DotenvStore {
    pub(super) fn new(folder: &Path, shell: &Shell) -> Self {
        Self { folder: folder.to_owned(), path: folder.join(FILE), shell: shell.clone() }
    }

    fn status(&self) -> Result<GitFileStatus, StoreError> {
        let target = self.target()?;
        match self.status_of_target(&target) {
            Some(GitFileStatus::Tracked) => return Err(tracked_file_error(&target)),
            Some(GitFileStatus::Untracked) => return Err(self.leads_to(&target)),
            Some(GitFileStatus::Unknown(why)) => return Err(git_status_error(&target, &why)),
            Some(GitFileStatus::Ignored | GitFileStatus::NoRepository) | None => {}
        }
        match GitFileStatus::of(&self.folder, FILE, &self.shell) {
            GitFileStatus::Tracked => Err(tracked_file_error(&self.path)),
            GitFileStatus::Unknown(why) => Err(git_status_error(&self.path, &why)),
            status => Ok(status),
        }
    }

    /// Returns git's treatment of the target of `.env`; `None` if `.env` is not a link.
    fn status_of_target(&self, target: &Path) -> Option<GitFileStatus> {
        let (folder, name) = (target.parent()?, target.file_name()?.to_str()?);
        self.path.is_symlink().then(|| GitFileStatus::of(folder, name, &self.shell))
    }

    /// Returns git's treatment of the file; `None` if it does not exist or is ignored.
    pub(super) fn exposure(&self) -> Option<GitFileStatus> {
        if !self.path.exists() {
            return None;
        }
        let target = fs_err::canonicalize(&self.path).ok();
        let target_status = target.and_then(|target| self.status_of_target(&target));
        let own_status = GitFileStatus::of(&self.folder, FILE, &self.shell);
        target_status
            .into_iter()
            .chain([own_status])
            .find(|status| *status != GitFileStatus::Ignored)
    }

    /// Returns the provider's keys and the values that look like keys; none if the file cannot be read.
    pub(super) fn keys(&self) -> Vec<(String, Secret)> {
        let text = self.read().ok().flatten().unwrap_or_default();
        let values = text::literal_values(&text).unwrap_or_default().into_iter();
        let is_key = |(name, value): &(String, String)| {
            let is_recognisable = key_owner(name).is_some() || looks_like_key(value);
            is_recognisable && is_secret(name, value)
        };
        values.filter(is_key).map(|(name, value)| (name, Secret::new(value))).collect()
    }

    /// Returns which of `names` are in the file, if `change` would make git stop ignoring it.
    pub(super) fn exposed_by(&self, change: &FileChange, names: &[&str]) -> Vec<String> {
        let hides = |text: &Option<Arc<str>>| {
            text.as_deref().is_some_and(|text| git::add_ignore_line(text, FILE) == text)
        };
        let ignore_file = self.folder.join(IGNORE_FILE);
        let is_ours = change.path == ignore_file
            || fs_err::canonicalize(ignore_file).is_ok_and(|real| real == change.path);
        if !is_ours || !hides(&change.before) || hides(&change.after) {
            return Vec::new();
        }
        let is_held = |name: &&&str| matches!(self.get(name), Ok(Some(_)));
        names.iter().filter(is_held).map(|&name| name.to_owned()).collect()
    }

    /// Returns the change that makes git ignore the file, if needed. If the line exists and a later one reverts it,
    /// the user has decided.
    fn hiding(&self) -> Result<Option<FileChange>, StoreError> {
        let status = self.status()?;
        if status == GitFileStatus::Ignored {
            return Ok(None);
        }
        let path = self.folder.join(IGNORE_FILE);
        let before = read_dotenv_file(&path)?;
        let after = git::add_ignore_line(before.as_deref().unwrap_or_default(), FILE);
        if before.as_deref() == Some(&after) {
            return match status {
                GitFileStatus::NoRepository => Ok(None),
                _ => Err(self.untracked()),
            };
        }
        Ok(Some(FileChange {
            path,
            before: before.map(Into::into),
            after: Some(after.into()),
            writing: WriteMethod::Replace,
        }))
    }

    fn read(&self) -> Result<Option<String>, StoreError> {
        read_dotenv_file(&self.path)
    }

    fn with(&self, text: &str, name: &str, value: &Secret) -> Result<String, StoreError> {
        text::set(text, name, value.expose())
            .map_err(|error| self.unreadable(text, &error))?
            .ok_or_else(|| StoreError::Refused {
                store: StoreKind::Dotenv,
                reason: format!(
                    "docker compose would not read this value unchanged from {}",
                    self.path.display()
                ),
                hint: Some("`cruddur-ops key set --store keyring` stores it".to_owned()),
            })
    }

    fn unreadable(&self, text: &str, error: &DotenvError) -> StoreError {
        let before = text.get(..error.offset).unwrap_or(text);
        StoreError::Failed {
            store: StoreKind::Dotenv,
            reason: format!(
                "docker compose cannot read line {} of {}",
                before.matches('\n').count() + 1,
                self.path.display()
            ),
            cause: Some(error.message.clone()),
            hint: None,
        }
    }

    fn leads_to(&self, target: &Path) -> StoreError {
        StoreError::Refused {
            store: StoreKind::Dotenv,
            reason: format!(
                "{} links to {}, which git does not ignore: the key would be committed",
                self.path.display(),
                target.display()
            ),
            hint: Some(format!("add {} to .gitignore", target.display())),
        }
    }

    fn untracked(&self) -> StoreError {
        StoreError::Refused {
            store: StoreKind::Dotenv,
            reason: format!(
                "git does not ignore {}: the key would be committed",
                self.path.display()
            ),
            hint: Some(format!(
                "`git check-ignore -v {FILE}` in {} shows the line of .gitignore that decides",
                self.folder.display()
            )),
        }
    }

    /// Returns the file itself if `.env` is a link, which is kept. A link from a cloned repository must not make us
    /// write outside the project.
    fn target(&self) -> Result<PathBuf, StoreError> {
        let Ok(target) = fs_err::canonicalize(&self.path) else {
            return Ok(self.path.clone());
        };
        let root = self
            .folder
            .ancestors()
            .find(|above| above.join(".git").exists())
            .unwrap_or(&self.folder);
        if fs_err::canonicalize(root).is_ok_and(|root| target.starts_with(root)) {
            return Ok(target);
        }
        Err(StoreError::Refused {
            store: StoreKind::Dotenv,
            reason: format!(
                "{} leads out of the project, to {}",
                self.path.display(),
                target.display()
            ),
            hint: None,
        })
    }

    /// Returns the text as it is, and with all secrets set.
    fn with_all(
        &self,
        secrets: &[(&str, &Secret)],
    ) -> Result<(Option<String>, String), StoreError> {
        let before = self.read()?;
        let mut after = before.clone().unwrap_or_default();
        for (name, value) in secrets {
            after = self.with(&after, name, value)?;
        }
        Ok((before, after))
    }

    /// Stores every secret under its name, or none.
    fn store_all(&self, secrets: &[(&str, &Secret)]) -> Result<(), StoreError> {
        if self.status()? == GitFileStatus::Untracked {
            return Err(self.untracked());
        }
        let (before, after) = self.with_all(secrets)?;
        if before.as_ref() != Some(&after) || !is_private_file(&self.path) {
            self.write(before.as_deref(), &after)?;
        }
        Ok(())
    }

    /// Removes an empty file, unless it is a link or git tracks it or could commit it.
    ///
    /// # Errors
    /// When a file cannot be read or removed.
    pub(super) fn remove_if_empty(&self) -> Result<(), StoreError> {
        let is_empty = self.read()?.as_deref() == Some("");
        let status = || GitFileStatus::of(&self.folder, FILE, &self.shell);
        let is_gits = || !matches!(status(), GitFileStatus::Ignored | GitFileStatus::NoRepository);
        if self.path.is_symlink() || !is_empty || is_gits() {
            return Ok(());
        }
        apply::remove_empty(&self.path).map_err(dotenv_store_error)
    }

    fn write(&self, before: Option<&str>, after: &str) -> Result<(), StoreError> {
        apply::write_private(&self.target()?, before, after).map_err(dotenv_store_error)
    }
}

impl SecretStore for DotenvStore {
    fn kind(&self) -> StoreKind {
        StoreKind::Dotenv
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    /// Checks that git does not track the file and can be made to ignore it.
    fn check_ready(&self, _: &str) -> Result<(), StoreError> {
        self.hiding().map(|_| ())
    }

    /// Returns the line for `.gitignore`, and the masked `.env` before and after.
    fn prepare(&self, secrets: &[(&str, &Secret)]) -> Result<PreparedStore, StoreError> {
        let mut plan = Plan::default();
        plan.changes.extend(self.hiding()?);
        let (before, after) = self.with_all(secrets)?;
        let names: Vec<&str> = secrets.iter().map(|(name, _)| *name).collect();
        if before.is_some() && !is_private_file(&self.path) {
            plan.notes.push(Note::fact(format!(
                "{} becomes readable for you alone (mode 0600)",
                self.path.display()
            )));
        }
        let shown = FileChange {
            path: self.path.clone(),
            before: before.map(|text| text::masked(&text, &names).into()),
            after: Some(text::masked(&after, &names).into()),
            writing: WriteMethod::Replace,
        };
        Ok(PreparedStore { plan, shown: Some(shown) })
    }

    /// Returns the change that makes git ignore a file that already contains a secret.
    fn hide(&self) -> Result<Plan, StoreError> {
        let mut plan = Plan::default();
        if self.path.exists() {
            plan.changes.extend(self.hiding()?);
        }
        Ok(plan)
    }

    fn get(&self, name: &str) -> Result<Option<Secret>, StoreError> {
        let text = self.read()?.unwrap_or_default();
        let unreadable = |error| self.unreadable(&text, &error);
        if let Some(line) = text::expanded_line(&text, name).map_err(unreadable)? {
            return Err(StoreError::Failed {
                store: StoreKind::Dotenv,
                reason: format!(
                    "docker compose expands the `$` in the value of {name} in {}:{line}",
                    self.path.display()
                ),
                cause: None,
                hint: Some(format!("put the value into single quotes: {name}='…'")),
            });
        }
        let value = text::find_dotenv_value(&text, name).map_err(unreadable)?;
        Ok(value.map(Secret::new).filter(|secret| !secret.is_empty()))
    }

    fn set(&self, name: &str, value: &Secret) -> Result<(), StoreError> {
        self.store_all(&[(name, value)])
    }

    fn set_all(&self, secrets: &[(&str, &Secret)]) -> crate::error::Result<()> {
        Ok(self.store_all(secrets)?)
    }

    fn forget(&self, name: &str) -> Result<bool, StoreError> {
        let Some(before) = self.read()? else {
            return Ok(false);
        };
        let after = text::unset(&before, name)
            .map_err(|error| self.unreadable(&before, &error))?
            .unwrap_or_else(|| before.clone());
        if before == after {
            return Ok(false);
        }
        self.write(Some(&before), &after)?;
        Ok(true)
    }
}

fn tracked_file_error(path: &Path) -> StoreError {
    let name = path.file_name().unwrap_or_default().display();
    let folder = path.parent().unwrap_or(path).display();
    StoreError::Refused {
        store: StoreKind::Dotenv,
        reason: format!("{} is tracked by git: the key would be committed", path.display()),
        hint: Some(format!(
            "`git rm --cached {name}` in {folder} keeps the file and stops tracking it"
        )),
    }
}

fn git_status_error(path: &Path, why: &str) -> StoreError {
    StoreError::Refused {
        store: StoreKind::Dotenv,
        reason: format!(
            "it is unknown whether git tracks {} or would add it: {why}",
            path.display()
        ),
        hint: Some(
            "`cruddur-ops key set --store keyring` keeps the key out of the project".to_owned(),
        ),
    }
}

fn read_dotenv_file(path: &Path) -> Result<Option<String>, StoreError> {
    project::read_text_file(path).map_err(dotenv_store_error)
}

fn dotenv_store_error(error: Error) -> StoreError {
    StoreError::Failed {
        store: StoreKind::Dotenv,
        reason: error.message,
        cause: error.cause,
        hint: error.hints.into_iter().next(),
    }
}

/// Returns whether only the owner can read the file.
fn is_private_file(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs_err::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 == 0)
}
