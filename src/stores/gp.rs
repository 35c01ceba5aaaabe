//! Gitpod's variables of this repository, through `gp env`.
//!
//! `gp env NAME=VALUE` takes the value as an argument and prints it: its output is captured and dropped, and the
//! stored value is read back, because it reports success even for values it has altered.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{PreparedStore, SecretStore, SecretVisibility, StoreError, StoreKind, StoreProfile};
use crate::secret::Secret;
use crate::shell::Shell;
use crate::workspace::program::{self, ProgramOutput};

/// The properties of this store.
pub(super) const PROFILE: StoreProfile = StoreProfile {
    name: "gp",
    title: "Gitpod's variables",
    summary: "Gitpod's variables of this repository",
    sight: SecretVisibility::Store,
    notice: Some(
        "`gp env` takes the key as an argument, so it is in the process list of this workspace for a moment",
    ),
};

/// The time limit for a list; `gp` itself gives up only after a minute.
const LIST_TIME_LIMIT: Duration = Duration::from_secs(10);

/// All variables as `gp env` prints them.
type GitpodVariableList = Result<Secret, StoreError>;

/// Gitpod's variables for the repository of this workspace.
#[derive(Debug)]
pub(super) struct GitpodStore {
    shell: Shell,
    /// The last list; `None` after a change.
    listed: Mutex<Option<GitpodVariableList>>,
}

impl GitpodStore {
    pub(super) fn new(shell: &Shell) -> Self {
        Self { shell: shell.clone(), listed: Mutex::default() }
    }

    /// Returns the program, if this is a workspace.
    pub(super) fn available(&self) -> Result<PathBuf, StoreError> {
        let missing = |reason: &str| StoreError::NotAvailable {
            store: StoreKind::Gp,
            reason: reason.to_owned(),
        };
        if self.shell.var("GITPOD_WORKSPACE_ID").is_none() {
            return Err(missing("this is not a Gitpod workspace"));
        }
        self.shell.which("gp").ok_or_else(|| missing("the program `gp` is not on PATH"))
    }

    /// Returns which of `names` are stored; none if Gitpod cannot be queried.
    pub(super) fn holding<'a>(&self, names: &[&'a str]) -> Vec<&'a str> {
        let Ok(list) = self.list() else {
            return Vec::new();
        };
        names.iter().copied().filter(|name| parse_gp_value(list.expose(), name).is_some()).collect()
    }

    fn env(&self, arguments: &[&str]) -> Result<ProgramOutput, StoreError> {
        let program = self.available()?;
        let arguments: Vec<&str> =
            std::iter::once("env").chain(arguments.iter().copied()).collect();
        program::capture(&program, &arguments, &self.shell, LIST_TIME_LIMIT)
            .map_err(|failure| StoreError::failed(StoreKind::Gp, format!("`gp env`: {failure}")))
    }

    /// Returns every variable; queried once, and again after a change.
    fn list(&self) -> GitpodVariableList {
        let mut known = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        known.get_or_insert_with(|| self.ask_for_list()).clone()
    }

    fn ask_for_list(&self) -> GitpodVariableList {
        let listed = self.env(&[])?;
        if listed.status == Some(0) {
            return Ok(Secret::new(listed.stdout));
        }
        Err(gp_refused_error("`gp env` could not list the variables", &listed))
    }

    /// Makes a change and discards the cached list.
    fn change(&self, arguments: &[&str]) -> Result<ProgramOutput, StoreError> {
        let changed = self.env(arguments);
        *self.listed.lock().unwrap_or_else(PoisonError::into_inner) = None;
        changed
    }
}

impl SecretStore for GitpodStore {
    fn kind(&self) -> StoreKind {
        StoreKind::Gp
    }

    fn place(&self) -> String {
        "Gitpod's variables of this repository".to_owned()
    }

    fn check_ready(&self, _: &str) -> Result<(), StoreError> {
        self.available().map(|_| ())
    }

    fn prepare(&self, _: &[(&str, &Secret)]) -> Result<PreparedStore, StoreError> {
        self.available().map(|_| PreparedStore::default())
    }

    fn get(&self, name: &str) -> Result<Option<Secret>, StoreError> {
        Ok(parse_gp_value(self.list()?.expose(), name)
            .map(Secret::new)
            .filter(|secret| !secret.is_empty()))
    }

    fn set(&self, name: &str, secret: &Secret) -> Result<(), StoreError> {
        if let Some(reason) = gp_damage_reason(secret.expose()) {
            return Err(StoreError::Refused {
                store: StoreKind::Gp,
                reason: reason.to_owned(),
                hint: None,
            });
        }
        let assignment = Secret::new(format!("{name}={}", secret.expose()));
        let set = self.change(&[assignment.expose()])?;
        if set.status != Some(0) {
            return Err(gp_refused_error(&format!("`gp env` did not store {name}"), &set));
        }
        if self.get(name)?.as_ref() == Some(secret) {
            return Ok(());
        }
        Err(StoreError::Failed {
            store: StoreKind::Gp,
            reason: format!(
                "`gp env` reported success, and {name} does not read back as it was set"
            ),
            cause: None,
            hint: Some("`cruddur-ops key forget --store gp` removes it".to_owned()),
        })
    }

    fn forget(&self, name: &str) -> Result<bool, StoreError> {
        if self.get(name)?.is_none() {
            return Ok(false);
        }
        let unset = self.change(&["-u", name])?;
        if unset.status == Some(0) && self.get(name)?.is_none() {
            return Ok(true);
        }
        if unset.status != Some(0) && !unset.stderr.contains("code 404") {
            return Err(gp_refused_error(&format!("`gp env` did not remove {name}"), &unset));
        }
        let host = self.shell.var("GITPOD_HOST").unwrap_or("https://gitpod.io");
        let reason = format!(
            "`gp env` cannot remove {name}: it is kept for another scope than this repository"
        );
        Err(StoreError::Failed {
            store: StoreKind::Gp,
            reason,
            cause: gp_message(&unset),
            hint: Some(format!("remove it at {host}/user/variables")),
        })
    }
}

fn gp_refused_error(reason: &str, captured: &ProgramOutput) -> StoreError {
    StoreError::Failed {
        store: StoreKind::Gp,
        reason: reason.to_owned(),
        cause: gp_message(captured),
        hint: None,
    }
}

/// Returns an excerpt of stderr only: stdout may contain values.
fn gp_message(captured: &ProgramOutput) -> Option<String> {
    let message = captured.stderr.trim();
    (!message.is_empty()).then(|| message.to_owned())
}

/// Returns why `gp env` would alter this value.
fn gp_damage_reason(value: &str) -> Option<&'static str> {
    const QUOTES: [char; 2] = ['"', '\''];
    if value.starts_with(QUOTES) || value.ends_with(QUOTES) {
        return Some("`gp env` drops quotes at the ends of a value");
    }
    if value.contains("\\ ") {
        return Some("`gp env` turns a backslash before a space into a space");
    }
    if value.contains('\0') {
        return Some("a value with a null character cannot be an argument");
    }
    (value.chars().count() > 32767).then_some("Gitpod takes at most 32767 characters")
}

/// Returns the value of `name` in a list of `gp env`, where a value may span lines and every `"` has a backslash.
pub fn parse_gp_value(list: &str, name: &str) -> Option<String> {
    let mut lines = list.lines();
    let first = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
    let rest = lines.take_while(|line| !begins_variable(line));
    let lines: Vec<&str> = std::iter::once(first).chain(rest).collect();
    Some(lines.join("\n").replace("\\\"", "\""))
}

fn begins_variable(line: &str) -> bool {
    line.split_once('=').is_some_and(|(name, _)| {
        let mut characters = name.chars();
        characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_with_its_escapes_and_its_lines() {
        let list = "A=1\nKEY=say \\\"hi\\\" \\n $x\nsecond line\nB=2\n";
        assert_eq!(parse_gp_value(list, "KEY").as_deref(), Some("say \"hi\" \\n $x\nsecond line"));
        assert_eq!(parse_gp_value(list, "B").as_deref(), Some("2"));
        assert_eq!(parse_gp_value(list, "EY"), None);
    }

    #[test]
    fn values_gp_would_change_are_refused() {
        for bad in ["\"x\"", "'x", "x'", "a\\ b", "a\0b"] {
            assert!(gp_damage_reason(bad).is_some(), "{bad:?}");
        }
        assert_eq!(gp_damage_reason("a'b\"c d\ne"), None);
    }
}
