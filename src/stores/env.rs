//! The shell's variables, which can be read but only be set by the shell.

use super::survey::ShellValueState;
use super::{SecretStore, SecretVisibility, StoreError, StoreKind, StoreProfile};
use crate::secret::Secret;
use crate::shell::Shell;

/// The properties of this store.
pub(super) const PROFILE: StoreProfile = StoreProfile {
    name: "env",
    title: "this shell",
    summary: "The variable of this shell",
    sight: SecretVisibility::Shell,
    notice: None,
};

/// The variables of the shell that started this program.
#[derive(Debug)]
pub(super) struct ShellStore {
    shell: Shell,
}

impl ShellStore {
    pub(super) fn new(shell: &Shell) -> Self {
        Self { shell: shell.clone() }
    }

    /// Returns the command that sets the value without showing it on the screen or in the shell's history.
    fn reading(&self, name: &str) -> String {
        match self.shell_name() {
            "fish" => format!("read --silent --global --export {name}"),
            "pwsh" | "powershell" => format!("$env:{name} = Read-Host -MaskInput"),
            "bash" | "zsh" => format!("read -rs {name} && export {name}"),
            _ => format!("stty -echo; read -r {name}; stty echo; export {name}"),
        }
    }

    /// Returns the command that unsets the variable.
    pub(super) fn unsetting(&self, name: &str) -> String {
        match self.shell_name() {
            "fish" => format!("set --erase {name}"),
            "pwsh" | "powershell" => format!("Remove-Item Env:{name}"),
            _ => format!("unset {name}"),
        }
    }

    pub(super) fn shell_state(&self, name: &str) -> ShellValueState {
        match self.shell.raw(name) {
            None => ShellValueState::Unset,
            Some("") => ShellValueState::Empty,
            Some(_) => ShellValueState::Set,
        }
    }

    /// Returns why `name` cannot be set, and the command to type instead.
    pub(super) fn refusal(&self, name: &str) -> StoreError {
        Self::refuse(
            format!("a program cannot set {name} in the shell that started it"),
            &self.reading(name),
        )
    }

    fn shell_name(&self) -> &str {
        let program = self.shell.var("SHELL").unwrap_or("sh");
        program.rsplit('/').next().unwrap_or(program)
    }

    fn refuse(reason: String, command: &str) -> StoreError {
        StoreError::Refused {
            store: StoreKind::Env,
            reason,
            hint: Some(format!("run `{command}` in that shell")),
        }
    }
}

impl SecretStore for ShellStore {
    fn kind(&self) -> StoreKind {
        StoreKind::Env
    }

    fn place(&self) -> String {
        "this shell".to_owned()
    }

    fn check_ready(&self, name: &str) -> Result<(), StoreError> {
        Err(self.refusal(name))
    }

    fn get(&self, name: &str) -> Result<Option<Secret>, StoreError> {
        Ok(self.shell.secret(name))
    }

    fn set(&self, name: &str, value: &Secret) -> Result<(), StoreError> {
        if self.shell.secret(name).as_ref() == Some(value) {
            return Ok(());
        }
        Err(self.refusal(name))
    }

    fn forget(&self, name: &str) -> Result<bool, StoreError> {
        if self.shell.raw(name).is_none() {
            return Ok(false);
        }
        Err(Self::refuse(
            format!("a program cannot unset {name} in the shell that started it"),
            &self.unsetting(name),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> ShellStore {
        let pairs = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        ShellStore::new(&Shell::new(pairs, "/".into()))
    }

    #[test]
    fn setting_says_what_to_type_and_not_the_value() {
        let error = env(&[("SHELL", "/bin/zsh")]).set("KEY", &Secret::new("s3cret")).unwrap_err();
        let message = format!("{error:?}");
        assert!(message.contains("read -rs KEY && export KEY"), "{message}");
        assert!(!message.contains("s3cret"), "{message}");
    }

    #[test]
    fn an_empty_variable_holds_nothing_and_still_has_to_be_unset() {
        let env = env(&[("KEY", "")]);
        assert_eq!(env.get("KEY"), Ok(None));
        assert!(env.forget("KEY").is_err());
        assert_eq!(env.forget("OTHER"), Ok(false));
    }
}
