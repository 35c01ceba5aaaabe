//! `verify --local`: the embedded receiver in place of every endpoint.

use crate::rude::Rude;
use crate::sandbox::{KEY, Sandbox};
use crate::verify::{check, expect, project, project_with, service};

#[test]
fn what_arrives_is_looked_at_and_nothing_leaves_this_machine() {
    let elsewhere = Rude::answering("application/json", b"{}");
    let protocols = [
        ("http/protobuf", "none", "/v1/traces as application/x-protobuf"),
        ("http/json", "gzip", "/v1/traces as application/json"),
        ("grpc", "gzip", "gRPC"),
    ];
    for (protocol, compression, way) in protocols {
        let more = [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", compression),
        ];
        let sandbox = project_with(&elsewhere.url(), &more);
        let service = expect(&sandbox, &["--local"], "queryable", None);
        let evidence = check(&service, "queryable")["evidence"].as_str().unwrap();
        for part in [way, "x-honeycomb-team", "2 spans of backend-flask"] {
            assert!(evidence.contains(part), "{evidence}");
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn a_placeholder_replaces_a_missing_key() {
    for endpoint in ["https://api.honeycomb.io", "https://otlp.example/otlp"] {
        let sandbox = project(endpoint).with("HONEYCOMB_API_KEY", "");
        let service = expect(&sandbox, &["--local"], "queryable", None);
        let evidence = check(&service, "configured")["evidence"].as_str().unwrap();
        assert!(evidence.contains("a placeholder for HONEYCOMB_API_KEY"), "{evidence}");
    }
    let required = "x-honeycomb-team=${HONEYCOMB_API_KEY:?run cruddur-ops init}";
    let own = "x-honeycomb-team=${MY_OWN_VARIABLE}";
    for header in [required, own] {
        let more = [("OTEL_EXPORTER_OTLP_TRACES_HEADERS", header)];
        let sandbox = project_with("https://api.honeycomb.io", &more).with("HONEYCOMB_API_KEY", "");
        expect(&sandbox, &["--local"], "queryable", None);
    }
}

#[test]
fn a_path_that_no_receiver_knows_and_a_header_that_is_not_sent_are_found() {
    let exact = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://api.honeycomb.io")];
    let sandbox = project_with("https://api.honeycomb.io", &exact);
    expect(&sandbox, &["--local"], "reachable", Some("request-rejected"));
    let compose = "services:\n  api:\n    build: .\n    environment:\n      \
        OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n";
    let sandbox = Sandbox::new(&[("compose.yaml", compose)]).with("HONEYCOMB_API_KEY", KEY);
    let run = sandbox.run(&["verify", "--local", "--json"]).expect(1);
    assert_eq!(service(&run)["code"], "key-missing");
}

#[test]
fn a_person_reads_what_was_proven_without_colour_or_unicode() {
    let run = project("https://api.honeycomb.io").run(&["verify", "--local"]).expect(0);
    assert!(run.stdout.is_ascii(), "{}", run.stdout);
}

#[test]
fn a_service_in_which_nothing_sends_spans_is_a_warning() {
    let compose = "services:\n  api:\n    build: ./api\n    environment:\n      OTEL_SERVICE_NAME: api\n      \
        OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n      \
        OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY}\n";
    let agent = "{\"dependencies\":{\"@opentelemetry/auto-instrumentations-node\":\"0.60.0\",\"express\":\"4\"},\"scripts\":{\"start\":\"node -r @opentelemetry/auto-instrumentations-node/register .\"}}";
    for (path, text, status) in [
        ("api/package.json", "{\"dependencies\":{\"express\":\"4\"}}", "warn"),
        ("api/go.mod", "module api\n", "warn"),
        ("api/Gemfile", "gem 'rails'\n", "warn"),
        ("api/go.mod", "require go.opentelemetry.io/otel/sdk v1.30.0\n", "pass"),
        ("api/package.json", agent, "pass"),
        ("api/README.md", "", "pass"),
    ] {
        let dockerfile = ("api/Dockerfile", "FROM node:20\nCOPY . .\nCMD npm start\n");
        let files = [("compose.yaml", compose), (path, text), dockerfile];
        let files = if path == "api/package.json" { &files[..] } else { &files[..2] };
        let sandbox = Sandbox::new(files).with("HONEYCOMB_API_KEY", KEY);
        let service = expect(&sandbox, &["--local"], "queryable", None);
        assert_eq!(check(&service, "configured")["status"], status, "{text}");
    }
}

#[test]
fn a_local_proof_is_called_local_everywhere_on_stdout() {
    let sandbox = project("https://api.honeycomb.io");
    let document = sandbox.run(&["verify", "--local", "--json"]).expect(0).json();
    assert_eq!((&document["mode"], &document["delivered"]), (&"local".into(), &false.into()));
    let endpoint = document["services"][0]["endpoint"].as_str().unwrap();
    assert!(endpoint.starts_with("http://127.0.0.1:"), "{endpoint}");
    for more in ["--no-addons", "-v", "-q"] {
        let run = sandbox.run(&["verify", "--local", more]).expect(0);
        assert!(run.stdout.lines().next().unwrap().contains("local"), "{}", run.stdout);
        assert!(!run.stdout.contains("delivered"), "{}", run.stdout);
        assert!(!run.stdout.contains("api.honeycomb.io/v1"), "{}", run.stdout);
    }
    let sent = project("http://127.0.0.1:1").run(&["verify", "--json"]).expect(1).json();
    assert_eq!(sent["mode"], "trace");
}
