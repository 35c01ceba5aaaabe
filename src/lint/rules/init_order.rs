//! `init-order`: lines of the tracing setup in the wrong order.

use crate::edit::python::order::{MistakeEffect, find_order_mistakes, never_set};
use crate::edit::python::source::PythonSource;
use crate::lint::packages::PythonFile;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};
use crate::plan::instrument::graph::ImportGraph;
use crate::plan::instrument::late::late_instrumentations;
use crate::plan::instrument::modules::is_test;

pub(super) static RULE: LintRule = LintRule {
    code: "init-order",
    severity: Severity::Error,
    why: "instrumenting an application before it exists stops the program; code that never runs traces nothing",
    explanation: "`instrument_app(app)` belongs after `app = Flask(…)`, at module level: `flask run` and gunicorn \
        import the module and never run the code under `if __name__ == \"__main__\"`. \
        `FlaskInstrumentor().instrument()` changes the class, so it belongs before the application is created; \
        called later, `flask run` finds no application. Libraries are instrumented before the application's own \
        modules are imported: a pool or an engine that one of them creates first stays untraced.",
    failing: &[
        (
            "app.py",
            "from flask import Flask\nfrom opentelemetry.instrumentation.flask import FlaskInstrumentor\nFlaskInstrumentor().instrument_app(app) # <-\napp = Flask(__name__)\n",
        ),
        (
            "b/app.py",
            "from flask import Flask\nfrom opentelemetry.instrumentation.flask import FlaskInstrumentor\napp = Flask(__name__)\nFlaskInstrumentor().instrument() # <-\n",
        ),
        (
            "c/app.py",
            "from flask import Flask\nfrom opentelemetry.instrumentation.flask import FlaskInstrumentor\napp = Flask(__name__)\nif __name__ == '__main__':\n    FlaskInstrumentor().instrument_app(app) # <-\n",
        ),
        (
            "x/app.py",
            "from flask import Flask\nfrom aws_xray_sdk.core import xray_recorder\nfrom aws_xray_sdk.ext.flask.middleware import XRayMiddleware\nXRayMiddleware(app, xray_recorder) # <-\napp = Flask(__name__)\n",
        ),
        ("d/db.py", "from psycopg_pool import ConnectionPool\npool = ConnectionPool()\n"),
        (
            "d/app.py",
            "from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor\nfrom db import pool\nPsycopgInstrumentor().instrument() # <-\n",
        ),
    ],
    passing: &[
        (
            "app.py",
            "from flask import Flask\nfrom opentelemetry.instrumentation.flask import FlaskInstrumentor\napp = Flask(__name__)\nFlaskInstrumentor().instrument_app(app)\n",
        ),
        ("d/db.py", "from psycopg_pool import ConnectionPool\npool = ConnectionPool()\n"),
        (
            "d/app.py",
            "from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor\nPsycopgInstrumentor().instrument()\nfrom db import pool\n",
        ),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let files: Vec<&PythonFile> =
        inspection.python.iter().filter(|file| !is_test(&file.file.path)).collect();
    let graph = ImportGraph::new(files.iter().map(|file| &file.module), &[]);
    let late = files
        .iter()
        .enumerate()
        .flat_map(|(index, file)| find_late_instrumentations(&graph, index, file));
    let judged = inspection.python.iter().filter(|file| {
        !file.module.apps.is_empty() || calls_any(file, &["instrument", "TracerProvider"])
    });
    judged.flat_map(find_misplaced_lines).chain(late).collect()
}

/// Returns whether a module calls something by one of these names. Parsing the others again would take most of the
/// time.
fn calls_any(file: &PythonFile, names: &[&str]) -> bool {
    file.module.calls.iter().any(|call| names.contains(&&*call.name))
}

/// Reports library instrumentations that run after the import of a module that may open connections.
fn find_late_instrumentations(
    graph: &ImportGraph<'_>,
    index: usize,
    file: &PythonFile,
) -> Vec<RuleHit> {
    if !calls_any(file, &["instrument"]) {
        return Vec::new();
    }
    let Ok(source) = PythonSource::parse(&file.file.text) else {
        return Vec::new();
    };
    let found = late_instrumentations(graph, index, &source).into_iter().map(|mistake| {
        let advice = "move the line above the first import of the application's own modules";
        let hit = RuleHit::new(&file.file, file.offset(mistake.line), mistake.text, advice)
            .as_severe_as(Severity::Warning);
        if mistake.fix.is_empty() { hit } else { hit.fixed_by(mistake.fix) }
    });
    found.collect()
}

/// Reports lines that use the application before it is created, or that never run.
fn find_misplaced_lines(file: &PythonFile) -> Vec<RuleHit> {
    let Ok(source) = PythonSource::parse(&file.file.text) else { return Vec::new() };
    let module = &file.module;
    // Another module may set the provider; `init-incomplete` checks all modules.
    let elsewhere = never_set(&source, &module.imports, &module.calls);
    let found =
        find_order_mistakes(&source, &module.imports, &module.calls, &module.apps).into_iter();
    let found = found.filter(|mistake| Some(mistake) != elsewhere.as_ref());
    let hits = found.map(|mistake| {
        let advice = "move the line to module level, below the application";
        let hit = RuleHit::new(&file.file, file.offset(mistake.line), mistake.text, advice);
        let graded = match mistake.effect {
            MistakeEffect::NoStart => hit,
            MistakeEffect::Untraced => hit.as_severe_as(Severity::Warning),
        };
        if mistake.fix.is_empty() { graded } else { graded.fixed_by(mistake.fix) }
    });
    hits.collect()
}
