//! `reloader`: Flask's reloader, whose child process is not instrumented.

use crate::lint::packages::PythonFile;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "reloader",
    severity: Severity::Warning,
    why: "Flask's reloader serves requests from a second process, which `opentelemetry-instrument` does not reach",
    explanation: "Started by `opentelemetry-instrument` with debug on, Flask restarts itself in a child that is not instrumented: no spans. Since \
        opentelemetry-instrumentation 0.63b0 the child is instrumented too, so only an older one that is pinned is reported. Run \
        it with `use_reloader=False`, or initialise in the application's own code, which each process runs.",
    failing: &[
        ("requirements.txt", "flask\nopentelemetry-distro==0.48b0\n"),
        ("compose.yaml", "services:\n  api: {build: .}\n"),
        ("Dockerfile", "FROM python\nCMD opentelemetry-instrument python app.py\n"),
        (
            "app.py",
            "from flask import Flask\napp = Flask(__name__)\nif __name__ == '__main__':\n    app.run(debug=True) # <-\n",
        ),
    ],
    passing: &[
        ("new/requirements.txt", "flask\nopentelemetry-distro\nopentelemetry-exporter-otlp\n"),
        ("new/Dockerfile", "FROM python\nCMD opentelemetry-instrument python app.py\n"),
        (
            "new/app.py",
            "from flask import Flask\napp = Flask(__name__)\nif __name__ == '__main__':\n    app.run(debug=True)\n",
        ),
        ("compose.yaml", "services:\n  api: {build: .}\n  new: {build: ./new}\n"),
        ("Dockerfile", "FROM python\nCMD opentelemetry-instrument python app.py\n"),
        (
            "app.py",
            "from flask import Flask\napp = Flask(__name__)\nif __name__ == '__main__':\n    app.run(debug=True, use_reloader=False)\n",
        ),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let started =
        |file: &&PythonFile| inspection.is_started_by_the_agent(file) && is_old(inspection, file);
    let mut hits = Vec::new();
    for file in inspection.python.iter().filter(started) {
        let names: Vec<&str> = file.module.apps.iter().filter_map(|app| app.name()).collect();
        for call in file.module.calls.iter().filter(|call| call.name == "run") {
            let of_app = names.iter().any(|name| call.callee == format!("{name}.run"));
            let debug =
                call.arguments.iter().any(|argument| argument.replace(' ', "") == "debug=True");
            let reloads = !call
                .arguments
                .iter()
                .any(|argument| argument.replace(' ', "") == "use_reloader=False");
            if of_app && debug && reloads {
                hits.push(RuleHit::new(
                    &file.file,
                    call.range.start,
                    "debug mode restarts the program in a process without instrumentation",
                    "add `use_reloader=False`",
                ));
            }
        }
    }
    hits
}

/// Returns whether the instrumentation is pinned to a version whose agent ignores the reloader's child.
fn is_old(inspection: &Inspection, file: &PythonFile) -> bool {
    /// The first version that leaves the agent in PYTHONPATH, so that the child loads it.
    const CHILD_LOADS_IT: [u32; 2] = [0, 63];
    const NAMES: [&str; 2] = ["opentelemetry-instrumentation", "opentelemetry-distro"];
    let lists = inspection.requirements_for(file);
    let mut entries = lists.iter().flat_map(|list| &list.read.entries);
    entries.any(|entry| NAMES.contains(&&*entry.name) && entry.is_older_than(&CHILD_LOADS_IT))
}
