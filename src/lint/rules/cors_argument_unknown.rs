//! `cors-argument-unknown`: an option that flask-cors does not have.

use crate::edit::python::calls::PythonCall;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "cors-argument-unknown",
    severity: Severity::Warning,
    why: "flask-cors ignores unknown options without an error",
    explanation: "`CORS(app, headers=[…])` is from old examples: the option is `allow_headers`, and without it every header is allowed. If you set \
        `allow_headers` instead, include `traceparent` and `tracestate`, or browsers refuse the requests of a traced page.",
    failing: &[(
        "app.py",
        "from flask import Flask\nfrom flask_cors import CORS\napp = Flask(__name__)\nCORS(\n    app,\n    headers=['Content-Type'], # <-\n    expose_header='Authorization', # <-\n)\n",
    )],
    passing: &[(
        "app.py",
        "from flask import Flask\nfrom flask_cors import CORS, cross_origin\nfrom other import CORS as OtherCORS\napp = Flask(__name__)\nCORS(app, resources={'/api/*': {'origins': '*'}}, expose_headers='Authorization', **options)\nOtherCORS(app, headers='x')\n",
    )],
    check,
};

/// Options of `CORS` and `cross_origin`.
const OPTIONS: [&str; 14] = [
    "allow_headers",
    "allow_private_network",
    "always_send",
    "app",
    "automatic_options",
    "expose_headers",
    "intercept_exceptions",
    "max_age",
    "methods",
    "origins",
    "resources",
    "send_wildcard",
    "supports_credentials",
    "vary_header",
];

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for file in &inspection.python {
        let text = &file.file.text;
        for call in file.module.calls.iter().filter(|call| is_of_flask_cors(call)) {
            for argument in &call.arguments {
                let Some(name) = unknown_option(argument) else { continue };
                let advice = match nearest_option(name) {
                    Some(meant) => format!("spell it `{meant}`, or remove it"),
                    None => "remove it".to_owned(),
                };
                let message = format!("flask-cors has no option `{name}`");
                hits.push(RuleHit::new(
                    &file.file,
                    argument_start(text, call, argument),
                    message,
                    advice,
                ));
            }
        }
    }
    hits
}

fn is_of_flask_cors(call: &PythonCall) -> bool {
    let path = call.path.as_deref().unwrap_or_default();
    path.starts_with("flask_cors.") && matches!(&*call.name, "CORS" | "cross_origin")
}

/// Returns the first byte of an argument of a call.
pub(super) fn argument_start(text: &str, call: &PythonCall, argument: &str) -> usize {
    let within = text.get(call.range.clone()).unwrap_or_default();
    call.range.start + within.find(argument).unwrap_or_default()
}

fn unknown_option(argument: &str) -> Option<&str> {
    let name = argument.split_once('=')?.0.trim();
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (is_name && !OPTIONS.contains(&name)).then_some(name)
}

fn nearest_option(name: &str) -> Option<&'static str> {
    const MAX_EDIT_DISTANCE: usize = 3;
    if name == "headers" {
        return Some("allow_headers");
    }
    let distance = |option: &str| strsim::osa_distance(option, name);
    let nearest = OPTIONS.into_iter().min_by_key(|option| distance(option))?;
    (distance(nearest) <= MAX_EDIT_DISTANCE).then_some(nearest)
}
