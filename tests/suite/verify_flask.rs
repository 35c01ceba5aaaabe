//! `verify --app` on a real Flask application with the real OpenTelemetry packages, as the setup guide writes it.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::listening::Listening;
use crate::python::python;
use crate::sandbox::Sandbox;
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

/// How the application is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Plain,
    Reloading,
    TwoWorkers,
}

/// The running application and everything it started.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let group = Pid::from_child(&self.0);
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.0.wait();
    }
}

struct Scene {
    listen: Listening,
    sandbox: Sandbox,
    url: String,
    _running: Running,
}

/// An application under `name` that sends to a `listen`, and the compose file that says so.
fn scene(start: Start, name: Option<&str>) -> Option<Scene> {
    let python = python()?;
    let listen = Listening::start(&Sandbox::new(&[]), &[]);
    let endpoint = format!("http://{}", listen.http);
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let named = name
        .map(|name| format!("      OTEL_SERVICE_NAME: {name}\n"))
        .unwrap_or_default();
    let compose = format!(
        "services:\n  backend-flask:\n    build: .\n    ports: [\"{port}:{port}\"]\n    environment:\n      \
         OTEL_EXPORTER_OTLP_ENDPOINT: {endpoint}\n{named}"
    );
    let sandbox = Sandbox::new(&[("docker-compose.yml", &compose), ("app.py", APP)]);
    let port = port.to_string();
    let arguments: Vec<&str> = match start {
        Start::Plain => vec!["-m", "flask", "run", "--port", &port],
        Start::Reloading => vec!["-m", "flask", "run", "--debug", "--port", &port],
        Start::TwoWorkers => vec!["-m", "gunicorn", "--workers", "2", "--bind", "", "app:app"],
    };
    let bind = format!("127.0.0.1:{port}");
    let arguments = arguments
        .iter()
        .map(|one| if one.is_empty() { bind.as_str() } else { one });
    let mut command = Command::new(python);
    command
        .args(arguments)
        .current_dir(sandbox.project())
        .env_remove("OTEL_SERVICE_NAME")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
        .env("OTEL_BSP_SCHEDULE_DELAY", "200")
        .env("NO_PROXY", "127.0.0.1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    if let Some(name) = name {
        command.env("OTEL_SERVICE_NAME", name);
    }
    Some(Scene {
        url: format!("http://127.0.0.1:{port}/api/activities/home"),
        _running: Running(command.spawn().unwrap()),
        sandbox,
        listen,
    })
}

#[test]
fn its_own_spans_are_proven_however_it_is_started() {
    for start in [Start::Plain, Start::Reloading, Start::TwoWorkers] {
        let Some(scene) = scene(start, Some("backend-flask")) else {
            return;
        };
        let arguments = ["--timeout", "40s", "--app", &scene.url];
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
    let Some(scene) = scene(Start::Plain, None) else {
        return;
    };
    let arguments = ["--timeout", "12s", "--app", &scene.url];
    let service = expect(&scene.sandbox, &arguments, "reachable", Some("not-proven"));
    let evidence = check(&service, "queryable")["evidence"].as_str().unwrap();
    assert!(evidence.contains("unknown_service"), "{evidence}");
}

#[test]
fn an_application_that_sends_elsewhere_is_no_proof() {
    let Some(mut scene) = scene(Start::Plain, Some("backend-flask")) else {
        return;
    };
    // The compose file was edited since the application was started: it still sends to the first one.
    let other = Listening::start(&Sandbox::new(&[]), &[]);
    let compose = scene.sandbox.read("docker-compose.yml");
    let edited = compose.replace(&scene.listen.http.to_string(), &other.http.to_string());
    scene.sandbox.write("docker-compose.yml", &edited);
    let arguments = ["--timeout", "8s", "--app", &scene.url];
    let service = expect(&scene.sandbox, &arguments, "reachable", Some("not-proven"));
    let hint = check(&service, "queryable")["hint"].as_str().unwrap();
    assert!(hint.contains("not restarted since the edit"), "{hint}");
    scene.url.push_str("?again");
    scene.sandbox.write("docker-compose.yml", &compose);
    expect(
        &scene.sandbox,
        &["--timeout", "20s", "--app", &scene.url],
        "queryable",
        None,
    );
}
