//! The environment that the process was started in: its variables, its folder, its programs.
//!
//! Read once by `main` and passed on. Must not read the process environment itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::secret::{self, Redactor, Secret};

/// Separates the folders of `PATH`.
const PATH_SEPARATOR: &str = ":";

/// The environment of the shell that started the process.
#[derive(Clone, Default)]
pub struct Shell {
    variables: BTreeMap<String, String>,
    folder: PathBuf,
    /// The folder in which no program is run.
    distrusted: Option<PathBuf>,
}

impl std::fmt::Debug for Shell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shell").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Shell {
    /// Creates a shell with these variables and the current `folder` (absolute).
    pub fn new(variables: impl IntoIterator<Item = (String, String)>, folder: PathBuf) -> Self {
        Self { variables: variables.into_iter().collect(), folder, distrusted: None }
    }

    /// Returns a variable, including an empty one.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Returns a variable; an empty one counts as unset.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// Returns a variable as a secret.
    pub fn secret(&self, name: &str) -> Option<Secret> {
        self.var(name).map(Secret::new)
    }

    /// Sets a variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: String) -> Self {
        self.variables.insert(name.to_owned(), value);
        self
    }

    /// Returns the separator of path lists in variables.
    pub fn path_separator() -> &'static str {
        PATH_SEPARATOR
    }

    /// Returns every variable, sorted by name.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Returns the folder the process was started in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Excludes programs in the project around `start`: in its repository, or in the folder itself if it is in none. A
    /// folder that contains the user's home is not excluded.
    #[must_use]
    pub fn distrust(mut self, start: &Path) -> Self {
        let start = resolve_links(start);
        let repository = start.ancestors().find(|above| above.join(".git").exists());
        let project = repository.unwrap_or(&start);
        let holds_home = self.home().is_some_and(|home| resolve_links(&home).starts_with(project));
        self.distrusted = (!holds_home).then(|| project.to_owned());
        self
    }

    /// Returns the path of the program `name` according to `PATH`; an absolute path is returned unchanged.
    pub fn which(&self, name: &str) -> Option<PathBuf> {
        let is_plain = Path::new(name).is_absolute() || !name.contains(std::path::is_separator);
        let path = self.program_path().unwrap_or_default();
        let found = || which::which_in_global(name, Some(path)).ok()?.next();
        is_plain.then(found)?.filter(|program| self.is_trusted(program))
    }

    /// Returns the variables for child processes; their `PATH` has only folders that [`Shell::which`] searches.
    pub fn child_variables(&self) -> BTreeMap<String, String> {
        let mut variables = self.variables.clone();
        variables.remove("PATH");
        variables.extend(self.program_path().map(|path| ("PATH".to_owned(), path)));
        variables
    }

    /// Returns `PATH` without relative entries and without folders of the project; `None` if nothing is left, because
    /// some programs treat an empty one as the current folder.
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
        project.is_none_or(|project| {
            !path.starts_with(project) && !resolve_links(path).starts_with(project)
        })
    }

    /// Returns the user's home folder. A relative one would be a different folder in each project.
    pub fn home(&self) -> Option<PathBuf> {
        let folders = ["HOME", "USERPROFILE"].into_iter().filter_map(|name| self.var(name));
        folders.map(PathBuf::from).find(|folder| folder.is_absolute())
    }

    /// Adds every variable that holds a secret to the redactor.
    pub fn teach(&self, redactor: &Redactor) {
        for (name, value) in &self.variables {
            if secret::is_secret(name, value) {
                redactor.learn(name, &Secret::new(value.as_str()));
            }
        }
    }
}

/// Resolves the links of a path, as far as it exists.
fn resolve_links(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_home_is_none() {
        for (home, profile, found) in [
            ("home", None, None),
            (".", None, None),
            ("~", Some("C"), None),
            ("x", Some("/u"), Some("/u")),
            ("/h", Some("/u"), Some("/h")),
        ] {
            let profile = profile.map(|profile| ("USERPROFILE".to_owned(), profile.to_owned()));
            let variables = [("HOME".to_owned(), home.to_owned())].into_iter().chain(profile);
            let shell = Shell::new(variables, "/p".into());
            assert_eq!(shell.home().as_deref(), found.map(Path::new), "{home}");
        }
    }

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
