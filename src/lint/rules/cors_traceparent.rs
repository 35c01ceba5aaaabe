//! `cors-traceparent`: a header that the browser sends and the backend does not allow.

use super::cors_argument_unknown::argument_start;
use crate::compose::ProjectTextFile;
use crate::edit::python::calls::PythonCall;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "cors-traceparent",
    severity: Severity::Warning,
    why: "a traced page sends traceparent with each call, and a preflight that does not allow it blocks every one of them",
    explanation: "Browser instrumentation adds `traceparent` (and `tracestate`, `baggage`) to requests. flask-cors \
        answers the preflight with `allow_headers`; a header that is not in that list makes the browser refuse the \
        call. Only reported if the page's code has `propagateTraceHeaderCorsUrls` or names the header: otherwise the \
        header goes only to the page's own origin.",
    failing: &[
        ("compose.yaml", "services:\n  web: {build: ./web}\n  api: {build: .}\n"),
        (
            "web/src/tracing.js",
            "new FetchInstrumentation({ propagateTraceHeaderCorsUrls: [/.*/] })\n",
        ),
        (
            "app.py",
            "from flask import Flask\nfrom flask_cors import CORS\napp = Flask(__name__)\nCORS(app, allow_headers=\"content-type,if-modified-since\") # <-\n",
        ),
    ],
    passing: &[
        ("compose.yaml", "services:\n  web: {build: ./web}\n  api: {build: .}\n"),
        (
            "web/src/tracing.js",
            "new FetchInstrumentation({ propagateTraceHeaderCorsUrls: [/.*/] })\n",
        ),
        (
            "app.py",
            "from flask import Flask\nfrom flask_cors import CORS\napp = Flask(__name__)\nCORS(app, allow_headers=['content-type', 'traceparent'])\nCORS(app)\nCORS(app, allow_headers='x', resources={'/': {'allow_headers': ['traceparent']}})\n",
        ),
        (
            "after/app.py",
            "from flask import Flask\nfrom flask_cors import CORS\napp = Flask(__name__)\nCORS(app, allow_headers='content-type')\n@app.after_request\ndef allow(response):\n    response.headers['Access-Control-Allow-Headers'] = 'content-type, traceparent'\n    return response\n",
        ),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    if !inspection.texts.iter().any(sends_the_header) {
        return Vec::new();
    }
    let mut hits = Vec::new();
    for file in inspection.python.iter().filter(|file| !allows_elsewhere(&file.file)) {
        for call in file.module.calls.iter().filter(|call| call.name == "CORS") {
            let Some(argument) = forbidding(call) else { continue };
            hits.push(RuleHit::new(
                &file.file,
                argument_start(&file.file.text, call, argument),
                "traceparent is not among the allowed headers",
                "add `traceparent` and `tracestate` to `allow_headers`",
            ));
        }
    }
    hits
}

/// Returns whether a page's code names the header, or the option that makes instrumentations send it to other origins.
/// By default they send it to the page's own origin only.
fn sends_the_header(file: &ProjectTextFile) -> bool {
    let lines = file.text.lines().map(str::trim_start);
    let mut code = lines.filter(|line| !line.starts_with("//") && !line.starts_with('*'));
    code.any(|line| line.contains("propagateTraceHeaderCorsUrls") || line.contains("traceparent"))
}

/// Returns whether a module allows the header in another way: `after_request`, `resources=`.
fn allows_elsewhere(file: &ProjectTextFile) -> bool {
    let mut lines = file.text.lines();
    let names_it = |line: &str| {
        let line = line.to_ascii_lowercase();
        line.contains("access-control-allow-headers")
            && (line.contains("traceparent") || line.contains('*'))
    };
    lines.any(names_it)
}

/// Returns the argument that lists the allowed headers without `traceparent`.
fn forbidding(call: &PythonCall) -> Option<&str> {
    let is_in_resources = |argument: &String| {
        argument.starts_with("resources") && argument.to_ascii_lowercase().contains("traceparent")
    };
    if call.arguments.iter().any(is_in_resources) {
        return None;
    }
    let lists_others = |argument: &&String| {
        let value = argument
            .split_once('=')
            .filter(|(name, _)| name.trim() == "allow_headers")
            .map(|(_, value)| value.trim());
        let is_literal = |value: &str| value.starts_with(['"', '\'', '[', '(']);
        value.is_some_and(|value| {
            is_literal(value)
                && !value.contains('*')
                && !value.to_ascii_lowercase().contains("traceparent")
        })
    };
    call.arguments.iter().find(lists_others).map(String::as_str)
}
