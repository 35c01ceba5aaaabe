//! `context-at-import`: a context-bound name of Flask used while the module is imported.

use crate::edit::python::context::{may_use_context, uses_at_import};
use crate::edit::python::source::PythonSource;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "context-at-import",
    severity: Severity::Error,
    why: "Flask stops with `Working outside of application context` before it serves a request",
    explanation: "`flask.g`, `current_app`, `request` and `session` exist only during a request or inside `with \
        app.app_context():`. `g.rollbar = init_rollbar(app)` at the top level of a module runs at import, outside of \
        both. Keep objects that live as long as the process in a module variable; `g` is cleared after each \
        request.",
    failing: &[(
        "app.py",
        "from flask import Flask, g\napp = Flask(__name__)\ng.rollbar = start(app) # <-\n",
    )],
    passing: &[(
        "app.py",
        "from flask import Flask, g\napp = Flask(__name__)\nwith app.app_context():\n    g.rollbar = start(app)\n@app.before_request\ndef user():\n    g.user = None\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for file in &inspection.python {
        let (text, imports) = (&file.file.text, &file.module.imports);
        if !may_use_context(text, imports) {
            continue;
        }
        let Ok(source) = PythonSource::parse(text) else { continue };
        let found = uses_at_import(&source, imports).into_iter();
        hits.extend(found.map(|(at, name)| {
            let message = format!("`{name}` does not exist while the module is imported");
            let advice = "use a module variable, or put the line inside `with app.app_context():`";
            RuleHit::new(&file.file, at, message, advice)
        }));
    }
    hits
}
