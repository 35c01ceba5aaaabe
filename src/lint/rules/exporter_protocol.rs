//! `exporter-protocol`: the code uses one protocol, the environment sets the other.

use super::{endpoint_unreachable, telemetry};
use crate::compose::Service;
use crate::lint::packages::PythonFile;
use crate::lint::scope::Scope;
use crate::lint::{Hit, Inspection, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    code: "exporter-protocol",
    severity: Severity::Warning,
    why: "the imported class decides the protocol, not the environment, and the receiver expects the other one",
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

fn check(inspection: &Inspection) -> Vec<Hit> {
    let mut hits = Vec::new();
    let named: Vec<(&Service, Protocol)> = inspection
        .service_scopes()
        .filter_map(|(_, service, scope)| Some((service, named(inspection, &scope)?)))
        .collect();
    for file in &inspection.python {
        let Some((at, spoken)) = exporter(file) else {
            continue;
        };
        let named = inspection
            .services_of(file)
            .find_map(|service| named.iter().find(|(other, _)| other.name == service.name));
        if let Some((service, named)) = named.filter(|(_, named)| *named != spoken) {
            let word = |protocol| {
                if protocol == Protocol::Grpc { "gRPC" } else { "HTTP" }
            };
            hits.push(Hit::new(
                &file.file,
                at,
                format!(
                    "the exporter speaks {}, the environment of {} means {}",
                    word(spoken),
                    service.name,
                    word(*named)
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

fn named(inspection: &Inspection, scope: &Scope<'_>) -> Option<Protocol> {
    let value = |names: [&str; 2]| {
        names.into_iter().find_map(|name| scope.setting(name)).map(|one| one.resolved())
    };
    let protocol = value(["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"]);
    match protocol.as_deref() {
        Some("grpc") => return Some(Protocol::Grpc),
        Some("http/protobuf" | "http/json") => return Some(Protocol::Http),
        _ => {}
    }
    let endpoint = value(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"])?;
    let is_configured =
        |service| endpoint_unreachable::is_configured(inspection, service, &endpoint);
    if scope.service.is_some_and(is_configured) {
        return None;
    }
    match telemetry::endpoint(&endpoint)?.port {
        Some(4317) => Some(Protocol::Grpc),
        Some(4318) => Some(Protocol::Http),
        _ => None,
    }
}
