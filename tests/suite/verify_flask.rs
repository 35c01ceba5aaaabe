//! `verify --app` on a real Flask application with the real OpenTelemetry packages, set up as in the guide.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use crate::closed::Closed;
use crate::compose_oracle::{docker_compose, oracle};
use crate::containers::Recorder;
use crate::fake_grpc::{GrpcReceiver, Reply};
use crate::fake_honeycomb::{Honeycomb, Key};
use crate::listening::Listening;
use crate::python::python;
use crate::sandbox::{KEY, Sandbox};
use crate::verify::{check, expect};

const APP: &str = r#"
from flask import Flask
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("home.activities")
app = Flask(__name__)
FlaskInstrumentor().instrument_app(app)

@app.route("/api/activities/home")
def home():
    with tracer.start_as_current_span("home-activities-mock-data") as span:
        span.set_attribute("app.now", "now")
        return []
"#;

const REQUIREMENTS: &str = "flask
opentelemetry-api
opentelemetry-sdk
opentelemetry-exporter-otlp-proto-http
opentelemetry-instrumentation-flask
opentelemetry-instrumentation-requests
";

/// The way the application is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Plain,
    Reloading,
    TwoWorkers,
}

/// The running application and its child processes.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let group = Pid::from_child(&self.0);
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.0.wait();
    }
}

/// A running application, and the compose file with its variables.
struct Scene {
    sandbox: Sandbox,
    url: String,
    _running: Running,
}

const NAME: (&str, &str) = ("OTEL_SERVICE_NAME", "backend-flask");

/// Returns the application's endpoint, as its container would see it.
fn endpoint(address: SocketAddr) -> (&'static str, String) {
    let port = address.port();
    ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://host.docker.internal:{port}"))
}

/// Starts an application with the variables that the real Docker Compose computes from this compose file; here the
/// host of its container is loopback.
fn scene(start: Start, variables: &[(&str, &str)]) -> Option<Scene> {
    let (python, docker_compose) = (python()?, docker_compose()?);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut compose = format!(
        "services:\n  backend-flask:\n    build: .\n    ports: [\"{port}:{port}\"]\n    environment:\n      \
         OTEL_BSP_SCHEDULE_DELAY: \"200\"\n"
    );
    for (name, value) in variables {
        compose += &format!("      {name}: \"{value}\"\n");
    }
    let sandbox = Sandbox::new(&[
        ("docker-compose.yml", &compose),
        ("app.py", APP),
        ("requirements.txt", REQUIREMENTS),
    ])
    .with("HONEYCOMB_API_KEY", KEY);
    let shell = BTreeMap::from([("HONEYCOMB_API_KEY".to_owned(), KEY.to_owned())]);
    let services = oracle(&docker_compose, &sandbox.project(), &shell).unwrap();
    let environment = services["backend-flask"]["environment"].as_object().unwrap();
    let environment = environment.iter().map(|(name, value)| {
        let value = value.as_str().unwrap();
        (name, value.replace("host.docker.internal", "127.0.0.1"))
    });
    let port = port.to_string();
    let bind = format!("127.0.0.1:{port}");
    let arguments: Vec<&str> = match start {
        Start::Plain => vec!["-m", "flask", "run", "--port", &port],
        Start::Reloading => vec!["-m", "flask", "run", "--debug", "--port", &port],
        Start::TwoWorkers => vec!["-m", "gunicorn", "--workers", "2", "--bind", &bind, "app:app"],
    };
    let running = Command::new(python)
        .args(arguments)
        .current_dir(sandbox.project())
        .env_clear()
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(environment)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let running = Running(running);
    answering(&bind);
    Some(Scene { url: format!("http://{bind}/api/activities/home"), _running: running, sandbox })
}

/// Waits until the port accepts connections.
pub fn answering(address: &str) {
    let started = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(started.elapsed() < Duration::from_secs(120), "{address}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn listen() -> Listening {
    Listening::start(&Sandbox::new(&[]), &[])
}

#[test]
fn its_own_spans_are_proven_however_it_is_started() {
    for start in [Start::Plain, Start::Reloading, Start::TwoWorkers] {
        let listen = listen();
        let (name, value) = endpoint(listen.http);
        let Some(scene) = scene(start, &[NAME, (name, &value)]) else {
            return;
        };
        let arguments = ["--timeout", "60s", "--app", &scene.url];
        let service = expect(&scene.sandbox, &arguments, "queryable", None);
        let found = check(&service, "queryable");
        let evidence = found["evidence"].as_str().unwrap();
        for part in [
            "backend-flask's own spans",
            "http.route /api/activities/home",
            "status 200",
            "1 nested",
        ] {
            assert!(evidence.contains(part), "{start:?}: {evidence}");
        }
        assert_eq!(found["status"], "pass", "{start:?}");
    }
}

#[test]
fn an_application_without_a_name_is_no_proof() {
    let listen = listen();
    let (name, value) = endpoint(listen.http);
    let Some(scene) = scene(Start::Plain, &[(name, &value)]) else {
        return;
    };
    let arguments = ["--timeout", "12s", "--app", &scene.url];
    let service = expect(&scene.sandbox, &arguments, "reachable", Some("not-proven"));
    let evidence = check(&service, "queryable")["evidence"].as_str().unwrap();
    assert!(evidence.contains("unknown_service"), "{evidence}");
}

#[test]
fn an_application_that_sends_elsewhere_is_no_proof() {
    let (first, other) = (listen(), listen());
    let (name, value) = endpoint(first.http);
    let Some(mut scene) = scene(Start::Plain, &[NAME, (name, &value)]) else {
        return;
    };
    // The compose file was edited since the application was started: it still sends to the first one.
    let compose = scene.sandbox.read("docker-compose.yml");
    let edited = compose.replace(&value, &endpoint(other.http).1);
    scene.sandbox.write("docker-compose.yml", &edited);
    let arguments = ["--timeout", "8s", "--app", &scene.url];
    let service = expect(&scene.sandbox, &arguments, "reachable", Some("not-proven"));
    let hint = check(&service, "queryable")["hint"].as_str().unwrap();
    assert!(hint.contains("not restarted since the edit"), "{hint}");
    scene.url.push_str("?again");
    scene.sandbox.write("docker-compose.yml", &compose);
    expect(&scene.sandbox, &["--timeout", "60s", "--app", &scene.url], "queryable", None);
}

#[test]
fn a_misspelt_header_variable_is_named_whether_the_receiver_minds_or_not() {
    const TYPO: (&str, &str) =
        ("OTEL_EXPORTER_OTLP_HEADER", "x-honeycomb-team=${HONEYCOMB_API_KEY}");
    const WORDS: &str =
        "OTEL_EXPORTER_OTLP_HEADER is set, but the variable is OTEL_EXPORTER_OTLP_HEADERS";
    let listen = listen();
    let (name, value) = endpoint(listen.http);
    let Some(scene) = scene(Start::Plain, &[NAME, (name, &value), TYPO]) else {
        return;
    };
    let arguments = ["--timeout", "60s", "--app", &scene.url];
    let service = expect(&scene.sandbox, &arguments, "queryable", None);
    let configured = check(&service, "configured");
    assert_eq!(configured["status"], "warn");
    assert!(configured["evidence"].as_str().unwrap().contains(WORDS), "{configured}");
    drop(scene);

    let honeycomb = Honeycomb::start(&[(KEY, Key::Configuration)]);
    let address = honeycomb.url().trim_start_matches("http://").parse().unwrap();
    let (name, value) = endpoint(address);
    let scene = self::scene(Start::Plain, &[NAME, (name, &value), TYPO]).unwrap();
    let arguments = ["--timeout", "8s", "--app", &scene.url];
    let service = expect(&scene.sandbox, &arguments, "reachable", Some("unseen"));
    let configured = check(&service, "configured");
    assert!(configured["evidence"].as_str().unwrap().contains(WORDS), "{configured}");
    assert_eq!(check(&service, "queryable")["status"], "skip");
    assert!(honeycomb.traces().is_empty());
}

#[test]
fn a_wrong_port_is_named_on_either_side() {
    let closed = Closed::new();
    // The application sends to a port where nobody is.
    let (name, value) = endpoint(closed.address);
    let Some(scene) = scene(Start::Plain, &[NAME, (name, &value)]) else {
        return;
    };
    let arguments = ["--timeout", "8s", "--app", &scene.url];
    let service = expect(&scene.sandbox, &arguments, "reachable", Some("unseen"));
    let evidence = check(&service, "queryable")["evidence"].as_str().unwrap();
    assert!(evidence.contains("no `listen` answers"), "{evidence}");

    // The application is asked where it is not.
    let right = scene.url.clone();
    let (start, _) = right.rsplit_once(':').unwrap();
    let wrong = format!("{start}:{}/api/activities/home", closed.address.port());
    let arguments = ["--timeout", "1s", "--app", &wrong];
    let service = expect(&scene.sandbox, &arguments, "none", Some("connect"));
    let reachable = check(&service, "reachable");
    assert!(reachable["evidence"].as_str().unwrap().contains("publishes port"), "{reachable}");
    assert!(reachable["hint"].as_str().unwrap().contains(&right), "{reachable}");
}

/// Returns the command that `--tap` tells the user to start the application with.
fn said_command(child: &mut Child) -> String {
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (tell, told) = mpsc::channel();
    // Read to its end, so that the program never waits for a reader.
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok).filter(|line| line.starts_with("  ")) {
            let _ = tell.send(line);
        }
    });
    told.recv_timeout(Duration::from_secs(120)).unwrap()
}

#[test]
fn without_an_engine_it_is_tapped_when_it_is_started_as_it_is_said() {
    let Some(python) = python() else { return };
    for protocol in ["http/protobuf", "grpc"] {
        let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
        let receiver = GrpcReceiver::start(Reply::Taken);
        let (code, url) = match protocol {
            "grpc" => (APP.replace("proto.http", "proto.grpc"), receiver.url()),
            _ => (APP.to_owned(), honeycomb.url()),
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let compose = format!(
            "services:\n  backend-flask:\n    build: .\n    command: flask run --port {port}\n    \
             ports: [\"{port}:{port}\"]\n    environment:\n      OTEL_SERVICE_NAME: backend-flask\n      \
             OTEL_EXPORTER_OTLP_ENDPOINT: \"{url}\"\n      OTEL_EXPORTER_OTLP_PROTOCOL: {protocol}\n      \
             OTEL_EXPORTER_OTLP_HEADERS: \"x-honeycomb-team=${{HONEYCOMB_API_KEY}}\"\n"
        );
        // The programs that the person has, without docker.
        let recorder = Recorder::new(&["docker"]);
        recorder.program("docker", "exit 1");
        let own = crate::sandbox::program().parent().unwrap();
        let programs =
            format!("{}:{}:{}", python.parent().unwrap().display(), own.display(), recorder.path());
        let sandbox = Sandbox::new(&[("compose.yaml", &compose), ("app.py", &code)])
            .with("HONEYCOMB_API_KEY", KEY)
            .with("PYTHONDONTWRITEBYTECODE", "1")
            .with("PATH", &programs);
        let url = format!("http://127.0.0.1:{port}/api/activities/home");
        let arguments = ["verify", "--json", "--app", &url, "--tap", "--timeout", "60s"];
        let mut child = sandbox
            .command(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let command = said_command(&mut child);
        assert!(!command.contains(KEY), "{command}");
        let mut shell = Command::new("sh");
        let variables = sandbox.command(&[]);
        let variables = variables.get_envs().filter_map(|(name, value)| Some((name, value?)));
        shell.args(["-c", &command]).current_dir(sandbox.project()).env_clear().envs(variables);
        shell.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let _application = Running(shell.spawn().unwrap());
        let output = child.wait_with_output().unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let service = &document["services"][0];
        assert_eq!(service["proven"], "accepted", "{protocol}: {service:#}");
        assert_eq!(service["application"]["witness"], "tap");
        assert_eq!(output.status.code(), Some(0));
        if protocol == "grpc" {
            assert!(receiver.calls().iter().all(|call| call.key.as_deref() == Some(KEY)));
        }
    }
}
