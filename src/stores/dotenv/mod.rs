//! `.env` beside the compose file: mode 0600, ignored by git, its other lines untouched.

mod git;
pub mod text;

use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Prepared, SecretStore, StoreError, StoreKind};
use crate::apply;
use crate::compose::DotenvError;
use crate::plan::{Change, Note, Plan, Writing};
use crate::project::{self, GitStanding};
use crate::secret::Secret;
use crate::shell::Shell;

const FILE: &str = ".env";

/// The `.env` of one project.
#[derive(Debug)]
pub(super) struct Dotenv {
    folder: PathBuf,
    path: PathBuf,
    shell: Shell,
}

impl Dotenv {
    pub(super) fn new(folder: &Path, shell: &Shell) -> Self {
        Self { folder: folder.to_owned(), path: folder.join(FILE), shell: shell.clone() }
    }

    /// Git does not have it and would not take it unasked.
    pub(super) fn ready(&self) -> Result<(), StoreError> {
        self.standing().map(|_| ())
    }

    /// The line for `.gitignore`, and `.env` before and after, to be shown.
    pub(super) fn prepare(&self, secrets: &[(&str, &Secret)]) -> Result<Prepared, StoreError> {
        let mut plan = Plan::default();
        if self.standing()? == GitStanding::Untracked {
            plan.change(self.ignoring()?);
        }
        let before = self.read()?;
        let mut after = before.clone().unwrap_or_default();
        for (name, value) in secrets {
            after = self.with(&after, name, value)?;
        }
        let names: Vec<&str> = secrets.iter().map(|(name, _)| *name).collect();
        if before.is_some() && !private(&self.path) {
            plan.notes.push(Note::fact(format!(
                "{} becomes readable for you alone (mode 0600)",
                self.path.display()
            )));
        }
        let shown = Change {
            path: self.path.clone(),
            before: before.map(|text| text::masked(&text, &names).into()),
            after: Some(text::masked(&after, &names).into()),
            writing: Writing::Replace,
        };
        Ok(Prepared { plan, shown: Some(shown) })
    }

    /// What keeps git from taking a file that holds a secret already.
    pub(super) fn hide(&self) -> Result<Plan, StoreError> {
        let mut plan = Plan::default();
        if self.path.exists() && self.standing()? == GitStanding::Untracked {
            plan.change(self.ignoring()?);
        }
        Ok(plan)
    }

    fn standing(&self) -> Result<GitStanding, StoreError> {
        self.target()?;
        match GitStanding::of(&self.folder, FILE, &self.shell) {
            GitStanding::Tracked => Err(self.tracked()),
            GitStanding::Unknown(why) => Err(self.unknown(why)),
            standing => Ok(standing),
        }
    }

    /// What git does with the file; `None` where there is none, or it is ignored.
    pub(super) fn exposure(&self) -> Option<GitStanding> {
        let standing = || GitStanding::of(&self.folder, FILE, &self.shell);
        self.path.exists().then(standing).filter(|standing| *standing != GitStanding::Ignored)
    }

    fn ignoring(&self) -> Result<Change, StoreError> {
        let path = self.folder.join(".gitignore");
        let before = read(&path)?;
        let after = git::ignoring(before.as_deref().unwrap_or_default(), FILE);
        Ok(Change {
            path,
            before: before.map(Into::into),
            after: Some(after.into()),
            writing: Writing::Replace,
        })
    }

    fn read(&self) -> Result<Option<String>, StoreError> {
        read(&self.path)
    }

    fn with(&self, text: &str, name: &str, value: &Secret) -> Result<String, StoreError> {
        text::set(text, name, value.expose())
            .map_err(|error| self.unreadable(text, &error))?
            .ok_or_else(|| StoreError::Refused {
                store: StoreKind::Dotenv,
                reason: format!(
                    "{} cannot hold this value so that docker compose reads the same",
                    self.path.display()
                ),
                hint: Some("`cruddur-ops key set --store keyring` can".to_owned()),
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

    fn tracked(&self) -> StoreError {
        StoreError::Refused {
            store: StoreKind::Dotenv,
            reason: format!(
                "{} is tracked by git: the key would be committed",
                self.path.display()
            ),
            hint: Some(format!(
                "`git rm --cached {FILE}` in {} keeps the file and stops tracking it",
                self.folder.display()
            )),
        }
    }

    fn unknown(&self, why: String) -> StoreError {
        StoreError::Refused {
            store: StoreKind::Dotenv,
            reason: format!(
                "it cannot be known whether git has {} or would take it: {why}",
                self.path.display()
            ),
            hint: Some(format!("`git status` in {} says more", self.folder.display())),
        }
    }

    /// The file itself, where `.env` is a link, which stays one. A cloned link must not make us write elsewhere.
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

    /// A new file takes the old one's place at once, and nobody else can read it at any moment.
    fn write(&self, text: &str) -> Result<(), StoreError> {
        let failed = |error: std::io::Error| {
            let reason = format!("{} could not be written", self.path.display());
            StoreError::io(StoreKind::Dotenv, &reason, &error)
        };
        let target = self.target()?;
        let mut options = atomic_write_file::OpenOptions::new();
        #[cfg(unix)]
        {
            use atomic_write_file::unix::OpenOptionsExt as _;
            use std::os::unix::fs::OpenOptionsExt as _;
            options.preserve_mode(false).mode(0o600);
        }
        let mut file = options.open(&target).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        apply::commit(file, &target).map_err(failed)
    }
}

impl SecretStore for Dotenv {
    fn kind(&self) -> StoreKind {
        StoreKind::Dotenv
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn get(&self, name: &str) -> Result<Option<Secret>, StoreError> {
        let text = self.read()?.unwrap_or_default();
        Ok(text::get(&text, name)
            .map_err(|error| self.unreadable(&text, &error))?
            .map(Secret::new)
            .filter(|secret| !secret.is_empty()))
    }

    fn set(&self, name: &str, value: &Secret) -> Result<(), StoreError> {
        self.standing()?;
        let before = self.read()?.unwrap_or_default();
        let after = self.with(&before, name, value)?;
        if before != after || !private(&self.path) {
            self.write(&after)?;
        }
        Ok(())
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
        self.write(&after)?;
        Ok(true)
    }
}

fn read(path: &Path) -> Result<Option<String>, StoreError> {
    project::read(path).map_err(|error| StoreError::Failed {
        store: StoreKind::Dotenv,
        reason: error.message,
        cause: error.cause,
        hint: error.hints.into_iter().next(),
    })
}

/// Nobody but its owner can read the file.
#[cfg(unix)]
fn private(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs_err::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o077 == 0)
}

/// Access lists decide here, and a new file takes its folder's.
#[cfg(not(unix))]
fn private(_: &Path) -> bool {
    true
}
