//! `before-first-request`: Rollbar's old hook, which Flask no longer has.

use crate::edit::requirements::Requirements;
use crate::lint::{Hit, Inspection, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    code: "before-first-request",
    severity: Severity::Error,
    why: "Flask 2.3 removed it, so the program stops with AttributeError as soon as the image is built anew",
    explanation: "The setup of Rollbar used `@app.before_first_request`. Since Flask 2.3 the work is done at start: `with \
        app.app_context(): init_rollbar()` below the function. With Flask pinned below 2.3 the hook still works and is not reported.",
    failing: &[
        ("requirements.txt", "flask\n"),
        (
            "app.py",
            "from flask import Flask\napp = Flask(__name__)\n@app.before_first_request # <-\ndef init_rollbar():\n    pass\n",
        ),
    ],
    passing: &[
        ("requirements.txt", "flask==2.2.3\n"),
        (
            "app.py",
            "from flask import Flask\napp = Flask(__name__)\n@app.before_first_request\ndef init_rollbar():\n    pass\n",
        ),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<Hit> {
    let mut hits = Vec::new();
    for file in &inspection.python {
        let lists = inspection.requirements_for(file);
        let old = lists.iter().any(|requirements| has_the_hook(&requirements.read));
        if old || file.module.apps.is_empty() {
            continue;
        }
        for (at, line) in file.file.lines() {
            let code = line.trim_start();
            if code.starts_with('@') && code.contains(".before_first_request") {
                hits.push(Hit::new(
                    &file.file,
                    at + line.len() - code.len(),
                    "Flask has no before_first_request since 2.3",
                    "take the decorator off, and call the function in `with app.app_context():` below it",
                ));
            }
        }
    }
    hits
}

/// Every version of Flask that the list allows is older than 2.3.
fn has_the_hook(requirements: &Requirements) -> bool {
    let flask = requirements.entries.iter().find(|entry| entry.name == "flask");
    flask.is_some_and(|entry| entry.is_older_than(&[2, 3]))
}
