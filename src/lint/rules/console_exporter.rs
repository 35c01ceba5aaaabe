//! `console-exporter`: every span in the log, for ever.

use crate::edit::python::calls::Scope;
use crate::lint::{Hit, Inspection, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    code: "console-exporter",
    severity: Severity::Advice,
    why: "every request prints a page of JSON, and with a simple processor it waits for the printing",
    explanation: "ConsoleSpanExporter is for the first try. Left in, it fills the log of the container and, behind a SimpleSpanProcessor, slows \
        each request.",
    failing: &[(
        "app.py",
        "from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor\nprocessor = SimpleSpanProcessor(ConsoleSpanExporter()) # <-\n",
    )],
    passing: &[(
        "app.py",
        "from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor\n# processor = SimpleSpanProcessor(ConsoleSpanExporter())\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<Hit> {
    let mut hits = Vec::new();
    for file in &inspection.python {
        // Under a condition somebody decided about it.
        let made = file.module.calls.iter().filter(|call| call.name == "ConsoleSpanExporter");
        for call in made.filter(|call| call.scope == Scope::Module) {
            hits.push(Hit::new(
                &file.file,
                call.range.start,
                "spans are printed as well as sent",
                "take the console exporter out, or put it under a condition",
            ));
        }
    }
    hits
}
