//! The lines that are inserted, from `templates/python/`.

use std::collections::BTreeMap;

use minijinja::context;
use serde::Serialize;

use super::catalogue::Library;
use crate::edit::python::bindings::{Depth, Import};
use crate::error::Result;
use crate::provider::render;

/// A name our lines use, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// `opentelemetry.sdk.trace`
    pub module: String,
    /// `TracerProvider`
    pub name: String,
}

impl Symbol {
    pub(super) fn new(module: &str, name: &str) -> Self {
        Self {
            module: module.to_owned(),
            name: name.to_owned(),
        }
    }
}

/// What a module needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The name of the provider's variable, where one is to be made.
    pub provider: Option<String>,
    /// Classes that instrument a library.
    pub instrumentors: Vec<Symbol>,
    /// Applications to trace.
    pub apps: Vec<String>,
}

/// Rendered blocks, not indented, lines ending in `\n`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blocks {
    /// Empty where every name is there already.
    pub imports: Option<String>,
    /// Provider and instrumented libraries.
    pub provider: Option<String>,
    /// One for each application.
    pub hooks: Vec<String>,
}

/// One import line.
#[derive(Serialize)]
pub(super) struct Line {
    module: String,
    name: String,
    alias: Option<String>,
}

/// The class that instruments `requests`.
pub fn requests() -> Symbol {
    Symbol::new(
        "opentelemetry.instrumentation.requests",
        "RequestsInstrumentor",
    )
}

/// The class that instruments a library.
pub fn instrumentor(library: &Library) -> Symbol {
    Symbol::new(&library.module, &library.class)
}

fn symbols(needs: &Needs) -> Vec<Symbol> {
    let mut wanted = Vec::new();
    if needs.provider.is_some() {
        wanted.push(Symbol::new("opentelemetry", "trace"));
        wanted.push(Symbol::new(
            "opentelemetry.exporter.otlp.proto.http.trace_exporter",
            "OTLPSpanExporter",
        ));
    }
    if !needs.apps.is_empty() {
        wanted.push(Symbol::new(
            "opentelemetry.instrumentation.flask",
            "FlaskInstrumentor",
        ));
    }
    wanted.extend(needs.instrumentors.iter().cloned());
    if needs.provider.is_some() {
        wanted.push(Symbol::new("opentelemetry.sdk.trace", "TracerProvider"));
        wanted.push(Symbol::new(
            "opentelemetry.sdk.trace.export",
            "BatchSpanProcessor",
        ));
    }
    wanted
}

/// Renders what a module needs; `imports` and `taken` are the names it has, `limit` the byte our lines go to.
///
/// # Errors
/// `internal`, when a template does not render.
pub fn render_blocks(
    needs: &Needs,
    imports: &[Import],
    taken: &[String],
    limit: usize,
) -> Result<Blocks> {
    let mut names = BTreeMap::new();
    let mut lines = Vec::new();
    for symbol in symbols(needs) {
        let (local, line) = bring_in(&symbol, imports, taken, limit);
        names.insert(symbol.name, local);
        lines.extend(line);
    }
    let classes: Vec<String> = needs
        .instrumentors
        .iter()
        .map(|symbol| symbol.name.clone())
        .collect();
    let mut blocks = Blocks::default();
    if !lines.is_empty() {
        let lines = minijinja::value::Serde(&lines);
        blocks.imports = Some(render(
            include_str!("../../../templates/python/imports.py"),
            context! { imports => lines },
        )?);
    }
    if needs.provider.is_some() || !classes.is_empty() {
        blocks.provider = Some(render(
            include_str!("../../../templates/python/provider.py"),
            context! { provider => needs.provider.as_deref(), names => names.clone(), instrumentors => classes },
        )?);
    }
    for app in &needs.apps {
        blocks.hooks.push(render(
            include_str!("../../../templates/python/hooks.py"),
            context! { names => names.clone(), app => app.as_str() },
        )?);
    }
    Ok(blocks)
}

/// The name a symbol has in the module, and the import that gives it one.
pub(super) fn bring_in(
    symbol: &Symbol,
    imports: &[Import],
    taken: &[String],
    limit: usize,
) -> (String, Option<Line>) {
    let path = format!("{}.{}", symbol.module, symbol.name);
    let there = imports
        .iter()
        .find(|import| import.path == path && import.depth == Depth::Top && import.start < limit);
    if let Some(import) = there {
        return (import.local.clone(), None);
    }
    let clashes = taken.contains(&symbol.name)
        || imports
            .iter()
            .any(|import| import.local == symbol.name && import.path != path);
    let alias = clashes.then(|| format!("otel_{}", symbol.name));
    let line = Line {
        module: symbol.module.clone(),
        name: symbol.name.clone(),
        alias: alias.clone(),
    };
    (alias.unwrap_or_else(|| symbol.name.clone()), Some(line))
}
