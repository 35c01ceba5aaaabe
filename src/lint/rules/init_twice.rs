//! `init-twice`: a second tracer provider, which is ignored.

use crate::edit::python::calls::CallScope;
use crate::instrumentation::CodeFindingKind;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "init-twice",
    severity: Severity::Warning,
    why: "only the first tracer provider counts: the second one, with its exporter, is never used",
    explanation: "`set_tracer_provider` works once; a second call logs `Overriding of current TracerProvider is not allowed` and changes \
        nothing. The same holds for a program that sets its own provider and is started by `opentelemetry-instrument`. A processor \
        that is added twice sends each span twice.",
    failing: &[
        ("compose.yaml", "services:\n  api: {build: ./api}\n  b: {build: ./b}\n"),
        (
            "api/app.py",
            "from opentelemetry import trace\ntrace.set_tracer_provider(one)\ntrace.set_tracer_provider(two) # <-\n",
        ),
        ("b/requirements.txt", "opentelemetry-sdk\nopentelemetry-exporter-otlp\n"),
        (
            "b/app.py",
            "from opentelemetry import trace\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\nprovider = TracerProvider()\nprovider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))\nprovider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter())) # <-\ntrace.set_tracer_provider(provider)\n",
        ),
    ],
    passing: &[(
        "app.py",
        "from opentelemetry import trace\ndef one():\n    trace.set_tracer_provider(1)\ndef two():\n    trace.set_tracer_provider(2)\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for file in &inspection.python {
        let calls: Vec<_> = file
            .module
            .calls
            .iter()
            .filter(|call| call.name == "set_tracer_provider" && call.scope == CallScope::Module)
            .collect();
        for call in calls.iter().skip(1) {
            hits.push(RuleHit::new(
                &file.file,
                call.range.start,
                "the tracer provider is set a second time",
                "keep one of the two",
            ));
        }
        if let Some(first) = calls.first().filter(|_| inspection.is_started_by_the_agent(file)) {
            hits.push(RuleHit::new(
                &file.file,
                first.range.start,
                "`opentelemetry-instrument` has set a tracer provider already",
                "start the program without `opentelemetry-instrument`, or remove the initialisation",
            ));
        }
    }
    for (module, at, _) in inspection.code_findings(&[CodeFindingKind::ProcessorTwice]) {
        hits.push(RuleHit::new(
            &module.file,
            at,
            "the same exporter is added a second time, and each span is sent twice",
            "keep one of the two",
        ));
    }
    hits
}
