//! `console-exporter`: every span is written to the log.

use crate::edit::python::calls::CallScope;
use crate::instrumentation::ConsoleExporter;
use crate::lint::packages::PythonFile;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "console-exporter",
    severity: Severity::Advice,
    why: "every request prints a page of JSON and, with a SimpleSpanProcessor, waits until it is printed",
    explanation: "ConsoleSpanExporter is for trying things out. Left in, it fills the container's log and, behind a \
        SimpleSpanProcessor, slows each request.",
    failing: &[
        ("compose.yaml", "services:\n  api: {build: .}\n"),
        ("requirements.txt", "flask\nopentelemetry-sdk\nopentelemetry-exporter-otlp\n"),
        (
            "app.py",
            "from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor\nprocessor = SimpleSpanProcessor(ConsoleSpanExporter()) # <-\nprovider.add_span_processor(processor)\n",
        ),
    ],
    passing: &[
        ("compose.yaml", "services:\n  api: {build: .}\n"),
        ("requirements.txt", "flask\nopentelemetry-sdk\nopentelemetry-exporter-otlp\n"),
        (
            "app.py",
            "from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor\n# provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))\nidle = SimpleSpanProcessor(ConsoleSpanExporter())\n",
        ),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for file in inspection.python.iter().filter(|file| !is_idle(inspection, file)) {
        // An exporter under a condition is deliberate.
        let exporters = file.module.calls.iter().filter(|call| call.name == "ConsoleSpanExporter");
        for call in exporters.filter(|call| call.scope == CallScope::Module) {
            hits.push(RuleHit::new(
                &file.file,
                call.range.start,
                "spans are printed as well as sent",
                "remove the console exporter, or put it behind a condition",
            ));
        }
    }
    hits
}

/// Returns whether no service that uses the module gives the exporter spans.
fn is_idle(inspection: &Inspection, file: &PythonFile) -> bool {
    let names = inspection.services_of(file).map(|service| service.name.as_str());
    let mut read = names.filter_map(|name| inspection.instrumentation.get(name)).peekable();
    read.peek().is_some()
        && read.all(|instrumentation| instrumentation.code.console == ConsoleExporter::Unused)
}
