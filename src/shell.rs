//! What the process was started with: its variables, its folder, its programs.
//!
//! Read once by `main`; everybody else is handed it. Must not read the process's own environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::secret::{self, Redactor, Secret};

/// The shell we were started from.
#[derive(Clone, Default)]
pub struct Shell {
    variables: BTreeMap<String, String>,
    folder: PathBuf,
}

impl std::fmt::Debug for Shell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shell").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Shell {
    /// A shell with these variables, standing in `folder` (absolute).
    pub fn new(variables: impl IntoIterator<Item = (String, String)>, folder: PathBuf) -> Self {
        Self { variables: variables.into_iter().collect(), folder }
    }

    /// A variable as it is, empty ones included.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// A variable that says something: an empty one counts as unset.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// A variable that must not be shown.
    pub fn secret(&self, name: &str) -> Option<Secret> {
        self.var(name).map(Secret::new)
    }

    /// Every variable, in the order of their names.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// The folder the process was started in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the program `name` lies on this shell's `PATH`.
    pub fn which(&self, name: &str) -> Option<PathBuf> {
        which::which_in(name, self.raw("PATH"), &self.folder).ok()
    }

    /// The user's home folder.
    pub fn home(&self) -> Option<PathBuf> {
        self.var("HOME").or_else(|| self.var("USERPROFILE")).map(PathBuf::from)
    }

    /// Tells the redactor of every variable that holds a secret.
    pub fn teach(&self, redactor: &Redactor) {
        for (name, value) in &self.variables {
            if secret::is_secret(name, value) {
                redactor.learn(name, &Secret::new(value.as_str()));
            }
        }
    }
}
