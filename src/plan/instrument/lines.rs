//! Renders the inserted lines from `templates/python/`.

use std::collections::BTreeMap;

use minijinja::context;
use serde::Serialize;

use super::catalogue::{ImportedSymbol, InstrumentedLibrary, python_catalogue};
use crate::edit::python::bindings::{ImportDepth, PythonImport};
use crate::edit::python::framework::{FRAMEWORKS, PythonFramework};
use crate::error::Result;
use crate::provider::{Addon, render_template};

/// The setup that a module needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ModuleNeeds {
    /// The name for the provider's variable, if the module needs one.
    pub provider: Option<String>,
    /// Classes that instrument libraries.
    pub instrumentors: Vec<ImportedSymbol>,
    /// Those that a Celery worker should not run.
    pub outside_workers: Vec<String>,
    /// Applications to trace, with their frameworks.
    pub apps: Vec<(String, &'static PythonFramework)>,
    /// The requested addons.
    pub addons: Vec<AddonNeeds>,
}

/// The setup of an addon that a module needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AddonNeeds {
    /// The addon.
    pub addon: Addon,
    /// The service's name, if the module starts the addon.
    pub service: Option<String>,
    /// The applications passed to it.
    pub apps: Vec<String>,
}

/// Rendered blocks, not indented, with lines ending in `\n`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct InsertedBlocks {
    /// Lines for the imports.
    pub imports: Vec<String>,
    /// Lines before the first use of a library.
    pub libraries: Vec<String>,
    /// Lines before the application.
    pub start: Vec<String>,
    /// Lines after the application of this name.
    pub hooks: Vec<(String, String)>,
}

/// One import line.
#[derive(Serialize)]
pub(super) struct ImportLine {
    module: String,
    name: String,
    alias: Option<String>,
}

impl ImportLine {
    fn text(&self) -> String {
        let from = match self.module.as_str() {
            "" => String::new(),
            module => format!("from {module} "),
        };
        let alias = self.alias.as_ref().map(|alias| format!(" as {alias}"));
        format!("{from}import {}{}", self.name, alias.unwrap_or_default())
    }
}

/// Returns the class that instruments `requests`.
pub(crate) fn requests_symbol() -> ImportedSymbol {
    ImportedSymbol::new("opentelemetry.instrumentation.requests", "RequestsInstrumentor")
}

/// Returns the class that instruments a library.
pub(crate) fn instrumentor(library: &InstrumentedLibrary) -> ImportedSymbol {
    ImportedSymbol::new(&library.module, &library.class)
}

fn needed_symbols(needs: &ModuleNeeds) -> Vec<ImportedSymbol> {
    let mut wanted = Vec::new();
    if needs.provider.is_some() {
        wanted.push(ImportedSymbol::new("opentelemetry", "trace"));
        wanted.push(ImportedSymbol::new(
            "opentelemetry.exporter.otlp.proto.http.trace_exporter",
            "OTLPSpanExporter",
        ));
    }
    for framework in
        FRAMEWORKS.iter().filter(|framework| needs.apps.iter().any(|(_, of)| of == framework))
    {
        let (module, class) = framework.instrumentor;
        wanted.push(ImportedSymbol::new(module, class));
    }
    wanted.extend(needs.instrumentors.iter().cloned());
    if !needs.outside_workers.is_empty() {
        wanted.push(ImportedSymbol::new("sys", "argv"));
    }
    if needs.provider.is_some() {
        wanted.push(ImportedSymbol::new("opentelemetry.sdk.trace", "TracerProvider"));
        wanted.push(ImportedSymbol::new("opentelemetry.sdk.trace.export", "BatchSpanProcessor"));
    }
    wanted
}

/// The names in a module, and the positions of inserted lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ModuleNames<'n> {
    /// The module's imports.
    pub imports: &'n [PythonImport],
    /// Names the module binds itself.
    pub taken: &'n [String],
    /// The byte offset of inserted lines; later imports are not available there.
    pub limit: usize,
    /// The byte offset of library instrumentations, if it differs.
    pub early: Option<usize>,
}

/// Renders the setup a module needs.
///
/// # Errors
/// `internal`, when a template does not render.
pub(crate) fn render_blocks(
    needs: &ModuleNeeds,
    module: ModuleNames<'_>,
) -> Result<InsertedBlocks> {
    let mut blocks = InsertedBlocks::default();
    let early =
        |symbol: &ImportedSymbol| needs.instrumentors.contains(symbol) || symbol.module == "sys";
    let limit =
        |symbol: &ImportedSymbol| module.early.filter(|_| early(symbol)).unwrap_or(module.limit);
    let names = bring_in_all("OpenTelemetry", &needed_symbols(needs), module, limit, &mut blocks)?;
    let apart = module.early.is_some() || needs.provider.is_none();
    let libraries = render_libraries(needs, &names, apart)?;
    if let Some(provider) = &needs.provider {
        let template = include_str!("../../../templates/python/provider.py");
        let mut block = render_template(template, context! { provider, names => names.clone() })?;
        if !apart && !libraries.is_empty() {
            block += &libraries;
        }
        blocks.start.push(block);
    }
    if apart && !libraries.is_empty() {
        blocks.libraries.push(libraries);
    }
    for (app, framework) in &needs.apps {
        let template = include_str!("../../../templates/python/hooks.py");
        let (_, class) = framework.instrumentor;
        let values = context! { names => names.clone(), class, app => app.as_str() };
        let block = render_template(template, values)?;
        blocks.hooks.push((app.clone(), block));
    }
    for addon in &needs.addons {
        render_addon(addon, module, &mut blocks)?;
    }
    Ok(blocks)
}

fn render_libraries(
    needs: &ModuleNeeds,
    names: &BTreeMap<String, String>,
    apart: bool,
) -> Result<String> {
    let classes: Vec<String> =
        needs.instrumentors.iter().map(|symbol| symbol.name.clone()).collect();
    if classes.is_empty() {
        return Ok(String::new());
    }
    let template = include_str!("../../../templates/python/libraries.py");
    let outside = needs.outside_workers.clone();
    let text = render_template(
        template,
        context! { apart, names => names.clone(), instrumentors => classes, outside_workers => outside },
    )?;
    Ok(text.trim_start_matches('\n').to_owned())
}

fn render_addon(
    needs: &AddonNeeds,
    module: ModuleNames<'_>,
    blocks: &mut InsertedBlocks,
) -> Result<()> {
    let Some(facts) = python_catalogue().addon(needs.addon) else {
        return Ok(());
    };
    let templates = needs.addon.templates();
    let names =
        bring_in_all(needs.addon.title(), &facts.imports, module, |_| module.limit, blocks)?;
    if let Some(service) = &needs.service {
        let values = context! { names => names.clone(), service => service.as_str() };
        blocks.start.push(render_template(templates.start, values)?);
    }
    for app in &needs.apps {
        let block = render_template(
            templates.hook,
            context! { names => names.clone(), app => app.as_str() },
        )?;
        blocks.hooks.push((app.clone(), block));
    }
    Ok(())
}

/// Returns the name of each symbol in the module, and adds missing imports to `blocks`.
fn bring_in_all(
    title: &str,
    symbols: &[ImportedSymbol],
    module: ModuleNames<'_>,
    limit: impl Fn(&ImportedSymbol) -> usize,
    blocks: &mut InsertedBlocks,
) -> Result<BTreeMap<String, String>> {
    let mut names = BTreeMap::new();
    let mut lines = Vec::new();
    for symbol in symbols {
        let (local, line) = bring_in(symbol, ModuleNames { limit: limit(symbol), ..module });
        names.insert(symbol.name.clone(), local);
        let is_there = |line: &ImportLine| {
            let text = line.text();
            blocks.imports.iter().any(|block| block.lines().any(|other| other == text))
        };
        lines.extend(line.filter(|line| !is_there(line)));
    }
    if !lines.is_empty() {
        blocks.imports.push(render_imports(title, lines)?);
    }
    Ok(names)
}

/// Renders a block of imports.
pub(super) fn render_imports(title: &str, lines: Vec<ImportLine>) -> Result<String> {
    let lines = minijinja::value::Serde(lines);
    let template = include_str!("../../../templates/python/imports.py");
    render_template(template, context! { title => title, imports => lines })
}

/// Returns the name of a symbol in the module, and the import to add if it has none.
pub(super) fn bring_in(
    symbol: &ImportedSymbol,
    module: ModuleNames<'_>,
) -> (String, Option<ImportLine>) {
    let path = symbol.path();
    let existing = module.imports.iter().find(|import| {
        import.path == path
            && import.depth == ImportDepth::Top
            && import.start < module.limit
            && !import.local.is_empty()
    });
    if let Some(import) = existing {
        return (import.local.clone(), None);
    }
    // `import os` has `environ` in it.
    let whole = module.imports.iter().find(|import| {
        import.path == symbol.module
            && !symbol.module.contains('.')
            && import.depth == ImportDepth::Top
            && import.start < module.limit
            && !import.local.is_empty()
    });
    if let Some(whole) = whole {
        return (format!("{}.{}", whole.local, symbol.name), None);
    }
    let clashes = module.taken.contains(&symbol.name)
        || module.imports.iter().any(|import| import.local == symbol.name && import.path != path);
    let alias = clashes.then(|| format!("otel_{}", symbol.name));
    let line = ImportLine {
        module: symbol.module.clone(),
        name: symbol.name.clone(),
        alias: alias.clone(),
    };
    (alias.unwrap_or_else(|| symbol.name.clone()), Some(line))
}
