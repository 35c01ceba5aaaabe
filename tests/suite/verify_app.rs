//! `verify --app`: the application's own spans, found by the trace id that we sent.

use std::io::Write;
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::closed::Closed;
use crate::fake_honeycomb::{Honeycomb, Key, Plan};
use crate::listening::{self, Listening};
use crate::rude::{Rude, read_some};
use crate::sandbox::{KEY, Sandbox};
use crate::verify::{check, expect, project, project_with};

/// The behaviour of an application at a request.
#[derive(Clone, Copy)]
struct Habits {
    service: &'static str,
    reads_traceparent: bool,
    names_route: bool,
}

const GOOD: Habits =
    Habits { service: "backend-flask", reads_traceparent: true, names_route: true };

/// Starts an application that answers, and sends a server span with a child to `receiver`.
fn application(receiver: SocketAddr, habits: Habits) -> Rude {
    Rude::unread(move |mut stream| {
        let request = String::from_utf8(read_some(&mut stream)).unwrap();
        // A panic here sends no spans, which fails the test.
        assert!(!request.contains(KEY), "the application was sent the key");
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
        drop(stream);
        let header = request.lines().find_map(|line| line.strip_prefix("traceparent: "));
        let Some(header) = header else { return };
        let parts: Vec<&str> = header.trim().split('-').collect();
        assert_eq!((parts[0], parts[3]), ("00", "01"), "{header}");
        let parent = if habits.reads_traceparent { parts[2] } else { "00000000000000ff" };
        listening::post(receiver, &spans(parts[1], parent, habits));
    })
}

fn spans(trace: &str, parent: &str, habits: Habits) -> serde_json::Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let route = match habits.names_route {
        true => json!([
            {"key": "http.route", "value": {"stringValue": "/api/home"}},
            {"key": "http.status_code", "value": {"intValue": "200"}},
        ]),
        false => json!([]),
    };
    let span = |id: &str, parent: &str, kind: u8, attributes: &serde_json::Value| {
        json!({
            "traceId": trace, "spanId": id, "parentSpanId": parent, "name": "GET /api/home", "kind": kind,
            "startTimeUnixNano": (now - 1_000_000).to_string(), "endTimeUnixNano": now.to_string(),
            "attributes": attributes,
        })
    };
    json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": habits.service}}]},
        "scopeSpans": [{"spans": [
            span("00000000000000a1", parent, 2, &route),
            span("00000000000000a2", "00000000000000a1", 1, &json!([])),
        ]}],
    }]})
}

fn home(application: &Rude) -> String {
    format!("{}/api/home", application.url())
}

#[test]
fn spans_below_our_own_are_the_proof() {
    let listen = Listening::start(&Sandbox::new(&[]), &[]);
    let application = application(listen.http, GOOD);
    let sandbox = project(&format!("http://{}", listen.http));
    let service = expect(&sandbox, &["--app", &home(&application)], "queryable", None);
    let evidence = check(&service, "queryable")["evidence"].as_str().unwrap();
    assert!(evidence.contains("2 of backend-flask's own spans"), "{evidence}");
    assert!(evidence.contains("http.route /api/home, status 200), 1 nested"), "{evidence}");

    let gone = "host.docker.internal";
    let inside = project(&format!("http://{gone}:{}", listen.http.port()));
    expect(&inside, &["--app", &home(&application)], "queryable", None);
}

#[test]
fn variables_of_an_addon_that_no_code_uses_are_a_warning() {
    let listen = Listening::start(&Sandbox::new(&[]), &[]);
    let application = application(listen.http, GOOD);
    let closed = Closed::new();
    let daemon = closed.address.to_string();
    let xray = ("AWS_XRAY_DAEMON_ADDRESS", daemon.as_str());
    let rollbar = ("ROLLBAR_ACCESS_TOKEN", "");
    let app = "from flask import Flask\napp = Flask(__name__)\n";
    let uses_rollbar = "import rollbar\nfrom flask import Flask\napp = Flask(__name__)\n";
    let uses_xray = "from aws_xray_sdk.core import xray_recorder\n";
    for (variables, code, status) in [
        (vec![xray], app, 0),
        (vec![rollbar], app, 0),
        (vec![xray, rollbar], app, 0),
        (vec![xray, rollbar], uses_rollbar, 1),
        (vec![xray], uses_xray, 1),
    ] {
        let sandbox = project_with(&format!("http://{}", listen.http), &variables);
        sandbox.write("backend-flask/app.py", code);
        let run = sandbox.run(&["verify", "--json", "--app", &home(&application)]);
        let document = run.json();
        assert_eq!((run.status, &document["delivered"]), (status, &true.into()), "{document:#}");
        let addons = document["addons"].as_array().unwrap();
        assert_eq!(addons.len(), variables.len());
        let failed = addons.iter().filter(|addon| !addon["code"].is_null()).count();
        assert_eq!(failed, usize::try_from(status).unwrap(), "{document:#}");
        for addon in addons.iter().filter(|addon| addon["code"].is_null()) {
            let mut checks = addon["checks"].as_array().unwrap().iter();
            assert!(checks.any(|check| check["status"] == "warn"), "{addon:#}");
        }
        // Without an application nobody can say that its variables are left over.
        let alone = sandbox.run(&["verify", "--json"]).json();
        let failed = |addon: &serde_json::Value| !addon["code"].is_null();
        assert!(alone["addons"].as_array().unwrap().iter().all(failed), "{alone:#}");
    }
}

#[test]
fn what_is_wrong_with_them_is_named() {
    let listen = Listening::start(&Sandbox::new(&[]), &[]);
    let sandbox = project(&format!("http://{}", listen.http));
    let unnamed = Habits { service: "unknown_service", ..GOOD };
    let other = Habits { service: "web", ..GOOD };
    let deaf = Habits { reads_traceparent: false, ..GOOD };
    for (habits, words) in
        [(unnamed, "OTEL_SERVICE_NAME"), (other, "named web"), (deaf, "not a child of ours")]
    {
        let application = application(listen.http, habits);
        let arguments = ["--timeout", "4s", "--app", &home(&application)];
        let service = expect(&sandbox, &arguments, "reachable", Some("not-proven"));
        let found = check(&service, "queryable");
        assert_eq!(found["status"], "fail");
        assert!(found["evidence"].as_str().unwrap().contains(words), "{found}");
    }
    let bare = Habits { names_route: false, ..GOOD };
    let application = application(listen.http, bare);
    let service = expect(&sandbox, &["--app", &home(&application)], "queryable", None);
    assert_eq!(check(&service, "queryable")["status"], "warn");
}

#[test]
fn a_silent_or_absent_application_is_not_proven() {
    let listen = Listening::start(&Sandbox::new(&[]), &[]);
    let sandbox = project(&format!("http://{}", listen.http));
    let silent = Rude::answering("text/plain", b"hi");
    let arguments = ["--timeout", "4s", "--app", &silent.url()];
    let service = expect(&sandbox, &arguments, "reachable", Some("not-proven"));
    let hint = check(&service, "queryable")["hint"].as_str().unwrap();
    assert!(hint.contains("cruddur-ops doctor"), "{hint}");

    let closed = Closed::new();
    let nowhere = format!("{}/", closed.url());
    let arguments = ["--timeout", "4s", "--app", &nowhere];
    let service = expect(&sandbox, &arguments, "none", Some("connect"));
    let evidence = check(&service, "reachable")["evidence"].as_str().unwrap();
    assert!(evidence.contains(&nowhere), "{evidence}");

    let elsewhere = [("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-tenant=1")];
    let no_listen = project_with(&closed.url(), &elsewhere);
    let arguments = ["--timeout", "4s", "--app", &silent.url()];
    let service = expect(&no_listen, &arguments, "reachable", Some("unseen"));
    let hint = check(&service, "queryable")["hint"].as_str().unwrap();
    assert!(hint.contains("cruddur-ops listen"), "{hint}");
    sandbox.run(&["verify", "--app", "localhost:4567"]).expect(2);
}

#[test]
fn why_nothing_came_is_looked_for_in_the_services_own_files() {
    let listen = Listening::start(&Sandbox::new(&[]), &[]);
    let silent = Rude::answering("text/plain", b"hi");
    let arguments = ["--timeout", "4s", "--app", &silent.url()];
    let endpoint = format!("http://host.docker.internal:{}", listen.http.port());
    let queryable = |sandbox: &Sandbox| {
        let service = expect(sandbox, &arguments, "reachable", Some("not-proven"));
        check(&service, "queryable").clone()
    };

    let bare = project(&endpoint);
    bare.write("backend-flask/requirements.txt", "flask\nopentelemetry-sdk\n");
    bare.write("backend-flask/app.py", "from flask import Flask\napp = Flask(__name__)\n");
    let found = queryable(&bare);
    let hint = found["hint"].as_str().unwrap();
    assert!(hint.contains("doctor --explain init-missing"), "{found}");
    let evidence = found["evidence"].as_str().unwrap();
    assert!(evidence.contains("backend-flask/app.py:2"), "{found}");
    bare.write("backend-flask/requirements.txt", "flask\n");
    let found = queryable(&bare);
    let hint = found["hint"].as_str().unwrap();
    assert!(hint.contains("instrument --service backend-flask"), "{found}");

    let slow = project_with(&endpoint, &[("OTEL_BSP_SCHEDULE_DELAY", "30000")]);
    let found = queryable(&slow);
    let evidence = found["evidence"].as_str().unwrap();
    assert!(evidence.contains("only every 30s"), "{found}");
}

#[test]
fn an_application_that_is_still_starting_is_waited_for() {
    let listen = Listening::start(&Sandbox::new(&[]), &[]);
    let sandbox = project(&format!("http://{}", listen.http));
    let refusals = std::sync::atomic::AtomicUsize::new(0);
    let receiver = listen.http;
    let starting = Rude::unread(move |mut stream| {
        let request = String::from_utf8(read_some(&mut stream)).unwrap();
        if refusals.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2 {
            return;
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        // The second request of the probe has none.
        let traceparent = request.lines().find_map(|line| line.strip_prefix("traceparent: "));
        let Some(traceparent) = traceparent else { return };
        let parts: Vec<&str> = traceparent.trim().split('-').collect();
        listening::post(receiver, &spans(parts[1], parts[2], GOOD));
    });
    expect(&sandbox, &["--app", &starting.url()], "queryable", None);
}

#[test]
fn honeycomb_is_asked_as_far_as_key_and_plan_allow() {
    let silent = Rude::answering("text/plain", b"hi");
    let honeycomb = Honeycomb::start(&[(KEY, Key::Configuration)]).on_plan(Plan::Enterprise);
    let sandbox = project(&honeycomb.url());
    let arguments = ["--timeout", "2s", "--app", &silent.url()];
    let service = expect(&sandbox, &arguments, "reachable", Some("not-proven"));
    assert!(honeycomb.traces().is_empty(), "a test trace was sent in the application's place");
    assert_eq!(check(&service, "whose")["status"], "pass");
    assert!(service["link"].is_string());
}

#[test]
fn spans_that_honeycomb_counts_are_looked_at_as_well() {
    for (habits, proven, code, words) in [
        (GOOD, "queryable", None, "http.route /api/home, status 200), 1 nested"),
        (Habits { names_route: false, ..GOOD }, "queryable", None, "it has no http.route"),
        (Habits { service: "web", ..GOOD }, "reachable", Some("not-proven"), "named web"),
    ] {
        let honeycomb = Honeycomb::start(&[(KEY, Key::Configuration)]).on_plan(Plan::Enterprise);
        let address = honeycomb.url().trim_start_matches("http://").parse().unwrap();
        let application = application(address, habits);
        let arguments = ["--timeout", "20s", "--app", &home(&application)];
        let service = expect(&project(&honeycomb.url()), &arguments, proven, code);
        let evidence = check(&service, "queryable")["evidence"].as_str().unwrap();
        assert!(evidence.contains(words), "{evidence}");
    }
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    let address = honeycomb.url().trim_start_matches("http://").parse().unwrap();
    let application = application(address, GOOD);
    let arguments = ["--timeout", "2s", "--app", &home(&application)];
    let sandbox = project(&honeycomb.url());
    let service = expect(&sandbox, &arguments, "reachable", Some("unseen"));
    assert_eq!(check(&service, "queryable")["status"], "skip");
    assert!(service["link"].is_string());
}

#[test]
fn the_service_is_the_one_that_publishes_the_port() {
    let listen = Listening::start(&Sandbox::new(&[]), &[]);
    let application = application(listen.http, Habits { service: "api", ..GOOD });
    let service = |name: &str, port: u16| {
        format!(
            "  {name}:\n    build: .\n    ports: [\"{port}:4567\"]\n    environment:\n      OTEL_SERVICE_NAME: {name}\n      \
             OTEL_EXPORTER_OTLP_ENDPOINT: http://{}\n",
            listen.http
        )
    };
    let text =
        format!("services:\n{}{}", service("web", 1), service("api", application.address.port()));
    let sandbox = Sandbox::new(&[("compose.yaml", &text)]);
    let found = expect(&sandbox, &["--app", &home(&application)], "queryable", None);
    assert_eq!(found["service"], "api");
}

#[test]
fn a_listen_beside_it_knows_who_asked() {
    let mut listen = Listening::start(&Sandbox::new(&[]), &["--traces", "1"]);
    let application = application(listen.http, GOOD);
    let sandbox = project(&format!("http://{}", listen.http));
    let started = std::time::Instant::now();
    expect(&sandbox, &["--app", &home(&application)], "queryable", None);
    let mut drawn = String::new();
    std::io::Read::read_to_string(&mut listen.stdout(), &mut drawn).unwrap();
    // A trace whose root never comes is drawn after 10 s.
    assert!(started.elapsed() < std::time::Duration::from_secs(9), "{drawn}");
    assert!(drawn.contains("asked by") && !drawn.contains("did not arrive"), "{drawn}");
    assert_eq!(listen.end().status, 0);
}

#[test]
fn a_sampler_that_records_a_part_is_said_with_its_ratio() {
    let listen = Listening::start(&Sandbox::new(&[]), &[]);
    let (traced, silent) = (application(listen.http, GOOD), Rude::answering("text/plain", b"hi"));
    for (sampler, ratio, application, code, words) in [
        ("parentbased_traceidratio", "0.25", &traced, None, "25 % of ordinary requests"),
        ("parentbased_traceidratio", "0.001", &traced, None, "0.1 % of ordinary requests"),
        ("traceidratio", "0.5", &traced, None, "50 % of ordinary requests"),
        // It may leave out ours, whatever the caller says.
        ("traceidratio", "0.07", &silent, Some("not-proven"), "7 % of all requests"),
    ] {
        let more = [("OTEL_TRACES_SAMPLER", sampler), ("OTEL_TRACES_SAMPLER_ARG", ratio)];
        let sandbox = project_with(&format!("http://{}", listen.http), &more);
        let proven = if code.is_none() { "queryable" } else { "reachable" };
        let timeout = if code.is_none() { "60s" } else { "2s" };
        let arguments = ["--timeout", timeout, "--app", &home(application)];
        let service = expect(&sandbox, &arguments, proven, code);
        let found = check(&service, "queryable");
        assert!(found["evidence"].as_str().unwrap().contains(words), "{found}");
        match code {
            None => assert_eq!(
                (&service["application"]["ordinary"], &found["status"]),
                (&"sampled".into(), &"warn".into())
            ),
            Some(_) => assert_eq!(found["status"], "fail"),
        }
    }
}
