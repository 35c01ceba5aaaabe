//! Cases in which the inputs decide, and which no real SDK can cover here: missing packages, and how the SDK is
//! started.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

fn read_sdk_settings(
    language: Language,
    setup: &SdkSetup,
    packages: Option<&[&str]>,
    pairs: &[(&str, &str)],
) -> SdkSettings {
    let environment: BTreeMap<String, Secret> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
    let packages: Option<BTreeSet<String>> =
        packages.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    let packages = packages.as_ref();
    SdkSettings::read(&SdkInput {
        language: Some(language),
        setup,
        packages,
        environment: &environment,
    })
}

fn otlp_protocol(settings: &SdkSettings) -> Option<OtlpProtocol> {
    settings.otlp().map(|otlp| otlp.protocol)
}

const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel:4318");
const HTTP: &str = "opentelemetry-exporter-otlp-proto-http";
const GRPC: &str = "opentelemetry-exporter-otlp-proto-grpc";

#[test]
fn the_default_protocol_is_that_of_the_language_and_its_start() {
    let variables = &SdkSetup::Variables;
    for (language, setup, expected) in [
        (Language::Python, variables, OtlpProtocol::Grpc),
        (Language::Python, &SdkSetup::Unknown, OtlpProtocol::HttpProtobuf),
        (Language::Node, variables, OtlpProtocol::HttpProtobuf),
        (Language::Java, variables, OtlpProtocol::HttpProtobuf),
        (Language::Dotnet, variables, OtlpProtocol::HttpProtobuf),
        (Language::Php, variables, OtlpProtocol::HttpProtobuf),
        (Language::Ruby, variables, OtlpProtocol::HttpProtobuf),
    ] {
        let settings = read_sdk_settings(language, setup, None, &[ENDPOINT]);
        assert_eq!(otlp_protocol(&settings), Some(expected), "{language:?} {setup:?}");
    }
    let code = SdkSetup::Code { protocol: OtlpProtocol::HttpProtobuf, endpoint: None };
    let says_grpc =
        [ENDPOINT, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_TRACES_EXPORTER", "none")];
    for language in [Language::Python, Language::Node, Language::Go] {
        let settings = read_sdk_settings(language, &code, None, &says_grpc);
        assert_eq!(otlp_protocol(&settings), Some(OtlpProtocol::HttpProtobuf), "{language:?}");
        assert_eq!(settings.blocker(), None, "{language:?}");
    }
}

#[test]
fn python_does_not_start_without_the_package_of_an_exporter() {
    let missing = |packages: &[&str], pairs: &[(&str, &str)]| {
        let settings =
            read_sdk_settings(Language::Python, &SdkSetup::Variables, Some(packages), pairs);
        let kinds = settings.problems.iter().map(|problem| problem.kind);
        (settings.starts(), kinds.filter(|kind| *kind == SdkProblemKind::ExporterMissing).count())
    };
    let http = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
    // Metrics and logs have separate exporters, which fail in the same way.
    assert_eq!(missing(&[HTTP], &[ENDPOINT]), (false, 3));
    assert_eq!(missing(&[HTTP], &[ENDPOINT, http]), (true, 0));
    assert_eq!(missing(&[GRPC], &[ENDPOINT]), (true, 0));
    assert_eq!(missing(&[GRPC], &[ENDPOINT, http]), (false, 3));
    assert_eq!(missing(&["opentelemetry-exporter-otlp"], &[ENDPOINT, http]), (true, 0));
    let zipkin = ("OTEL_TRACES_EXPORTER", "otlp,zipkin_json");
    assert_eq!(missing(&[HTTP], &[ENDPOINT, http, zipkin]), (false, 1));
    let traces = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf");
    assert_eq!(missing(&[HTTP], &[ENDPOINT, traces]), (false, 2));
}

#[test]
fn a_propagator_needs_its_package_in_python() {
    let starts = |packages: Option<&[&str]>, list| {
        let pairs = [ENDPOINT, ("OTEL_PROPAGATORS", list)];
        read_sdk_settings(Language::Python, &SdkSetup::Unknown, packages, &pairs).starts()
    };
    assert!(starts(None, "tracecontext,b3") && !starts(Some(&[HTTP]), "tracecontext,b3"));
    assert!(starts(Some(&["opentelemetry-propagator-b3"]), "b3multi,tracecontext"));
    assert!(!starts(None, "tracecontex") && starts(Some(&[]), "none,nonsense"));
}

#[test]
fn an_endpoint_in_code_is_used_unchanged() {
    for (language, protocol) in [
        (Language::Python, OtlpProtocol::HttpProtobuf),
        (Language::Node, OtlpProtocol::HttpProtobuf),
        (Language::Node, OtlpProtocol::HttpJson),
        (Language::Go, OtlpProtocol::HttpProtobuf),
    ] {
        let setup = SdkSetup::Code { protocol, endpoint: Some(ENDPOINT.1.to_owned()) };
        let settings =
            read_sdk_settings(language, &setup, None, &[ENDPOINT, ("OTEL_SERVICE_NAME", "api")]);
        let otlp = settings.otlp().unwrap();
        assert_eq!(otlp.url.as_ref().unwrap().path(), "/", "{language:?}");
        assert_eq!(otlp.source, EndpointSource::Code);
        let kinds: Vec<SdkProblemKind> =
            settings.problems.iter().map(|problem| problem.kind).collect();
        assert_eq!(kinds, [SdkProblemKind::EndpointPathMissing], "{language:?}");
    }
}

#[test]
fn a_command_and_an_image_name_a_service() {
    let words = ["opentelemetry-instrument", "--service_name", "api", "python", "app.py"];
    let launch = launch_variables(Language::Python, &words.map(str::to_owned));
    let image = [("OTEL_SERVICE_NAME", "image"), ("OTEL_PROPAGATORS", "baggage")]
        .map(|(name, value)| (name.to_owned(), Secret::new(value)))
        .into();
    let mut environment = BTreeMap::from([(ENDPOINT.0.to_owned(), Secret::new(ENDPOINT.1))]);
    image_defaults(&mut environment, image);
    let name = |environment: &BTreeMap<String, Secret>| {
        let input = SdkInput {
            language: Some(Language::Python),
            setup: &SdkSetup::Variables,
            packages: None,
            environment,
        };
        SdkSettings::read(&input).service_name
    };
    assert_eq!(name(&environment).as_deref(), Some("image"));
    environment.extend(launch);
    assert_eq!(name(&environment).as_deref(), Some("api"));
}
