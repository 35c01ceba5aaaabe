//! `listen` as users run it: real sockets, a real interrupt, the real Python SDK.

use std::io::{BufRead, Read};
use std::net::TcpListener;
use std::process::{Child, Command};

use serde_json::{Value, json};

use crate::fake_honeycomb::{Honeycomb, Key};
use crate::listening::{Listening, post, trace};
use crate::python::python;
use crate::sandbox::{KEY, Sandbox};

#[test]
fn a_complete_trace_is_drawn_and_ends_it() {
    let sandbox = Sandbox::new(&[]);
    let listening = Listening::start(&sandbox, &["--traces", "1", "--for", "60s"]);
    post(listening.http, &trace("backend-flask", 1));
    let run = listening.end().expect(0);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines[0], "trace 00000000000000000000000000000001  2 spans, backend-flask, 120 ms");
    assert!(lines[1].starts_with("GET /api/activities/home"), "{}", run.stdout);
    assert!(lines[1].trim_end().ends_with("120 ms"), "{}", run.stdout);
    assert!(lines[2].starts_with("`-home-activities-mock-data"), "{}", run.stdout);
}

#[test]
fn time_ends_it_and_too_few_traces_are_a_no() {
    let sandbox = Sandbox::new(&[]);
    let run = Listening::start(&sandbox, &["--for", "100ms"]).end().expect(0);
    assert_eq!(run.stdout, "no spans arrived\n");
    Listening::start(&sandbox, &["--for", "100ms", "--traces", "1"]).end().expect(1);
}

#[test]
fn an_interrupt_draws_what_is_open_and_sums_up() {
    let sandbox = Sandbox::new(&[]);
    let listening = Listening::start(&sandbox, &["-v"]);
    post(listening.http, &trace("backend-flask", 1));
    listening.interrupt();
    let run = listening.end().expect(0);
    run.shows("listen_interrupted");
}

#[test]
fn json_is_one_span_per_line() {
    let sandbox = Sandbox::new(&[]);
    let mut listening = Listening::start(&sandbox, &["--json"]);
    let mut stdout = listening.stdout();
    post(listening.http, &trace("backend-flask", 1));
    let mut spans = Vec::new();
    for _ in 0..2 {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        spans.push(serde_json::from_str::<Value>(&line).unwrap());
    }
    listening.interrupt();
    let run = listening.end().expect(0);
    assert!(run.stderr.contains("backend-flask"), "the summary is talk: {}", run.stderr);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    assert_eq!(spans[0]["schema_version"], 1);
    assert_eq!(spans[0]["trace_id"], "00000000000000000000000000000001");
    assert_eq!(spans[0]["parent_span_id"], Value::Null);
    assert_eq!(spans[1]["parent_span_id"], "00000000000000b1");
    assert_eq!(spans[1]["service"], "backend-flask");
    assert_eq!(spans[1]["duration_ms"], 50.0);
    assert_eq!(spans[1]["attributes"], json!({"app.now": "now"}));
}

#[test]
fn a_taken_port_is_said_and_the_hint_works() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let sandbox = Sandbox::new(&[]);
    let run = sandbox.run(&["listen", "--http-port", &port, "--grpc-port", "0"]).expect(2);
    run.shows("listen_port_in_use");
    Listening::start(&sandbox, &["--for", "10ms"]).end().expect(0);
}

#[test]
fn other_machines_may_connect_only_on_request_and_with_a_warning() {
    let sandbox = Sandbox::new(&[]);
    let run = sandbox
        .run(&[
            "listen",
            "--bind",
            "0.0.0.0",
            "--http-port",
            "0",
            "--grpc-port",
            "0",
            "--for",
            "10ms",
        ])
        .expect(0);
    assert!(run.stderr.contains("warning: anyone who can reach 0.0.0.0:"), "{}", run.stderr);
    assert!(run.stderr.contains("_ENDPOINT=http://127.0.0.1:"), "{}", run.stderr);
    let run = Listening::start(&sandbox, &["--for", "10ms"]).end().expect(0);
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
}

#[test]
fn little_memory_lets_the_oldest_traces_leave_and_counts_them() {
    let sandbox = Sandbox::new(&[]);
    let listening = Listening::start(&sandbox, &["--keep", "2KiB"]);
    for number in 1..10 {
        post(listening.http, &trace("backend-flask", number));
    }
    listening.interrupt();
    let run = listening.end().expect(0);
    assert!(run.stderr.contains("were dropped from memory (--keep)"), "{}", run.stderr);
    assert!(run.stdout.contains("backend-flask       18 "), "{}", run.stdout);
}

/// A script that sends one span with the real SDK's exporter and prints whether the exporter reports success.
const SENDER: &str = r#"
import sys
kind, compression = sys.argv[1], sys.argv[2]
if kind == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    import grpc
    compression = grpc.Compression.Gzip if compression == "gzip" else None
else:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.exporter.otlp.proto.http import Compression
    compression = Compression(compression)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult, SpanProcessor

exporter = OTLPSpanExporter(compression=compression)
results = []
class Export(SpanProcessor):
    def on_end(self, span):
        results.append(exporter.export([span]))
provider = TracerProvider()
provider.add_span_processor(Export())
with provider.get_tracer("sender", "1.2").start_as_current_span(f"{kind} {sys.argv[2]}") as span:
    span.set_attribute("app.now", "now")
    try:
        with provider.get_tracer("sender").start_as_current_span("child"):
            raise ValueError("on purpose")
    except ValueError:
        pass
sys.exit(0 if results == [SpanExportResult.SUCCESS] * 2 else 1)
"#;

#[test]
fn the_python_sdk_is_received_over_http_and_grpc() {
    let Some(python) = python() else { return };
    let sandbox = Sandbox::new(&[]);
    let listening = Listening::start(&sandbox, &["--traces", "4", "--for", "60s"]);
    let senders: Vec<Child> =
        [("http", "none"), ("http", "gzip"), ("grpc", "none"), ("grpc", "gzip")]
            .iter()
            .map(|(kind, compression)| {
                let address = match *kind {
                    "grpc" => listening.grpc,
                    _ => listening.http,
                };
                Command::new(&python)
                    .args(["-c", SENDER, kind, compression])
                    .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}"))
                    .env("OTEL_SERVICE_NAME", "backend-flask")
                    .env("NO_PROXY", "127.0.0.1")
                    .spawn()
                    .unwrap()
            })
            .collect();
    for mut sender in senders {
        assert!(sender.wait().unwrap().success(), "the exporter was not answered as it should be");
    }
    let run = listening.end().expect(0);
    for name in ["http none", "http gzip", "grpc none", "grpc gzip"] {
        assert!(run.stdout.lines().any(|line| line.starts_with(name)), "{name}:\n{}", run.stdout);
    }
    let errors = run.stdout.matches("error: ValueError: on purpose").count();
    assert_eq!(errors, 4, "{}", run.stdout);
    assert!(run.stdout.contains("backend-flask        8        4"), "{}", run.stdout);
}

#[test]
fn forwarded_spans_reach_the_provider_with_the_key_and_its_answer_is_shown() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    let sandbox = Sandbox::new(&[]).with("HONEYCOMB_API_KEY", KEY);
    let forward = ["--forward", "--endpoint", &honeycomb.url()];
    let mut listening = Listening::start(&sandbox, &forward);
    post(listening.http, &trace("backend-flask", 1));
    listening.hear("accepted what was forwarded");
    listening.interrupt();
    let run = listening.end().expect(0);
    assert!(run.stderr.contains("forwarded 1 request to http://127.0.0.1"), "{}", run.stderr);
    assert!(!run.stderr.contains(KEY) && !run.stdout.contains(KEY));
    assert_eq!(honeycomb.traces().len(), 1);
    assert_eq!(honeycomb.seen_at("/v1/traces")[0].headers["x-honeycomb-team"], KEY);
}

#[test]
fn listening_continues_when_a_provider_refuses() {
    let honeycomb = Honeycomb::start(&[]);
    let sandbox = Sandbox::new(&[]).with("HONEYCOMB_API_KEY", KEY);
    let forward = ["--forward", "--endpoint", &honeycomb.url()];
    let mut listening = Listening::start(&sandbox, &forward);
    post(listening.http, &trace("backend-flask", 1));
    let said = listening.hear("did not accept what was forwarded");
    assert!(said.contains("401"), "{said}");
    listening.interrupt();
    let run = listening.end().expect(0);
    assert!(run.stdout.contains("backend-flask        2"), "{}", run.stdout);
    assert!(run.stderr.contains("0 accepted, 1 not accepted"), "{}", run.stderr);
}

#[test]
fn the_key_is_not_forwarded_to_an_untrusted_host() {
    let sandbox = Sandbox::new(&[]).with("HONEYCOMB_API_KEY", KEY);
    let run =
        sandbox.run(&["listen", "--forward", "--endpoint", "http://192.0.2.1:4318"]).expect(2);
    assert!(run.stderr.contains("error[untrusted-host]"), "{}", run.stderr);
    let run = Sandbox::new(&[]).run(&["listen", "--forward"]).expect(2);
    assert!(run.stderr.contains("error[key-missing]"), "{}", run.stderr);
}

#[test]
fn containers_are_let_in_where_docker_has_a_bridge() {
    let ports = ["--http-port", "0", "--grpc-port", "0", "--for", "100ms"];
    let run = Sandbox::new(&[]).run(&[&["listen", "--containers"], &ports[..]].concat());
    match run.status {
        0 => assert!(
            run.stderr.contains("containers reach it at http://host.docker.internal:"),
            "{}",
            run.stderr
        ),
        status => {
            assert_eq!(status, 2, "{}", run.stderr);
            assert!(run.stderr.contains("error[no-bridge]"), "{}", run.stderr);
        }
    }
}
