//! `exporter-protocol`: the code speaks one protocol, the environment names the other.

use super::telemetry;
use crate::lint::packages::PythonFile;
use crate::lint::services::Service;
use crate::lint::{Hit, Rule, Severity, Subject};

pub(super) static RULE: Rule = Rule {
    code: "exporter-protocol",
    severity: Severity::Warning,
    why: "the class that is imported decides the protocol, whatever the environment says, and the receiver waits for the other",
    explanation: "In Python, `opentelemetry.exporter.otlp.proto.http` and `….grpc` are two exporters; OTEL_EXPORTER_OTLP_PROTOCOL is not read by \
        either. If the service's environment names the other protocol, or an endpoint on the other one's port, one of them is wrong.",
    failing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    build: ./api\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://collector:4318\n",
        ),
        (
            "api/app.py",
            "from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter # <-\nOTLPSpanExporter()\n",
        ),
    ],
    passing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    build: ./api\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://collector:4317\n",
        ),
        (
            "api/app.py",
            "from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter\nOTLPSpanExporter()\n",
        ),
    ],
    check,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Grpc,
    Http,
}

fn check(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for file in &subject.python {
        let Some((at, spoken)) = exporter(file) else {
            continue;
        };
        let named = subject.services_of(file).find_map(|service| Some((service, named(service)?)));
        if let Some((service, named)) = named.filter(|(_, named)| *named != spoken) {
            let word = |protocol| {
                if protocol == Protocol::Grpc { "gRPC" } else { "HTTP" }
            };
            hits.push(Hit::new(
                &file.file.path,
                at,
                format!(
                    "the exporter speaks {}, the environment of {} means {}",
                    word(spoken),
                    service.name,
                    word(named)
                ),
                "import the other exporter, or change the environment",
            ));
        }
    }
    hits
}

fn exporter(file: &PythonFile) -> Option<(usize, Protocol)> {
    file.module.telemetry.exporter.as_ref()?;
    file.module.imports.iter().find_map(|import| {
        let rest = import.path.strip_prefix("opentelemetry.exporter.otlp.proto.")?;
        let protocol = if rest.starts_with("grpc") { Protocol::Grpc } else { Protocol::Http };
        rest.ends_with("OTLPSpanExporter").then_some((import.start, protocol))
    })
}

fn named(service: &Service) -> Option<Protocol> {
    let protocol = service
        .setting("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
        .or_else(|| service.setting("OTEL_EXPORTER_OTLP_PROTOCOL"));
    match protocol.map(|setting| setting.text()) {
        Some("grpc") => return Some(Protocol::Grpc),
        Some("http/protobuf" | "http/json") => return Some(Protocol::Http),
        _ => {}
    }
    let endpoint = service
        .setting("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        .or_else(|| service.setting("OTEL_EXPORTER_OTLP_ENDPOINT"))?;
    match telemetry::endpoint(endpoint.text())?.port {
        Some(4317) => Some(Protocol::Grpc),
        Some(4318) => Some(Protocol::Http),
        _ => None,
    }
}
