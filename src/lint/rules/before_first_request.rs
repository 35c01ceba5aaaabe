//! `before-first-request`: a hook of Rollbar's old guide that Flask no longer has.

use crate::edit::python::retired::find_retired_hooks;
use crate::edit::python::source::PythonSource;
use crate::edit::requirements::Requirements;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "before-first-request",
    severity: Severity::Error,
    why: "Flask 2.3 removed it: after the next image build the program stops with AttributeError",
    explanation: "Rollbar's setup guide used `@app.before_first_request`. Since Flask 2.3 the work is done at \
        startup: `with app.app_context(): init_rollbar()` below the function. With Flask pinned below 2.3 the hook \
        still works and is not reported.",
    failing: &[
        ("requirements.txt", "flask\n"),
        (
            "app.py",
            "from flask import Flask\napp = Flask(__name__)\n@app.before_first_request # <-\ndef init_rollbar():\n    pass\n",
        ),
    ],
    passing: &[
        (
            "other/app.py",
            "'''\n@app.before_first_request\n'''\nfrom flask import Flask\napp = Flask(__name__)\n",
        ),
        ("requirements.txt", "flask>=2.0,<2.3\n"),
        (
            "app.py",
            "from flask import Flask\napp = Flask(__name__)\n@app.before_first_request\ndef init_rollbar():\n    pass\n",
        ),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for file in &inspection.python {
        let lists = inspection.requirements_for(file);
        let old = lists.iter().any(|requirements| has_the_hook(&requirements.read));
        if old || file.module.apps.is_empty() {
            continue;
        }
        let Ok(source) = PythonSource::parse(&file.file.text) else { continue };
        for mistake in find_retired_hooks(&source) {
            let hit = RuleHit::new(
                &file.file,
                file.offset(mistake.line),
                "Flask has no before_first_request since 2.3",
                "remove the decorator, and call the function in `with app.app_context():` below it",
            );
            hits.push(if mistake.fix.is_empty() { hit } else { hit.fixed_by(mistake.fix) });
        }
    }
    hits
}

/// Returns whether every Flask version that the file allows is older than 2.3.
fn has_the_hook(requirements: &Requirements) -> bool {
    let flask = requirements.entries.iter().find(|entry| entry.name == "flask");
    flask.is_some_and(|entry| entry.is_older_than(&[2, 3]))
}
