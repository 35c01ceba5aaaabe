//! Moves existing library instrumentations that run only after an import lets the library connect.

use super::catalogue::{InstrumentReach, InstrumentedLibrary, python_catalogue};
use super::graph::{ImportGraph, running_imports};
use super::initialise::early_spot;
use super::modules::PythonModule;
use crate::edit::patch::TextPatch;
use crate::edit::python::bindings::{ImportDepth, PythonImport};
use crate::edit::python::calls::{CallExtent, CallScope, PythonCall};
use crate::edit::python::order::{MistakeEffect, OrderMistake, whole_lines};
use crate::edit::python::source::PythonSource;

/// Finds instrumentations in the module `index`, with text `source`, that come too late, and moves each above the
/// import that uses the library.
pub(crate) fn late_instrumentations(
    graph: &ImportGraph<'_>,
    index: usize,
    source: &PythonSource<'_>,
) -> Vec<OrderMistake> {
    let module = graph.module(index);
    let calls = module.calls.iter().filter(|call| {
        call.name == "instrument"
            && matches!(call.scope, CallScope::Module | CallScope::Conditional)
    });
    let found = calls.filter_map(|call| {
        let library = instrumented_library(call)?;
        let import = first_user(graph, index, library, call.range.start)?;
        let text = format!(
            "`{}` runs after `{}` was imported, and connections made there stay untraced",
            source.of_range(&call.range),
            import.path
        );
        let fix = move_call(source, module, library, call, import.start).unwrap_or_default();
        Some(OrderMistake {
            line: source.line_number(call.range.start),
            text,
            effect: MistakeEffect::Untraced,
            fix,
        })
    });
    found.collect()
}

/// Returns whether a module instruments this library too late.
pub(crate) fn is_late(
    graph: &ImportGraph<'_>,
    index: usize,
    library: &InstrumentedLibrary,
) -> bool {
    let mut calls = graph.module(index).calls.iter().filter(|call| call.name == "instrument");
    calls.any(|call| {
        matches!(call.scope, CallScope::Module | CallScope::Conditional)
            && instrumented_library(call)
                .is_some_and(|instrumented| instrumented.class == library.class)
            && first_user(graph, index, library, call.range.start).is_some()
    })
}

/// Returns the library that a call instruments, if earlier connections stay untraced.
fn instrumented_library(call: &PythonCall) -> Option<&'static InstrumentedLibrary> {
    let class = call.callee.strip_suffix("().instrument")?.rsplit('.').next()?;
    let mut libraries = python_catalogue().libraries.iter();
    libraries.find(|library| library.class == class && library.reach == InstrumentReach::Later)
}

/// Returns the first import before byte `limit` that runs an application module that imports the library.
fn first_user<'m>(
    graph: &ImportGraph<'m>,
    index: usize,
    library: &InstrumentedLibrary,
    limit: usize,
) -> Option<&'m PythonImport> {
    let uses = |module: &PythonModule| {
        running_imports(module).any(|import| library.connects(&import.path))
    };
    running_imports(graph.module(index)).take_while(|import| import.start < limit).find(|import| {
        let executed = graph.executed(index, import).into_iter();
        let mut run = executed.flat_map(|next| graph.runs_with(next));
        run.any(|next| next != index && uses(graph.module(next)))
    })
}

/// Returns patches that move the call, and the import of its class, before the statement at byte `at`.
fn move_call(
    source: &PythonSource<'_>,
    module: &PythonModule,
    library: &InstrumentedLibrary,
    call: &PythonCall,
    at: usize,
) -> Option<Vec<TextPatch>> {
    let constant = |argument: &String| {
        argument
            .split_once('=')
            .is_some_and(|(_, value)| matches!(value.trim(), "True" | "False" | "None"))
    };
    if call.extent != CallExtent::Whole
        || call.scope != CallScope::Module
        || !call.arguments.iter().all(constant)
    {
        return None;
    }
    let lines = whole_lines(source, &call.statement)?;
    let spot = early_spot(source, module, at);
    if spot.at >= lines.start {
        return None;
    }
    let ending = source.ending.text();
    let path = format!("{}.{}", library.module, library.class);
    let local = call.callee.split('(').next()?;
    let import =
        module.imports.iter().find(|import| import.path == path && import.local == local)?;
    let mut patches = vec![TextPatch::replace(lines, "")];
    let mut text = String::new();
    if import.depth != ImportDepth::Top || import.start > spot.at {
        text += &format!("from {} import {}", library.module, library.class);
        if local != library.class {
            text += &format!(" as {local}");
        }
        text += ending;
        let statement = source.top_range(import.start);
        let alone = module.imports.iter().filter(|other| other.start == import.start).count() == 1;
        if let Some(lines) =
            whole_lines(source, &statement).filter(|_| alone && import.depth == ImportDepth::Top)
        {
            patches.push(TextPatch::replace(lines, ""));
        }
    }
    text += &format!("{}{ending}{ending}", source.of_range(&call.statement));
    patches.push(TextPatch::insert(spot.at, text));
    Some(patches)
}
