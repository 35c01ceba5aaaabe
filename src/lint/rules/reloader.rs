//! `reloader`: a server that handles requests in child processes, which are not instrumented.

use super::sdk::{TracedService, traced_services};
use crate::instrumentation::SdkProblemKind;
use crate::lint::packages::PythonFile;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "reloader",
    severity: Severity::Warning,
    why: "requests are handled in child processes, which an old `opentelemetry-instrument` does not reach",
    explanation: "With debug on, Flask restarts itself in a child; `uvicorn --workers 2` and `--reload`, `fastapi \
        dev` and Django's `runserver` serve from children too. Before opentelemetry-instrumentation 0.63b0 such a \
        child is not instrumented, and no spans come. Only older pinned versions are reported. Use a newer one, turn \
        the reloader off (`use_reloader=False`, `--noreload`), start the workers with gunicorn, or initialise in the \
        application's own code, which each process runs.",
    failing: &[
        ("requirements.txt", "flask\nopentelemetry-distro==0.48b0\n"),
        (
            "compose.yaml",
            "services:\n  api: {build: .}\n  web:\n    build: ./web\n    command: opentelemetry-instrument uvicorn main:app --workers 2 # <-\n    environment:\n      OTEL_SERVICE_NAME: web\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://otel.example.com\n",
        ),
        ("Dockerfile", "FROM python\nCMD opentelemetry-instrument python app.py\n"),
        (
            "app.py",
            "from flask import Flask\napp = Flask(__name__)\nif __name__ == '__main__':\n    app.run(debug=True) # <-\n",
        ),
        (
            "web/requirements.txt",
            "fastapi\nopentelemetry-distro==0.62b1\nopentelemetry-exporter-otlp\n",
        ),
        ("web/Dockerfile", "FROM python\nCOPY . .\nCMD uvicorn main:app\n"),
        ("web/main.py", "from fastapi import FastAPI\napp = FastAPI()\n"),
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
    hits.extend(traced_services(inspection).filter_map(|traced| find_children(&traced)));
    hits
}

/// Reports a command that serves from child processes, at the command if the compose file has it.
fn find_children(traced: &TracedService<'_>) -> Option<RuleHit> {
    let mut problems = traced.settings.problems.iter();
    let problem = problems.find(|problem| problem.kind == SdkProblemKind::ChildrenNotReached)?;
    let (file, at) = match &traced.service.command_span {
        Some(span) => (traced.model.file(span), span.range.start),
        None => traced.place(problem.variable),
    };
    let advice = "require a newer opentelemetry-distro, or start the processes with gunicorn";
    Some(RuleHit::new(file, at, &*problem.text, advice))
}

/// Returns whether the instrumentation is pinned to a version whose agent ignores the reloader's child.
fn is_old(inspection: &Inspection, file: &PythonFile) -> bool {
    /// The first version that leaves the agent in PYTHONPATH, so that the child loads it.
    const FIRST_VERSION_IN_CHILDREN: [u32; 2] = [0, 63];
    const NAMES: [&str; 2] = ["opentelemetry-instrumentation", "opentelemetry-distro"];
    let lists = inspection.requirements_for(file);
    let mut entries = lists.iter().flat_map(|list| &list.read.entries);
    entries.any(|entry| {
        NAMES.contains(&&*entry.name) && entry.is_older_than(&FIRST_VERSION_IN_CHILDREN)
    })
}
