//! `name-undefined`: a tracing setup that uses an undefined name.

use strsim::osa_distance;

use crate::edit::python::calls::{CallScope, PythonCall};
use crate::lint::packages::PythonFile;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "name-undefined",
    severity: Severity::Error,
    why: "Python stops at the line with NameError or ModuleNotFoundError, and the program does not start",
    explanation: "The setup was copied only in part or has a typo: `BatchSpanProcessor(…)` without its import, \
        `BatchSpanProcesor`, or `aws_xray_sdk.flask.middleware` instead of `aws_xray_sdk.ext.flask.middleware`. Only \
        tracing code that runs when the module is imported is checked.",
    failing: &[(
        "app.py",
        "from opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\nfrom aws_xray_sdk.flask.middleware import XRayMiddleware # <-\nprovider = TracerProvider()\nprovider.add_span_processor(BatchSpanProcesor(None)) # <-\nexporter = OTLPSpanExporter() # <-\n",
    )],
    passing: &[
        (
            "app.py",
            "from opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\nfrom aws_xray_sdk.ext.flask.middleware import XRayMiddleware\nprovider = TracerProvider()\nprovider.add_span_processor(BatchSpanProcessor(None))\ndef later():\n    return OTLPSpanExporter()\n",
        ),
        ("star.py", "from tracing import *\nexporter = OTLPSpanExporter()\n"),
        ("own.py", "class BatchSpanProcesor:\n    pass\nprocessor = BatchSpanProcesor()\n"),
    ],
    check,
};

/// Names that tracing packages export.
const EXPORTED_NAMES: [&str; 12] = [
    "TracerProvider",
    "BatchSpanProcessor",
    "SimpleSpanProcessor",
    "ConsoleSpanExporter",
    "OTLPSpanExporter",
    "FlaskInstrumentor",
    "RequestsInstrumentor",
    "PsycopgInstrumentor",
    "BotocoreInstrumentor",
    "XRayMiddleware",
    "xray_recorder",
    "rollbar",
];

/// Wrong module names from tutorials, and the correct ones.
const MODULES: [(&str, &str); 1] =
    [("aws_xray_sdk.flask.middleware", "aws_xray_sdk.ext.flask.middleware")];

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for file in &inspection.python {
        hits.extend(unknown_modules(file));
        let imports = &file.module.imports;
        if imports.iter().any(|import| import.local == "*") {
            continue;
        }
        let calls = file.module.calls.iter().filter(|call| call.scope == CallScope::Module);
        for (call, name, meant) in calls.filter_map(|call| find_undefined_name(file, call)) {
            let advice = if name == meant {
                format!("import {meant}")
            } else {
                format!("spell it `{meant}`")
            };
            let message = format!("{name} is neither imported nor defined here");
            hits.push(RuleHit::new(&file.file, call.range.start, message, advice));
        }
    }
    hits
}

fn unknown_modules(file: &PythonFile) -> impl Iterator<Item = RuleHit> {
    file.module.imports.iter().filter_map(|import| {
        let (wrong, right) = MODULES.iter().find(|(wrong, _)| {
            import.path == *wrong || import.path.starts_with(&format!("{wrong}."))
        })?;
        let message = format!("there is no module {wrong}");
        Some(RuleHit::new(&file.file, import.start, message, format!("write `{right}`")))
    })
}

/// Returns the first name of a call if nothing defines it, and the intended one.
fn find_undefined_name<'a>(
    file: &'a PythonFile,
    call: &'a PythonCall,
) -> Option<(&'a PythonCall, &'a str, &'static str)> {
    const MAX_EDIT_DISTANCE: usize = 2;
    let name = call.callee.split(['.', '(']).next()?.trim();
    let module = &file.module;
    let is_bound = module.imports.iter().any(|import| import.local == name)
        || module.names.iter().any(|bound| bound == name);
    let meant = EXPORTED_NAMES.iter().find(|known| {
        *known == &name || known.len() > 9 && osa_distance(known, name) <= MAX_EDIT_DISTANCE
    })?;
    (!is_bound).then_some((call, name, *meant))
}
