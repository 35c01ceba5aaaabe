//! `debug-in-production`: Flask's debugger enabled in a production image.

use crate::compose::ProjectTextFile;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "debug-in-production",
    severity: Severity::Warning,
    why: "the debugger can run code that a visitor enters on an error page, and shows variables that hold keys",
    explanation: "FLASK_DEBUG=1, or `flask run --debug`, starts the reloader and Werkzeug's debugger. Only files with `prod` or `production` in \
        their name are checked: `Dockerfile.prod`, `docker-compose.prod.yml`.",
    failing: &[
        (
            "compose.yaml",
            "services:\n  api: {build: {context: ./api, dockerfile: Dockerfile.prod}}\n",
        ),
        (
            "api/Dockerfile.prod",
            "FROM python:3.12\nENV FLASK_DEBUG=1 # <-\nCMD [\"flask\", \"run\", \"--debug\"] # <-\n",
        ),
    ],
    passing: &[
        ("compose.yaml", "services:\n  api: {build: ./api}\n"),
        ("api/Dockerfile", "FROM python:3.12\nENV FLASK_DEBUG=1\nCMD [\"flask\", \"run\"]\n"),
        ("api/Dockerfile.prod", "FROM python:3.12\nENV FLASK_DEBUG=0\nCMD [\"flask\", \"run\"]\n"),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for file in &inspection.texts {
        hits.extend(debug_lines(file).map(|at| hit(file, at)));
    }
    for (_, _, scope) in inspection.service_scopes() {
        let settings =
            scope.assignments.iter().filter(|assignment| assignment.name == "FLASK_DEBUG");
        let debugged = settings
            .filter(|assignment| is_of_production(assignment.file) && is_on(assignment.text()));
        hits.extend(debugged.map(|assignment| hit(assignment.file, assignment.name_range.start)));
    }
    hits
}

fn hit(file: &ProjectTextFile, at: usize) -> RuleHit {
    let message = "Flask's debugger is enabled in a production file";
    RuleHit::new(file, at, message, "remove it, and start the application with gunicorn")
}

/// Returns whether a production Dockerfile enables Flask's debugger.
pub(in crate::lint) fn starts_debugger(file: &ProjectTextFile) -> bool {
    debug_lines(file).next().is_some()
}

/// Returns the first byte of each instruction of a production Dockerfile that enables the debugger.
fn debug_lines(file: &ProjectTextFile) -> impl Iterator<Item = usize> {
    let is_judged = file.is_dockerfile() && is_of_production(file);
    file.lines().filter(move |(_, line)| is_judged && switches_on(line)).map(|(at, _)| at)
}

fn switches_on(line: &str) -> bool {
    let (instruction, rest) = line.trim_start().split_once(' ').unwrap_or_default();
    let words = || rest.split([' ', ',', '[', ']', '"', '\'']).filter(|word| !word.is_empty());
    match instruction.to_ascii_uppercase().as_str() {
        "ENV" => {
            let mut words = words();
            match words.next() {
                Some("FLASK_DEBUG") => words.next().is_some_and(is_on),
                first => first
                    .into_iter()
                    .chain(words)
                    .any(|word| word.strip_prefix("FLASK_DEBUG=").is_some_and(is_on)),
            }
        }
        "CMD" | "ENTRYPOINT" => {
            words().any(|word| word == "flask") && words().any(|word| word == "--debug")
        }
        _ => false,
    }
}

fn is_on(value: &str) -> bool {
    !matches!(value.to_ascii_lowercase().as_str(), "" | "0" | "false" | "no" | "off")
        && !value.contains('$')
}

fn is_of_production(file: &ProjectTextFile) -> bool {
    let lower = file.name().to_ascii_lowercase();
    lower.split(['.', '-', '_']).any(|part| matches!(part, "prod" | "production"))
}
