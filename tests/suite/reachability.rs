//! Reachability between containers, from the files: a service that cannot reach its collector is not "accepted".

use crate::rude::Rude;
use crate::sandbox::{KEY, Sandbox};
use crate::verify::{check, expect};

const JSON: &str = "application/json";

/// Creates a service `api` that sends to `endpoint`, with the lines of `own`, next to `others`.
fn api(endpoint: &str, own: &str, others: &str) -> String {
    format!(
        "services:\n  api:\n    build: .\n{own}    environment:\n      OTEL_SERVICE_NAME: api\n      \
         OTEL_EXPORTER_OTLP_ENDPOINT: {endpoint}\n      \
         OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${{HONEYCOMB_API_KEY}}\n{others}"
    )
}

fn sandbox(files: &[(&str, &str)]) -> Sandbox {
    Sandbox::new(files).with("HONEYCOMB_API_KEY", KEY)
}

#[test]
fn an_address_that_the_files_disprove_fails_though_something_answers_here() {
    let server = Rude::answering(JSON, b"{}");
    let port = server.address.port();
    let published = format!("    ports: ['{port}:4318']\n");
    let otel = |more: &str| {
        format!(
            "  otel:\n    image: otel/opentelemetry-collector\n    container_name: traces\n{more}"
        )
    };
    for (endpoint, own, others) in [
        // The port of this machine, where the container's belongs.
        (format!("http://otel:{port}"), "", otel(&published)),
        (format!("http://traces:{port}"), "", otel(&published)),
        // No network in common.
        (
            "http://otel:4318".to_owned(),
            "    networks: [front]\n",
            format!("{}    networks: [back]\nnetworks: {{front: , back: }}\n", otel(&published)),
        ),
        // Names that are not known there.
        ("http://otel:4318".to_owned(), "    network_mode: host\n", otel(&published)),
        (
            format!("http://host.docker.internal:{port}"),
            "",
            otel(&format!("    ports: ['127.0.0.1:{port}:4318']\n")),
        ),
    ] {
        let text = api(&endpoint, own, &others);
        let sandbox = sandbox(&[("compose.yaml", &text)]);
        let service = expect(&sandbox, &[], "none", Some("connect"));
        let reachable = check(&service, "reachable");
        assert_eq!(reachable["status"], "fail", "{text}");
        assert!(reachable["evidence"].as_str().unwrap().contains("api does not reach"), "{text}");
        assert!(reachable["hint"].is_string(), "{text}");
    }
}

#[test]
fn a_collector_on_its_own_loopback_fails_although_this_machine_answers() {
    let server = Rude::answering(JSON, b"{}");
    let port = server.address.port();
    let run = |http: &str, own: &str, endpoint: &str| {
        let others = format!(
            "  otel:\n    image: otel/opentelemetry-collector:0.135.0\n    command: ['--config=/etc/otel.yaml']\n    volumes: ['./otel.yaml:/etc/otel.yaml:ro']\n    ports: ['{port}:4318']\n"
        );
        let text = api(endpoint, own, &others);
        let configuration = format!(
            "receivers: {{otlp: {{protocols: {{http: {http}}}}}}}\nexporters: {{otlphttp: {{endpoint: '{}', headers: {{x-honeycomb-team: '${{env:HONEYCOMB_API_KEY}}'}}}}}}\nservice: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlphttp]}}}}}}\n",
            server.url()
        );
        let others =
            text.replace("    command:", "    environment: [HONEYCOMB_API_KEY]\n    command:");
        sandbox(&[("compose.yaml", &others), ("otel.yaml", &configuration)])
    };
    let by_name = "http://otel:4318";
    for http in ["{endpoint: 'localhost:4318'}", "{endpoint: '127.0.0.1:4318'}", "{}"] {
        let service = expect(&run(http, "", by_name), &[], "none", Some("connect"));
        let reachable = check(&service, "reachable");
        let evidence = reachable["evidence"].as_str().unwrap();
        assert!(evidence.starts_with("otel.yaml: "), "{evidence}");
        assert!(reachable["hint"].as_str().unwrap().contains("0.0.0.0:4318"));
    }
    let moved = run("{endpoint: '0.0.0.0:24318'}", "", by_name);
    let service = expect(&moved, &[], "none", Some("connect"));
    assert!(check(&service, "reachable")["hint"].as_str().unwrap().contains("24318"));

    for (http, own, endpoint) in [
        ("{endpoint: '0.0.0.0:4318'}", "", by_name),
        ("{endpoint: '${env:LISTEN:-0.0.0.0}:4318'}", "", by_name),
        (
            "{endpoint: 'localhost:4318'}",
            "    network_mode: 'service:otel'\n",
            "http://localhost:4318",
        ),
    ] {
        expect(&run(http, own, endpoint), &[], "accepted", None);
    }
}

#[test]
fn differences_inside_a_container_lead_to_a_warning() {
    let server = Rude::answering(JSON, b"{}");
    let port = server.address.port();
    for (host, own, status) in [
        ("0.0.0.0", "", "warn"),
        ("host.docker.internal", "", "warn"),
        ("localhost", "", "warn"),
        (
            "host.docker.internal",
            "    extra_hosts: ['host.docker.internal:host-gateway']\n",
            "pass",
        ),
        ("127.0.0.1", "    network_mode: host\n", "pass"),
    ] {
        let text = api(&format!("http://{host}:{port}"), own, "");
        let run = sandbox(&[("compose.yaml", &text)]).run(&["verify", "--json", "--timeout", "3s"]);
        let service = crate::verify::service(&run);
        assert_eq!(check(&service, "configured")["status"], status, "{host}\n{}", run.stdout);
    }
}
