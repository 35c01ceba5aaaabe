//! `exporter-protocol`: the code uses one protocol, the environment sets the other.

use super::{endpoint_unreachable, telemetry};
use crate::compose::ServiceModel;
use crate::instrumentation::{ENDPOINT_VARIABLES, PROTOCOL_VARIABLES};
use crate::lint::packages::PythonFile;
use crate::lint::scope::ProgramVariables;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "exporter-protocol",
    severity: Severity::Warning,
    why: "the imported class decides the protocol, not the environment, and the receiver expects the other one",
    explanation: "In Python, `opentelemetry.exporter.otlp.proto.http` and `….grpc` are two exporters, and neither \
        reads OTEL_EXPORTER_OTLP_PROTOCOL. If the service's environment names the other protocol, or an endpoint on \
        the other protocol's port, one of the two is wrong.",
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
enum ExporterProtocol {
    Grpc,
    Http,
}

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    let named: Vec<(&ServiceModel, ExporterProtocol)> = inspection
        .service_scopes()
        .filter_map(|(_, service, scope)| Some((service, read_named_protocol(inspection, &scope)?)))
        .collect();
    for file in &inspection.python {
        let Some((at, spoken)) = find_code_exporter(file) else {
            continue;
        };
        let named = inspection
            .services_of(file)
            .find_map(|service| named.iter().find(|(other, _)| other.name == service.name));
        if let Some((service, named)) = named.filter(|(_, named)| *named != spoken) {
            let word = |protocol| {
                if protocol == ExporterProtocol::Grpc { "gRPC" } else { "HTTP" }
            };
            hits.push(RuleHit::new(
                &file.file,
                at,
                format!(
                    "the exporter uses {}, but the environment of {} says {}",
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

fn find_code_exporter(file: &PythonFile) -> Option<(usize, ExporterProtocol)> {
    file.module.telemetry.exporter.as_ref()?;
    file.module.imports.iter().find_map(|import| {
        let rest = import.path.strip_prefix("opentelemetry.exporter.otlp.proto.")?;
        let protocol =
            if rest.starts_with("grpc") { ExporterProtocol::Grpc } else { ExporterProtocol::Http };
        rest.ends_with("OTLPSpanExporter").then_some((import.start, protocol))
    })
}

fn read_named_protocol(
    inspection: &Inspection,
    scope: &ProgramVariables<'_>,
) -> Option<ExporterProtocol> {
    let value = |names: [&str; 2]| {
        names
            .into_iter()
            .find_map(|name| scope.setting(name))
            .map(|assignment| assignment.resolved())
    };
    let protocol = value(PROTOCOL_VARIABLES);
    match protocol.as_deref() {
        Some("grpc") => return Some(ExporterProtocol::Grpc),
        Some("http/protobuf" | "http/json") => return Some(ExporterProtocol::Http),
        _ => {}
    }
    let endpoint = value(ENDPOINT_VARIABLES)?;
    let is_configured =
        |service| endpoint_unreachable::is_configured(inspection, service, &endpoint);
    if scope.service.is_some_and(is_configured) {
        return None;
    }
    match telemetry::endpoint(&endpoint)?.port {
        Some(4317) => Some(ExporterProtocol::Grpc),
        Some(4318) => Some(ExporterProtocol::Http),
        _ => None,
    }
}
