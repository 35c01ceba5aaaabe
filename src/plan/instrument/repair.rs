//! Fixes mistakes in existing code, including those that matter only for traced browsers.

use super::MistakePolicy;
use super::graph::ImportGraph;
use super::late::late_instrumentations;
use super::lists::FlaskGeneration;
use crate::edit::patch::{self, TextPatch};
use crate::edit::python::bindings::list_imports;
use crate::edit::python::calls::list_calls;
use crate::edit::python::flask::list_apps;
use crate::edit::python::order::MistakeEffect;
use crate::edit::python::source::PythonSource;
use crate::edit::python::{cors, order, retired};
use crate::plan::Note;

/// The command that fixes reported mistakes.
pub const REPAIR: &str = "cruddur-ops instrument --fix";

/// Headers a traced browser sends.
const TRACE_HEADERS: [&str; 2] = ["traceparent", "tracestate"];

/// Returns the text with or without its mistakes fixed, and notes on them.
pub(super) fn fix_mistakes(
    text: &str,
    name: &str,
    flask: FlaskGeneration,
    mistakes: MistakePolicy,
    (graph, index): (&ImportGraph<'_>, usize),
) -> (String, Vec<Note>) {
    let Ok(source) = PythonSource::parse(text) else {
        return (text.to_owned(), Vec::new());
    };
    let imports = list_imports(&source);
    let mut found = order::find_order_mistakes(
        &source,
        &imports,
        &list_calls(&source, &imports),
        &list_apps(&source, &imports, &graph.module(index).flask),
    );
    if flask == FlaskGeneration::Current {
        found.extend(retired::find_retired_hooks(&source));
    }
    found.extend(late_instrumentations(graph, index, &source));
    let mut patches: Vec<TextPatch> = Vec::new();
    let mut notes = Vec::new();
    for mistake in found {
        let note_text = format!("{name}:{}: {}", mistake.line, mistake.text);
        let fixes = match mistakes {
            MistakePolicy::Say => false,
            MistakePolicy::Start => mistake.effect == MistakeEffect::NoStart,
            MistakePolicy::Fix => true,
        };
        notes.push(match (fixes, mistake.fix.is_empty()) {
            (_, true) => Note::warning(note_text),
            (false, false) => Note::warning(note_text).hint(format!("`{REPAIR}` fixes it")),
            (true, false) => Note::fact(format!("{note_text}; fixed")),
        });
        if fixes {
            patches.extend(mistake.fix);
        }
    }
    (apply_patches(text, &patches), notes)
}

/// Returns the text with the headers of a traced browser allowed and exposed.
pub(super) fn allow_trace_headers(text: &str, name: &str) -> (String, Vec<Note>) {
    let Ok(source) = PythonSource::parse(text) else {
        return (text.to_owned(), Vec::new());
    };
    let found = cors::admit(&source, &list_imports(&source), &TRACE_HEADERS);
    let notes = found.unclear.iter().map(|line| {
        Note::warning(format!(
            "{name}:{line}: these headers are computed; a traced browser needs two more"
        ))
        .hint(format!("add {} to them", TRACE_HEADERS.join(" and ")))
    });
    (apply_patches(text, &found.patches), notes.collect())
}

fn apply_patches(text: &str, patches: &[TextPatch]) -> String {
    patch::apply(text, patches).unwrap_or_else(|| text.to_owned())
}
