//! `verify --app` without an address: every traced service of a project is requested if it can be, and otherwise
//! searched for.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::closed::Closed;
use crate::containers::Recorder;
use crate::listening::Listening;
use crate::rude::{Rude, read_some};
use crate::sandbox::Sandbox;
use crate::verify_witnesses::{answer_ok, export, header_of, post};

const CODE: &str = "from flask import Flask\napp = Flask(__name__)\n\
    @app.route('/rollbar/test')\ndef report(): pass\n\
    @app.route('/api/home', methods=['GET'])\ndef home(): pass\n";

/// Starts an application whose requests lead to a span of each of these services, in a chain; it records its
/// requests.
fn chain(
    receiver: SocketAddr,
    services: &'static [&'static str],
) -> (Rude, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&asked);
    let application = Rude::unread(move |mut stream| {
        let request = String::from_utf8(read_some(&mut stream)).unwrap();
        let target = request.split_whitespace().nth(1).unwrap_or_default().to_owned();
        noted.lock().unwrap().push(target.clone());
        answer_ok(stream);
        let fresh = format!("00-{:032x}--01", rand::random::<u128>().max(1));
        let parent = header_of(&request, "traceparent").unwrap_or(fresh);
        let parts: Vec<&str> = parent.split('-').collect();
        for service in services {
            let agent = header_of(&request, "user-agent").unwrap_or_default();
            let parent = if *service == services[0] { parts[2] } else { "00000000000000aa" };
            post(receiver, &export(service, (parts[1], parent), &target, &agent), "key");
        }
    });
    (application, asked)
}

/// Returns a compose file of services with the host port of each, all sending to `receiver`.
fn compose(receiver: SocketAddr, services: &[(&str, Option<u16>)]) -> String {
    let mut text = "services:\n".to_owned();
    for (name, port) in services {
        text += &format!("  {name}:\n    build: ./{name}\n");
        if let Some(port) = port {
            text += &format!("    ports: [\"{port}:4567\"]\n");
        }
        text += &format!(
            "    environment:\n      OTEL_SERVICE_NAME: {name}\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://{receiver}\n"
        );
    }
    text
}

/// Returns a service's part of the verdict.
pub fn row<'a>(document: &'a Value, service: &str) -> &'a Value {
    let mut services = document["services"].as_array().unwrap().iter();
    services.find(|one| one["service"] == service).unwrap()
}

#[test]
fn every_service_is_asked_or_looked_for() {
    let listen = Listening::start(&Sandbox::new(&[]), &[]);
    let (backend, asked) = chain(listen.http, &["backend", "worker"]);
    let silent = Rude::answering("text/plain", b"hi");
    let services = [
        ("backend", Some(backend.address.port())),
        ("worker", None),
        ("silent", Some(silent.address.port())),
        ("mailer", None),
    ];
    let sandbox = Sandbox::new(&[
        ("compose.yaml", &compose(listen.http, &services)),
        ("backend/app.py", CODE),
        ("backend/requirements.txt", "flask\n"),
    ]);
    let run = sandbox.run(&["verify", "--app", "--json", "--timeout", "8s"]).expect(1);
    let document = run.json();
    assert_eq!(document["mode"], "project");
    assert_eq!(document["passed"], false);
    for (service, code, spans, linked) in [
        ("backend", None, 2, Some("backend")),
        ("worker", None, 2, Some("backend")),
        ("silent", Some("not-proven"), 0, None),
        ("mailer", None, 0, None),
    ] {
        let found = row(&document, service);
        assert_eq!(found["code"].as_str(), code, "{found:#}");
        assert_eq!(found["application"]["spans"], spans, "{found:#}");
        assert_eq!(found["application"]["linked_to"].as_str(), linked, "{found:#}");
    }
    assert_eq!(row(&document, "mailer")["proven"], "none");
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked[0], "/api/home", "{asked:?}");
    assert!(asked.iter().all(|path| path.starts_with("/api/home")), "{asked:?}");
}

#[test]
fn what_nothing_asks_fails_only_when_that_is_wanted() {
    let listen = Listening::start(&Sandbox::new(&[]), &[]);
    let (backend, _) = chain(listen.http, &["backend"]);
    let services = [("backend", Some(backend.address.port())), ("mailer", None)];
    let sandbox = Sandbox::new(&[("compose.yaml", &compose(listen.http, &services))]);
    let run = sandbox.run(&["verify", "--app"]).expect(0);
    let last = run.stdout.lines().last().unwrap();
    assert!(last.starts_with("1 of 2 ") && last.contains("1 not asked"), "{}", run.stdout);
    let run = sandbox.run(&["verify", "--app", "--strict", "--json"]).expect(1);
    assert_eq!(row(&run.json(), "mailer")["code"], "not-asked");
    let run = sandbox.run(&["verify", "--app", "--strict", "--json", "--service", "backend"]);
    assert_eq!(run.expect(0).json()["services"].as_array().unwrap().len(), 1);
    sandbox.run(&["verify", "--app", "--service", "nobody"]).expect(2);
    sandbox.run(&["verify", "--strict"]).expect(2);
    sandbox.run(&["verify", "--app", "--require", "dataset-written"]).expect(2);
}

#[test]
fn a_service_that_sends_by_itself_is_seen_under_no_trace_of_ours() {
    let listen = Listening::start(&Sandbox::new(&[]), &[]);
    let (backend, _) = chain(listen.http, &["backend"]);
    let services = [("backend", Some(backend.address.port())), ("cron", None)];
    let sandbox = Sandbox::new(&[("compose.yaml", &compose(listen.http, &services))]);
    let busy = crate::verify_witnesses::Busy::start("cron", listen.http, "key");
    let run = sandbox.run(&["verify", "--app", "--json"]).expect(0);
    drop(busy);
    let document = run.json();
    let cron = row(&document, "cron");
    assert!(cron["application"]["spans"].as_u64().unwrap() > 0, "{cron:#}");
    assert!(cron["application"]["linked_to"].is_null(), "{cron:#}");
    assert_eq!(row(&document, "backend")["application"]["linked_to"], "backend");
}

#[test]
fn only_ports_that_speak_http_are_asked() {
    let listen = Listening::start(&Sandbox::new(&[]), &[]);
    let (backend, asked) = chain(listen.http, &["backend"]);
    let silent = Rude::answering("text/plain", b"");
    let text = compose(listen.http, &[("backend", None)]).replace(
        "    environment:",
        &format!(
            "    ports: [\"{}:9229\", \"{}:5432\", \"{}:8125/udp\", \"127.0.0.1:{}:4567\"]\n    environment:",
            silent.address.port(),
            silent.address.port(),
            silent.address.port(),
            backend.address.port()
        ),
    );
    let sandbox = Sandbox::new(&[("compose.yaml", &text)]);
    let run = sandbox.run(&["verify", "--app", "--json"]).expect(0);
    assert_eq!(row(&run.json(), "backend")["application"]["status"], 200);
    assert_eq!(silent.connections(), 0);
    assert!(!asked.lock().unwrap().is_empty());
}

#[test]
fn a_service_is_asked_on_the_address_that_its_port_is_published_on() {
    let listen = Listening::start(&Sandbox::new(&[]), &[]);
    let loopback = "::1".parse().unwrap();
    let six = Rude::on(loopback, "text/plain", b"hi");
    let other = Rude::on("127.0.0.2".parse().unwrap(), "text/plain", b"hi");
    for (application, host) in [(&six, "[::1]"), (&other, "127.0.0.2")] {
        let port = application.address.port();
        let text = compose(listen.http, &[("backend", Some(port))])
            .replace(&format!("\"{port}:"), &format!("\"{host}:{port}:"));
        let sandbox = Sandbox::new(&[("compose.yaml", &text)]);
        let run = sandbox.run(&["verify", "--app", "--json", "--timeout", "2s"]).expect(1);
        let document = run.json();
        let sighting = &row(&document, "backend")["application"];
        assert_eq!(sighting["url"], format!("http://{host}:{port}/"), "{document:#}");
        assert_eq!(sighting["status"], 200, "{document:#}");
    }
}

#[test]
fn a_service_whose_profile_is_not_enabled_is_not_asked() {
    let listen = Listening::start(&Sandbox::new(&[]), &[]);
    let (backend, _) = chain(listen.http, &["backend"]);
    let closed = Closed::new();
    let services =
        [("backend", Some(backend.address.port())), ("batch", Some(closed.address.port()))];
    let text = compose(listen.http, &services)
        .replace("build: ./batch", "build: ./batch\n    profiles: [extra]");
    let sandbox = Sandbox::new(&[("compose.yaml", &text)]);
    let verify = ["verify", "--app", "--json", "--timeout", "8s"];
    let document = sandbox.run(&verify).expect(0).json();
    assert_eq!(row(&document, "batch")["application"]["url"], Value::Null, "{document:#}");
    for enabled in ["extra", "other,extra", "*"] {
        let sandbox = Sandbox::new(&[("compose.yaml", &text)]).with("COMPOSE_PROFILES", enabled);
        let document = sandbox.run(&verify).expect(1).json();
        assert_eq!(row(&document, "batch")["code"], "connect", "{document:#}");
    }
}

#[test]
fn a_port_that_docker_chose_is_asked() {
    let listen = Listening::start(&Sandbox::new(&[]), &[]);
    let (backend, asked) = chain(listen.http, &["backend"]);
    for published in ["4567", "20000-29999:4567"] {
        let recorder = Recorder::new(&[]);
        let text = compose(listen.http, &[("backend", None)]).replace(
            "    environment:",
            &format!("    ports: [\"{published}\"]\n    environment:"),
        );
        let sandbox = Sandbox::new(&[("compose.yaml", &text)]).with("PATH", &recorder.path());
        let binding = [("HostIp", "0.0.0.0"), ("HostPort", &backend.address.port().to_string())];
        let binding: std::collections::BTreeMap<_, _> = binding.into();
        let inspected = serde_json::json!({
            "id": "a1",
            "state": {"Status": "running", "ExitCode": 0, "StartedAt": "2026-11-26T01:52:07.98Z"},
            "labels": {"com.docker.compose.service": "backend", "com.docker.compose.config-hash": "d"},
            "network": {"Ports": {"4567/tcp": [binding]}, "Networks": {}},
        });
        recorder.program(
            "docker",
            &format!(
                "case \"$1 $2\" in\n'ps --all') echo 'a1 {}';;\n'inspect --format') echo '{inspected}';;\n\
                 'compose config') echo 'backend d';;\nesac",
                sandbox.project().display()
            ),
        );
        let run = sandbox.run(&["verify", "--app", "--json"]).expect(0);
        assert_eq!(row(&run.json(), "backend")["application"]["status"], 200, "{published}");
    }
    assert!(!asked.lock().unwrap().is_empty());
}
