//! Inserts the lines that start tracing into a module that creates applications.

use std::path::Path;

use super::PythonService;
use super::catalogue::{ImportedSymbol, InstrumentedLibrary, python_catalogue};
use super::graph::ImportGraph;
use super::lines::{self, AddonNeeds, InsertedBlocks, ModuleNames, ModuleNeeds};
use super::modules::{PythonModule, is_hooked, modules_run_together};
use crate::edit::patch::{self, TextPatch};
use crate::edit::python::calls::{CallScope, PythonCall};
use crate::edit::python::flask::{AppBinding, PythonApp};
use crate::edit::python::framework::PythonFramework;
use crate::edit::python::insert::{self, insert_blocks};
use crate::edit::python::source::PythonSource;
use crate::edit::python::telemetry::passes_argument;
use crate::provider::Addon;

/// Returns the setup that the applications of one module lack.
pub(super) fn module_needs(
    graph: &ImportGraph<'_>,
    index: usize,
    libraries: &[&InstrumentedLibrary],
    service: &PythonService,
) -> ModuleNeeds {
    let modules = graph.modules();
    let module = modules[index];
    if !module.apps.iter().any(|app| app.name().is_some()) {
        return ModuleNeeds::default();
    }
    let near: Vec<&PythonModule> =
        modules_run_together(graph, index).into_iter().map(|other| modules[other]).collect();
    let has =
        |class: &String| near.iter().any(|other| other.telemetry.instrumentors.contains(class));
    let provided = near.iter().any(|other| other.telemetry.provider.is_some());
    let wanted = libraries.iter().map(|library| lines::instrumentor(library));
    let addons = service.addons.iter();
    let instrumentors: Vec<ImportedSymbol> = std::iter::once(lines::requests_symbol())
        .chain(wanted)
        .filter(|symbol| !has(&symbol.name))
        .collect();
    let works = libraries.iter().any(|library| library.class == "CeleryInstrumentor");
    let polls = instrumentors.iter().filter(|symbol| works && symbol.name == "RedisInstrumentor");
    ModuleNeeds {
        provider: (!provided).then(|| free_name(module)),
        outside_workers: polls.map(|symbol| symbol.name.clone()).collect(),
        instrumentors,
        apps: apps_lacking(module, |app| !is_hooked(modules, index, app)),
        addons: addons.filter_map(|addon| addon_needs(*addon, module, &near, service)).collect(),
    }
}

/// Returns the names of applications that lack something, each once, with their frameworks.
fn apps_lacking(
    module: &PythonModule,
    lacks: impl Fn(&PythonApp) -> bool,
) -> Vec<(String, &'static PythonFramework)> {
    let mut found: Vec<(String, &'static PythonFramework)> = Vec::new();
    for app in module.apps.iter().filter(|app| lacks(app)) {
        if let Some(name) = app.name().filter(|name| !found.iter().any(|(known, _)| known == name))
        {
            found.push((name.to_owned(), app.framework));
        }
    }
    found
}

fn addon_needs(
    addon: Addon,
    module: &PythonModule,
    near: &[&PythonModule],
    service: &PythonService,
) -> Option<AddonNeeds> {
    let facts = python_catalogue().addon(addon)?;
    let calls = || near.iter().flat_map(|module| &module.calls);
    let started = calls().any(|call| call.callee.ends_with(&facts.start));
    let sees = |call: &PythonCall, name: &str| {
        call.callee.ends_with(&facts.hook)
            && (passes_argument(call, name) || matches!(call.scope, CallScope::Function { .. }))
    };
    let apps = apps_lacking(module, |app| {
        app.name().is_some_and(|name| !calls().any(|call| sees(call, name)))
    });
    let needs = AddonNeeds {
        addon,
        service: (!started).then(|| service.name.clone()),
        apps: apps.into_iter().map(|(name, _)| name).collect(),
    };
    (needs.service.is_some() || !needs.apps.is_empty()).then_some(needs)
}

fn free_name(module: &PythonModule) -> String {
    let taken = |name: &&str| {
        module.names.iter().any(|module_name| module_name == name)
            || module.imports.iter().any(|import| import.local == **name)
    };
    let mut names = ["provider", "tracer_provider"].into_iter();
    names.find(|name| !taken(name)).unwrap_or("otel_provider").to_owned()
}

/// Returns the module's text with the missing setup, or why it cannot be inserted. Library instrumentations go before
/// the statement at byte `early`, the rest before the application.
pub(super) fn initialise_module(
    text: &str,
    module: &PythonModule,
    needs: &ModuleNeeds,
    early: Option<usize>,
) -> Result<String, String> {
    let source = PythonSource::parse(text).map_err(|error| error.message)?;
    let first = module.apps.first().map(|app| insert::before(&source, &app.top));
    let early = early
        .filter(|_| !needs.instrumentors.is_empty())
        .map(|at| early_spot(&source, module, at))
        .filter(|spot| first.as_ref().is_none_or(|start| spot.at < start.at));
    let start = first.or_else(|| early.clone()).ok_or("it creates no application")?;
    let names = ModuleNames {
        imports: &module.imports,
        taken: &module.names,
        limit: start.at,
        early: early.as_ref().map(|spot| spot.at),
    };
    let rendered = lines::render_blocks(needs, names).map_err(|error| error.to_string())?;
    let heads = rendered.imports.iter().chain(&rendered.libraries).chain(&rendered.start);
    let mut added: Vec<&str> = heads.map(String::as_str).collect();
    let mut patches = head_patches(&source, module, &rendered, &start, early.as_ref());
    for app in &module.apps {
        let app_hooks = rendered.hooks.iter().filter(|(name, _)| app.name() == Some(name));
        let hooks: Vec<&str> = app_hooks.map(|(_, hook)| hook.as_str()).collect();
        if !hooks.is_empty() {
            let spot = insert::after(&source, &app.statement);
            patches.push(insert_blocks(&source, &spot, &hooks));
            added.extend(hooks);
        }
    }
    let after = patch::apply(text, &patches).ok_or("the edits overlap")?;
    check_initialised(module, &added, &after)?;
    Ok(after)
}

/// Returns the position before the statement at a byte, and after any monkey patching of the standard library's
/// sockets.
pub(super) fn early_spot(
    source: &PythonSource<'_>,
    module: &PythonModule,
    at: usize,
) -> insert::InsertionPoint {
    let mut spot = insert::before(source, &source.top_range(at));
    let patching = module.calls.iter().filter(|call| {
        matches!(call.name.as_str(), "patch_all" | "monkey_patch")
            && !matches!(call.scope, CallScope::Function { .. })
    });
    for call in patching {
        spot.at = spot.at.max(insert::after(source, &call.top).at);
    }
    spot.indent = String::new();
    spot
}

fn head_patches(
    source: &PythonSource<'_>,
    module: &PythonModule,
    rendered: &InsertedBlocks,
    start: &insert::InsertionPoint,
    early: Option<&insert::InsertionPoint>,
) -> Vec<TextPatch> {
    let top = insert::after_imports(source, &module.imports, start.at);
    let imports = block_texts(&rendered.imports);
    let starting = [block_texts(&rendered.libraries), block_texts(&rendered.start)].concat();
    let groups = match early {
        Some(early) => {
            vec![
                (early, [imports, block_texts(&rendered.libraries)].concat()),
                (start, block_texts(&rendered.start)),
            ]
        }
        None if top.at == start.at => vec![(start, [imports, starting].concat())],
        None => vec![(&top, imports), (start, starting)],
    };
    let filled = groups.into_iter().filter(|(_, group)| !group.is_empty());
    filled.map(|(spot, group)| insert_blocks(source, spot, &group)).collect()
}

fn block_texts(blocks: &[String]) -> Vec<&str> {
    blocks.iter().map(String::as_str).collect()
}

/// Parses the result and checks it: the same applications, and only the inserted calls added.
fn check_initialised(before: &PythonModule, added: &[&str], after: &str) -> Result<(), String> {
    let read = |text: &str| {
        PythonModule::read_with(Path::new(""), text, &before.flask)
            .map_err(|error| format!("line {}: {}", error.line, error.message))
    };
    let callees = |module: PythonModule| module.calls.into_iter().map(|call| call.callee);
    let after = read(after)?;
    let targets = |apps: &[PythonApp]| -> Vec<AppBinding> {
        apps.iter().map(|app| app.target.clone()).collect()
    };
    let same_apps = targets(&before.apps) == targets(&after.apps);
    let mut expected: Vec<String> = callees(before.clone()).collect();
    for block in added {
        expected.extend(callees(read(block)?));
    }
    let mut got: Vec<String> = callees(after).collect();
    expected.sort();
    got.sort();
    if expected == got && same_apps {
        Ok(())
    } else {
        Err("the result would not mean what was planned".to_owned())
    }
}
