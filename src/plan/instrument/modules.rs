//! Reads the modules of a service: their tracing, and their imports.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::graph::ImportGraph;
use crate::edit::python::bindings::{PythonImport, list_imports, own_names};
use crate::edit::python::calls::{CallScope, PythonCall, list_calls};
use crate::edit::python::flask::{AppClass, FlaskNames, PythonApp, list_app_subclasses, list_apps};
use crate::edit::python::source::{PythonSource, PythonSyntaxError};
use crate::edit::python::telemetry::{
    TelemetryCalls, imports_module, passes_argument, read_telemetry_calls,
};

/// A parsed module.
#[derive(Debug, Clone)]
pub struct PythonModule {
    /// The path of its file.
    pub path: PathBuf,
    /// The name others import it by, without packages.
    pub stem: String,
    /// Its imports.
    pub imports: Vec<PythonImport>,
    /// Its calls.
    pub calls: Vec<PythonCall>,
    /// Names it binds.
    pub names: Vec<String>,
    /// The applications it creates.
    pub apps: Vec<PythonApp>,
    /// Its subclasses of Flask.
    pub flask_classes: Vec<AppClass>,
    /// The known names of Flask classes when it was parsed.
    pub flask: FlaskNames,
    /// Its tracing.
    pub telemetry: TelemetryCalls,
}

impl PythonModule {
    /// Parses one module.
    ///
    /// # Errors
    /// The first place that is not valid Python.
    pub fn read(path: &Path, text: &str) -> Result<Self, PythonSyntaxError> {
        Self::read_with(path, text, &FlaskNames::default())
    }

    /// Parses one module, given the Flask classes known from other modules.
    ///
    /// # Errors
    /// As [`PythonModule::read`].
    pub fn read_with(
        path: &Path,
        text: &str,
        flask: &FlaskNames,
    ) -> Result<Self, PythonSyntaxError> {
        let source = PythonSource::parse(text)?;
        let imports = list_imports(&source);
        let calls = list_calls(&source, &imports);
        Ok(Self {
            path: path.to_owned(),
            stem: module_stem(path),
            names: own_names(&source),
            apps: list_apps(&source, &imports, flask),
            flask_classes: list_app_subclasses(&source, &imports, flask),
            flask: flask.clone(),
            telemetry: read_telemetry_calls(&calls),
            imports,
            calls,
        })
    }
}

fn module_stem(path: &Path) -> String {
    let name = |path: &Path| {
        path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
    };
    match name(path).as_str() {
        "__init__" => path.parent().map(name).unwrap_or_default(),
        stem => stem.to_owned(),
    }
}

/// Returns whether only tests run a file.
pub(crate) fn is_test(path: &Path) -> bool {
    let folder =
        path.components().any(|part| matches!(part.as_os_str().to_str(), Some("test" | "tests")));
    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    folder || name.starts_with("test_") || name.ends_with("_test") || name == "conftest"
}

/// Returns the modules that run in the same process as `index`: its imports, its importers, and so on, and gunicorn's
/// settings.
pub(crate) fn modules_run_together(graph: &ImportGraph<'_>, index: usize) -> BTreeSet<usize> {
    let mut found = reachable_modules(graph, index, |from, to| graph.imports(from, to));
    found.extend(reachable_modules(graph, index, |from, to| graph.imports(to, from)));
    let modules = graph.modules().iter().enumerate();
    let settings = modules.filter(|(_, module)| is_gunicorn_config(&module.path));
    for (settings, _) in settings {
        found.extend(reachable_modules(graph, settings, |from, to| graph.imports(from, to)));
    }
    found
}

/// Returns whether a file holds gunicorn settings, which run before the application, with hooks such as `post_fork`.
pub(crate) fn is_gunicorn_config(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.ends_with(".py") && name.contains("gunicorn")
}

fn reachable_modules(
    graph: &ImportGraph<'_>,
    index: usize,
    arrow: impl Fn(usize, usize) -> bool,
) -> BTreeSet<usize> {
    let mut found = BTreeSet::from([index]);
    let mut open = vec![index];
    while let Some(from) = open.pop() {
        let next = (0..graph.modules().len()).filter(|to| arrow(from, *to));
        open.extend(next.filter(|to| found.insert(*to)));
    }
    found
}

/// Returns whether this application is already traced, here or in a module that imports this one.
pub(crate) fn is_hooked(modules: &[&PythonModule], index: usize, app: &PythonApp) -> bool {
    let Some(name) = app.name() else {
        return false;
    };
    let own_module = modules[index];
    let initialisers: BTreeSet<&str> = modules
        .iter()
        .flat_map(|module| &module.telemetry.initialisers)
        .map(String::as_str)
        .collect();
    let traces = |call: &&PythonCall| {
        call.name == "instrument_app" || initialisers.contains(call.name.as_str())
    };
    let mut setup_calls = own_module.calls.iter().filter(traces);
    let by_server = |module: &&&PythonModule| is_gunicorn_config(&module.path);
    let mut settings = modules.iter().filter(by_server);
    if own_module.telemetry.class_wide.is_some()
        || settings.any(|module| module.telemetry.class_wide.is_some())
        || setup_calls.any(|call| passes_argument(call, name))
    {
        return true;
    }
    let factory = match &app.scope {
        CallScope::Function { name, .. } => Some(name.as_str()),
        _ => None,
    };
    modules.iter().enumerate().any(|(other, module)| {
        let elsewhere = other != index && imports_module(&module.imports, &own_module.stem);
        let makes_it = factory.is_some_and(|factory| {
            (elsewhere || other == index) && module.calls.iter().any(|call| call.name == factory)
        });
        let names = names_elsewhere(module, &own_module.stem, name);
        module.calls.iter().filter(traces).any(|call| {
            makes_it || (elsewhere && names.iter().any(|name| passes_argument(call, name)))
        })
    })
}

/// Returns the local names in a module for the name `name` of the module `stem`.
fn names_elsewhere(module: &PythonModule, stem: &str, name: &str) -> Vec<String> {
    let whole = format!("{stem}.{name}");
    let imported = module
        .imports
        .iter()
        .filter(|import| {
            import.path == whole
                || import.path.ends_with(&format!(".{whole}"))
                || (import.local == "*" && import.path.ends_with(stem))
        })
        .map(|import| match import.local.as_str() {
            "*" => name.to_owned(),
            local => local.to_owned(),
        });
    imported.chain([whole.clone()]).collect()
}
