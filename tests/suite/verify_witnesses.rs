//! `verify --app` as a table: each witness and kind of key, combined with each behaviour of an application. No
//! verdict is wrong.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::closed::Closed;
use crate::fake_honeycomb::{Honeycomb, Key, Plan};
use crate::listening::Listening;
use crate::rude::{Rude, read_some};
use crate::sandbox::{KEY, Sandbox};
use crate::verify::project_with;

const CLASSIC: &str = "0123456789abcdef0123456789abcdef";

/// The witness that may see what the application sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scene {
    Listen,
    /// A configuration key, in a plan with Query Data.
    Query,
    /// A Classic key, in a plan with Query Data.
    ClassicQuery,
    /// A configuration key without Query Data.
    FreePlan,
    IngestKey,
    UnknownKey,
    /// No Honeycomb header, and no server at the endpoint.
    NoKey,
}

const SCENES: [Scene; 7] = [
    Scene::Listen,
    Scene::Query,
    Scene::ClassicQuery,
    Scene::FreePlan,
    Scene::IngestKey,
    Scene::UnknownKey,
    Scene::NoKey,
];

impl Scene {
    /// Returns the witness that the verdict must name.
    fn witness(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::Query | Self::ClassicQuery => "query",
            _ => "nobody",
        }
    }
}

/// The behaviour of an application at a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Traces,
    SendsNothing,
    /// Another program keeps writing to its dataset.
    SendsNothingWhileOthersDo,
    NamesItselfOtherwise,
    HasNoName,
    /// OTEL_PROPAGATORS=baggage
    BeginsItsOwnTrace,
    SendsEachSpanTwice,
    LeadsToASignIn,
    HasNoSuchPath,
    TracesThatItHasNoSuchPath,
    /// OTEL_TRACES_SAMPLER=parentbased_always_off
    TracesOnlyForACaller,
    SendsElsewhere,
    IsDown,
}

const DEEDS: [Deed; 13] = [
    Deed::Traces,
    Deed::SendsNothing,
    Deed::SendsNothingWhileOthersDo,
    Deed::NamesItselfOtherwise,
    Deed::HasNoName,
    Deed::BeginsItsOwnTrace,
    Deed::SendsEachSpanTwice,
    Deed::LeadsToASignIn,
    Deed::HasNoSuchPath,
    Deed::TracesThatItHasNoSuchPath,
    Deed::TracesOnlyForACaller,
    Deed::SendsElsewhere,
    Deed::IsDown,
];

/// Returns the right code: the truth about the application, as far as the witness can see it.
fn right(scene: Scene, deed: Deed) -> Option<&'static str> {
    match (deed, scene.witness()) {
        (Deed::IsDown, _) => Some("connect"),
        (_, "nobody") => Some("unseen"),
        (Deed::Traces | Deed::SendsEachSpanTwice | Deed::TracesThatItHasNoSuchPath, _) => None,
        _ => Some("not-proven"),
    }
}

/// Returns a text that the rung `queryable` must contain, if it was checked.
fn words(deed: Deed) -> Option<&'static str> {
    match deed {
        Deed::NamesItselfOtherwise => Some("named web"),
        Deed::HasNoName => Some("OTEL_SERVICE_NAME"),
        Deed::BeginsItsOwnTrace => Some("another trace id"),
        Deed::TracesOnlyForACaller => Some("led to no span"),
        Deed::Traces => Some("an ordinary request is traced, too"),
        Deed::SendsEachSpanTwice => Some("each came 2 times"),
        _ => None,
    }
}

/// Starts an application that behaves as told and sends its spans to `receiver`.
fn application(deed: Deed, receiver: SocketAddr, key: &'static str) -> Rude {
    Rude::unread(move |mut stream| {
        let request = String::from_utf8(read_some(&mut stream)).unwrap();
        let head = match deed {
            Deed::LeadsToASignIn => "302 Found\r\nLocation: https://github.dev/pf-signin?id=fine",
            Deed::HasNoSuchPath | Deed::TracesThatItHasNoSuchPath => "404 Not Found",
            _ => "200 OK",
        };
        let _ = write!(stream, "HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        drop(stream);
        for spans in spans(deed, &request) {
            post(receiver, &spans, key);
        }
    })
}

/// Answers a request with an empty body.
pub fn answer_ok(mut stream: TcpStream) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

/// Returns the value of a request's header.
pub fn header_of(request: &str, name: &str) -> Option<String> {
    let mut lines = request.lines();
    let line = lines.find(|line| line.to_ascii_lowercase().starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Returns the exports that one request leads to.
fn spans(deed: Deed, request: &str) -> Vec<Value> {
    let parent = header_of(request, "traceparent");
    let parent: Option<Vec<&str>> = parent.as_ref().map(|text| text.split('-').collect());
    let target = request.split_whitespace().nth(1).unwrap_or_default();
    let fresh = format!("{:032x}", rand::random::<u128>().max(1));
    let own = (fresh.as_str(), "");
    let given = parent.as_ref().map_or(own, |parts| (parts[1], parts[2]));
    let (trace, name) = match deed {
        Deed::SendsNothing
        | Deed::SendsNothingWhileOthersDo
        | Deed::LeadsToASignIn
        | Deed::HasNoSuchPath
        | Deed::IsDown => return Vec::new(),
        Deed::TracesOnlyForACaller if parent.is_none() => return Vec::new(),
        Deed::NamesItselfOtherwise => (given, "web"),
        Deed::HasNoName => (given, "unknown_service"),
        Deed::BeginsItsOwnTrace => (own, "backend-flask"),
        _ => (given, "backend-flask"),
    };
    let agent = header_of(request, "user-agent").unwrap_or_default();
    let export = export(name, trace, target, &agent);
    match deed {
        Deed::SendsEachSpanTwice => vec![export.clone(), export],
        _ => vec![export],
    }
}

/// Returns a server span with a child.
pub fn export(service: &str, (trace, parent): (&str, &str), target: &str, agent: &str) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let server = format!("{:016x}", rand::random::<u64>().max(1));
    let span = |id: &str, parent: &str, kind: u8, attributes: Value| {
        json!({
            "traceId": trace, "spanId": id, "parentSpanId": parent, "name": "GET /", "kind": kind,
            "startTimeUnixNano": (now - 1_000_000).to_string(), "endTimeUnixNano": now.to_string(),
            "attributes": attributes,
        })
    };
    let of_request = json!([
        text("http.route", "/"), text("http.user_agent", agent), text("http.target", target),
        {"key": "http.status_code", "value": {"intValue": "200"}},
    ]);
    let child = format!("{:016x}", rand::random::<u64>().max(1));
    json!({"resourceSpans": [{
        "resource": {"attributes": [text("service.name", service)]},
        "scopeSpans": [{"spans": [
            span(&server, parent, 2, of_request), span(&child, &server, 1, json!([])),
        ]}],
    }]})
}

/// Sends an export; the receiver may refuse it, or be absent.
pub fn post(receiver: SocketAddr, body: &Value, key: &str) {
    let body = body.to_string();
    let Ok(mut stream) = TcpStream::connect(receiver) else { return };
    let _ = write!(
        stream,
        "POST /v1/traces HTTP/1.1\r\nhost: {receiver}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         x-honeycomb-team: {key}\r\nx-honeycomb-dataset: backend-flask\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.read_to_string(&mut String::new());
}

/// Another program that writes to the application's dataset until it is dropped.
pub struct Busy(Arc<AtomicBool>, Option<std::thread::JoinHandle<()>>);

impl Busy {
    pub fn start(service: &'static str, receiver: SocketAddr, key: &'static str) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                let trace = format!("{:032x}", rand::random::<u128>().max(1));
                post(receiver, &export(service, (&trace, ""), "/cron", "cron"), key);
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        Self(ended, Some(thread))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
        if let Some(thread) = self.1.take() {
            let _ = thread.join();
        }
    }
}

/// The provider; it stops when dropped.
enum Provider {
    Listen(Listening),
    Honeycomb(Honeycomb),
    Nothing(Closed),
}

impl Provider {
    fn of(scene: Scene) -> (Self, &'static str) {
        let honeycomb =
            |key, kind, plan| Self::Honeycomb(Honeycomb::start(&[(key, kind)]).on_plan(plan));
        match scene {
            Scene::Listen => (Self::Listen(Listening::start(&Sandbox::new(&[]), &[])), KEY),
            Scene::Query => (honeycomb(KEY, Key::Configuration, Plan::Enterprise), KEY),
            Scene::ClassicQuery => (honeycomb(CLASSIC, Key::Classic, Plan::Enterprise), CLASSIC),
            Scene::FreePlan => (honeycomb(KEY, Key::Configuration, Plan::Free), KEY),
            Scene::IngestKey => (honeycomb(KEY, Key::Ingest, Plan::Enterprise), KEY),
            Scene::UnknownKey => (Self::Honeycomb(Honeycomb::start(&[])), KEY),
            Scene::NoKey => (Self::Nothing(Closed::new()), KEY),
        }
    }

    fn address(&self) -> SocketAddr {
        match self {
            Self::Listen(listen) => listen.http,
            Self::Honeycomb(honeycomb) => {
                honeycomb.url().trim_start_matches("http://").parse().unwrap()
            }
            Self::Nothing(closed) => closed.address,
        }
    }
}

/// Runs one cell; returns what is wrong with the verdict, and how long it took.
fn play(scene: Scene, deed: Deed) -> (Option<String>, Duration) {
    let (provider, key) = Provider::of(scene);
    let headers = match scene {
        Scene::NoKey => ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-tenant=1"),
        Scene::ClassicQuery => (
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
            "x-honeycomb-team=${HONEYCOMB_API_KEY},x-honeycomb-dataset=backend-flask",
        ),
        _ => ("OTEL_METRICS_EXPORTER", "none"),
    };
    let sandbox = project_with(&format!("http://{}", provider.address()), &[headers])
        .with("HONEYCOMB_API_KEY", key);
    let elsewhere = Closed::new();
    let receiver = match deed {
        Deed::SendsElsewhere => elsewhere.address,
        _ => provider.address(),
    };
    let application = application(deed, receiver, key);
    let _busy = (deed == Deed::SendsNothingWhileOthersDo)
        .then(|| Busy::start("backend-flask", receiver, key));
    let url = match deed {
        Deed::IsDown => elsewhere.url(),
        _ => application.url(),
    };
    // Whatever is never seen is waited for until the end.
    let timeout = match right(scene, deed) {
        None => "60s",
        Some(_) if deed == Deed::TracesOnlyForACaller => "20s",
        Some(_) => "5s",
    };
    let started = Instant::now();
    let run = sandbox.run(&["verify", "--json", "--timeout", timeout, "--app", &url]);
    let took = started.elapsed();
    (wrong(scene, deed, &run.json(), run.status), took)
}

fn wrong(scene: Scene, deed: Deed, document: &Value, status: i32) -> Option<String> {
    let service = &document["services"][0];
    let right = right(scene, deed);
    let queryable = service["checks"].as_array()?.iter().find(|one| one["rung"] == "queryable");
    let evidence = queryable.map(|check| check["evidence"].to_string()).unwrap_or_default();
    let is_seen = scene.witness() != "nobody";
    let said = words(deed).filter(|_| is_seen).is_none_or(|words| evidence.contains(words));
    let is_linked = is_seen
        || deed == Deed::IsDown
        || scene == Scene::UnknownKey
        || scene == Scene::NoKey
        || service["link"].is_string();
    let answered_itself = !matches!(deed, Deed::LeadsToASignIn | Deed::HasNoSuchPath);
    let reachable = service["proven"] == "none";
    let is_right = service["code"].as_str() == right
        && status == i32::from(right.is_some())
        && document["passed"] == json!(right.is_none())
        && document["delivered"] == json!(right.is_none())
        && (right.is_some() || service["proven"] == "queryable")
        && (answered_itself || reachable)
        && (deed == Deed::IsDown || service["application"]["witness"] == scene.witness())
        && said
        && is_linked;
    (!is_right).then(|| format!("{scene:?} x {deed:?}: not {right:?}\n{service:#}"))
}

#[test]
fn no_verdict_on_an_application_is_wrong() {
    let cells: Vec<(Scene, Deed)> =
        SCENES.iter().flat_map(|scene| DEEDS.map(|deed| (*scene, deed))).collect();
    assert!(cells.len() >= 60, "{}", cells.len());
    for ((scene, deed), took) in play_all(&cells, 8, |(scene, deed)| play(scene, deed)) {
        if deed == Deed::Traces {
            println!("{scene:?}: {:.1} s for an application that traces", took.as_secs_f64());
        }
    }
}

/// Runs the cells of a table, `at_once` at a time, and fails if one is wrong; returns how long each took.
pub fn play_all<C: Copy + Send + Sync>(
    cells: &[C],
    at_once: usize,
    play: impl Fn(C) -> (Option<String>, Duration) + Sync,
) -> Vec<(C, Duration)> {
    let next = Mutex::new(cells.iter());
    let (results, wrong) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let Some(cell) = next.lock().unwrap().next() else { return };
                    let (fault, took) = play(*cell);
                    results.lock().unwrap().push((*cell, took));
                    wrong.lock().unwrap().extend(fault);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {} are wrong:\n{}",
        wrong.len(),
        cells.len(),
        wrong.join("\n")
    );
    results.into_inner().unwrap()
}
