//! `init` on set-ups that were found in other people's projects: what it traces, what it adds, what it says.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::sandbox::Sandbox;

const INIT: [&str; 8] = [
    "init",
    "--yes",
    "--dry-run",
    "--json",
    "--provider",
    "otlp",
    "--endpoint",
    "http://away:4318",
];

/// An image that starts `app.js`.
const NODE_IMAGE: &str = "FROM node:22\nWORKDIR /app\nCOPY . .\nCMD [\"node\", \"app.js\"]\n";

fn plan(sandbox: &Sandbox, more: &[&str]) -> Value {
    sandbox.run(&[&INIT, more].concat()).expect(0).json()
}

/// The services that are traced.
fn traced(document: &Value) -> BTreeSet<&str> {
    document["instrumentation"].as_object().unwrap().keys().map(String::as_str).collect()
}

/// How a service comes to send spans.
fn instrumented<'d>(document: &'d Value, service: &str) -> &'d str {
    document["instrumentation"][service]["instrumented"].as_str().unwrap()
}

fn has_note(document: &Value, field: &str, part: &str) -> bool {
    let notes = document["notes"].as_array().unwrap();
    notes.iter().any(|note| note[field].as_str().is_some_and(|text| text.contains(part)))
}

/// An `app.js` that sets up an SDK, with an exporter of `protocol` that is created with `options`.
fn node_sdk(protocol: &str, options: &str) -> String {
    format!(
        "const {{ NodeSDK }} = require('@opentelemetry/sdk-node')\nconst {{ OTLPTraceExporter }} = require('@opentelemetry/exporter-trace-otlp-{protocol}')\nnew NodeSDK({{ traceExporter: new OTLPTraceExporter({{ {options} }}) }}).start()\n"
    )
}

/// The `package.json` of that `app.js`.
fn node_packages(protocol: &str) -> String {
    format!(
        "{{\"dependencies\": {{\"@opentelemetry/sdk-node\": \"0.57.1\", \"@opentelemetry/exporter-trace-otlp-{protocol}\": \"0.57.1\"}}}}\n"
    )
}

#[test]
fn pulled_images_that_are_told_where_to_send_are_traced() {
    let sandbox = Sandbox::new(&[(
        "compose.yaml",
        "services:\n  client:\n    image: example/client\n    environment: {OTEL_EXPORTER_OTLP_ENDPOINT: \"http://tempo:4317\"}\n  server:\n    image: example/server:1.2\n    environment:\n      - OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://tempo:4318/v1/traces\n  mock:\n    image: registry.example.com/team/mock\n    environment: [OTEL_EXPORTER_OTLP_ENDPOINT]\n  named:\n    image: example/named\n    environment: {OTEL_SERVICE_NAME: named}\n  tempo:\n    image: grafana/tempo:2.7.1\n    environment: {OTEL_EXPORTER_OTLP_ENDPOINT: \"http://tempo:4317\"}\n",
    )]);
    assert_eq!(traced(&plan(&sandbox, &[])), BTreeSet::from(["client", "server", "mock"]));
}

#[test]
fn a_collector_that_somebody_still_uses_is_not_called_unused() {
    let service = |name: &str| {
        format!(
            "  {name}:\n    build: ./{name}\n    environment:\n      OTEL_SERVICE_NAME: {name}\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://otel-collector:4318\n"
        )
    };
    let compose = format!(
        "services:\n{}{}{}  otel-collector:\n    image: otel/opentelemetry-collector:0.119.0\n    volumes: [\"./otel-collector.yaml:/etc/otelcol/config.yaml\"]\n",
        service("api"),
        service("worker"),
        service("cron"),
    );
    let collector = "receivers: {otlp: {protocols: {http: {endpoint: \"0.0.0.0:4318\"}}}}\nexporters: {debug: {}}\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n";
    let sandbox = Sandbox::new(&[("compose.yaml", &compose), ("otel-collector.yaml", collector)]);
    for (chosen, is_unused) in
        [(&["api"][..], false), (&["worker", "cron"], false), (&["api", "worker", "cron"], true)]
    {
        let flags: Vec<&str> = chosen.iter().flat_map(|name| ["--service", name]).collect();
        let document = plan(&sandbox, &flags);
        assert_eq!(has_note(&document, "hint", "otel-collector.yaml"), is_unused, "{chosen:?}");
    }
}

#[test]
fn an_address_in_code_that_no_variable_changes_is_named() {
    let node = |options: &str| node_sdk("http", options);
    let package = &node_packages("http");
    let python = "from opentelemetry import trace\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\nprovider = TracerProvider()\nprovider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=\"http://tempo-python:4318/v1/traces\")))\ntrace.set_tracer_provider(provider)\n";
    let sandbox = Sandbox::new(&[
        (
            "compose.yaml",
            "services:\n  one: {build: ./one}\n  two: {build: ./two}\n  three: {build: ./three}\n  free: {build: ./free}\n",
        ),
        ("one/Dockerfile", NODE_IMAGE),
        ("one/package.json", package),
        ("one/app.js", &node("url: 'http://tempo-one:4318/v1/traces'")),
        ("two/Dockerfile", NODE_IMAGE),
        ("two/package.json", package),
        ("two/app.js", &node("url: \"http://tempo-two:4318/v1/traces\", headers: {}")),
        ("three/Dockerfile", "FROM python:3.12\nCOPY . .\nCMD [\"python\", \"app.py\"]\n"),
        ("three/requirements.txt", "opentelemetry-sdk\nopentelemetry-exporter-otlp-proto-http\n"),
        ("three/app.py", python),
        ("free/Dockerfile", NODE_IMAGE),
        ("free/package.json", package),
        ("free/app.js", &node("")),
    ]);
    let document = plan(&sandbox, &[]);
    for address in ["tempo-one:4318", "tempo-two:4318", "tempo-python:4318"] {
        assert!(has_note(&document, "text", address), "{address}: {:#}", document["notes"]);
    }
    let notes = document["notes"].as_array().unwrap();
    let on_free = notes.iter().filter(|note| note["text"].as_str().unwrap().starts_with("free:"));
    assert!(on_free.into_iter().all(|note| note["level"] == "fact"));
}

#[test]
fn fastapi_is_not_taken_for_flask_because_a_tool_needs_that() {
    let image = |start: &str| {
        format!(
            "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\nCMD {start}\n"
        )
    };
    let list = "fastapi==0.115.0\nuvicorn==0.34.0\nFlask==3.0.0\n";
    let code = "from fastapi import FastAPI\napp = FastAPI()\n";
    for start in [
        "[\"uvicorn\", \"main:app\", \"--host\", \"0.0.0.0\"]",
        "exec hypercorn main:app --bind 0.0.0.0:8000",
        "[\"fastapi\", \"run\", \"main.py\"]",
    ] {
        let sandbox = Sandbox::new(&[
            ("compose.yaml", "services:\n  web: {build: .}\n"),
            ("Dockerfile", &image(start)),
            ("requirements.txt", list),
            ("main.py", code),
        ]);
        assert_eq!(instrumented(&plan(&sandbox, &[]), "web"), "agent", "{start}");
    }
}

#[test]
fn packages_are_added_to_no_other_program_of_a_shared_context() {
    let image = |name: &str, start: &str| {
        format!(
            "FROM python:3.12-slim\nWORKDIR /app\nCOPY ./src/{name}/requirements.txt .\nRUN pip install -r requirements.txt\nCOPY ./src/{name}/ .\nCMD {start}\n"
        )
    };
    let service = |name: &str| {
        format!("  {name}: {{build: {{context: ., dockerfile: src/{name}/Dockerfile}}}}\n")
    };
    let names = ["shop", "reviews", "advice"];
    let compose = format!("services:\n{}", names.map(service).concat());
    let grpc = "grpcio\nopentelemetry-distro\nopentelemetry-exporter-otlp-proto-grpc\n";
    let sandbox = Sandbox::new(&[
        ("compose.yaml", &compose),
        ("package.json", "{\"devDependencies\": {\"markdownlint-cli\": \"0.45.0\"}}\n"),
        ("src/shop/Dockerfile", &image("shop", "[\"flask\", \"run\"]")),
        ("src/shop/requirements.txt", "flask\n"),
        ("src/shop/app.py", "from flask import Flask\napp = Flask(__name__)\n"),
        (
            "src/reviews/Dockerfile",
            &image("reviews", "[\"opentelemetry-instrument\", \"python\", \"server.py\"]"),
        ),
        ("src/reviews/requirements.txt", grpc),
        ("src/reviews/server.py", "import grpc\n"),
        (
            "src/advice/Dockerfile",
            &image("advice", "[\"opentelemetry-instrument\", \"python\", \"server.py\"]"),
        ),
        ("src/advice/requirements.txt", grpc),
        ("src/advice/server.py", "import grpc\n"),
    ]);
    let document = plan(&sandbox, &[]);
    let how = names.map(|name| instrumented(&document, name));
    assert_eq!(how, ["code", "agent", "agent"]);
    let changes = document["changes"].as_array().unwrap().iter();
    let paths: BTreeSet<&str> = changes.map(|change| change["path"].as_str().unwrap()).collect();
    let expected = ["compose.yaml", "src/shop/app.py", "src/shop/requirements.txt"];
    assert_eq!(paths, BTreeSet::from(expected));
}

#[test]
fn an_endpoint_that_code_takes_from_a_variable_gets_the_port_of_its_protocol_at_once() {
    let node = |options: &str| node_sdk("grpc", options);
    let package = &node_packages("grpc");
    for url in [
        "url: process.env.OTEL_EXPORTER_OTLP_ENDPOINT || 'http://localhost:4317'",
        "url: process.env.OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
    ] {
        let sandbox = Sandbox::new(&[
            (
                "compose.yaml",
                "services:\n  web:\n    build: ./web\n    environment:\n      OTEL_SERVICE_NAME: web\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://tempo:4317\n",
            ),
            ("web/Dockerfile", NODE_IMAGE),
            ("web/package.json", package),
            ("web/app.js", &node(url)),
        ]);
        let away = ["init", "--yes", "--no-verify", "--provider", "otlp", "--endpoint"];
        let away = [&away[..], &["http://away:4318"]].concat();
        sandbox.run(&away).expect(0);
        assert!(sandbox.read("compose.yaml").contains("http://away:4317"), "{url}");
        sandbox.run(&[&away[..], &["--check"]].concat()).expect(0);
    }
}
