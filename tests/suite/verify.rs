//! `verify` with real sockets: the proven rung, the code and the exit status of each scenario.

use std::io::Write;
use std::time::Duration;

use serde_json::Value;

use crate::closed::Closed;
use crate::fake_honeycomb::{Canned, Honeycomb, Key};
use crate::rude::{Rude, read_some};
use crate::sandbox::{KEY, Run, Sandbox};

const PROTO: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// Creates a project with one service that sends to `endpoint` with the key from the shell.
pub fn project(endpoint: &str) -> Sandbox {
    project_with(endpoint, &[])
}

pub fn project_with(endpoint: &str, more: &[(&str, &str)]) -> Sandbox {
    let mut text = format!(
        "services:\n  backend-flask:\n    build: ./backend-flask\n    environment:\n      \
         OTEL_SERVICE_NAME: \"backend-flask\"\n      OTEL_EXPORTER_OTLP_ENDPOINT: \"{endpoint}\"\n      \
         OTEL_EXPORTER_OTLP_HEADERS: \"x-honeycomb-team=${{HONEYCOMB_API_KEY}}\"\n"
    );
    for (name, value) in more {
        text += &format!("      {name}: \"{value}\"\n");
    }
    Sandbox::new(&[("docker-compose.yml", &text)]).with("HONEYCOMB_API_KEY", KEY)
}

/// Returns the only service of a `--json` run.
pub fn service(run: &Run) -> Value {
    let document = run.json();
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["services"].as_array().unwrap().len(), 1);
    document["services"][0].clone()
}

pub fn check<'a>(service: &'a Value, rung: &str) -> &'a Value {
    let checks = service["checks"].as_array().unwrap();
    checks
        .iter()
        .find(|check| check["rung"] == rung)
        .unwrap_or_else(|| panic!("no rung {rung} in {service:#}"))
}

/// Runs `verify --json` and compares rung, code and exit status.
#[track_caller]
pub fn expect(sandbox: &Sandbox, arguments: &[&str], proven: &str, code: Option<&str>) -> Value {
    let arguments = [&["verify", "--json"], arguments].concat();
    let run = sandbox.run(&arguments);
    let service = service(&run);
    assert_eq!(service["proven"], proven, "{service:#}");
    assert_eq!(service["code"].as_str(), code, "{service:#}");
    assert_eq!(run.status, i32::from(code.is_some()), "{service:#}");
    assert_eq!(run.json()["passed"], code.is_none());
    let is_local = run.json()["mode"] == "local";
    assert_eq!(is_local, arguments.contains(&"--local"));
    assert_eq!(run.json()["delivered"], proven == "queryable" && code.is_none() && !is_local);
    assert!(sandbox.files_with_the_key().is_empty());
    service
}

fn known() -> Honeycomb {
    Honeycomb::start(&[(KEY, Key::Ingest)])
}

#[test]
fn an_accepted_trace_is_accepted_and_no_more() {
    let honeycomb = known();
    let service = expect(&project(&honeycomb.url()), &[], "accepted", None);
    assert_eq!(service["name"], "backend-flask");
    assert_eq!(service["protocol"], "http/protobuf");
    assert_eq!(service["endpoint"], format!("{}/v1/traces", honeycomb.url()));
    assert_eq!(check(&service, "whose")["status"], "pass");
    let evidence = check(&service, "whose")["evidence"].as_str().unwrap();
    assert!(evidence.contains("team Cruddur, environment Bootcamp"), "{evidence}");

    let traces = honeycomb.traces();
    assert_eq!(traces.len(), 1);
    let spans = &traces[0].resource_spans[0].scope_spans[0].spans;
    let sent = cruddur_ops::otlp::trace::encode_hex(&spans[0].trace_id);
    assert_eq!(service["trace_id"], sent);
    assert_eq!(spans[1].name, "http-handler");
    assert_eq!(spans[1].parent_span_id, spans[0].span_id);
    let seen = &honeycomb.seen_at("/v1/traces")[0];
    assert_eq!(seen.headers["content-type"], PROTO);
    assert_eq!(seen.headers["x-honeycomb-team"], KEY);
}

#[test]
fn json_and_gzip_are_sent_where_the_variables_say_so() {
    let honeycomb = known();
    let more =
        [("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"), ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")];
    expect(&project_with(&honeycomb.url(), &more), &[], "accepted", None);
    let seen = &honeycomb.seen_at("/v1/traces")[0];
    assert_eq!(seen.headers["content-type"], JSON);
    assert_eq!(seen.headers["content-encoding"], "gzip");
    assert_eq!(honeycomb.traces().len(), 1);
}

/// Status, content type and body of an answer, with the resulting rung and code.
type Row = (u16, &'static str, &'static [u8], &'static str, Option<&'static str>);

#[test]
fn answers_lead_to_their_codes() {
    let html = "text/html; charset=utf-8";
    let string: &'static [u8] =
        br#"{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}"#;
    let number: &[u8] = br#"{"partialSuccess":{"rejectedSpans":1}}"#;
    let remark: &[u8] = br#"{"partialSuccess":{"errorMessage":"slow down"}}"#;
    let table: &[Row] = &[
        (200, PROTO, b"", "accepted", None),
        (200, "-", b"", "accepted", None),
        (202, JSON, b"{}", "accepted", None),
        (200, JSON, remark, "accepted", None),
        (200, PROTO, b"\x0a\x06\x12\x04slow", "accepted", None),
        (200, JSON, string, "reachable", Some("spans-rejected")),
        (200, JSON, number, "reachable", Some("spans-rejected")),
        (200, PROTO, b"\x0a\x02\x08\x02", "reachable", Some("spans-rejected")),
        (200, html, b"<!doctype html><title>Hi</title>", "reachable", Some("not-otlp")),
        (200, JSON, br#"{"status":"ok"}"#, "reachable", Some("not-otlp")),
        (200, PROTO, b"\xff\xfe\xfd", "reachable", Some("not-otlp")),
        (200, "text/plain", b"ok", "reachable", Some("not-otlp")),
        (301, "-", b"", "reachable", Some("redirected")),
        (400, PROTO, b"\x12\x03bad", "reachable", Some("request-rejected")),
        (401, PROTO, b"\x12\x02no", "reachable", Some("key-rejected")),
        (403, JSON, br#"{"message":"no"}"#, "reachable", Some("key-rejected")),
        (404, html, b"<html>", "reachable", Some("not-otlp")),
        (404, JSON, br#"{"message":"no such signal"}"#, "reachable", Some("request-rejected")),
        (405, "-", b"", "reachable", Some("not-otlp")),
        (413, "-", b"", "reachable", Some("request-rejected")),
        (415, "text/plain", b"unsupported", "reachable", Some("request-rejected")),
        (429, "-", b"", "reachable", Some("throttled")),
        (500, "-", b"", "reachable", Some("server-error")),
        (503, html, b"<html>busy", "reachable", Some("server-error")),
    ];
    for (status, kind, body, proven, code) in table {
        let honeycomb = known().answering(&[Canned::new(*status, kind, body)]);
        let service = expect(&project(&honeycomb.url()), &["--timeout", "900ms"], proven, *code);
        let warned = check(&service, "accepted")["status"] == "warn";
        let spoke = body.windows(4).any(|four| four == b"slow");
        assert_eq!(warned, spoke, "{status} {kind}");
        let attempts = honeycomb.seen_at("/v1/traces").len();
        match status {
            429 | 503 => assert!(attempts > 1, "{status} was not tried again"),
            _ => assert_eq!(attempts, 1, "{status} was tried again"),
        }
    }
}

#[test]
fn an_unknown_key_is_rejected_in_honeycombs_own_words() {
    let honeycomb = Honeycomb::start(&[]);
    let service = expect(&project(&honeycomb.url()), &[], "reachable", Some("key-rejected"));
    let accepted = check(&service, "accepted");
    assert_eq!(
        accepted["evidence"],
        "401: unknown API key - check your credentials, region, and API URL"
    );
    assert_eq!(check(&service, "whose")["status"], "warn");
}

#[test]
fn a_key_that_may_not_send_and_a_classic_key_without_a_dataset_are_rejected() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Muted)]);
    expect(&project(&honeycomb.url()), &[], "reachable", Some("key-rejected"));
    let classic = "0123456789abcdef0123456789abcdef";
    let honeycomb = Honeycomb::start(&[(classic, Key::Classic)]);
    let sandbox = project(&honeycomb.url()).with("HONEYCOMB_API_KEY", classic);
    let service = expect(&sandbox, &[], "reachable", Some("key-rejected"));
    let evidence = check(&service, "accepted")["evidence"].as_str().unwrap();
    assert!(evidence.contains("x-honeycomb-dataset"), "{evidence}");
}

#[test]
fn whose_changes_no_verdict() {
    let unsaid = [
        Canned::new(500, JSON, b"{}"),
        Canned::new(429, JSON, br#"{"error":"Rate Limited"}"#),
        Canned::new(200, "text/html", b"<html>"),
        Canned::new(302, "-", b"").with("location", "http://example.invalid/"),
    ];
    for canned in unsaid {
        let honeycomb = known().answering_auth(canned);
        let service = expect(&project(&honeycomb.url()), &[], "accepted", None);
        assert_eq!(check(&service, "whose")["status"], "warn");
    }
}

#[test]
fn a_server_is_retried_after_its_requested_delay() {
    let busy = Canned::new(503, "-", b"").with("retry-after", "1");
    let honeycomb = known().answering(&[busy, Canned::new(200, PROTO, b"")]);
    let started = std::time::Instant::now();
    expect(&project(&honeycomb.url()), &[], "accepted", None);
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(honeycomb.seen_at("/v1/traces").len(), 2);
}

#[test]
fn a_server_that_wants_more_patience_than_there_is_time_is_not_waited_for() {
    let later = std::time::SystemTime::now() + Duration::from_secs(3600);
    let date = httpdate::fmt_http_date(later);
    let honeycomb = known().answering(&[Canned::new(429, "-", b"").with("retry-after", &date)]);
    let started = std::time::Instant::now();
    expect(&project(&honeycomb.url()), &[], "reachable", Some("throttled"));
    assert!(started.elapsed() < Duration::from_secs(8));
    assert_eq!(honeycomb.seen_at("/v1/traces").len(), 1);
}

#[test]
fn broken_answers_differ_from_wrong_ones() {
    let cut = Rude::saying(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
    );
    expect(&project(&cut.url()), &[], "reachable", Some("response-broken"));
    let closed = Rude::saying("");
    expect(&project(&closed.url()), &[], "reachable", Some("response-broken"));
    let reset = Rude::start(|stream| {
        // Closing with unread input resets the connection instead of ending it.
        let socket = rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
        socket.unwrap();
    });
    expect(&project(&reset.url()), &[], "reachable", Some("response-broken"));
    let garbage = Rude::saying("\x00\x01\x02 not HTTP at all\r\n\r\n");
    expect(&project(&garbage.url()), &[], "reachable", Some("not-otlp"));
    let endless = Rude::answering(JSON, &vec![b' '; 5 << 20]);
    expect(&project(&endless.url()), &[], "reachable", Some("not-otlp"));
}

#[test]
fn silence_is_a_timeout_within_the_budget() {
    let silent = Rude::start(|mut stream| {
        let _ = std::io::Read::read(&mut stream, &mut [0]);
    });
    let started = std::time::Instant::now();
    let arguments = ["--timeout", "500ms"];
    expect(&project(&silent.url()), &arguments, "reachable", Some("timeout"));
    assert!(started.elapsed() < Duration::from_secs(5));
    let dripping = Rude::start(|mut stream| {
        let _ = stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
        );
        let _ = std::io::Read::read(&mut stream, &mut [0]);
    });
    expect(&project(&dripping.url()), &arguments, "reachable", Some("timeout"));
    let more = [("OTEL_EXPORTER_OTLP_TIMEOUT", "300")];
    expect(&project_with(&silent.url(), &more), &[], "reachable", Some("timeout"));
}

#[test]
fn an_answer_outweighs_the_silence_after_it() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let tired = Rude::unread(move |mut stream| {
        // Whose the key is, is asked beside the trace and left without an answer.
        if read_some(&mut stream).starts_with(b"GET ") {
            return;
        }
        if asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 {
            let _ = stream.write_all(
                b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            );
        } else {
            let _ = std::io::Read::read(&mut stream, &mut [0]);
        }
    });
    let service =
        expect(&project(&tired.url()), &["--timeout", "1500ms"], "reachable", Some("server-error"));
    let evidence = check(&service, "accepted")["evidence"].as_str().unwrap();
    assert!(evidence.contains("2 attempts"), "{evidence}");
}

#[test]
fn an_unreachable_server_is_named_by_what_is_missing() {
    let closed = Closed::new();
    let started = std::time::Instant::now();
    let sandbox = project(&closed.url());
    let service = expect(&sandbox, &[], "none", Some("connect"));
    assert_eq!(check(&service, "reachable")["status"], "fail");
    assert!(started.elapsed() < Duration::from_secs(5), "a refusal on loopback was retried");
    let unnamed = project("https://no-such-host.invalid");
    let arguments = ["--trust-host", "no-such-host.invalid"];
    expect(&unnamed, &arguments, "none", Some("dns"));
}

#[test]
fn a_redirection_is_not_followed_and_its_target_never_sees_the_key() {
    let target = Rude::answering(JSON, b"{}");
    for status in [301, 302, 303, 307, 308] {
        let location = format!("{}/v1/traces?q=1", target.url());
        let canned = Canned::new(status, "-", b"").with("location", &location);
        let honeycomb = known().answering(std::slice::from_ref(&canned)).answering_auth(canned);
        let service = expect(&project(&honeycomb.url()), &[], "reachable", Some("redirected"));
        let evidence = check(&service, "accepted")["evidence"].as_str().unwrap();
        assert!(evidence.contains(&target.url()) && !evidence.contains("q=1"), "{evidence}");
    }
    assert_eq!(target.connections(), 0);
}

#[test]
fn nothing_is_sent_without_a_key() {
    let listening = Rude::answering(JSON, b"{}");
    let unset = project(&listening.url()).with("HONEYCOMB_API_KEY", "");
    let service = expect(&unset, &[], "none", Some("key-missing"));
    let evidence = check(&service, "configured")["evidence"].as_str().unwrap();
    assert!(evidence.contains("HONEYCOMB_API_KEY"), "{evidence}");
    let more = [("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "authorization=Bearer%20${OTHER_TOKEN}")];
    expect(&project_with(&listening.url(), &more), &[], "none", Some("key-missing"));
    let required = "${HONEYCOMB_API_KEY:?run cruddur-ops init}";
    let more = [("OTEL_EXPORTER_OTLP_TRACES_HEADERS", &*format!("x-honeycomb-team={required}"))];
    let unset = project_with(&listening.url(), &more).with("HONEYCOMB_API_KEY", "");
    expect(&unset, &[], "none", Some("key-missing"));
    assert_eq!(listening.connections(), 0);
}

#[test]
fn a_header_variable_without_its_s_is_named() {
    let compose = "services:\n  api:\n    build: .\n    environment:\n      - OTEL_SERVICE_NAME=api\n      \
        - OTEL_EXPORTER_OTLP_ENDPOINT=https://api.honeycomb.io\n      \
        - OTEL_EXPORTER_OTLP_HEADER=x-honeycomb-team=${HONEYCOMB_API_KEY}\n";
    let sandbox = Sandbox::new(&[("compose.yaml", compose)]).with("HONEYCOMB_API_KEY", KEY);
    let service = expect(&sandbox, &[], "none", Some("key-missing"));
    let evidence = check(&service, "configured")["evidence"].as_str().unwrap();
    assert!(evidence.contains("OTEL_EXPORTER_OTLP_HEADER is set"), "{evidence}");
}

#[test]
fn a_service_without_a_usable_endpoint_is_not_configured() {
    for endpoint in ["", "api.honeycomb.io", "ftp://api.honeycomb.io"] {
        expect(&project(endpoint), &[], "none", Some("not-configured"));
    }
    let honeycomb = known();
    for off in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "console")] {
        expect(&project_with(&honeycomb.url(), &[off]), &[], "none", Some("not-configured"));
    }
    assert!(honeycomb.seen().is_empty());
    let bare = Sandbox::new(&[("compose.yaml", "services:\n  db:\n    image: postgres\n")]);
    bare.run(&["verify", "--json"]).expect(2);
    expect(&bare, &["--service", "db"], "none", Some("not-configured"));
    bare.run(&["verify", "--service", "nobody"]).expect(2);
}

#[test]
fn the_hint_on_a_missing_endpoint_fixes_it() {
    let page = "{\"dependencies\":{\"react\":\"18\",\"react-scripts\":\"5\"}}";
    let server = "{\"dependencies\":{\"express\":\"4\"}}";
    for (variables, package, words) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT: \"${X}\"", page, "give X a value"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT: \"${X}\"", server, "give X a value"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: \"${Y}\"", page, "give Y a value"),
        ("OTEL_EXPORTER_OTLP_HEADERS: a=b", page, "init --service web"),
        ("OTEL_EXPORTER_OTLP_HEADERS: a=b", server, "`cruddur-ops init` writes"),
    ] {
        let text =
            format!("services:\n  web:\n    build: ./web\n    environment:\n      {variables}\n");
        let sandbox = Sandbox::new(&[("compose.yaml", &text), ("web/package.json", package)]);
        let service = expect(&sandbox, &[], "none", Some("not-configured"));
        let hint = check(&service, "configured")["hint"].as_str().unwrap();
        assert!(hint.contains(words), "{variables} {package}: {service:#}");
    }
}

#[test]
fn the_key_that_beats_another_is_named_as_key_status_names_it() {
    let honeycomb = known();
    let old = KEY.replace("01abc", "99zzz");
    let sandbox = project(&honeycomb.url()).with("HONEYCOMB_API_KEY", &old);
    sandbox.write(".env", &format!("HONEYCOMB_API_KEY={KEY}\n"));
    sandbox.write(".gitignore", ".env\n");
    let status = sandbox.run(&["key", "status", "--json"]).json();
    let warning = &status["warnings"][0];
    let configured = || {
        let run = sandbox.run(&["verify", "--json"]);
        check(&service(&run), "configured").clone()
    };
    let told = configured();
    let evidence = told["evidence"].as_str().unwrap();
    assert!(evidence.contains(warning["text"].as_str().unwrap()), "{told}\n{status}");
    assert_eq!(told["hint"], warning["hint"]);
    // Without another key in a store the shell's is the only one.
    std::fs::remove_file(sandbox.path(".env")).unwrap();
    let alone = configured();
    assert!(!alone["evidence"].as_str().unwrap().contains("differs from"), "{alone}");
}

#[test]
fn a_compressed_answer_is_read() {
    let gzip = |body: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    let deflate = |body: &[u8]| {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    let rejected = br#"{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}"#;
    for (encoding, status, body, proven, code) in [
        ("gzip", 200, gzip(b"{}"), "accepted", None),
        ("deflate", 200, deflate(b"{}"), "accepted", None),
        ("gzip", 200, gzip(rejected), "reachable", Some("spans-rejected")),
        ("gzip", 401, gzip(br#"{"message":"no"}"#), "reachable", Some("key-rejected")),
        ("gzip", 200, b"{}".to_vec(), "reachable", Some("response-broken")),
        ("br", 200, b"{}".to_vec(), "reachable", Some("response-broken")),
    ] {
        let canned = Canned::new(status, JSON, &body).with("content-encoding", encoding);
        let honeycomb = known().answering(&[canned]);
        expect(&project(&honeycomb.url()), &["--timeout", "900ms"], proven, code);
    }
}
