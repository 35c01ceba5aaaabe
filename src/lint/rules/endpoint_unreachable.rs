//! `endpoint-unreachable`: an endpoint in the project that the spans of a service cannot reach.

use url::Url;

use super::sdk::{TracedService, traced_services};
use crate::compose::{
    AddressTarget, ServiceModel, find_endpoint_target, find_target, is_collector, is_own_host,
    is_unknown_name, lacks_machine_name,
};
use crate::instrumentation::{ENDPOINT_VARIABLES, OtlpProtocol};
use crate::lint::{CollectorFile, Inspection, LintRule, RuleHit, Severity};
use crate::provider::listening::{
    CollectorUnreachableReason, ListenerProtocol, OtlpListener, SenderNetwork,
    find_unreachable_reason, read_listeners,
};

pub(super) static RULE: LintRule = LintRule {
    code: "endpoint-unreachable",
    severity: Severity::Error,
    why: "each request is refused or reaches nothing, and the SDK drops its spans after some retries",
    explanation: "Between containers, a collector is reached at the port it listens on, not at the one it publishes: \
        with `ports: [\"24318:4318\"]` that is `http://otel-collector:4318`. Its configuration decides who can \
        connect: `localhost:4318` accepts only its own container. It expects plain text unless its receiver has \
        `tls`: `https://`, and gRPC without a scheme, begin with TLS. Services find each other by name only on a \
        network that both are on. `host.docker.internal` is known on Docker Desktop; elsewhere the service needs \
        `extra_hosts`. A host that no service is called is reported if the project has a collector under another \
        name.",
    failing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    image: example/api\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://otel-collector:24318 # <-\n  web:\n    image: example/web\n    environment:\n      OTEL_SERVICE_NAME: web\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://inner:4318 # <-\n  job:\n    image: example/job\n    networks: [apart]\n    environment:\n      OTEL_SERVICE_NAME: job\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://otel-collector:4318 # <-\n  desk:\n    image: example/desk\n    environment:\n      OTEL_SERVICE_NAME: desk\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://host.docker.internal:4318 # <-\n  otel-collector:\n    image: otel/opentelemetry-collector-contrib:0.119.0\n    ports: [\"24318:4318\"]\n    volumes: [\"./collector.yaml:/etc/otelcol-contrib/config.yaml\"]\n  inner:\n    image: otel/opentelemetry-collector-contrib:0.119.0\n    volumes: [\"./inner.yaml:/etc/otelcol-contrib/config.yaml\"]\nnetworks: {apart: {}}\n",
        ),
        (
            "collector.yaml",
            "receivers: {otlp: {protocols: {http: {endpoint: \"0.0.0.0:4318\"}}}}\nexporters: {debug: {}}\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n",
        ),
        (
            "inner.yaml",
            "receivers: {otlp: {protocols: {http: {endpoint: \"localhost:4318\"}}}}\nexporters: {debug: {}}\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n",
        ),
    ],
    passing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    image: example/api\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://otel-collector:4318\n  desk:\n    image: example/desk\n    extra_hosts: [\"host.docker.internal:host-gateway\"]\n    environment:\n      OTEL_SERVICE_NAME: desk\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://host.docker.internal:24318\n  side:\n    image: example/side\n    network_mode: service:otel-collector\n    environment:\n      OTEL_SERVICE_NAME: side\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://localhost:4318\n  otel-collector:\n    image: otel/opentelemetry-collector-contrib:0.119.0\n    ports: [\"24318:4318\"]\n    volumes: [\"./collector.yaml:/etc/otelcol-contrib/config.yaml\"]\n",
        ),
        (
            "collector.yaml",
            "receivers: {otlp: {protocols: {http: {endpoint: \"0.0.0.0:4318\"}}}}\nexporters: {debug: {}}\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n",
        ),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    traced_services(inspection).filter_map(|traced| find_obstacle(inspection, &traced)).collect()
}

fn find_obstacle(inspection: &Inspection, traced: &TracedService<'_>) -> Option<RuleHit> {
    let otlp = traced.settings.otlp()?;
    let setting = traced.winner(ENDPOINT_VARIABLES)?;
    let url = otlp.url.as_ref()?;
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    let hit = |message: String, advice: String| {
        RuleHit::new(setting.file, setting.value_at, message, advice)
    };
    let (model, service) = (traced.model, traced.service);
    if lacks_machine_name(model, service, host) {
        let message = format!("containers know {host} only on Docker Desktop");
        let advice = format!("add `extra_hosts: [\"{host}:host-gateway\"]` to {}", service.name);
        return Some(hit(message, advice).as_severe_as(Severity::Warning));
    }
    match find_target(model, service, (host, port), "tcp") {
        AddressTarget::Unreachable(obstacle) => {
            let message = format!("{} does not reach {host}:{port}: {obstacle}", service.name);
            Some(hit(message, obstacle.hint()))
        }
        AddressTarget::Container { service, port } => {
            let receiver = model.service(&service)?;
            let protocol = traced.knows_protocol().then_some(match otlp.protocol {
                OtlpProtocol::Grpc => ListenerProtocol::Grpc,
                _ => ListenerProtocol::Http,
            });
            let plain = find_plain(inspection, receiver, (url, port), &setting.resolved());
            let found = plain.or_else(|| find_deaf(inspection, receiver, (url, port), protocol));
            found.map(|(message, advice)| hit(message, advice))
        }
        AddressTarget::Outside if is_unknown_name(model, service, host) => {
            let is_beside =
                inspection.other_projects.iter().any(|model| model.service(host).is_some());
            let collector =
                model.services.iter().find(|service| is_collector(service) && !is_beside)?;
            let message = format!("no service of the project is called {host}");
            let hit = hit(message, format!("the collector here is called {}", collector.name));
            // Another project may supply an unrelated name.
            let is_alike = collector.name.contains(host) || host.contains(&*collector.name);
            Some(hit.as_severe_as(if is_alike { Severity::Error } else { Severity::Warning }))
        }
        AddressTarget::Own | AddressTarget::Machine | AddressTarget::Outside => None,
    }
}

/// Returns whether a collector configuration decides which protocol the port of `endpoint` accepts.
pub(super) fn is_configured(
    inspection: &Inspection,
    service: &ServiceModel,
    endpoint: &str,
) -> bool {
    let target =
        inspection.model.as_ref().and_then(|model| find_endpoint_target(model, service, endpoint));
    let Some(AddressTarget::Container { service, .. }) = target else { return false };
    inspection.collectors.iter().any(|collector| collector.service == service)
}

/// Returns why TLS fails with a collector that expects none, and the fix. `written` is the endpoint as it is set.
fn find_plain(
    inspection: &Inspection,
    receiver: &ServiceModel,
    (url, port): (&Url, u16),
    written: &str,
) -> Option<(String, String)> {
    if url.scheme() != "https" || !is_collector(receiver) {
        return None;
    }
    if inspection.collectors.iter().any(|collector| collector.service == receiver.name) {
        let listeners = configured_listeners(inspection, receiver)?.1;
        let on_port = listeners.iter().find(|listener| listener.port == Some(port))?;
        if on_port.is_encrypted {
            return None;
        }
    }
    let message =
        format!("the connection begins with TLS, and {} expects plain text", receiver.name);
    let bare = written.split_once("://").map_or(written, |(_, rest)| rest);
    Some((message, format!("write `http://{bare}`")))
}

/// Returns the configuration of a collector, and its listeners; `None` if they are unknown.
pub(super) fn configured_listeners<'i>(
    inspection: &'i Inspection,
    receiver: &ServiceModel,
) -> Option<(&'i CollectorFile, Vec<OtlpListener>)> {
    let model = inspection.model.as_ref()?;
    let config =
        inspection.collectors.iter().find(|collector| collector.service == receiver.name)?;
    let settings = receiver.intended(model.plain());
    let variable = |name: &str| Some(settings.get(name)?.value.known()?.to_owned());
    let image = receiver.image.as_deref().unwrap_or_default();
    Some((config, read_listeners(&config.file.text, image, &variable).ok()?))
}

/// Returns why a collector configuration does not accept what is sent to its port, and the fix. An unknown protocol
/// may be either one.
fn find_deaf(
    inspection: &Inspection,
    receiver: &ServiceModel,
    (url, port): (&Url, u16),
    protocol: Option<ListenerProtocol>,
) -> Option<(String, String)> {
    let (config, listeners) = configured_listeners(inspection, receiver)?;
    let network = if url.host_str().is_some_and(is_own_host) {
        SenderNetwork::Shared
    } else {
        SenderNetwork::Other
    };
    let protocols = protocol.map_or_else(
        || vec![ListenerProtocol::Http, ListenerProtocol::Grpc],
        |protocol| vec![protocol],
    );
    let reason =
        |protocol| Some((protocol, find_unreachable_reason(&listeners, port, protocol, network)?));
    let reasons: Vec<_> = protocols.into_iter().map(reason).collect::<Option<_>>()?;
    let is_other = |reason: &CollectorUnreachableReason| {
        matches!(reason, CollectorUnreachableReason::OtherProtocol { .. })
    };
    let (protocol, reason) = reasons.into_iter().min_by_key(|(_, reason)| is_other(reason))?;
    let file = inspection.shown(&config.file.path).display();
    Some((format!("{file}: {}", reason.words(port, protocol)), reason.hint(port, protocol)))
}
