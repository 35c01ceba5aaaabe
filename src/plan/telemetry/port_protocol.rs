//! Fits the protocol of a service, and the scheme of its endpoint, to the port that it sends to.

use super::PROTOCOL;
use super::changes::ENDPOINT;
use crate::compose::{
    AddressTarget, ComposeModel, ServiceModel, find_endpoint_target, is_collector,
};
use crate::instrumentation::{
    Instrumentation, OtlpProtocol, SdkProblemKind, SdkSettings, SdkSetup,
};
use crate::provider::Variable;
use crate::secret::Secret;

/// The usual ports of a receiver.
const GRPC_PORT: u16 = 4317;
const HTTP_PORT: u16 = 4318;

/// Changes the planned variables of a service so that its SDK speaks what the port takes: gRPC on 4317 or HTTP on
/// 4318, and plain text to a collector of the project where the endpoint has no scheme. If it has no exporter for
/// that protocol, the port changes instead; returns whether it did.
pub(super) fn fit_to_port(
    instrumentation: Option<&Instrumentation>,
    model: &ComposeModel,
    service: &ServiceModel,
    planned: &mut Vec<Variable>,
) -> bool {
    let Some(read) = instrumentation.filter(|read| read.setup != SdkSetup::Unknown) else {
        return false;
    };
    let settings_with = |planned: &[Variable]| -> SdkSettings {
        let mut environment = read.environment.clone();
        let added =
            planned.iter().map(|variable| (variable.name.clone(), Secret::new(&*variable.value)));
        environment.extend(added);
        read.settings_with(&environment)
    };
    let settings = settings_with(planned);
    let Some(otlp) = settings.otlp() else { return false };
    let Some(url) = &otlp.url else { return false };
    if url.scheme() == "https" && is_collector_of_project(model, service, url.as_str()) {
        set_variable(planned, ENDPOINT, |endpoint| {
            let scheme = if endpoint.contains("://") { "" } else { "http://" };
            format!("{scheme}{endpoint}")
        });
    }
    let is_grpc = otlp.protocol == OtlpProtocol::Grpc;
    let (wanted, right) = match url.port() {
        Some(GRPC_PORT) if !is_grpc => (OtlpProtocol::Grpc, HTTP_PORT),
        Some(HTTP_PORT) if is_grpc => (OtlpProtocol::HttpProtobuf, GRPC_PORT),
        _ => return false,
    };
    let mut explicit = planned.clone();
    explicit.retain(|variable| variable.name != PROTOCOL);
    explicit.push(Variable { name: PROTOCOL.to_owned(), value: wanted.as_str().to_owned() });
    let settings = settings_with(&explicit);
    let lacks =
        settings.problems.iter().any(|problem| problem.kind == SdkProblemKind::ExporterMissing);
    let speaks_it = !lacks && settings.otlp().is_some_and(|otlp| otlp.protocol == wanted);
    if speaks_it {
        *planned = explicit;
        return false;
    }
    let port = url.port().unwrap_or_default();
    set_variable(planned, ENDPOINT, |endpoint| {
        endpoint.replacen(&format!(":{port}"), &format!(":{right}"), 1)
    });
    true
}

/// Returns whether an address leads to a collector of the project.
fn is_collector_of_project(model: &ComposeModel, service: &ServiceModel, url: &str) -> bool {
    let target = find_endpoint_target(model, service, url);
    let Some(AddressTarget::Container { service, .. }) = target else { return false };
    model.service(&service).is_some_and(is_collector)
}

fn set_variable(planned: &mut [Variable], name: &str, change: impl FnOnce(&str) -> String) {
    if let Some(variable) = planned.iter_mut().find(|variable| variable.name == name) {
        variable.value = change(&variable.value);
    }
}
