//! Doctor judges a service by how its SDK uses its variables: by its code, packages, start command and provider.

use std::collections::BTreeSet;

use crate::sandbox::{Run, Sandbox};

/// Packages and code that trace a Flask application correctly.
const PACKAGES: &str = "flask\nopentelemetry-sdk\nopentelemetry-exporter-otlp-proto-http\nopentelemetry-instrumentation-flask\n";
const CODE: &str = "import os
from flask import Flask
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
app = Flask(__name__)
FlaskInstrumentor().instrument_app(app)
";
const START: &str = "FROM python:3.12\nCOPY . .\nCMD [\"flask\", \"run\"]\n";
const BY_AGENT: &str =
    "FROM python:3.12\nCOPY . .\nCMD [\"opentelemetry-instrument\", \"flask\", \"run\"]\n";
const HEADERS: &str =
    "      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY:?none}\n";

/// Returns a compose file with one service whose environment is `lines`.
fn compose(lines: &str) -> String {
    format!("services:\n  api:\n    build: ./api\n    environment:\n{lines}")
}

fn wired() -> String {
    compose(&format!(
        "      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n{HEADERS}"
    ))
}

/// Returns the findings as `code severity path:line`.
fn found(run: &Run) -> BTreeSet<String> {
    let document = run.json();
    let findings = document["findings"].as_array().unwrap();
    let shown = findings.iter().map(|one| {
        let text = |field: &str| one[field].as_str().unwrap();
        format!("{} {} {}:{}", text("code"), text("severity"), text("path"), one["line"])
    });
    shown.collect()
}

#[track_caller]
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let sandbox = Sandbox::new(files).with("CI", "true");
    let run = sandbox.run(&["doctor", "--json"]);
    let expected: BTreeSet<String> = expected.iter().map(|one| (*one).to_owned()).collect();
    assert_eq!(found(&run), expected, "{files:#?}");
}

/// Compares the findings after one part of a correct project is replaced.
#[track_caller]
fn check_code(from: &str, to: &str, expected: &[&str]) {
    let code = CODE.replacen(from, to, 1);
    assert!(from.is_empty() || code != CODE, "{from}");
    let files = [
        ("compose.yaml", &*wired()),
        ("api/requirements.txt", PACKAGES),
        ("api/Dockerfile", START),
        ("api/app.py", &code),
    ];
    check(&files, expected);
}

#[track_caller]
fn check_start(packages: &str, start: &str, environment: &str, expected: &[&str]) {
    let code = "from flask import Flask\napp = Flask(__name__)\n";
    let files = [
        ("compose.yaml", &*compose(environment)),
        ("api/requirements.txt", packages),
        ("api/Dockerfile", start),
        ("api/app.py", code),
    ];
    check(&files, expected);
}

#[test]
fn what_code_does_with_its_spans_is_judged_where_it_stands() {
    check_code("", "", &[]);
    let added = "provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))\n";
    check_code(added, &added.repeat(2), &["init-twice warning api/app.py:11"]);
    check_code(added, "exporter = OTLPSpanExporter()\n", &["init-incomplete error api/app.py:10"]);
    check_code(
        "trace.set_tracer_provider(provider)\n",
        "",
        &["init-incomplete error api/app.py:9"],
    );
    let hook = "FlaskInstrumentor().instrument_app(app)";
    check_code(hook, &format!("# {hook}"), &["init-incomplete warning api/app.py:13"]);
    check_code(hook, &format!("# {hook} - off, the proxy traces"), &[]);
    let console = "ConsoleSpanExporter, BatchSpanProcessor";
    let imported = "import BatchSpanProcessor\n";
    check_code(imported, &format!("import {console}\nidle = ConsoleSpanExporter()\n"), &[]);
    let used = "import BatchSpanProcessor, ConsoleSpanExporter\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\nprovider = TracerProvider()\nprovider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter()))\n";
    check_code(imported, used, &["console-exporter advice api/app.py:9"]);
    for read in ["os.getenv(\"OTEL_EXPORTER_OTLP_ENDPOINT\")", "\"https://api.honeycomb.io\""] {
        let exporter = format!("OTLPSpanExporter(endpoint={read})");
        check_code("OTLPSpanExporter()", &exporter, &["traces-endpoint-path error api/app.py:10"]);
    }
    let whole = "OTLPSpanExporter(endpoint=\"https://api.honeycomb.io/v1/traces\")";
    check_code("OTLPSpanExporter()", whole, &[]);
    for (name, expected) in
        [("api", &[][..]), ("shop", &["name-contradicts warning compose.yaml:5"])]
    {
        let resource =
            format!("TracerProvider(resource=Resource.create({{\"service.name\": \"{name}\"}}))");
        check_code("TracerProvider()", &resource, expected);
    }
}

#[test]
fn an_exporter_that_the_start_needs_and_nothing_installs_is_an_error() {
    let name = "      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://otel.example.com\n";
    let with = |more: &str| format!("{name}      {more}\n");
    let http = "flask\nopentelemetry-distro\nopentelemetry-exporter-otlp-proto-http\n";
    let grpc = "flask\nopentelemetry-distro\nopentelemetry-exporter-otlp-proto-grpc\n";
    let both = "flask\nopentelemetry-distro[otlp]\nopentelemetry-exporter-otlp\n";
    let over_http = with("OTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf");
    let over_grpc = with("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: grpc");
    for (packages, environment, line) in [
        (http, name.to_owned(), Some(6)),
        (http, over_http.clone(), None),
        (http, over_grpc.clone(), Some(6)),
        (grpc, name.to_owned(), None),
        (grpc, over_http.clone(), Some(6)),
        (both, over_http, None),
    ] {
        let expected = line.map(|line| format!("sdk-sends-nothing error compose.yaml:{line}"));
        let expected: Vec<&str> = expected.as_deref().into_iter().collect();
        check_start(packages, BY_AGENT, &environment, &expected);
    }
}

#[test]
fn a_name_in_the_image_or_the_command_is_a_name() {
    let endpoint = "      OTEL_EXPORTER_OTLP_ENDPOINT: https://otel.example.com\n";
    let all = "flask\nopentelemetry-distro\nopentelemetry-exporter-otlp\n";
    let image = BY_AGENT.replace("COPY", "ENV OTEL_SERVICE_NAME=api\nCOPY");
    let attribute = BY_AGENT.replace("COPY", "ENV OTEL_RESOURCE_ATTRIBUTES=service.name=api\nCOPY");
    let command = BY_AGENT.replace("\"flask\"", "\"--service_name\", \"api\", \"flask\"");
    check_start(all, BY_AGENT, endpoint, &["name-missing warning compose.yaml:2"]);
    for start in [image, attribute, command] {
        check_start(all, &start, endpoint, &[]);
    }
}

#[test]
fn a_service_that_is_wired_and_has_nothing_that_sends_is_named() {
    let environment = "      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://otel.example.com\n";
    let nothing = ["no-span-source warning compose.yaml:6"];
    let of = |files: &[(&str, &str)], expected: &[&str]| {
        let compose = compose(environment);
        let mut all = vec![("compose.yaml", compose.as_str())];
        all.extend(files);
        check(&all, expected);
    };
    let express = "{\"dependencies\": {\"express\": \"5\"}}\n";
    let traced = "{\"dependencies\": {\"express\": \"5\", \"@opentelemetry/sdk-node\": \"1\"}}\n";
    let page = "{\"dependencies\": {\"@opentelemetry/sdk-trace-web\": \"1\"}}\n";
    let node = "FROM node:22\nCOPY . .\nCMD [\"node\", \"index.js\"]\n";
    let index = ("api/index.js", "require('express')()\n");
    of(&[("api/package.json", express), ("api/Dockerfile", node), index], &nothing);
    of(&[("api/package.json", traced), ("api/Dockerfile", node), index], &[]);
    of(&[("api/package.json", page), ("api/Dockerfile", node), index], &[]);
    let go = "FROM golang:1.24\nCOPY . .\nCMD [\"go\", \"run\", \".\"]\n";
    of(
        &[("api/go.mod", "module x\nrequire example.com/y v1.0.0\n"), ("api/Dockerfile", go)],
        &nothing,
    );
    of(
        &[
            ("api/go.mod", "module x\nrequire go.opentelemetry.io/otel/sdk v1.38.0\n"),
            ("api/Dockerfile", go),
        ],
        &[],
    );
    let django = [
        ("api/manage.py", "import django\n"),
        ("api/requirements.txt", "django\n"),
        ("api/Dockerfile", "FROM python\nCOPY . .\nCMD [\"python\", \"manage.py\"]\n"),
    ];
    of(&django, &nothing);
    let datadog = [
        ("api/app.py", "import ddtrace\nddtrace.patch_all()\n"),
        ("api/requirements.txt", "ddtrace\n"),
        ("api/Dockerfile", "FROM python\nCOPY . .\nCMD [\"python\", \"app.py\"]\n"),
    ];
    of(&datadog, &["no-span-source advice compose.yaml:6"]);
}

#[test]
fn only_an_old_agent_loses_the_child_of_the_reloader() {
    let code = "from flask import Flask\napp = Flask(__name__)\nif __name__ == '__main__':\n    app.run(debug=True)\n";
    let start = BY_AGENT.replace("\"flask\", \"run\"", "\"python\", \"app.py\"");
    for (version, is_old) in [
        ("", false),
        ("==0.48b0", true),
        ("==0.62b1", true),
        ("==0.63b0", false),
        ("==0.64b0", false),
        (">=0.50b0", false),
        ("<0.60b0", true),
    ] {
        let packages =
            format!("flask\nopentelemetry-distro{version}\nopentelemetry-exporter-otlp\n");
        let files = [
            ("compose.yaml", "services:\n  api: {build: ./api}\n"),
            ("api/requirements.txt", &*packages),
            ("api/Dockerfile", &*start),
            ("api/app.py", code),
        ];
        let expected = if is_old { &["reloader warning api/app.py:4"][..] } else { &[] };
        check(&files, expected);
    }
}

#[test]
fn where_spans_go_is_compared_with_what_is_there() {
    let with = |endpoint: &str, more: &str| {
        compose(&format!(
            "      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: {endpoint}\n{more}"
        ))
    };
    let of = |compose: &str, expected: &[&str]| {
        let files = [
            ("compose.yaml", compose),
            ("api/requirements.txt", PACKAGES),
            ("api/Dockerfile", START),
            ("api/app.py", CODE),
        ];
        check(&files, expected);
    };
    let honeycomb = "https://api.honeycomb.io";
    let six = ["provider-mismatch error compose.yaml:6"];
    let seven = ["provider-mismatch error compose.yaml:7"];
    of(&with(honeycomb, ""), &six);
    of(&with("https://otlp.nr-data.net", ""), &six);
    of(&with("https://ui.honeycomb.io", HEADERS), &six);
    of(&with(honeycomb, &HEADERS.replace("team=", "teams=")), &seven);
    of(&with(honeycomb, &HEADERS.replace("honeycomb-team=", "honeycomb_team=")), &seven);
    let id = "hcaik_0123456789abcdefghjkmnpqrs";
    of(&with(honeycomb, &HEADERS.replace("${HONEYCOMB_API_KEY:?none}", id)), &seven);
    let ignored = ["sdk-value-ignored error compose.yaml:7"];
    for reference in ["$$(HONEYCOMB_API_KEY)", "HONEYCOMB_API_KEY", "{${HONEYCOMB_API_KEY:?none}}"]
    {
        of(&with(honeycomb, &HEADERS.replace("${HONEYCOMB_API_KEY:?none}", reference)), &ignored);
    }
    let itself = ["localhost-in-container error compose.yaml:6"];
    for own in ["http://0.0.0.0:4318", "http://localhost:4318", "http://[::1]:4318"] {
        of(&with(own, ""), &itself);
    }
    let unreachable = "endpoint-unreachable";
    of(
        &with("http://host.docker.internal:4318", ""),
        &[&format!("{unreachable} warning compose.yaml:6")],
    );
    let known = "    extra_hosts: [\"host.docker.internal:host-gateway\"]\n";
    of(&with("http://host.docker.internal:4318", known), &[]);
}

#[test]
fn a_collector_hears_only_what_its_configuration_listens_for() {
    let collector = "  otel-collector:\n    image: otel/opentelemetry-collector-contrib:0.119.0\n    ports: [\"24318:4318\"]\n    volumes: [\"./collector.yaml:/etc/otelcol-contrib/config.yaml\"]\n";
    let config = |protocol: &str| {
        format!(
            "receivers:\n  otlp:\n    protocols:\n      {protocol}\nexporters: {{debug: {{}}}}\nservice:\n  pipelines:\n    traces: {{receivers: [otlp], exporters: [debug]}}\n"
        )
    };
    for (endpoint, protocol, is_heard) in [
        ("http://otel-collector:4318", "http: {endpoint: \"0.0.0.0:4318\"}", true),
        ("http://otel-collector:24318", "http: {endpoint: \"0.0.0.0:4318\"}", false),
        ("http://otel-collector:4318", "http: {endpoint: \"localhost:4318\"}", false),
        ("http://otel-collector:4318", "http:", false),
        ("http://otel-collector:4317", "http: {endpoint: \"0.0.0.0:4318\"}", false),
        ("http://otel-collector:4317", "http: {endpoint: \"0.0.0.0:4317\"}", true),
        ("http://otel-collector:4318", "grpc: {endpoint: \"0.0.0.0:4318\"}", false),
    ] {
        let lines = format!(
            "      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: {endpoint}\n"
        );
        let files = [
            ("compose.yaml", &*(compose(&lines) + collector)),
            ("collector.yaml", &*config(protocol)),
            ("api/requirements.txt", PACKAGES),
            ("api/Dockerfile", START),
            ("api/app.py", CODE),
        ];
        let expected = ["endpoint-unreachable error compose.yaml:6"];
        check(&files, if is_heard { &[] } else { &expected });
    }
}

#[test]
fn a_variable_that_reaches_no_container_is_not_judged() {
    let code = "from opentelemetry import trace\nfrom opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\n\nprovider = TracerProvider()\nprovider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))\ntrace.set_tracer_provider(provider)\n";
    for (declared, is_judged) in [
        ("    environment: {OTEL_EXPORTER_OTLP_ENDPOINT: }\n", false),
        ("    environment: [OTEL_EXPORTER_OTLP_ENDPOINT]\n", false),
        ("    env_file: [api.env]\n", false),
        ("    environment: {OTEL_EXPORTER_OTLP_ENDPOINT: 'honeycomb:port'}\n", true),
    ] {
        let compose = format!("services:\n  api:\n    build: api\n{declared}");
        let sandbox = Sandbox::new(&[
            ("compose.yaml", compose.as_str()),
            ("api.env", "OTEL_EXPORTER_OTLP_ENDPOINT\n"),
            ("api/Dockerfile", "FROM python:3.12\nCOPY . .\nCMD [\"python\", \"app.py\"]\n"),
            ("api/requirements.txt", "opentelemetry-sdk\nopentelemetry-exporter-otlp\n"),
            ("api/app.py", code),
        ]);
        let document = sandbox.run(&["doctor", "--json"]).json();
        let findings = document["findings"].as_array().unwrap();
        let judged = findings.iter().any(|finding| finding["code"] == "sdk-sends-nothing");
        assert_eq!(judged, is_judged, "{declared}: {document:#}");
    }
}
