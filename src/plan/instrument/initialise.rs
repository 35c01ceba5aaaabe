//! The lines that start tracing, put into a module that creates applications.

use std::path::Path;

use super::catalogue::Library;
use super::lines::{self, Blocks, Needs};
use super::modules::{Module, beside, is_hooked};
use crate::edit::patch::{self, Patch};
use crate::edit::python::flask::{App, Target};
use crate::edit::python::insert::{self, blocks};
use crate::edit::python::source::Source;

/// What the applications of one module lack.
pub(super) fn needs(modules: &[Module], index: usize, libraries: &[&Library]) -> Needs {
    let module = &modules[index];
    if !module.apps.iter().any(|app| app.name().is_some()) {
        return Needs::default();
    }
    let near = beside(modules, index);
    let has = |class: &str| {
        near.iter().any(|other| {
            let there = &modules[*other].telemetry.instrumentors;
            there.iter().any(|instrumentor| instrumentor == class)
        })
    };
    let provided = near
        .iter()
        .any(|other| modules[*other].telemetry.provider.is_some());
    let wanted = libraries.iter().map(|library| lines::instrumentor(library));
    let named = |app: &App| app.name().map(str::to_owned);
    let mut apps: Vec<String> = Vec::new();
    for app in module
        .apps
        .iter()
        .filter(|app| !is_hooked(modules, index, app))
    {
        apps.extend(named(app));
    }
    Needs {
        provider: (!provided).then(|| free_name(module)),
        instrumentors: std::iter::once(lines::requests())
            .chain(wanted)
            .filter(|symbol| !has(&symbol.name))
            .collect(),
        apps,
    }
}

fn free_name(module: &Module) -> String {
    let taken = |name: &&str| {
        module.names.iter().any(|own| own == name)
            || module.imports.iter().any(|import| import.local == **name)
    };
    let mut names = ["provider", "tracer_provider"].into_iter();
    names
        .find(|name| !taken(name))
        .unwrap_or("otel_provider")
        .to_owned()
}

/// The module's text with what it lacks, or why that cannot be written.
pub(super) fn initialised(text: &str, module: &Module, needs: &Needs) -> Result<String, String> {
    let source = Source::parse(text).map_err(|error| error.message)?;
    let Some(first) = module.apps.first() else {
        return Err("it creates no application".to_owned());
    };
    let start = insert::before(&source, &first.top);
    let rendered = lines::render_blocks(needs, &module.imports, &module.names, start.at)
        .map_err(|error| error.to_string())?;
    let mut patches = head(&source, module, &rendered, &start);
    let mut hooks = rendered.hooks.iter();
    for app in &module.apps {
        let wanted = app
            .name()
            .is_some_and(|name| needs.apps.iter().any(|app| app == name));
        if let (true, Some(hook)) = (wanted, hooks.next()) {
            let spot = insert::after(&source, &app.statement);
            patches.push(blocks(&source, &spot, &[hook]));
        }
    }
    let after = patch::apply(text, &patches).ok_or("the edits overlap")?;
    let all: Vec<&str> = rendered
        .imports
        .iter()
        .chain(&rendered.provider)
        .chain(&rendered.hooks)
        .map(String::as_str)
        .collect();
    check(module, &all, &after)?;
    Ok(after)
}

fn head(
    source: &Source<'_>,
    module: &Module,
    rendered: &Blocks,
    start: &insert::Spot,
) -> Vec<Patch> {
    let top = insert::after_imports(source, &module.imports, start.at);
    let imports = rendered.imports.as_deref();
    let provider = rendered.provider.as_deref();
    if top.at == start.at {
        let both: Vec<&str> = imports.into_iter().chain(provider).collect();
        return if both.is_empty() {
            Vec::new()
        } else {
            vec![blocks(source, start, &both)]
        };
    }
    let imports = imports.map(|block| blocks(source, &top, &[block]));
    let provider = provider.map(|block| blocks(source, start, &[block]));
    imports.into_iter().chain(provider).collect()
}

/// Reads the result again: the same applications, and the calls there were plus the calls of our lines.
fn check(before: &Module, added: &[&str], after: &str) -> Result<(), String> {
    let read = |text: &str| {
        Module::read(Path::new(""), text)
            .map_err(|error| format!("line {}: {}", error.line, error.message))
    };
    let after = read(after)?;
    let mut expected: Vec<String> = before
        .calls
        .iter()
        .map(|call| call.callee.clone())
        .collect();
    for block in added {
        expected.extend(read(block)?.calls.into_iter().map(|call| call.callee));
    }
    let mut got: Vec<String> = after.calls.into_iter().map(|call| call.callee).collect();
    expected.sort();
    got.sort();
    let targets = |apps: &[App]| {
        apps.iter()
            .map(|app| app.target.clone())
            .collect::<Vec<Target>>()
    };
    if expected == got && targets(&before.apps) == targets(&after.apps) {
        Ok(())
    } else {
        Err("the result would not mean what was planned".to_owned())
    }
}
