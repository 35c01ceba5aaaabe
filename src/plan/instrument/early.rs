//! Finds where library instrumentation has to start, so that it runs before the application's modules use the
//! libraries.

use std::collections::BTreeSet;

use super::catalogue::{InstrumentReach, InstrumentedLibrary};
use super::entry::StartEntry;
use super::graph::{ImportGraph, running_imports};
use super::modules::PythonModule;
use crate::edit::python::bindings::PythonImport;
use crate::edit::python::calls::CallScope;

/// The statement that library instrumentation must run before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EarlyPlace {
    /// The module that contains it.
    pub module: usize,
    /// The byte offset of the statement; `None` for the statement that creates the application.
    pub before: Option<usize>,
}

/// Finds the first statement, in execution order, that imports one of the application's modules or lets one of the
/// libraries connect.
pub(crate) fn early_place(
    graph: &ImportGraph<'_>,
    app: usize,
    entries: &[StartEntry],
    libraries: &[&InstrumentedLibrary],
) -> EarlyPlace {
    let mut walk = ModuleWalk { graph, app, libraries, seen: BTreeSet::new() };
    let mut places = started_modules(graph, app, entries).into_iter();
    let place = places.find_map(|index| walk.through(index));
    place.unwrap_or(EarlyPlace { module: app, before: None })
}

/// Returns the modules that the start command executes by name, in order.
fn started_modules(graph: &ImportGraph<'_>, app: usize, entries: &[StartEntry]) -> Vec<usize> {
    let mut lists = entries.iter().map(|entry| match entry {
        StartEntry::File(name) => graph.file(name).into_iter().collect(),
        StartEntry::Module(name) => graph.named(name),
    });
    let starts =
        |list: &Vec<usize>| list.last().is_some_and(|last| graph.runs_with(*last).contains(&app));
    lists.find(starts).unwrap_or_else(|| {
        let packages = graph.packages_around(app).into_iter();
        packages.chain([app]).collect()
    })
}

/// An event while a module runs.
enum ModuleEvent<'m> {
    Import(&'m PythonImport),
    Connection,
}

/// A walk through the modules in execution order.
struct ModuleWalk<'g, 'm> {
    graph: &'g ImportGraph<'m>,
    app: usize,
    libraries: &'g [&'g InstrumentedLibrary],
    seen: BTreeSet<usize>,
}

impl<'m> ModuleWalk<'_, 'm> {
    fn through(&mut self, index: usize) -> Option<EarlyPlace> {
        if !self.seen.insert(index) {
            return None;
        }
        let module = self.graph.module(index);
        let application = module.apps.first().filter(|_| index == self.app);
        let limit = application.map_or(usize::MAX, |app| app.top.start);
        for (at, event) in self.events(module).into_iter().take_while(|(at, _)| *at < limit) {
            let early_place = EarlyPlace { module: index, before: Some(at) };
            let ModuleEvent::Import(import) = event else { return Some(early_place) };
            for next in self.graph.executed(index, import) {
                if self.seen.contains(&next) {
                    continue;
                }
                // Everything below the application's module is its own; above it, only the path to it is followed.
                let leads = !self.seen.contains(&self.app)
                    && self.graph.runs_with(next).contains(&self.app);
                if leads {
                    if let Some(place) = self.through(next) {
                        return Some(place);
                    }
                } else if !is_bare(self.graph.module(next)) {
                    return Some(early_place);
                }
            }
        }
        (index == self.app).then_some(EarlyPlace { module: index, before: None })
    }

    /// Returns the imports and connections that happen while a module is imported.
    fn events(&self, module: &'m PythonModule) -> Vec<(usize, ModuleEvent<'m>)> {
        let imports = running_imports(module).map(|import| {
            if self.binds_early(import) {
                (import.start, ModuleEvent::Connection)
            } else {
                (import.start, ModuleEvent::Import(import))
            }
        });
        let calls = module
            .calls
            .iter()
            .filter(|call| {
                matches!(call.scope, CallScope::Module | CallScope::Conditional)
                    && call.path.as_ref().is_some_and(|path| self.is_later(path))
            })
            .map(|call| (call.top.start, ModuleEvent::Connection));
        let mut events: Vec<(usize, ModuleEvent<'m>)> = imports.chain(calls).collect();
        events.sort_by_key(|(at, _)| *at);
        events
    }

    /// Returns whether an import such as `from psycopg2 import connect` binds a function that `instrument()` replaces
    /// only in its module, so that the imported name stays untraced.
    fn binds_early(&self, import: &PythonImport) -> bool {
        let name = import.path.rsplit('.').next().unwrap_or_default();
        let is_function = name.starts_with(|c: char| c.is_ascii_lowercase());
        let of_library = |library: &&&InstrumentedLibrary| {
            library.imports.iter().all(|module| *module != import.path)
        };
        is_function && self.later(&import.path).filter(of_library).is_some()
    }

    fn is_later(&self, path: &str) -> bool {
        self.later(path).is_some()
    }

    /// Returns the library with this name, if its earlier connections would stay untraced.
    fn later(&self, path: &str) -> Option<&&InstrumentedLibrary> {
        let mut libraries = self.libraries.iter();
        libraries.find(|library| library.reach == InstrumentReach::Later && library.connects(path))
    }
}

/// Returns whether a module only makes its folder a package.
fn is_bare(module: &PythonModule) -> bool {
    module.imports.is_empty() && module.calls.is_empty()
}
