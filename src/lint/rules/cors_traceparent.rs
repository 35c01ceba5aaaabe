//! `cors-traceparent`: a header the browser sends and the backend forbids.

use crate::edit::python::calls::Call;
use crate::lint::{Hit, Inspection, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    code: "cors-traceparent",
    severity: Severity::Warning,
    why: "a traced page sends traceparent with each call, and a preflight that does not allow it blocks every one of them",
    explanation: "Browser instrumentation adds `traceparent` (and `tracestate`, `baggage`) to requests. flask-cors answers the preflight with \
        `allow_headers`; a header that is not in that list makes the browser refuse the call. Only reported where the frontend is \
        traced.",
    failing: &[
        ("compose.yaml", "services:\n  web: {build: ./web}\n  api: {build: .}\n"),
        ("web/package.json", "{\"dependencies\": {\"@opentelemetry/sdk-trace-web\": \"1\"}}\n"),
        (
            "app.py",
            "from flask import Flask\nfrom flask_cors import CORS\napp = Flask(__name__)\nCORS(app, allow_headers=\"content-type,if-modified-since\") # <-\n",
        ),
    ],
    passing: &[
        ("compose.yaml", "services:\n  web: {build: ./web}\n  api: {build: .}\n"),
        ("web/package.json", "{\"dependencies\": {\"@opentelemetry/sdk-trace-web\": \"1\"}}\n"),
        (
            "app.py",
            "from flask import Flask\nfrom flask_cors import CORS\napp = Flask(__name__)\nCORS(app, allow_headers=['content-type', 'traceparent'])\nCORS(app)\n",
        ),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<Hit> {
    const BROWSER: [&str; 4] = [
        "@opentelemetry/sdk-trace-web",
        "@honeycombio/opentelemetry-web",
        "@opentelemetry/instrumentation-fetch",
        "@opentelemetry/instrumentation-xml-http-request",
    ];
    let traced = inspection
        .manifests
        .iter()
        .any(|file| BROWSER.iter().any(|package| file.text.contains(package)));
    if !traced {
        return Vec::new();
    }
    let mut hits = Vec::new();
    for file in &inspection.python {
        for call in file.module.calls.iter().filter(|call| call.name == "CORS" && forbids(call)) {
            hits.push(Hit::new(
                &file.file,
                call.range.start,
                "traceparent is not among the allowed headers",
                "add `traceparent` and `tracestate` to `allow_headers`",
            ));
        }
    }
    hits
}

fn forbids(call: &Call) -> bool {
    call.arguments.iter().any(|argument| {
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
    })
}
