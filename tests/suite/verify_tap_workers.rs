//! `verify --app --tap` of a service that cannot be requested in a second container: its own container is replaced
//! after a yes that names it, and restored. A script replaces docker; tests/docker uses the real one.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::containers::Recorder;
use crate::dialogue::{in_a_terminal, status, type_in};
use crate::fake_honeycomb::{Canned, Honeycomb, Key};
use crate::rude::{Rude, read_some};
use crate::sandbox::{KEY, Sandbox, wait_until};
use crate::verify_project::row;
use crate::verify_tap::copy_records;
use crate::verify_witnesses::{answer_ok, export, header_of};

/// The script that replaces docker: `$d` holds a file for each copy with its container id, and the override files.
const DOCKER: &str = r#"
last=$(echo "$COMPOSE_FILE" | tail -n 1)
id=$(basename "$last" .yml)
own=w1; for f in $d/copy-*; do [ -e $f ] && grep -q w2 $f && own=w2; done
case "$1 $2 $*" in
'compose run '*) cp "$last" $d/web.yml; echo c0b1 >$d/copy-$id;;
'compose up '*)
  case "$last" in
  */copies/*) [ -e $d/refuses ] && { echo 'no room' >&2; exit 1; }; cp "$last" $d/worker.yml; echo w2 >$d/copy-$id;;
  *) [ -e $d/stuck ] && { echo 'it is stuck' >&2; exit 1; }; for f in $d/copy-*; do [ -e $f ] && grep -q w2 $f && rm $f; done; true;;
  esac;;
'ps --all '*cruddur-ops.copy=*) for word; do :; done; f=$d/copy-${word##*=}; [ -e $f ] && cat $f; true;;
'ps --all '*) echo 'a1 ROOT'; echo "$own ROOT";;
'inspect --format '*c0b1*) echo 'COPY';;
'inspect --format '*a1*) echo 'WEB'; echo 'WORKER' | sed "s/w1/$own/";;
'inspect --format '*w2*) echo 'WORKER' | sed 's/w1/w2/';;
'compose config '*--hash*) echo 'web d1'; cat $d/digest;;
'compose config '*) echo '{"networks":{"default":{"name":"p_default"}},"volumes":{}}';;
'rm --force '*) for f in $d/copy-*; do grep -q c0b1 $f && rm $f; done; true;;
esac
"#;

/// A project of a requested service and a worker that it calls, both in containers.
struct TappedWorker {
    sandbox: Sandbox,
    recorder: Recorder,
    web: Rude,
    _copy: Rude,
}

fn container(service: &str, id: &str, digest: &str, ports: Value) -> String {
    json!({
        "id": id,
        "state": {"Status": "running", "ExitCode": 0, "StartedAt": "2026-11-26T01:52:07.98Z"},
        "labels": {"com.docker.compose.service": service, "com.docker.compose.config-hash": digest},
        "image": "sha256:1e5",
        "network": {"Ports": ports, "Networks": {"p": {"IPAddress": "127.0.0.1", "Gateway": "127.0.0.1"}}},
    })
    .to_string()
}

/// Returns the endpoint of a service's traces in an override file.
fn endpoint_in(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let mut lines = text.lines().map(str::trim);
    lines.find_map(|line| line.strip_prefix("OTEL_EXPORTER_OTLP_ENDPOINT: ").map(str::to_owned))
}

/// Sends an export to the relay of a tapped service, if it is tapped.
fn send(path: &Path, body: &Value) {
    let Some(endpoint) = endpoint_in(path) else { return };
    let (address, token) = endpoint.strip_prefix("http://").unwrap().split_once('/').unwrap();
    post(address, &format!("/{token}/v1/traces"), body);
}

fn post(address: &str, path: &str, body: &Value) {
    use std::io::{Read, Write};
    let body = body.to_string();
    let Ok(mut stream) = std::net::TcpStream::connect(address) else { return };
    let _ = write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         x-honeycomb-team: {KEY}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.read_to_string(&mut String::new());
}

impl TappedWorker {
    fn new(honeycomb: &Honeycomb) -> Self {
        let recorder = Recorder::new(&[]);
        let folder = recorder.folder.path().to_owned();
        let web = Rude::answering("text/plain", b"hi");
        let copy = Rude::unread(move |mut stream| {
            let request = String::from_utf8(read_some(&mut stream)).unwrap();
            let target = request.split_whitespace().nth(1).unwrap_or_default().to_owned();
            let agent = header_of(&request, "user-agent").unwrap_or_default();
            answer_ok(stream);
            let fresh = format!("00-{:032x}--01", rand::random::<u128>().max(1));
            let parent = header_of(&request, "traceparent").unwrap_or(fresh);
            let parts: Vec<&str> = parent.split('-').collect();
            send(&folder.join("web.yml"), &export("web", (parts[1], parts[2]), &target, &agent));
            send(
                &folder.join("worker.yml"),
                &export("worker", (parts[1], "00000000000000aa"), "", "task"),
            );
        });
        let service = |name: &str, more: &str| {
            format!(
                "  {name}:\n    image: x\n{more}    environment:\n      OTEL_SERVICE_NAME: {name}\n      \
                 OTEL_EXPORTER_OTLP_ENDPOINT: {}\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${{HONEYCOMB_API_KEY}}\n",
                honeycomb.url()
            )
        };
        let ports = format!("    ports: [\"{}:8080\"]\n", web.address.port());
        let text = format!("services:\n{}{}", service("web", &ports), service("worker", ""));
        let sandbox = Sandbox::new(&[("compose.yaml", &text)]).with("HONEYCOMB_API_KEY", KEY);
        let published = |port: u16| json!({"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": port.to_string()}]});
        let script = DOCKER
            .replace("ROOT", &sandbox.project().display().to_string())
            .replace("COPY", &container("web", "c0b1", "d1", published(copy.address.port())))
            .replace("WEB", &container("web", "a1", "d1", published(web.address.port())))
            .replace("WORKER", &container("worker", "w1", "d9", json!({})));
        let tapped = Self { sandbox, recorder, web, _copy: copy };
        tapped.write("digest", "worker d9\n");
        let script = format!("d={}\n{script}", tapped.recorder.folder.path().display());
        tapped.recorder.program("docker", &script);
        let sandbox = tapped.sandbox.with("PATH", &tapped.recorder.path());
        Self { sandbox, ..tapped }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.recorder.folder.path().join(name), text).unwrap();
    }

    /// Returns the ids that docker has for copies.
    fn copies(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.recorder.folder.path()).unwrap().map(Result::unwrap);
        let copies = entries.filter(|one| one.file_name().to_string_lossy().starts_with("copy-"));
        copies.map(|one| std::fs::read_to_string(one.path()).unwrap().trim().to_owned()).collect()
    }

    fn records(&self) -> Vec<PathBuf> {
        copy_records(&self.sandbox)
    }

    /// Returns how many docker commands began with these words.
    fn count(&self, words: &str) -> usize {
        self.recorder.started().iter().filter(|one| one.words.starts_with(words)).count()
    }

    fn assert_nothing_is_left(&self) {
        assert!(self.copies().is_empty() && self.records().is_empty());
        assert!(self.sandbox.files_with_the_key().is_empty());
    }
}

const UP: &str =
    "docker compose up --detach --no-deps --no-build --pull never --force-recreate -- worker";
const TAP: [&str; 5] = ["verify", "--app", "--json", "--tap", "--timeout"];

fn honeycomb() -> Honeycomb {
    Honeycomb::start(&[(KEY, Key::Ingest)])
}

#[test]
fn a_worker_is_proven_by_a_temporary_replacement_of_its_container() {
    let honeycomb = honeycomb();
    let tapped = TappedWorker::new(&honeycomb);
    let arguments = [&TAP[..], &["20s", "--recreate", "worker"]].concat();
    let document = tapped.sandbox.run(&arguments).expect(0).json();
    let worker = row(&document, "worker");
    assert_eq!(worker["proven"], "accepted", "{worker:#}");
    assert_eq!(worker["application"]["witness"], "tap");
    assert_eq!(worker["application"]["linked_to"], "web");
    assert_eq!(worker["application"]["spans"], 2, "{worker:#}");
    assert_eq!(row(&document, "web")["proven"], "accepted");
    // There, and back.
    assert_eq!((tapped.count(UP), tapped.count("docker compose up")), (2, 2));
    tapped.assert_nothing_is_left();
    assert_eq!(tapped.web.connections(), 0, "the service's own container was asked");
    let made = std::fs::read_to_string(tapped.recorder.folder.path().join("worker.yml")).unwrap();
    for part in ["image: sha256:1e5", "pull_policy: never", "cruddur-ops.copy: "] {
        assert!(made.contains(part), "{made}");
    }
    assert!(!made.contains(KEY));
}

#[test]
fn without_a_yes_that_names_it_no_container_is_replaced() {
    let honeycomb = honeycomb();
    let tapped = TappedWorker::new(&honeycomb);
    let run = tapped.sandbox.run(&[&TAP[..], &["20s"]].concat()).expect(0);
    let document = run.json();
    let worker = row(&document, "worker");
    assert_eq!(
        (&worker["proven"], &worker["application"]["witness"]),
        (&"none".into(), &"nobody".into())
    );
    assert!(worker["checks"].to_string().contains("--recreate worker"), "{worker:#}");
    assert_eq!(tapped.count("docker compose up"), 0);
    let strict = [&TAP[..], &["20s", "--strict"]].concat();
    let document = tapped.sandbox.run(&strict).expect(1).json();
    assert_eq!(row(&document, "worker")["code"], "not-asked");
    let unknown = [&TAP[..], &["20s", "--recreate", "nobody"]].concat();
    tapped.sandbox.run(&unknown).failed("unknown-service", &[]);
    tapped.assert_nothing_is_left();
}

#[test]
fn what_would_become_another_container_is_not_replaced() {
    let honeycomb = honeycomb();
    for (digest, refuses) in [("worker d0\n", false), ("worker d9\n", true)] {
        let tapped = TappedWorker::new(&honeycomb);
        tapped.write("digest", digest);
        if refuses {
            tapped.write("refuses", "");
        }
        let arguments = [&TAP[..], &["20s", "--recreate", "worker"]].concat();
        let document = tapped.sandbox.run(&arguments).expect(0).json();
        let worker = row(&document, "worker");
        assert_eq!(worker["application"]["witness"], "nobody", "{worker:#}");
        // A start that fails leaves the service's own container where it was.
        assert_eq!(tapped.count("docker compose up"), usize::from(refuses));
        tapped.assert_nothing_is_left();
    }
}

#[test]
fn the_endpoints_answer_to_a_workers_spans_is_the_verdict() {
    let honeycomb = honeycomb().answering(&[Canned::new(401, "application/json", b"{}")]);
    let tapped = TappedWorker::new(&honeycomb);
    let arguments = [&TAP[..], &["8s", "--recreate", "worker"]].concat();
    let document = tapped.sandbox.run(&arguments).expect(1).json();
    assert_eq!(row(&document, "worker")["code"], "key-rejected", "{document:#}");
    tapped.assert_nothing_is_left();
}

/// Starts a tap that waits for spans that never come, and ends it by this signal after the worker is replaced.
fn end_in_the_middle(tapped: &TappedWorker, signal: Signal) -> Option<i32> {
    tapped.write("web.yml", "");
    let arguments = [
        "verify",
        "--app",
        "--tap",
        "--timeout",
        "60s",
        "--recreate",
        "worker",
        "--service",
        "worker",
    ];
    let mut child = tapped.sandbox.command(&arguments).stderr(Stdio::null()).spawn().unwrap();
    wait_until(|| tapped.copies() == ["w2"]);
    // The record of a copy is written before docker is asked, and the container is looked up after it.
    wait_until(|| tapped.count("docker inspect --format") > 1);
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
    child.wait().unwrap().code()
}

#[test]
fn an_interrupt_puts_the_workers_own_container_back() {
    let honeycomb = honeycomb();
    let tapped = TappedWorker::new(&honeycomb);
    assert_eq!(end_in_the_middle(&tapped, Signal::INT), Some(130));
    assert_eq!(tapped.count(UP), 2);
    tapped.assert_nothing_is_left();
}

#[test]
fn the_next_command_puts_back_what_a_kill_left_in_its_place() {
    let honeycomb = honeycomb();
    let tapped = TappedWorker::new(&honeycomb);
    assert_eq!(end_in_the_middle(&tapped, Signal::KILL), None);
    assert_eq!((tapped.copies().len(), tapped.records().len()), (1, 1));
    assert!(tapped.sandbox.files_with_the_key().is_empty());

    // Where docker cannot, it is said, with the command that does it; every command says it.
    tapped.write("stuck", "");
    for command in [&["ports"][..], &["status"]] {
        let run = tapped.sandbox.run(command);
        assert!(
            run.stderr.contains("worker") && run.stderr.contains("compose up"),
            "{}",
            run.stderr
        );
        assert_eq!(tapped.records().len(), 1);
    }
    std::fs::remove_file(tapped.recorder.folder.path().join("stuck")).unwrap();
    // Another definition than the one that ran is not the user's own.
    tapped.write("digest", "worker d0\n");
    let run = tapped.sandbox.run(&["ports"]);
    assert!(run.stderr.contains("has changed"), "{}", run.stderr);
    assert_eq!(tapped.records().len(), 1);
    tapped.write("digest", "worker d9\n");

    // From any folder.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = tapped.sandbox.command(&["completions", "bash"]);
    assert!(command.current_dir(elsewhere.path()).output().unwrap().status.success());
    tapped.assert_nothing_is_left();
    let before = tapped.recorder.started().len();
    tapped.sandbox.run(&["ports"]);
    assert_eq!(tapped.recorder.started().len(), before, "without a record docker is not asked");
}

#[test]
fn a_container_that_its_user_replaced_meanwhile_is_left_alone() {
    let honeycomb = honeycomb();
    let tapped = TappedWorker::new(&honeycomb);
    assert_eq!(end_in_the_middle(&tapped, Signal::KILL), None);
    let entries = std::fs::read_dir(tapped.recorder.folder.path()).unwrap().map(Result::unwrap);
    for one in entries.filter(|one| one.file_name().to_string_lossy().starts_with("copy-")) {
        std::fs::remove_file(one.path()).unwrap();
    }
    tapped.sandbox.run(&["ports"]).expect(0);
    assert_eq!(tapped.count(UP), 1);
    tapped.assert_nothing_is_left();
}

#[test]
fn a_terminal_is_asked_once_for_a_tap_and_once_for_a_container() {
    let honeycomb = honeycomb();
    // What is answered to both questions; how docker is used; the exit status.
    for (answers, copies, replacements, ends) in
        [(&["\r"][..], 0, 0, 1), (&["y\r", "\r"], 1, 0, 0), (&["y\r", "y\r"], 1, 2, 0)]
    {
        let tapped = TappedWorker::new(&honeycomb);
        let mut session = in_a_terminal(&tapped.sandbox, &["verify", "--app", "--timeout", "20s"]);
        session.exp_string("Tap it now?").unwrap();
        type_in(&mut session, answers[0]);
        if let Some(answer) = answers.get(1) {
            session.exp_string("Replace the container of worker?").unwrap();
            type_in(&mut session, answer);
        }
        let rest = session.exp_eof().unwrap();
        assert_eq!(status(&session), ends, "{rest}");
        assert_eq!(tapped.count("docker compose run"), copies, "{rest}");
        assert_eq!(tapped.count(UP), replacements, "{rest}");
        tapped.assert_nothing_is_left();
    }
}

#[test]
fn nothing_is_asked_where_there_is_a_witness_or_no_terminal() {
    let seen = Honeycomb::start(&[(KEY, Key::Configuration)])
        .on_plan(crate::fake_honeycomb::Plan::Enterprise);
    let tapped = TappedWorker::new(&seen);
    let arguments = ["verify", "--app", "--timeout", "2s", "--service", "web"];
    let mut session = in_a_terminal(&tapped.sandbox, &arguments);
    let shown = session.exp_eof().unwrap();
    assert!(!shown.contains("Tap it now?"), "{shown}");
    let unseen = TappedWorker::new(&honeycomb());
    let run = unseen.sandbox.run(&["verify", "--app", "--timeout", "2s"]).expect(1);
    assert!(run.stdout.contains("--tap"), "{}", run.stdout);
    assert_eq!(unseen.count("docker compose run"), 0);
}
