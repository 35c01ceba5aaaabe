//! Finds lines of existing code that run too early, too late or never, and the patches that fix them.

use std::ops::Range;

use super::bindings::PythonImport;
use super::calls::{CallExtent, CallScope, PythonCall};
use super::flask::PythonApp;
use super::framework::PythonFramework;
use super::source::{NodeParents, PythonSource};
use super::telemetry::passes_argument;
use crate::edit::patch::TextPatch;
use crate::edit::text::{line_end, line_start};

/// A mistake in the order of the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderMistake {
    /// Line number, starting at 1.
    pub line: usize,
    /// The mistake and its effect: lowercase, without a full stop.
    pub text: String,
    /// The effect of the mistake.
    pub effect: MistakeEffect,
    /// The patches that fix it; empty if it needs a manual fix.
    pub fix: Vec<TextPatch>,
}

/// The effect of a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MistakeEffect {
    /// The application does not start.
    NoStart,
    /// Some requests or calls are not traced.
    Untraced,
}

/// Lists the mistakes in one module, in source order.
pub(crate) fn find_order_mistakes(
    source: &PythonSource<'_>,
    imports: &[PythonImport],
    calls: &[PythonCall],
    apps: &[PythonApp],
) -> Vec<OrderMistake> {
    let mut found: Vec<OrderMistake> = apps
        .iter()
        .filter(|app| app.scope == CallScope::Module && app.statement == app.top)
        .filter_map(|app| Some((app, app.name()?)))
        .flat_map(|(app, name)| find_misplaced_calls(source, calls, app, name))
        .collect();
    found.extend(class_wide(source, imports, calls));
    found.extend(never_set(source, imports, calls));
    found.sort_by_key(|mistake| mistake.line);
    found.dedup_by_key(|mistake| mistake.line);
    found
}

/// Finds calls that use an application before it exists, or instrument it only when the file runs as a program.
fn find_misplaced_calls(
    source: &PythonSource<'_>,
    calls: &[PythonCall],
    app: &PythonApp,
    name: &str,
) -> Vec<OrderMistake> {
    let handing = calls.iter().filter(|call| passes_argument(call, name));
    handing
        .filter_map(|call| {
            let early = call.scope == CallScope::Module && call.statement.end <= app.statement.start;
            let late = call.scope == CallScope::Main && call.name == "instrument_app";
            let (effect, text) = if early && !is_bound_before(source, name, call.statement.start) {
                let text = format!("`{}` uses `{name}` before it is created: the application does not start", call.name);
                (MistakeEffect::NoStart, text)
            } else if late {
                let text = format!("`{}` runs only when this file is run as a program, not under `flask run` or gunicorn", call.name);
                (MistakeEffect::Untraced, text)
            } else {
                return None;
            };
            Some(OrderMistake {
                line: source.line_number(call.range.start),
                text,
                effect,
                fix: move_after_app(source, &call.statement, app).unwrap_or_default(),
            })
        })
        .collect()
}

fn is_bound_before(source: &PythonSource<'_>, name: &str, at: usize) -> bool {
    super::source::walk_preorder(source.root())
        .take_while(|node| node.start_byte() < at)
        .any(|node| super::bindings::bound_by(source, node).iter().any(|bound| bound == name))
}

/// Moves the statement below the creation of the application; `None` if its lines hold other code.
fn move_after_app(
    source: &PythonSource<'_>,
    statement: &Range<usize>,
    app: &PythonApp,
) -> Option<Vec<TextPatch>> {
    let lines = whole_lines(source, statement)?;
    let old = source.indent(statement.start);
    let new = source.indent(app.statement.start);
    let ending = source.ending.text();
    let mut text: String = source.text[lines.clone()]
        .split_inclusive('\n')
        .map(|line| format!("{new}{}", line.strip_prefix(old).unwrap_or(line)))
        .collect();
    if !text.ends_with('\n') {
        text.push_str(ending);
    }
    let at = line_end(source.text, app.statement.end);
    let lead = if source.text[..at].ends_with('\n') { "" } else { ending };
    Some(vec![TextPatch::replace(lines, ""), TextPatch::insert(at, format!("{lead}{text}"))])
}

/// Returns the lines of a statement if they hold no other code and its block would not become empty.
pub(crate) fn whole_lines(
    source: &PythonSource<'_>,
    statement: &Range<usize>,
) -> Option<Range<usize>> {
    let lines = line_start(source.text, statement.start)..line_end(source.text, statement.end);
    let before = source.text[lines.start..statement.start].trim();
    let behind = source.text[statement.end..lines.end].trim();
    let node = source.root().descendant_for_byte_range(statement.start, statement.end)?;
    let parents = NodeParents::of(source);
    let block = parents.parent(parents.statement(node)?)?;
    let alone = before.is_empty() && (behind.is_empty() || behind.starts_with('#'));
    (alone && (block.kind() == "module" || block.named_child_count() > 1)).then_some(lines)
}

/// Finds `FlaskInstrumentor().instrument()`, which replaces the class and does not affect modules that imported it
/// earlier.
fn class_wide(
    source: &PythonSource<'_>,
    imports: &[PythonImport],
    calls: &[PythonCall],
) -> Option<OrderMistake> {
    let (call, framework) = calls
        .iter()
        .filter(|call| call.name == "instrument")
        .find_map(|call| Some((call, PythonFramework::traced_by(&call.callee)?)))?;
    let late = imports.iter().any(|import| {
        import.path.split('.').next() == Some(framework.package) && import.start < call.range.start
    });
    late.then(|| OrderMistake {
        line: source.line_number(call.range.start),
        text: format!(
            "`{}().instrument()` comes after `{}` was imported: no request is traced",
            framework.instrumentor.1, framework.package
        ),
        effect: MistakeEffect::Untraced,
        fix: match (call.extent, whole_lines(source, &call.statement)) {
            (CallExtent::Whole, Some(lines)) => vec![TextPatch::replace(lines, "")],
            _ => Vec::new(),
        },
    })
}

/// Finds a tracer provider that the module creates and never sets, so that no span reaches it.
pub(crate) fn never_set(
    source: &PythonSource<'_>,
    imports: &[PythonImport],
    calls: &[PythonCall],
) -> Option<OrderMistake> {
    if calls.iter().any(|call| {
        call.name == "set_tracer_provider"
            || call.arguments.iter().any(|argument| argument.contains("tracer_provider="))
    }) {
        return None;
    }
    let provider = calls
        .iter()
        .find(|call| call.name == "TracerProvider" && call.scope == CallScope::Module)?;
    let statement = &source.text[provider.statement.clone()];
    let variable = statement.split('=').next()?.trim();
    let is_name = variable.chars().all(|c| c.is_alphanumeric() || c == '_');
    let trace = imports
        .iter()
        .find(|import| import.path == "opentelemetry.trace" && import.start < provider.range.start);
    let last = calls
        .iter()
        .filter(|call| {
            call.callee == format!("{variable}.add_span_processor")
                && call.scope == CallScope::Module
        })
        .map(|call| call.statement.end)
        .max()
        .unwrap_or(provider.statement.end);
    let at = line_end(source.text, last);
    let fix = match trace {
        Some(trace) if is_name && source.text[..at].ends_with('\n') => {
            let line =
                format!("{}.set_tracer_provider({variable}){}", trace.local, source.ending.text());
            vec![TextPatch::insert(
                at,
                format!("{}{line}", source.indent(provider.statement.start)),
            )]
        }
        _ => Vec::new(),
    };
    Some(OrderMistake {
        line: source.line_number(provider.range.start),
        text: "this provider is never set: `set_tracer_provider` is missing, and no span is sent"
            .to_owned(),
        effect: MistakeEffect::Untraced,
        fix,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{
        bindings::list_imports, calls::list_calls, flask::FlaskNames, flask::list_apps,
    };
    use super::*;
    use crate::edit::patch;

    #[track_caller]
    fn check(before: &str, lines: &[usize], after: &str) {
        let fixed = |text: &str| {
            let source = PythonSource::parse(text).unwrap();
            let imports = list_imports(&source);
            let found = find_order_mistakes(
                &source,
                &imports,
                &list_calls(&source, &imports),
                &list_apps(&source, &imports, &FlaskNames::default()),
            );
            let patches: Vec<TextPatch> =
                found.iter().flat_map(|mistake| mistake.fix.clone()).collect();
            let lines: Vec<usize> = found.iter().map(|mistake| mistake.line).collect();
            (lines, patch::apply(text, &patches).unwrap())
        };
        assert_eq!(fixed(before), (lines.to_vec(), after.to_owned()));
        assert!(fixed(after).0.is_empty());
    }

    #[test]
    fn early_uses_of_the_application_move_behind_it() {
        check(
            "from flask import Flask\nXRayMiddleware(app, xray_recorder)  # early\nFlaskInstrumentor().instrument_app(app)\n\napp = Flask(__name__)\nX = 1\n",
            &[2, 3],
            "from flask import Flask\n\napp = Flask(__name__)\nXRayMiddleware(app, xray_recorder)  # early\nFlaskInstrumentor().instrument_app(app)\nX = 1\n",
        );
    }

    #[test]
    fn hooks_of_a_program_move_to_the_module() {
        check(
            "from flask import Flask\napp = Flask(__name__)\n\nif __name__ == '__main__':\n    FlaskInstrumentor().instrument_app(app)\n    app.run()\n",
            &[5],
            "from flask import Flask\napp = Flask(__name__)\nFlaskInstrumentor().instrument_app(app)\n\nif __name__ == '__main__':\n    app.run()\n",
        );
    }

    #[test]
    fn a_class_that_was_imported_already_is_not_changed() {
        check(
            "from flask import Flask\nFlaskInstrumentor().instrument()\napp = Flask(__name__)\n",
            &[2],
            "from flask import Flask\napp = Flask(__name__)\n",
        );
    }

    #[test]
    fn an_unset_provider_is_set() {
        check(
            "from opentelemetry import trace\nprovider = TracerProvider()\nprovider.add_span_processor(x)\ny = 1\n",
            &[2],
            "from opentelemetry import trace\nprovider = TracerProvider()\nprovider.add_span_processor(x)\ntrace.set_tracer_provider(provider)\ny = 1\n",
        );
    }

    #[test]
    fn a_provider_is_set_where_it_has_a_name() {
        for name in ["p", "tracer_provider", "_provider2"] {
            let text = format!("from opentelemetry import trace as t\n{name} = TracerProvider()\n");
            check(&text, &[2], &format!("{text}t.set_tracer_provider({name})\n"));
        }
    }

    #[test]
    fn an_unnamed_provider_is_reported_and_not_set() {
        for target in ["app.provider", "providers[0]", "a, b"] {
            let text = format!("from opentelemetry import trace\n{target} = TracerProvider()\n");
            let source = PythonSource::parse(&text).unwrap();
            let imports = list_imports(&source);
            let found = never_set(&source, &imports, &list_calls(&source, &imports)).unwrap();
            assert_eq!((found.line, found.fix.len()), (2, 0), "{target}");
        }
    }

    #[test]
    fn a_right_order_is_no_mistake() {
        let right = "from flask import Flask\napp = None\nCORS(app)\napp = Flask(__name__)\nXRayMiddleware(app, r)\ndef f():\n  g(app)\n";
        check(right, &[], right);
    }
}
