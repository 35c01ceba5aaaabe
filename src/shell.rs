//! What the process was started with: its variables, its folder, its programs.
//!
//! Read once by `main`; everybody else is handed it. Must not read the process's own environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::secret::{self, Redactor, Secret};

/// Stands between the folders of `PATH`.
const PATH_SEPARATOR: &str = ":";

/// The shell we were started from.
#[derive(Clone, Default)]
pub struct Shell {
    variables: BTreeMap<String, String>,
    folder: PathBuf,
    /// No program in it is run.
    distrusted: Option<PathBuf>,
}

impl std::fmt::Debug for Shell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shell").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Shell {
    /// A shell with these variables, standing in `folder` (absolute).
    pub fn new(variables: impl IntoIterator<Item = (String, String)>, folder: PathBuf) -> Self {
        Self { variables: variables.into_iter().collect(), folder, distrusted: None }
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

    /// The shell with another value of a variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: String) -> Self {
        self.variables.insert(name.to_owned(), value);
        self
    }

    /// The separator of a list of paths in a variable.
    pub fn path_separator() -> &'static str {
        PATH_SEPARATOR
    }

    /// Every variable, in the order of their names.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// The folder the process was started in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Finds no program in the project around `start` from now on: its repository, or without one the folder itself. A
    /// folder that the user's home is in is not a project in this sense.
    #[must_use]
    pub fn distrust(mut self, start: &Path) -> Self {
        let start = resolve(start);
        let repository = start.ancestors().find(|above| above.join(".git").exists());
        let project = repository.unwrap_or(&start);
        let holds_home = self.home().is_some_and(|home| resolve(&home).starts_with(project));
        self.distrusted = (!holds_home).then(|| project.to_owned());
        self
    }

    /// Returns where the program `name` is on this shell's `PATH`; an absolute path names itself.
    pub fn which(&self, name: &str) -> Option<PathBuf> {
        let is_plain = Path::new(name).is_absolute() || !name.contains(std::path::is_separator);
        let path = self.program_path().unwrap_or_default();
        let found = || which::which_in_global(name, Some(path)).ok()?.next();
        is_plain.then(found)?.filter(|program| self.is_trusted(program))
    }

    /// Returns the variables for a program that we start: its `PATH` leads to no program that [`Shell::which`] would
    /// not find.
    pub fn child_variables(&self) -> BTreeMap<String, String> {
        let mut variables = self.variables.clone();
        variables.remove("PATH");
        variables.extend(self.program_path().map(|path| ("PATH".to_owned(), path)));
        variables
    }

    /// `PATH` without entries that mean another folder in another folder, and without those of the project; `None`
    /// where nothing is left, since an empty one means the current folder to some.
    fn program_path(&self) -> Option<String> {
        let entries = self.raw("PATH")?.split(PATH_SEPARATOR);
        let trusted = entries.filter(|entry| {
            let folder = Path::new(entry);
            folder.is_absolute() && self.is_trusted(folder)
        });
        let path = trusted.collect::<Vec<_>>().join(PATH_SEPARATOR);
        (!path.is_empty()).then_some(path)
    }

    fn is_trusted(&self, path: &Path) -> bool {
        let project = self.distrusted.as_ref();
        project
            .is_none_or(|project| !path.starts_with(project) && !resolve(path).starts_with(project))
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

/// The path without links, as far as it exists.
fn resolve(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_program_is_found_in_the_project() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["project/bin", "project/app/bin", "project/.git", "tools", "home"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        for name in ["project/bin/x", "project/app/x", "project/app/bin/x", "tools/x"] {
            std::fs::write(root.join(name), "#!/bin/sh\n").unwrap();
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(root.join(name), mode).unwrap();
        }
        std::os::unix::fs::symlink(root.join("project/bin"), root.join("link")).unwrap();
        std::fs::create_dir(root.join("links")).unwrap();
        std::os::unix::fs::symlink(root.join("project/bin/x"), root.join("links/x")).unwrap();
        let app = root.join("project/app");
        let at = |name: &str| root.join(name).display().to_string();
        let tools = at("tools");
        for (path, home, found) in [
            (tools.clone(), "home", true),
            (".".to_owned(), "home", false),
            (String::new(), "home", false),
            ("bin:../bin".to_owned(), "home", false),
            (at("project/bin"), "home", false),
            (at("project/app/bin"), "home", false),
            (at("link"), "home", false),
            (at("links"), "home", false),
            (format!(".:{}:{tools}", at("project/bin")), "home", true),
            (format!(":{tools}:"), "home", true),
            (at("project/bin"), "project", true),
        ] {
            let variables = [("PATH".to_owned(), path.clone()), ("HOME".to_owned(), at(home))];
            let shell = Shell::new(variables, app.clone()).distrust(&app);
            assert_eq!(shell.which("x").is_some(), found, "{path:?}");
            assert_eq!(shell.which("./x"), None);
            let child = shell.child_variables();
            let path = child.get("PATH").map_or("", String::as_str);
            let others = path.split(':').filter(|entry| *entry != tools && *entry != at("links"));
            assert!(home == "project" || others.collect::<String>().is_empty(), "{path:?}");
        }
    }
}
