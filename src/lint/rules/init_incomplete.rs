//! `init-incomplete`: a tracing setup with a missing or commented-out line.

use crate::edit::patch::TextPatch;
use crate::edit::python::order::never_set;
use crate::edit::python::source::PythonSource;
use crate::instrumentation::CodeFindingKind;
use crate::lint::packages::PythonFile;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "init-incomplete",
    severity: Severity::Error,
    why: "the exporter is created but gets no spans, so nothing is sent and nothing is logged",
    explanation: "Spans go from a provider through a processor to an exporter: \
        `provider.add_span_processor(BatchSpanProcessor(exporter))`, `trace.set_tracer_provider(provider)`. Without \
        the first the exporter gets no spans, without the second the instrumentations use another provider. With \
        `FlaskInstrumentor().instrument_app(app)` commented out, no request is traced; a reason after it in the \
        comment marks it as intended.",
    failing: &[
        ("compose.yaml", "services:\n  api: {build: ./api}\n  b: {build: ./b}\n"),
        (
            "api/requirements.txt",
            "flask\nopentelemetry-sdk\nopentelemetry-exporter-otlp-proto-http\n",
        ),
        (
            "api/app.py",
            "from opentelemetry import trace\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\nprovider = TracerProvider()\nexporter = OTLPSpanExporter() # <-\ntrace.set_tracer_provider(provider)\n",
        ),
        (
            "b/requirements.txt",
            "flask\nopentelemetry-sdk\nopentelemetry-exporter-otlp-proto-http\n",
        ),
        (
            "b/app.py",
            "from opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\nprovider = TracerProvider() # <-\nprovider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))\n",
        ),
    ],
    passing: &[
        ("compose.yaml", "services:\n  api: {build: ./api}\n"),
        (
            "api/requirements.txt",
            "flask\nopentelemetry-sdk\nopentelemetry-exporter-otlp-proto-http\n",
        ),
        (
            "api/app.py",
            "from flask import Flask\nfrom opentelemetry import trace\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\nprovider = TracerProvider()\nprovider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))\ntrace.set_tracer_provider(provider)\napp = Flask(__name__)\n# FlaskInstrumentor().instrument_app(app) - off: the proxy traces each request\n",
        ),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let kinds = [
        CodeFindingKind::ProcessorMissing,
        CodeFindingKind::ProviderNotSet,
        CodeFindingKind::HookCommentedOut,
    ];
    let found = inspection.code_findings(&kinds).into_iter();
    let hits = found.map(|(module, at, kind)| {
        let (message, advice) = match kind {
            CodeFindingKind::ProviderNotSet => (
                "this provider is never set, so nothing uses it",
                "add `trace.set_tracer_provider(provider)` below it",
            ),
            CodeFindingKind::HookCommentedOut => (
                "the line that traces the application is commented out",
                "remove the `#`, or write the reason after it",
            ),
            CodeFindingKind::ProcessorMissing | CodeFindingKind::ProcessorTwice => (
                "this exporter gets no spans: no span processor uses it",
                "add `provider.add_span_processor(BatchSpanProcessor(exporter))`",
            ),
        };
        let hit = RuleHit::new(&module.file, at, message, advice);
        match kind {
            CodeFindingKind::HookCommentedOut => hit.as_severe_as(Severity::Warning),
            CodeFindingKind::ProviderNotSet => match patch_provider_setup(module) {
                Some(fix) => hit.fixed_by(fix),
                None => hit,
            },
            CodeFindingKind::ProcessorMissing | CodeFindingKind::ProcessorTwice => hit,
        }
    });
    hits.collect()
}

/// Returns a patch that adds the line that sets the provider, if possible.
fn patch_provider_setup(file: &PythonFile) -> Option<Vec<TextPatch>> {
    let source = PythonSource::parse(&file.file.text).ok()?;
    let fix = never_set(&source, &file.module.imports, &file.module.calls)?.fix;
    (!fix.is_empty()).then_some(fix)
}
