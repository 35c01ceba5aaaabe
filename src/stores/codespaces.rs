//! The user's Codespaces secrets at GitHub, through `gh secret`.
//!
//! They can be written and removed, but not read: they appear as variables of the shell, in a new codespace or after
//! the next start of this one. In a codespace, the shell's variable is therefore taken for the stored value.

use std::path::PathBuf;
use std::time::Duration;

use super::{
    PreparedStore, SecretStore, SecretVisibility, StoreError, StoreKind, StoreProfile, scope,
};
use crate::secret::Secret;
use crate::shell::Shell;
use crate::workspace::program::{self, ProgramOutput};

/// The properties of this store.
pub(super) const PROFILE: StoreProfile = StoreProfile {
    name: "codespaces",
    title: "your Codespaces secrets",
    summary: "Your Codespaces secrets at GitHub, for this repository",
    sight: SecretVisibility::Shell,
    notice: None,
};

const COMMAND_TIME_LIMIT: Duration = Duration::from_secs(20);

/// The largest secret GitHub accepts, in bytes.
const MAX_SECRET_BYTES: usize = 48 * 1024;

/// The user's Codespaces secrets for one repository.
#[derive(Debug)]
pub(super) struct CodespacesStore {
    shell: Shell,
    /// The repository as `owner/name`, if known.
    repository: Option<String>,
}

impl CodespacesStore {
    pub(super) fn new(remote: Option<&str>, shell: &Shell) -> Self {
        let named = shell.var("GITHUB_REPOSITORY").map(str::to_owned);
        Self { shell: shell.clone(), repository: named.or_else(|| github_repository(remote?)) }
    }

    /// Returns the program, and the repository that gets the secret.
    pub(super) fn available(&self) -> Result<(PathBuf, &str), StoreError> {
        let missing = |reason: &str| StoreError::NotAvailable {
            store: StoreKind::Codespaces,
            reason: reason.to_owned(),
        };
        let repository = self
            .repository
            .as_deref()
            .ok_or_else(|| missing("this project has no remote at github.com"))?;
        let program =
            self.shell.which("gh").ok_or_else(|| missing("the program `gh` is not on PATH"))?;
        Ok((program, repository))
    }

    /// Returns whether this is a codespace.
    pub(super) fn is_here(&self) -> bool {
        self.shell.var("CODESPACES") == Some("true")
    }

    fn gh(&self, arguments: &[&str], input: &str) -> Result<ProgramOutput, StoreError> {
        let (program, _) = self.available()?;
        program::capture_with_input(&program, arguments, input, &self.shell, COMMAND_TIME_LIMIT)
            .map_err(|failure| {
                let reason = format!("`gh secret`: {failure}");
                StoreError::failed(StoreKind::Codespaces, reason)
            })
    }

    fn refused(&self, reason: String, captured: &ProgramOutput) -> StoreError {
        const SCOPES: &str = "--scopes codespace:secrets";
        // The codespace's own token may not do this, and `gh` prefers it to the signed-in user.
        let command = match self.shell.var("GITHUB_TOKEN").or(self.shell.var("GH_TOKEN")) {
            Some(_) => format!("unset GITHUB_TOKEN GH_TOKEN && gh auth login {SCOPES}"),
            None if captured.status == Some(4) => format!("gh auth login {SCOPES}"),
            None => format!("gh auth refresh {SCOPES}"),
        };
        let message = captured.stderr.trim();
        StoreError::Failed {
            store: StoreKind::Codespaces,
            reason,
            cause: (!message.is_empty()).then(|| message.to_owned()),
            hint: Some(format!(
                "`{command}` and the same command again, or https://github.com/settings/codespaces"
            )),
        }
    }
}

impl SecretStore for CodespacesStore {
    fn kind(&self) -> StoreKind {
        StoreKind::Codespaces
    }

    fn place(&self) -> String {
        "your Codespaces secrets".to_owned()
    }

    /// Returns the shell as the place in a codespace, where a variable that was set by hand looks the same.
    fn seen_in(&self) -> String {
        if self.is_here() { "the shell of this codespace".to_owned() } else { self.place() }
    }

    fn reads_back(&self) -> bool {
        false
    }

    fn check_ready(&self, _: &str) -> Result<(), StoreError> {
        self.available().map(|_| ())
    }

    fn prepare(&self, _: &[(&str, &Secret)]) -> Result<PreparedStore, StoreError> {
        self.available().map(|_| PreparedStore::default())
    }

    fn get(&self, name: &str) -> Result<Option<Secret>, StoreError> {
        if self.is_here() {
            Ok(self.shell.secret(name))
        } else {
            Err(StoreError::NotAvailable {
                store: StoreKind::Codespaces,
                reason: "Codespaces secrets can be seen in a codespace only".to_owned(),
            })
        }
    }

    fn set(&self, name: &str, value: &Secret) -> Result<(), StoreError> {
        let refuse = |reason: &str| StoreError::Refused {
            store: StoreKind::Codespaces,
            reason: reason.to_owned(),
            hint: None,
        };
        if name.to_uppercase().starts_with("GITHUB_") {
            return Err(refuse("GitHub accepts no secret whose name begins with GITHUB_"));
        }
        if value.expose().len() > MAX_SECRET_BYTES {
            return Err(refuse("GitHub keeps at most 48 KiB in one secret"));
        }
        let (_, repository) = self.available()?;
        let mut arguments = vec!["secret", "set", name];
        arguments.extend(USER_SECRET_ARGUMENTS);
        arguments.extend(["--repos", repository]);
        let set = self.gh(&arguments, value.expose())?;
        match set.status {
            Some(0) => Ok(()),
            _ => Err(self.refused(format!("`gh secret set` did not store {name}"), &set)),
        }
    }

    fn forget(&self, name: &str) -> Result<bool, StoreError> {
        let mut arguments = vec!["secret", "delete", name];
        arguments.extend(USER_SECRET_ARGUMENTS);
        let gone = self.gh(&arguments, "")?;
        match gone.status {
            Some(0) => Ok(true),
            _ if gone.stderr.contains("HTTP 404") => Ok(false),
            _ => Err(self.refused(format!("`gh secret delete` did not remove {name}"), &gone)),
        }
    }
}

const USER_SECRET_ARGUMENTS: [&str; 3] = ["--user", "--app", "codespaces"];

/// Returns `owner/name` of a remote at GitHub.
fn github_repository(remote: &str) -> Option<String> {
    let normal = scope::normalize_remote(remote)?;
    let path = normal.strip_prefix("github.com/")?;
    let plain = path.matches('/').count() == 1 && !path.contains([' ', ',']);
    plain.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_read_from_each_form_of_its_remote() {
        for remote in [
            "https://github.com/me/app",
            "https://github.com/me/app.git/",
            "git@github.com:me/app.git",
            "ssh://git@github.com/me/app.git",
        ] {
            assert_eq!(github_repository(remote).as_deref(), Some("me/app"), "{remote}");
        }
        for remote in ["https://gitlab.com/me/app", "https://github.com/me", "/srv/app"] {
            assert_eq!(github_repository(remote), None, "{remote}");
        }
    }
}
