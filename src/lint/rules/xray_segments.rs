//! `xray-segments`: X-Ray segments that are never ended, and captures that record nothing.

use crate::edit::python::calls::PythonCall;
use crate::edit::python::segments::surplus_ends;
use crate::edit::python::source::PythonSource;
use crate::lint::packages::PythonFile;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "xray-segments",
    severity: Severity::Warning,
    why: "a segment that never ends is never sent, a second end also ends the enclosing segment, and a capture without a segment around it is dropped",
    explanation: "`begin_segment` and `begin_subsegment` need their `end_…`, best in `finally`. \
        `@xray_recorder.capture` goes between the route and the function: above `@app.route` it wraps a function \
        that Flask never calls. It records part of a request, so it needs XRayMiddleware or a segment of your own \
        around it.",
    failing: &[
        ("compose.yaml", "services:\n  a: {build: ./a}\n  b: {build: ./b}\n  c: {build: ./c}\n"),
        (
            "a/app.py",
            "from aws_xray_sdk.core import xray_recorder\ndef run():\n    xray_recorder.begin_segment('a') # <-\n    return 1\n",
        ),
        (
            "a/twice.py",
            "from aws_xray_sdk.core import xray_recorder\ndef run():\n    try:\n        xray_recorder.begin_subsegment('a')\n        xray_recorder.end_subsegment()\n    finally:\n        xray_recorder.end_subsegment() # <-\n",
        ),
        (
            "b/app.py",
            "from flask import Flask\nfrom aws_xray_sdk.core import xray_recorder\nfrom aws_xray_sdk.ext.flask.middleware import XRayMiddleware\napp = Flask(__name__)\nXRayMiddleware(app, xray_recorder)\n@xray_recorder.capture('home') # <-\n@app.route('/')\ndef home():\n    return ''\n",
        ),
        (
            "c/app.py",
            "from flask import Flask\nfrom aws_xray_sdk.core import xray_recorder\napp = Flask(__name__)\n@app.route('/')\n@xray_recorder.capture('home') # <-\ndef home():\n    return ''\n",
        ),
    ],
    passing: &[
        ("compose.yaml", "services:\n  a: {build: ./a}\n  b: {build: ./b}\n"),
        (
            "a/app.py",
            "from aws_xray_sdk.core import xray_recorder\ndef run():\n    xray_recorder.begin_segment('a')\n    with xray_recorder.in_subsegment('b'):\n        pass\n    xray_recorder.end_segment()\n",
        ),
        (
            "b/app.py",
            "from flask import Flask\nfrom aws_xray_sdk.core import xray_recorder\nfrom aws_xray_sdk.ext.flask.middleware import XRayMiddleware\napp = Flask(__name__)\nXRayMiddleware(app, xray_recorder)\n@app.route('/')\n@xray_recorder.capture('home')\ndef home():\n    return ''\n",
        ),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let files = inspection.python.iter().filter(|file| imports_recorder(file));
    let hits = files.flat_map(|file| {
        let file_hits = find_unended_segments(file).into_iter().chain(ended_twice(file));
        file_hits.chain(find_useless_captures(inspection, file))
    });
    hits.collect()
}

fn imports_recorder(file: &PythonFile) -> bool {
    file.module.imports.iter().any(|import| import.path.starts_with("aws_xray_sdk"))
}

/// Reports the first segment of each kind that a module begins without ending any of that kind.
fn find_unended_segments(file: &PythonFile) -> Vec<RuleHit> {
    let of = |name: &str| file.module.calls.iter().find(|call| call.name == name);
    let unended = PAIRS.into_iter().filter_map(|(begin, end)| {
        let call = of(begin).filter(|_| !file.file.text.contains(end))?;
        let message = format!("this module never calls `{end}`");
        let advice = format!("call `xray_recorder.{end}()` in `finally`");
        Some(RuleHit::new(&file.file, call.range.start, message, advice))
    });
    unended.collect()
}

/// Methods that begin and end a segment or subsegment.
const PAIRS: [(&str, &str); 2] =
    [("begin_segment", "end_segment"), ("begin_subsegment", "end_subsegment")];

/// Returns a hit for each function that ends a segment twice, which also ends the enclosing segment.
fn ended_twice(file: &PythonFile) -> Vec<RuleHit> {
    let text = &file.file.text;
    let ends = |end: &str| file.module.calls.iter().filter(|call| call.name == end).count();
    let mut hits = Vec::new();
    if !PAIRS.iter().any(|(_, end)| ends(end) > 1) {
        return hits;
    }
    let Ok(source) = PythonSource::parse(text) else { return hits };
    for (begin, end) in PAIRS {
        hits.extend(surplus_ends(&source, begin, end).into_iter().map(|at| {
            let message = format!("`{end}` runs a second time here");
            RuleHit::new(
                &file.file,
                at,
                message,
                "keep the call in `finally`, and remove the other one",
            )
        }));
    }
    hits
}

fn find_useless_captures(inspection: &Inspection, file: &PythonFile) -> Vec<RuleHit> {
    let is_capture = |call: &&PythonCall| {
        call.name.starts_with("capture") && call.callee.starts_with("xray_recorder.")
    };
    let captures: Vec<&PythonCall> = file.module.calls.iter().filter(is_capture).collect();
    let above = captures.iter().filter(|call| is_above_route(file, call));
    let mut hits: Vec<RuleHit> = above
        .map(|call| {
            let message = "the capture is above the route, which registers the function without it";
            RuleHit::new(&file.file, call.range.start, message, "move the line below `@….route(…)`")
        })
        .collect();
    if let Some(first) = captures.first()
        && is_bare(inspection, file)
    {
        let message = "this capture has no segment around it: XRayMiddleware is not used";
        let advice = "add `XRayMiddleware(app, xray_recorder)` below the application";
        hits.push(RuleHit::new(&file.file, first.range.start, message, advice));
    }
    hits
}

/// Returns whether a route decorator follows the decorator.
fn is_above_route(file: &PythonFile, call: &PythonCall) -> bool {
    let text = &file.file.text;
    if !text[..call.range.start].ends_with('@') {
        return false;
    }
    let below = text[call.range.end..].lines().skip(1).map(str::trim_start);
    let mut decorators = below.take_while(|line| line.starts_with(['@', '#']));
    decorators.any(|line| line.starts_with('@') && line.contains(".route("))
}

/// Returns whether no module of a Flask application begins segments.
fn is_bare(inspection: &Inspection, file: &PythonFile) -> bool {
    let services: Vec<_> = inspection.services_of(file).collect();
    let mut modules = services.iter().flat_map(|service| inspection.python_of(service)).peekable();
    let mut has_app = false;
    let begins = |module: &PythonFile| {
        let names = ["XRayMiddleware", "begin_segment", "in_segment", "AwsXRay", "XRayEnabled"];
        names.iter().any(|name| module.file.text.contains(name))
    };
    let is_read = modules.peek().is_some();
    let begun = modules.any(|module| {
        has_app |= !module.module.apps.is_empty();
        begins(module)
    });
    is_read && has_app && !begun
}
