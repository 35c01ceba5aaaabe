//! `verify --app --tap`: the application's own requests, forwarded to its endpoint, whose answer is the verdict. A
//! script replaces docker; tests/docker uses the real one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::containers::Recorder;
use crate::fake_honeycomb::{Canned, Honeycomb, Key};
use crate::rude::{Rude, read_some};
use crate::sandbox::{KEY, Run, Sandbox, wait_until};
use crate::verify::{check, expect, project_with, service};

/// The result of docker's attempt to create the second container.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Docker {
    Starts,
    Refuses,
}

/// A project with one service that runs in a container, and the application in its second container.
struct Tapped {
    sandbox: Sandbox,
    recorder: Recorder,
    /// The application in the service's own container.
    own: Rude,
    copy: Rude,
    /// The script that replaces docker.
    script: String,
}

/// Returns a container in the form of `docker inspect`; without a port it cannot be reached.
fn inspected(id: &str, address: &str, port: Option<u16>) -> String {
    let ports = match port {
        Some(port) => json!({"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": port.to_string()}]}),
        None => json!({}),
    };
    json!({
        "id": id,
        "state": {"Status": "running", "ExitCode": 0, "StartedAt": "2026-11-26T01:52:07.98Z"},
        "labels": {"com.docker.compose.service": "backend-flask", "com.docker.compose.config-hash": "a1"},
        "image": "sha256:1e5",
        "network": {"Ports": ports, "Networks": {"p": {"IPAddress": address, "Gateway": "127.0.0.1"}}},
    })
    .to_string()
}

impl Tapped {
    /// Starts the application in the second container; it answers, and sends the spans that `spans` makes from a
    /// request's `traceparent`.
    fn new(
        endpoint: &str,
        more: &[(&str, &str)],
        docker: Docker,
        is_published: bool,
        spans: fn(&str) -> Option<Value>,
    ) -> Self {
        let recorder = Recorder::new(&[]);
        let folder = recorder.folder.path().to_owned();
        let own = Rude::answering("text/plain", b"hi");
        let copy = application(move || endpoint_of(&folder.join("override.yml")), spans);
        let sandbox = project_with(endpoint, more);
        let root = sandbox.project();
        let port = is_published.then(|| own.address.port());
        let start = match docker {
            Docker::Starts => {
                "cp \"$(echo \"$COMPOSE_FILE\" | tail -n 1)\" $d/override.yml; touch $d/copy"
            }
            Docker::Refuses => "echo 'no room' >&2; exit 1",
        };
        let script = format!(
            "d={}\ncase \"$1 $2 $*\" in\n\
             'compose run '*) {start};;\n\
             'ps --all '*cruddur-ops.copy*) [ -e $d/copy ] && echo c0b1; true;;\n\
             'ps --all '*) echo 'a1 {}';;\n\
             'inspect --format '*c0b1*) echo '{}';;\n\
             'inspect --format '*) echo '{}';;\n\
             'compose config '*--hash*) echo 'backend-flask a1';;\n\
             'compose config '*) echo '{{\"networks\":{{\"default\":{{\"name\":\"p_default\"}}}},\"volumes\":{{}}}}';;\n\
             'rm --force '*) rm -f $d/copy;;\n\
             'logs '*c0b1*) echo 'Failed to export batch code: 404, reason: Not Found' >&2;;\n\
             esac",
            recorder.folder.path().display(),
            root.display(),
            inspected("c0b1", "127.0.0.1", Some(copy.address.port())),
            inspected("a1", "127.0.0.9", port),
        );
        recorder.program("docker", &script);
        let sandbox = sandbox.with("PATH", &recorder.path());
        Self { sandbox, recorder, own, copy, script }
    }

    fn url(&self) -> String {
        format!("{}/api/home", self.own.url())
    }

    /// Returns the started commands that begin with these words.
    fn started(&self, words: &str) -> Vec<String> {
        let started = self.recorder.started().into_iter().map(|one| one.words);
        started.filter(|one| one.starts_with(words)).collect()
    }

    fn records(&self) -> Vec<PathBuf> {
        copy_records(&self.sandbox)
    }

    fn has_copy(&self) -> bool {
        self.recorder.folder.path().join("copy").exists()
    }
}

/// Returns the records of containers that were started for a tap.
pub fn copy_records(sandbox: &Sandbox) -> Vec<PathBuf> {
    let folder = sandbox.home().join(".local/state/cruddur-ops/copies");
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// Returns a service's endpoint in an override file.
fn endpoint_of(path: &std::path::Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let line =
        text.lines().find_map(|line| line.trim().strip_prefix("OTEL_EXPORTER_OTLP_ENDPOINT: "));
    line.unwrap().to_owned()
}

/// Starts an application that answers, and sends spans to the endpoint it finds.
fn application(
    endpoint: impl Fn() -> String + Send + Sync + 'static,
    spans: fn(&str) -> Option<Value>,
) -> Rude {
    Rude::unread(move |mut stream| {
        let request = String::from_utf8(read_some(&mut stream)).unwrap();
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
        drop(stream);
        let header = request.lines().find_map(|line| line.strip_prefix("traceparent: "));
        let Some(body) = header.and_then(|header| spans(header.trim())) else { return };
        post(&format!("{}/v1/traces", endpoint()), &body.to_string());
    })
}

/// Sends one export with the key, as an SDK would; its answer is ignored.
fn post(url: &str, body: &str) {
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         x-honeycomb-team: {KEY}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
}

/// Returns a server span whose parent is the request's span.
fn below(traceparent: &str) -> Option<Value> {
    let parts: Vec<&str> = traceparent.split('-').collect();
    Some(span(parts[1], parts[2]))
}

/// Returns a server span of another trace.
fn elsewhere(_: &str) -> Option<Value> {
    Some(span("000000000000000000000000000000ff", "00000000000000ff"))
}

fn nothing(_: &str) -> Option<Value> {
    None
}

fn span(trace: &str, parent: &str) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "backend-flask"}}]},
        "scopeSpans": [{"spans": [{
            "traceId": trace, "spanId": "00000000000000a1", "parentSpanId": parent, "name": "GET", "kind": 2,
            "startTimeUnixNano": (now - 1_000_000).to_string(), "endTimeUnixNano": now.to_string(),
            "attributes": [
                {"key": "http.route", "value": {"stringValue": "/api/home"}},
                {"key": "http.response.status_code", "value": {"intValue": "200"}},
            ],
        }]}],
    }]})
}

fn honeycomb() -> Honeycomb {
    Honeycomb::start(&[(KEY, Key::Ingest)])
}

#[test]
fn an_ingest_key_proves_by_the_endpoints_own_answer() {
    let honeycomb = honeycomb();
    let tapped = Tapped::new(&honeycomb.url(), &[], Docker::Starts, true, below);
    let found = expect(&tapped.sandbox, &["--app", &tapped.url(), "--tap"], "accepted", None);
    assert_eq!(found["application"]["witness"], "tap");
    assert_eq!(found["application"]["spans"], 1);
    assert_eq!(check(&found, "accepted")["status"], "pass");
    let seen = honeycomb.seen_at("/v1/traces");
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].headers["x-honeycomb-team"], KEY);
    assert_eq!(tapped.own.connections(), 0, "the service's own container was asked");

    let [run] = &tapped.started("docker compose run")[..] else { panic!("one copy is started") };
    let words: Vec<&str> = run.split(' ').collect();
    let fixed =
        "docker compose run --detach --rm --no-deps --no-TTY --publish 127.0.0.1::8080 --name";
    assert!(run.starts_with(fixed) && words.ends_with(&["--", "backend-flask"]), "{run}");
    assert_eq!(tapped.started("docker rm"), ["docker rm --force --volumes c0b1"]);
    let acting = ["docker compose up", "docker stop", "docker compose stop", "docker compose rm"];
    assert!(acting.iter().all(|words| tapped.started(words).is_empty()));
    assert!(tapped.records().is_empty());
    let made = tapped.recorder.folder.path().join("override.yml");
    let made = std::fs::read_to_string(made).unwrap();
    for part in ["image: sha256:1e5", "build: !reset null", "pull_policy: never"] {
        assert!(made.contains(part), "{made}");
    }
    assert!(!made.contains(KEY));

    tapped.recorder.program(
        "docker",
        &tapped.script.replace("echo 'backend-flask a1'", "echo 'backend-flask b2'"),
    );
    let found = expect(&tapped.sandbox, &["--app", &tapped.url(), "--tap"], "accepted", None);
    assert_eq!(check(&found, "accepted")["status"], "warn", "its own container is older");

    let arguments = ["--app", &tapped.url(), "--tap", "--require", "queryable"];
    expect(&tapped.sandbox, &arguments, "accepted", Some("not-proven"));
}

#[test]
fn a_refusal_of_the_endpoint_is_the_verdict() {
    let partial = br#"{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}"#;
    for (canned, code) in [
        (Canned::new(401, "application/json", b"{}"), "key-rejected"),
        (Canned::new(200, "application/json", partial), "spans-rejected"),
        (Canned::new(307, "-", b"").with("location", "http://127.0.0.1:9/"), "redirected"),
        (Canned::new(503, "-", b""), "server-error"),
    ] {
        let honeycomb = honeycomb().answering(&[canned]);
        let tapped = Tapped::new(&honeycomb.url(), &[], Docker::Starts, true, below);
        let arguments = ["--app", &tapped.url(), "--tap", "--timeout", "2s"];
        let found = expect(&tapped.sandbox, &arguments, "reachable", Some(code));
        assert_eq!(check(&found, "accepted")["status"], "fail");
        assert!(!tapped.has_copy() && tapped.records().is_empty());
    }
}

#[test]
fn spans_of_another_trace_prove_nothing() {
    for (spans, exports) in [(elsewhere as fn(&str) -> Option<Value>, 1), (nothing, 0)] {
        let honeycomb = honeycomb();
        let tapped = Tapped::new(&honeycomb.url(), &[], Docker::Starts, true, spans);
        let arguments = ["--app", &tapped.url(), "--tap", "--timeout", "1500ms"];
        let found = expect(&tapped.sandbox, &arguments, "reachable", Some("not-proven"));
        // What the second container wrote is the reason, not what the service's own did.
        let evidence = check(&found, "queryable")["evidence"].as_str().unwrap();
        assert!(evidence.contains("404"), "{evidence}");
        let logs = tapped.started("docker logs");
        assert!(!logs.is_empty() && logs.iter().all(|one| one.ends_with(" c0b1")), "{logs:?}");
        assert_eq!(honeycomb.seen_at("/v1/traces").len(), exports);
        assert!(!tapped.has_copy() && tapped.records().is_empty());
    }
}

#[test]
fn a_service_without_a_second_container_is_unseen_and_says_why() {
    let honeycomb = honeycomb();
    for (docker, is_published, why) in
        [(Docker::Refuses, true, "no room"), (Docker::Starts, false, "published port")]
    {
        let tapped = Tapped::new(&honeycomb.url(), &[], docker, is_published, below);
        let arguments = ["--app", &tapped.url(), "--service", "backend-flask", "--tap"];
        let found = expect(&tapped.sandbox, &arguments, "reachable", Some("unseen"));
        let evidence = check(&found, "queryable")["evidence"].as_str().unwrap();
        assert!(evidence.contains(why), "{evidence}");
        assert!(tapped.records().is_empty());
        assert_eq!(tapped.started("docker compose run").len(), usize::from(is_published));
    }
}

#[test]
fn an_endpoint_without_an_address_is_not_tapped_and_says_why() {
    let tapped = Tapped::new("http://collector.invalid:4318", &[], Docker::Starts, true, below);
    let url = tapped.url();
    let arguments =
        ["--app", &url, "--service", "backend-flask", "--trust-host", "collector.invalid"];
    for (tap, begins) in [
        (&["--tap"][..], "its spans are not seen from here: it is not tapped: "),
        (&[], "its spans are not seen from here: collector.invalid"),
    ] {
        let arguments = [&arguments[..], tap].concat();
        let found = expect(&tapped.sandbox, &arguments, "reachable", Some("unseen"));
        let seen = check(&found, "queryable");
        let evidence = seen["evidence"].as_str().unwrap();
        assert!(evidence.starts_with(begins) && evidence.contains("has no address"), "{evidence}");
        // A tap needs the endpoint, too.
        assert!(!seen["hint"].as_str().unwrap().contains("--tap"), "{seen}");
        assert!(tapped.records().is_empty());
    }
}

#[test]
fn a_certificate_of_the_service_does_not_prevent_verification() {
    let honeycomb = honeycomb();
    let more = [
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/etc/ca.pem"),
        ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "/etc/key.pem"),
    ];
    let tapped = Tapped::new(&honeycomb.url(), &more, Docker::Starts, true, below);
    tapped.sandbox.run(&["verify", "--app", &tapped.url(), "--tap", "--timeout", "1s"]);
    let made = std::fs::read_to_string(tapped.recorder.folder.path().join("override.yml")).unwrap();
    for (name, _) in more {
        assert!(made.contains(&format!("{name}: ''")), "{made}");
    }
}

#[test]
fn the_next_command_removes_what_a_kill_left() {
    let honeycomb = honeycomb();
    let tapped = Tapped::new(&honeycomb.url(), &[], Docker::Starts, true, nothing);
    let arguments = ["verify", "--app", &tapped.url(), "--tap", "--timeout", "60s"];
    let mut killed = tapped.sandbox.command(&arguments).stderr(Stdio::null()).spawn().unwrap();
    // It was asked: the second container runs.
    wait_until(|| tapped.has_copy() && tapped.copy.connections() > 0);
    // As long as it lives, another command leaves it alone.
    tapped.sandbox.run(&["ports"]).expect(0);
    assert!(tapped.has_copy());
    killed.kill().unwrap();
    killed.wait().unwrap();
    let records = tapped.records();
    assert!(tapped.has_copy() && records.len() == 1);
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&records[0].metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(tapped.sandbox.files_with_the_key().is_empty());
    let swept = tapped.sandbox.run(&["ports"]);
    swept.expect(0);
    assert!(!tapped.has_copy() && tapped.records().is_empty());
    // Without a record docker is not asked.
    let before = tapped.recorder.started().len();
    tapped.sandbox.run(&["ports"]).expect(0);
    assert_eq!(tapped.recorder.started().len(), before);
}

#[test]
fn an_interrupt_leaves_nothing_behind() {
    let honeycomb = honeycomb();
    let tapped = Tapped::new(&honeycomb.url(), &[], Docker::Starts, true, nothing);
    let arguments = ["verify", "--app", &tapped.url(), "--tap", "--timeout", "60s"];
    let mut child = tapped.sandbox.command(&arguments).stderr(Stdio::null()).spawn().unwrap();
    wait_until(|| tapped.has_copy() && tapped.copy.connections() > 0);
    let id = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!tapped.has_copy() && tapped.records().is_empty());
}

/// Returns the endpoint that a run tells the user to start the application with.
fn said_endpoint(child: &mut Child) -> mpsc::Receiver<String> {
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if let Some((_, rest)) = line.split_once("OTEL_EXPORTER_OTLP_ENDPOINT=\"") {
                let _ = tell.send(rest.split('"').next().unwrap().to_owned());
            }
        }
    });
    told
}

#[test]
fn without_an_engine_the_person_starts_the_application() {
    let honeycomb = honeycomb();
    let recorder = Recorder::new(&[]);
    recorder.program("docker", "echo 'no engine' >&2; exit 1");
    let sandbox = project_with(&honeycomb.url(), &[]).with("PATH", &recorder.path());
    let (tell, told) = mpsc::channel::<String>();
    let told = std::sync::Mutex::new(told);
    let said = move || told.lock().unwrap().recv_timeout(Duration::from_secs(60)).unwrap();
    let application = application(said, below);
    let url = format!("{}/api/home", application.url());
    let arguments = ["verify", "--json", "--app", &url, "--service", "backend-flask", "--tap"];
    let arguments = [&arguments[..], &["--timeout", "60s"]].concat();
    let mut child =
        sandbox.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let endpoint = said_endpoint(&mut child).recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(endpoint.starts_with("http://127.0.0.1:"), "{endpoint}");
    tell.send(endpoint).unwrap();
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let run = Run { status: output.status.code().unwrap(), stdout, stderr: String::new() };
    let found = service(&run);
    assert_eq!((run.status, &found["proven"]), (0, &"accepted".into()), "{found:#}");
    assert_eq!(honeycomb.seen_at("/v1/traces").len(), 1);
}

#[test]
fn so_many_services_are_tapped_at_once_and_no_more() {
    let (honeycomb, application) = (honeycomb(), Rude::answering("text/plain", b"hi"));
    let names: Vec<String> =
        (0..=cruddur_ops::limits::TAPPED_SERVICES).map(|at| format!("s{at}")).collect();
    let services = names.iter().map(|name| {
        format!(
            "  {name}:\n    image: x\n    environment:\n      OTEL_SERVICE_NAME: {name}\n      \
             OTEL_EXPORTER_OTLP_ENDPOINT: {}\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${{HONEYCOMB_API_KEY}}\n",
            honeycomb.url()
        )
    });
    let recorder = Recorder::new(&[]);
    recorder.program("docker", "exit 1");
    let text = format!("services:\n{}", services.collect::<String>());
    let sandbox = Sandbox::new(&[("compose.yaml", &text)]);
    let sandbox = sandbox.with("HONEYCOMB_API_KEY", KEY).with("PATH", &recorder.path());
    let url = application.url();
    let mut arguments = vec!["verify", "--json", "--app", &url, "--tap", "--timeout", "2s"];
    arguments.extend(names.iter().flat_map(|name| ["--service", name]));
    let document = sandbox.run(&arguments).json();
    let services = document["services"].as_array().unwrap();
    let of = |witness: &str| {
        services.iter().filter(|one| one["application"]["witness"] == witness).count()
    };
    assert_eq!(
        (of("tap"), of("nobody")),
        (cruddur_ops::limits::TAPPED_SERVICES, 1),
        "{document:#}"
    );
}
