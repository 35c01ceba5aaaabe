//! Determines which of a service's modules an import executes, and in which order.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::modules::PythonModule;
use crate::edit::python::bindings::{ImportDepth, PythonImport};
use crate::edit::python::telemetry::imports_module;

/// The modules of a service by path, as imports resolve them.
#[derive(Debug)]
pub(crate) struct ImportGraph<'m> {
    modules: Vec<&'m PythonModule>,
    files: HashMap<&'m Path, usize>,
    folders: HashSet<&'m Path>,
    roots: &'m [PathBuf],
}

impl<'m> ImportGraph<'m> {
    /// Indexes the modules by path; `roots` are folders listed in `PYTHONPATH`.
    pub(crate) fn new(
        modules: impl IntoIterator<Item = &'m PythonModule>,
        roots: &'m [PathBuf],
    ) -> Self {
        let modules: Vec<&PythonModule> = modules.into_iter().collect();
        let paths = modules.iter().enumerate();
        Self {
            files: paths.map(|(index, module)| (module.path.as_path(), index)).collect(),
            folders: modules.iter().flat_map(|module| module.path.ancestors().skip(1)).collect(),
            modules,
            roots,
        }
    }

    /// Returns every module.
    pub(crate) fn modules(&self) -> &[&'m PythonModule] {
        &self.modules
    }

    /// Returns whether one module imports another, anywhere and under any name.
    pub(crate) fn imports(&self, from: usize, to: usize) -> bool {
        let imports = &self.modules[from].imports;
        imports_module(imports, &self.modules[to].stem)
            || imports.iter().any(|import| self.executed(from, import).contains(&to))
    }

    /// Returns a module by its index.
    pub(crate) fn module(&self, index: usize) -> &'m PythonModule {
        self.modules[index]
    }

    /// Returns the module with this relative path below any folder, the shortest path first: `app.py`, `api/wsgi.py`.
    pub(crate) fn file(&self, name: &str) -> Option<usize> {
        let name = Path::new(name.trim_start_matches("./").trim_start_matches('/'));
        let ends = self.files.iter().filter(|(path, _)| path.ends_with(name));
        ends.min_by_key(|(path, _)| path.components().count()).map(|(_, index)| *index)
    }

    /// Returns the modules that importing `a.b.c` executes, packages before their members.
    pub(crate) fn named(&self, dotted: &str) -> Vec<usize> {
        let parts: Vec<&str> = dotted.split('.').collect();
        let mut folders: Vec<&Path> = self.folders.iter().copied().collect();
        folders.sort_by_key(|folder| (folder.components().count(), *folder));
        let mut found = folders.into_iter().map(|folder| self.below(folder, &parts));
        let whole = |found: &Vec<usize>| {
            found
                .last()
                .is_some_and(|last| Some(&self.modules[*last].stem.as_str()) == parts.last())
        };
        found.find(whole).unwrap_or_default()
    }

    /// Returns the service's modules that an import in the module `from` executes, in order; none for a library.
    pub(crate) fn executed(&self, from: usize, import: &PythonImport) -> Vec<usize> {
        let name = import.path.trim_start_matches('.');
        let dots = import.path.len() - name.len();
        let parts: Vec<&str> = name.split('.').filter(|part| !part.is_empty()).collect();
        let around: Vec<&Path> = self.modules[from].path.ancestors().skip(1).collect();
        if dots > 0 {
            let Some(base) = around.get(dots - 1) else { return Vec::new() };
            let package = self.package(base).into_iter();
            return package.chain(self.below(base, &parts)).collect();
        }
        // Members of a package are imported by qualified name, so the package's folder is not searched first.
        let (packages, folders): (Vec<&Path>, Vec<&Path>) =
            around.into_iter().partition(|folder| self.package(folder).is_some());
        let places = self.roots.iter().map(PathBuf::as_path).chain(folders).chain(packages);
        let mut found = places.map(|place| self.below(place, &parts));
        found.find(|found| !found.is_empty()).unwrap_or_default()
    }

    fn package(&self, folder: &Path) -> Option<usize> {
        self.files.get(folder.join("__init__.py").as_path()).copied()
    }

    fn below(&self, folder: &Path, parts: &[&str]) -> Vec<usize> {
        let mut found = Vec::new();
        let mut folder = folder.to_owned();
        for part in parts {
            let inner = folder.join(part);
            if let Some(package) = self.package(&inner) {
                found.push(package);
            } else if let Some(module) = self.files.get(inner.with_extension("py").as_path()) {
                found.push(*module);
                break;
            } else if !self.folders.contains(inner.as_path()) {
                break;
            }
            folder = inner;
        }
        found
    }

    /// Returns the packages that enclose a module, outermost first.
    pub(crate) fn packages_around(&self, index: usize) -> Vec<usize> {
        let folders = self.modules[index].path.ancestors().skip(1);
        let mut found: Vec<usize> = folders
            .map_while(|folder| self.package(folder))
            .filter(|package| *package != index)
            .collect();
        found.reverse();
        found
    }

    /// Returns every module that runs while `from` is imported, including `from`.
    pub(crate) fn runs_with(&self, from: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::from([from]);
        let mut open = vec![from];
        while let Some(index) = open.pop() {
            for import in running_imports(self.modules[index]) {
                open.extend(
                    self.executed(index, import).into_iter().filter(|next| found.insert(*next)),
                );
            }
        }
        found
    }
}

/// Returns the imports that run when their module runs, in source order.
pub(crate) fn running_imports(module: &PythonModule) -> impl Iterator<Item = &PythonImport> {
    module.imports.iter().filter(|import| import.depth != ImportDepth::Nested)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(files: &[(&str, &str)]) -> Vec<PythonModule> {
        let read = |(path, text): &(&str, &str)| PythonModule::read(Path::new(path), text).unwrap();
        files.iter().map(read).collect()
    }

    /// Returns the files that the first module's imports execute.
    fn executed(files: &[(&str, &str)], roots: &[&str]) -> Vec<String> {
        let modules = modules(files);
        let roots: Vec<PathBuf> = roots.iter().map(PathBuf::from).collect();
        let graph = ImportGraph::new(&modules, &roots);
        let imports = running_imports(&modules[0]).flat_map(|import| graph.executed(0, import));
        imports.map(|index| modules[index].path.display().to_string()).collect()
    }

    #[test]
    fn imports_find_files_as_python_does() {
        let lib = ("/s/lib/db.py", "");
        assert_eq!(
            executed(&[("/s/app.py", "from lib.db import pool\n"), lib], &[]),
            ["/s/lib/db.py"]
        );
        assert_eq!(
            executed(&[("/s/app.py", "import flask, lib.other, psycopg\n"), lib], &[]),
            [""; 0]
        );
        assert_eq!(executed(&[("/s/app.py", "import lib.db\n"), lib], &[]), ["/s/lib/db.py"]);
        let package = [
            ("/s/api/wsgi.py", "from .db import x\nfrom . import make\nfrom api import db\n"),
            ("/s/api/__init__.py", ""),
            ("/s/api/db.py", ""),
        ];
        let (init, db) = ("/s/api/__init__.py", "/s/api/db.py");
        assert_eq!(executed(&package, &[]), [init, db, init, init, db]);
        let src = [
            ("/s/run/main.py", "try:\n  import core.db\nexcept ImportError: pass\n"),
            ("/s/src/core/db.py", ""),
        ];
        assert_eq!(executed(&src, &[]), [""; 0]);
        assert_eq!(executed(&src, &["/s/src"]), ["/s/src/core/db.py"]);
    }

    #[test]
    fn a_start_command_names_a_module_or_a_file() {
        let modules =
            modules(&[("/s/api/wsgi.py", ""), ("/s/api/__init__.py", ""), ("/s/app.py", "")]);
        let graph = ImportGraph::new(&modules, &[]);
        assert_eq!(graph.named("api.wsgi"), [1, 0]);
        assert!(graph.named("api.missing").is_empty());
        assert_eq!(graph.file("./app.py"), Some(2));
        assert_eq!(graph.packages_around(0), [1]);
    }
}
