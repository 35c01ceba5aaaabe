//! `verify` reads a service's variables as its SDK does, and init and verify report the same.

use serde_json::Value;

use crate::fake_honeycomb::{Honeycomb, Key};
use crate::rude::Rude;
use crate::sandbox::{KEY, Sandbox};
use crate::verify::{check, expect};

/// The file that shows a service's language, in its build folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    Python,
    Node,
    Unknown,
}

const EVERY: [Code; 3] = [Code::Python, Code::Node, Code::Unknown];

/// Creates a project of one service with these lines of environment.
fn project(code: Code, environment: &[(&str, &str)]) -> Sandbox {
    let mut text =
        "services:\n  backend-flask:\n    build: ./backend-flask\n    network_mode: host\n    environment:\n".to_owned();
    for (name, value) in environment {
        text += &format!("      {name}: {}\n", serde_json::to_string(value).unwrap());
    }
    let sandbox = Sandbox::new(&[("docker-compose.yml", &text)]).with("HONEYCOMB_API_KEY", KEY);
    match code {
        Code::Python => sandbox.write("backend-flask/requirements.txt", "flask\n"),
        Code::Node => {
            let sdk = "{\"dependencies\":{\"@opentelemetry/sdk-node\":\"0.219.0\"}}\n";
            sandbox.write("backend-flask/package.json", sdk);
        }
        Code::Unknown => {}
    }
    sandbox
}

/// Returns the variables of a service that sends to `endpoint`, with others added.
fn environment<'a>(endpoint: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![
        ("OTEL_SERVICE_NAME", "backend-flask"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-honeycomb-team=${HONEYCOMB_API_KEY}"),
    ];
    all.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    all.extend(more);
    all
}

fn configured(service: &Value) -> (&str, &str) {
    let check = check(service, "configured");
    (check["status"].as_str().unwrap(), check["evidence"].as_str().unwrap())
}

#[test]
fn every_spelling_of_an_exporter_of_otlp_is_one() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    let url = honeycomb.url();
    for (code, exporter) in [
        (Code::Python, "otlp_proto_http"),
        (Code::Python, " otlp_proto_http , console"),
        (Code::Unknown, "otlp_proto_http"),
        (Code::Python, "otlp,console"),
        (Code::Node, "console,otlp"),
        (Code::Node, "console,none"),
    ] {
        let sandbox = project(code, &environment(&url, &[("OTEL_TRACES_EXPORTER", exporter)]));
        let service = expect(&sandbox, &[], "accepted", None);
        assert_eq!(configured(&service).0, "pass", "{code:?} {exporter}: {service:#}");
    }
    for (code, exporter) in [
        (Code::Python, "nonsense"),
        (Code::Python, "otlp,nonsense"),
        (Code::Python, "OTLP"),
        (Code::Node, "otlp_proto_http"),
        (Code::Node, "none,otlp"),
        (Code::Unknown, "none"),
    ] {
        let sandbox = project(code, &environment(&url, &[("OTEL_TRACES_EXPORTER", exporter)]));
        expect(&sandbox, &[], "none", Some("not-configured"));
    }
}

#[test]
fn what_an_sdk_cannot_send_is_not_sent_for_it() {
    let listening = Rude::answering("application/json", b"{}");
    let blank = format!("{} ", listening.url());
    let quoted = format!("\"{}\"", listening.url());
    let port = "http://127.0.0.1:port";
    for code in EVERY {
        for endpoint in [&*blank, &*quoted, port] {
            let sandbox = project(code, &environment(endpoint, &[]));
            let service = expect(&sandbox, &[], "none", Some("not-configured"));
            assert_eq!(configured(&service).0, "fail", "{code:?} {endpoint}");
        }
    }
    // A `;` ends the value for Node, and makes Python drop the header; both are sent without a key then, or with half of one.
    let headers = "x-honeycomb-team=${HONEYCOMB_API_KEY};tenant=1";
    let sandbox = project(
        Code::Python,
        &environment(&listening.url(), &[("OTEL_EXPORTER_OTLP_HEADERS", headers)]),
    );
    let run = sandbox.run(&["verify", "--json", "--local"]);
    assert_eq!(run.json()["services"][0]["code"], Value::Null, "{}", run.stdout);
    let honeycomb = "https://api.honeycomb.io";
    let sandbox =
        project(Code::Python, &environment(honeycomb, &[("OTEL_EXPORTER_OTLP_HEADERS", headers)]));
    expect(&sandbox, &["--local"], "none", Some("key-missing"));
    assert_eq!(listening.connections(), 0);
}

#[test]
fn verify_sends_what_the_sdk_would_send() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    let cut = "x-honeycomb-team=${HONEYCOMB_API_KEY};tenant=1";
    let sandbox =
        project(Code::Node, &environment(&honeycomb.url(), &[("OTEL_EXPORTER_OTLP_HEADERS", cut)]));
    let service = expect(&sandbox, &[], "accepted", None);
    assert_eq!(configured(&service).0, "warn");
    assert_eq!(honeycomb.seen_at("/v1/traces")[0].headers["x-honeycomb-team"], KEY);
    // `/v1/traces` lands in the query.
    let asked = format!("{}/x?q=1", honeycomb.url());
    for code in [Code::Python, Code::Node] {
        let sandbox = project(code, &environment(&asked, &[]));
        let service = expect(&sandbox, &[], "reachable", Some("not-otlp"));
        assert_eq!(service["endpoint"], format!("{}/x", honeycomb.url()), "{service:#}");
        assert_eq!(configured(&service).0, "warn");
    }
    assert_eq!(honeycomb.seen_at("/v1/traces").len(), 1);
}

#[test]
fn only_a_header_with_a_key_has_to_have_a_value() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    let url = honeycomb.url();
    let dataset = "x-honeycomb-team=${HONEYCOMB_API_KEY},x-honeycomb-dataset=${DS_NAME}";
    for code in EVERY {
        let sandbox = project(code, &environment(&url, &[("OTEL_EXPORTER_OTLP_HEADERS", dataset)]));
        let service = expect(&sandbox, &[], "accepted", None);
        assert_eq!(configured(&service).0, "warn", "{code:?}: {service:#}");
        let tenant = "x-honeycomb-team=${HONEYCOMB_API_KEY},x-tenant=${TENANT}";
        let sandbox = project(code, &environment(&url, &[("OTEL_EXPORTER_OTLP_HEADERS", tenant)]));
        expect(&sandbox.with("TENANT", ""), &[], "accepted", None);
    }
    let all = Honeycomb::start(&[("", Key::Ingest)]);
    let url = all.url();
    let alone = [("OTEL_EXPORTER_OTLP_HEADERS", ",x-honeycomb-dataset=${DS}")];
    let sandbox = project(Code::Unknown, &environment(&url, &alone)).with("DS", "");
    let run = sandbox.run(&["verify", "--json"]);
    assert_ne!(run.json()["services"][0]["code"], "key-missing", "{}", run.stdout);
}

#[test]
fn a_name_instead_of_a_reference_is_no_key() {
    let listening = Rude::answering("application/json", b"{}");
    for header in [
        "x-honeycomb-team=$$(HONEYCOMB_API_KEY)",
        "x-honeycomb-team={$$HONEYCOMB_API_KEY}",
        "x-honeycomb-team=HONEYCOMB_API_KEY",
        "x-honeycomb-team=$${HONEYCOMB_API_KEY}",
        "x-honeycomb-team=<HONEYCOMB_API_KEY>",
    ] {
        for code in EVERY {
            let headers = [("OTEL_EXPORTER_OTLP_HEADERS", header)];
            let sandbox = project(code, &environment(&listening.url(), &headers));
            let service = expect(&sandbox, &[], "none", Some("key-missing"));
            assert!(configured(&service).1.contains("${HONEYCOMB_API_KEY}"), "{service:#}");
        }
    }
    for header in [
        "x-honeycomb-team={$HONEYCOMB_API_KEY}",
        "x-honeycomb-team=<$HONEYCOMB_API_KEY>",
        "x-honeycomb-team=($HONEYCOMB_API_KEY)",
    ] {
        let headers = [("OTEL_EXPORTER_OTLP_HEADERS", header)];
        let sandbox = project(Code::Unknown, &environment(&listening.url(), &headers));
        expect(&sandbox, &[], "none", Some("key-missing"));
    }
    assert_eq!(listening.connections(), 0);
}

#[test]
fn a_service_without_a_name_is_said_to_have_none() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    let url = honeycomb.url();
    for attributes in
        ["service.name=${NM}", "SERVICE.NAME=x", "Service.Name=x,a=1", "service.name="]
    {
        for code in EVERY {
            let more = [("OTEL_SERVICE_NAME", ""), ("OTEL_RESOURCE_ATTRIBUTES", attributes)];
            let service = expect(&project(code, &environment(&url, &more)), &[], "accepted", None);
            assert_eq!(service["name"], "unknown_service", "{code:?} {attributes}");
            assert_eq!(configured(&service).0, "warn", "{code:?} {attributes}");
        }
    }
    // Node leaves out every attribute when one cannot be read; Python only that one.
    let more = [("OTEL_SERVICE_NAME", ""), ("OTEL_RESOURCE_ATTRIBUTES", "service.name=api,a=b=c")];
    for (code, name) in [(Code::Python, "api"), (Code::Node, "unknown_service")] {
        let service = expect(&project(code, &environment(&url, &more)), &[], "accepted", None);
        assert_eq!(service["name"], name, "{code:?}");
    }
}

#[test]
fn a_sampler_or_a_propagator_that_keeps_traces_away_is_said() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    let url = honeycomb.url();
    for more in [
        &[("OTEL_TRACES_SAMPLER", "parentbased_always_off")][..],
        &[("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0")],
        &[("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.1")],
        &[("OTEL_TRACES_SAMPLER", "nonsense")],
        &[("OTEL_PROPAGATORS", "baggage")],
        &[("OTEL_PROPAGATORS", "none")],
        &[("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "0")],
    ] {
        for code in EVERY {
            let service = expect(&project(code, &environment(&url, more)), &[], "accepted", None);
            let (status, evidence) = configured(&service);
            assert_eq!(status, "warn", "{code:?} {more:?}");
            assert!(evidence.contains(more[0].0), "{evidence}");
        }
    }
    for more in [
        &[("OTEL_TRACES_SAMPLER", "always_off")][..],
        &[("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0")],
    ] {
        for code in EVERY {
            let sandbox = project(code, &environment(&url, more));
            expect(&sandbox, &[], "none", Some("not-configured"));
        }
    }
}

#[test]
fn init_switches_on_what_verify_says_is_off() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    let url = honeycomb.url();
    let host = "127.0.0.1";
    for off in [
        ("OTEL_SDK_DISABLED", "${OTEL_SDK_DISABLED:-true}"),
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_TRACES_EXPORTER", "console"),
    ] {
        let sandbox = project(Code::Unknown, &environment(&url, &[off]));
        expect(&sandbox, &[], "none", Some("not-configured"));
        let endpoint = ["--provider", "otlp", "--endpoint", &url];
        let key = ["--header", "x-honeycomb-team=HONEYCOMB_API_KEY", "--trust-host", host];
        let more = ["--yes", "--store", "none", "--no-verify", "--no-instrument"];
        let init = [&["init"][..], &endpoint, &key, &more].concat();
        sandbox.run(&init).expect(0);
        expect(&sandbox, &[], "accepted", None);
        let text = sandbox.read("docker-compose.yml");
        sandbox.run(&init).expect(0);
        assert_eq!(sandbox.read("docker-compose.yml"), text, "{off:?}");
    }
}

#[test]
fn init_takes_the_quotes_from_a_name_in_a_list() {
    for written in ["\"api\"", "'api'"] {
        let compose = format!(
            "services:\n  backend-flask:\n    build: ./backend-flask\n    environment:\n      - OTEL_SERVICE_NAME={written}\n"
        );
        let sandbox =
            Sandbox::new(&[("docker-compose.yml", &compose)]).with("HONEYCOMB_API_KEY", KEY);
        sandbox
            .run(&["init", "--yes", "--store", "none", "--no-verify", "--no-instrument"])
            .expect(0);
        let text = sandbox.read("docker-compose.yml");
        assert!(text.contains("- OTEL_SERVICE_NAME=api\n"), "{text}");
        let run = sandbox.run(&["verify", "--json", "--local"]).expect(0);
        assert_eq!(run.json()["services"][0]["name"], "api");
    }
}

/// Creates a project of one service with these files in its folder.
fn project_of_files(files: &[(&str, &str)], environment: &[(&str, &str)]) -> Sandbox {
    let sandbox = project(Code::Unknown, environment);
    for (path, text) in files {
        sandbox.write(&format!("backend-flask/{path}"), text);
    }
    sandbox
}

const BY_AGENT: &str =
    "FROM python:3.12\nCOPY . .\nCMD [\"opentelemetry-instrument\", \"flask\", \"run\"]\n";

#[test]
fn an_exporter_that_is_not_installed_sends_nothing() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    let url = honeycomb.url();
    let only_http = "flask\nopentelemetry-distro\nopentelemetry-exporter-otlp-proto-http\n";
    let both = "flask\nopentelemetry-distro\nopentelemetry-exporter-otlp\n";
    let protocol = |value| [("OTEL_EXPORTER_OTLP_PROTOCOL", value)];
    for (packages, more, expected) in [
        (only_http, Vec::new(), "none"),
        (only_http, protocol("grpc").to_vec(), "none"),
        (only_http, protocol("http/protobuf").to_vec(), "accepted"),
        (both, protocol("http/protobuf").to_vec(), "accepted"),
    ] {
        let files = [("requirements.txt", packages), ("Dockerfile", BY_AGENT)];
        let sandbox = project_of_files(&files, &environment(&url, &more));
        let code = (expected == "none").then_some("not-configured");
        expect(&sandbox, &[], expected, code);
    }
    let node = [
        (
            "package.json",
            "{\"dependencies\":{\"@opentelemetry/auto-instrumentations-node\":\"0.60.0\"}}\n",
        ),
        ("app.js", "require('http')\n"),
        (
            "Dockerfile",
            "FROM node:22\nCOPY . .\nCMD [\"node\", \"--require\", \"@opentelemetry/auto-instrumentations-node/register\", \"app.js\"]\n",
        ),
    ];
    let sandbox = project_of_files(&node, &environment(&url, &[]));
    expect(&sandbox, &[], "accepted", None);
}

#[test]
fn what_sends_the_spans_of_a_service_decides_what_is_said_of_it() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    let url = honeycomb.url();
    let set_up = "from opentelemetry import trace\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.resources import Resource\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\nprovider = TracerProvider(resource=Resource.create({\"service.name\": \"from-code\"}))\nprovider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))\ntrace.set_tracer_provider(provider)\n";
    let silent = "from flask import Flask\napp = Flask(__name__)\n";
    let named_by_image =
        format!("{}ENV OTEL_SERVICE_NAME=by-image\n", BY_AGENT.replace("CMD", "RUN"));
    let named_by_command = "FROM python:3.12\nCOPY . .\nCMD [\"opentelemetry-instrument\", \"--service_name\", \"by-command\", \"flask\", \"run\"]\n";
    let all = "flask\nopentelemetry-distro\nopentelemetry-exporter-otlp\n";
    let go = "module example.com/api\n\ngo 1.24\n\nrequire github.com/gin-gonic/gin v1.10.0\n";
    let node = "{\"dependencies\":{\"express\":\"5.1.0\"}}\n";
    let unnamed = |more: &[(&'static str, &'static str)]| {
        let mut all = environment(&url, more);
        all.retain(|(name, _)| *name != "OTEL_SERVICE_NAME");
        all
    };
    let http = [("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")];
    for (files, environment, status, name) in [
        (
            vec![("requirements.txt", "flask\n"), ("app.py", silent)],
            environment(&url, &[]),
            "warn",
            "backend-flask",
        ),
        (
            vec![("go.mod", go), ("main.go", "package main\n")],
            environment(&url, &[]),
            "warn",
            "backend-flask",
        ),
        (
            vec![("package.json", node), ("app.js", "require('express')()\n")],
            environment(&url, &[]),
            "warn",
            "backend-flask",
        ),
        (
            vec![
                ("requirements.txt", "ddtrace\n"),
                ("app.py", "import ddtrace\nddtrace.patch_all()\n"),
            ],
            environment(&url, &[]),
            "warn",
            "backend-flask",
        ),
        (
            vec![("requirements.txt", "flask\n"), ("app.py", set_up)],
            unnamed(&[]),
            "pass",
            "from-code",
        ),
        (
            vec![("requirements.txt", all), ("Dockerfile", named_by_command), ("app.py", silent)],
            unnamed(&http),
            "pass",
            "by-command",
        ),
        (
            vec![
                ("requirements.txt", "flask\n"),
                ("Dockerfile", &*named_by_image),
                (
                    "app.py",
                    &*set_up
                        .replace("resource=Resource.create({\"service.name\": \"from-code\"})", ""),
                ),
            ],
            unnamed(&[]),
            "pass",
            "by-image",
        ),
    ] {
        let sandbox = project_of_files(&files, &environment);
        let service = expect(&sandbox, &[], "accepted", None);
        assert_eq!(configured(&service).0, status, "{files:?}: {service:#}");
        assert_eq!(service["name"], name, "{files:?}");
    }
}
