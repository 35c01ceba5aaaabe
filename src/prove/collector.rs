//! Proves a service that sends to a collector of the project, by sending what the collector would send.
//!
//! Proves the key and the address in the collector's configuration. The connection between service and collector is
//! inside docker, and reported as unproven.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::compose::{ServiceEnvironment, ServiceModel, is_collector, is_own_host};
use crate::instrumentation::SdkSettings;
use crate::net::failure::RequestFailure;
use crate::otlp::{Exporter, FailureCode, OtlpProtocol};
use crate::project::Project;
use crate::provider::collector::{self, CollectorExport};
use crate::provider::listening::{
    ListenerProtocol, SenderNetwork, find_unreachable_reason, read_listeners,
};
use crate::secret::{Redactor, Secrecy, Secret, classify_secrecy};
use crate::session::collector::{file_of, read_optional_text};
use crate::session::context::how_to_store;

use super::reach;
use super::subject::{EffectiveSettings, ServiceUnderTest};

/// Returns the remaining subject if the service's endpoint is a collector with a readable configuration; else
/// `subject`.
pub(super) fn follow(
    subject: ServiceUnderTest,
    effective: &EffectiveSettings<'_>,
    project: &Project,
    redactor: &Redactor,
) -> ServiceUnderTest {
    let Ok(exporter) = &subject.exporter else {
        return subject;
    };
    let (model, from) = (effective.model, effective.service);
    let Some((between, port)) = reach::find_receiving_service(model, from, &exporter.url) else {
        return subject;
    };
    if !is_collector(between) || subject.stop.is_some() {
        return subject;
    }
    let sources = project.sources();
    let Some(file) = file_of(between) else {
        return subject;
    };
    let Some(text) = read_optional_text(sources, &file) else {
        return subject;
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let protocol = match exporter.protocol {
        OtlpProtocol::Grpc => ListenerProtocol::Grpc,
        _ => ListenerProtocol::Http,
    };
    let network = match exporter.url.host_str() {
        Some(host) if is_own_host(host) => SenderNetwork::Shared,
        _ => SenderNetwork::Other,
    };
    let settings = between.effective(effective.variables());
    let variable = |name: &str| Some(settings.get(name)?.value.known()?.to_owned());
    let image = between.image.as_deref().unwrap_or_default();
    if let Ok(listeners) = read_listeners(&text, image, &variable)
        && let Some(reason) = find_unreachable_reason(&listeners, port, protocol, network)
    {
        let evidence = format!("{name}: {}", reason.words(port, protocol));
        let failure = RequestFailure::before(FailureCode::Connect, evidence)
            .hint(reason.hint(port, protocol));
        return ServiceUnderTest { at: Err(failure), ..subject };
    }
    match collector::read(&text) {
        Ok(export) => in_place(subject, effective, (between, &name, &settings), &export, redactor),
        Err(_) => subject,
    }
}

fn in_place(
    mut subject: ServiceUnderTest,
    effective: &EffectiveSettings<'_>,
    (between, file, settings): (&ServiceModel, &str, &ServiceEnvironment),
    export: &CollectorExport,
    redactor: &Redactor,
) -> ServiceUnderTest {
    let variable = |name: &str| Some(settings.get(name)?.value.known()?.to_owned());
    let mut lacking = Vec::new();
    let mut expand = |text: &str| {
        let (text, lacks) = collector::expand_variables(text, &variable);
        lacking.extend(lacks);
        text
    };
    let endpoint = expand(&export.endpoint);
    let itself = reach::is_own(&endpoint);
    subject.texts.push(Secret::new(endpoint.as_str()));
    let mut headers = Vec::new();
    let mut supplied = Vec::new();
    for (name, value) in &export.headers {
        let written = value;
        let value = expand(written);
        if value != *written && classify_secrecy(name, &value) != Secrecy::Public {
            redactor.learn(name, &Secret::new(value.as_str()));
            supplied.push(name.clone());
        }
        let value = utf8_percent_encode(&value, NON_ALPHANUMERIC);
        headers.push(format!("{name}={value}"));
    }
    if let Some(name) = lacking.first() {
        let text = format!("{name} is not set for {}, so no key would be sent", between.name);
        return subject.stopped(FailureCode::KeyMissing, &text, Some(how_to_store(name)));
    }
    let variables = as_variables(export, endpoint, &headers.join(","));
    match Exporter::from_settings(&SdkSettings::of_unknown_sdk(&variables)) {
        Err(reason) => {
            let text = format!("{file}: {reason}");
            subject.stopped(FailureCode::NotConfigured, &text, None)
        }
        Ok(exporter) => {
            subject.at = reach::find_url_address(effective.model, between, &exporter.url);
            subject.supplied = supplied;
            let evidence = &mut subject.configured.evidence;
            *evidence = format!(
                "{evidence}; {} sends to {} ({file})",
                between.name,
                exporter.url.origin().ascii_serialization()
            );
            subject.exporter = Ok(exporter);
            let service = subject.service.clone();
            if itself {
                let text = format!("for {} that address is its own container", between.name);
                subject.warn(&text, None);
            }
            subject.warn(
                &format!(
                    "sent from here as {} would: the step from {service} to it is between containers and was not tried",
                    between.name
                ),
                Some("`cruddur-ops verify --app` asks the application itself, with every step".to_owned()),
            );
            subject
        }
    }
}

/// Returns the collector's exporter as SDK variables.
fn as_variables(
    export: &CollectorExport,
    endpoint: String,
    headers: &str,
) -> BTreeMap<String, Secret> {
    let (address, protocol) = match (export.traces_only, export.grpc) {
        (true, _) => ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http/protobuf"),
        (false, false) => ("OTEL_EXPORTER_OTLP_ENDPOINT", "http/protobuf"),
        (false, true) => ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc"),
    };
    let pairs = [
        (address, endpoint),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol.to_owned()),
        ("OTEL_EXPORTER_OTLP_HEADERS", headers.to_owned()),
        ("OTEL_EXPORTER_OTLP_INSECURE", export.insecure.to_string()),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip".to_owned()),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), Secret::new(value))).collect()
}
