//! Fixes mistakes in existing code, including those that matter only for traced browsers.

use super::Mistakes;
use super::graph::ImportGraph;
use super::late::late_instrumentations;
use super::lists::Flask;
use crate::edit::patch::{self, Patch};
use crate::edit::python::bindings::imports;
use crate::edit::python::calls::calls;
use crate::edit::python::flask::apps;
use crate::edit::python::order::Effect;
use crate::edit::python::source::Source;
use crate::edit::python::{cors, order, retired};
use crate::plan::Note;

/// The command that fixes reported mistakes.
pub const REPAIR: &str = "cruddur-ops instrument --fix";

/// Headers a traced browser sends.
const TRACE_HEADERS: [&str; 2] = ["traceparent", "tracestate"];

/// Returns the text with or without its mistakes fixed, and notes on them.
pub(super) fn mistakes(
    text: &str,
    name: &str,
    flask: Flask,
    mistakes: Mistakes,
    (graph, index): (&ImportGraph<'_>, usize),
) -> (String, Vec<Note>) {
    let Ok(source) = Source::parse(text) else {
        return (text.to_owned(), Vec::new());
    };
    let imports = imports(&source);
    let mut found = order::mistakes(
        &source,
        &imports,
        &calls(&source, &imports),
        &apps(&source, &imports, &graph.module(index).flask),
    );
    if flask == Flask::Current {
        found.extend(retired::mistakes(&source));
    }
    found.extend(late_instrumentations(graph, index, &source));
    let mut patches: Vec<Patch> = Vec::new();
    let mut notes = Vec::new();
    for mistake in found {
        let said = format!("{name}:{}: {}", mistake.line, mistake.text);
        let fixes = match mistakes {
            Mistakes::Say => false,
            Mistakes::Start => mistake.effect == Effect::NoStart,
            Mistakes::Fix => true,
        };
        notes.push(match (fixes, mistake.fix.is_empty()) {
            (_, true) => Note::warning(said),
            (false, false) => Note::warning(said).hint(format!("`{REPAIR}` puts it right")),
            (true, false) => Note::fact(format!("{said}; put right")),
        });
        if fixes {
            patches.extend(mistake.fix);
        }
    }
    (patched(text, &patches), notes)
}

/// Returns the text with the headers of a traced browser allowed and exposed.
pub(super) fn headers(text: &str, name: &str) -> (String, Vec<Note>) {
    let Ok(source) = Source::parse(text) else {
        return (text.to_owned(), Vec::new());
    };
    let found = cors::admit(&source, &imports(&source), &TRACE_HEADERS);
    let notes = found.unclear.iter().map(|line| {
        Note::warning(format!(
            "{name}:{line}: these headers are computed; a traced browser needs two more"
        ))
        .hint(format!("add {} to them", TRACE_HEADERS.join(" and ")))
    });
    (patched(text, &found.patches), notes.collect())
}

fn patched(text: &str, patches: &[Patch]) -> String {
    patch::apply(text, patches).unwrap_or_else(|| text.to_owned())
}
