//! `rollbar-not-started`: a function that starts Rollbar and is never called.

use crate::edit::python::calls::CallScope;
use crate::lint::packages::PythonFile;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "rollbar-not-started",
    severity: Severity::Warning,
    why: "Rollbar is never started, so no error is reported",
    explanation: "`rollbar.init` is in a function that nothing calls and no decorator registers. Call it where the \
        application is created: `with app.app_context(): init_rollbar()`.",
    failing: &[(
        "app.py",
        "import os, rollbar\nfrom flask import Flask\napp = Flask(__name__)\ndef init_rollbar():\n    rollbar.init(os.getenv('ROLLBAR_ACCESS_TOKEN'), 'production') # <-\n",
    )],
    passing: &[
        (
            "app.py",
            "import os, rollbar\nfrom flask import Flask\napp = Flask(__name__)\ndef init_rollbar():\n    rollbar.init(os.getenv('ROLLBAR_ACCESS_TOKEN'), 'production')\nwith app.app_context():\n    init_rollbar()\n",
        ),
        (
            "hook/app.py",
            "import os, rollbar\nfrom flask import Flask\napp = Flask(__name__)\n@app.before_request\ndef start():\n    rollbar.init(os.getenv('ROLLBAR_ACCESS_TOKEN'), 'production')\n",
        ),
        (
            "lib/rollbar_setup.py",
            "import rollbar\ndef init_errors(token):\n    rollbar.init(token)\n",
        ),
        ("lib/main.py", "from rollbar_setup import init_errors\ninit_errors('x')\n"),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for file in &inspection.python {
        for call in &file.module.calls {
            let CallScope::Function { name, .. } = &call.scope else { continue };
            if call.callee == "rollbar.init" && !may_run(inspection, file, name) {
                hits.push(RuleHit::new(
                    &file.file,
                    call.range.start,
                    format!("nothing calls {name}"),
                    format!(
                        "call it where the application is created: `with app.app_context(): {name}()`"
                    ),
                ));
            }
        }
    }
    hits
}

/// Returns whether the function may run: a decorator registers it, Python calls it itself, or a line refers to it.
fn may_run(inspection: &Inspection, file: &PythonFile, name: &str) -> bool {
    let mut before = "";
    let mut is_registered = name.starts_with("__");
    for (_, line) in file.file.lines() {
        let code = line.trim_start();
        if code.contains(&format!("def {name}(")) {
            is_registered |=
                before.starts_with('@') || before.starts_with(')') || before.starts_with("class ");
        }
        if !code.is_empty() {
            before = code;
        }
    }
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mentions: usize = inspection
        .python
        .iter()
        .flat_map(|file| file.file.text.match_indices(name).map(|(at, _)| (&file.file.text, at)))
        .filter(|(text, at)| {
            !text[..*at].ends_with(is_name) && !text[at + name.len()..].starts_with(is_name)
        })
        .count();
    is_registered || mentions > 1
}
