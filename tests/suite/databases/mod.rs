//! Applications with a real database, traced by one `init`: the spans of their queries are children of the server
//! span, whenever the application connects.

mod servers;
mod shapes;

use std::collections::BTreeMap;
use std::io::{BufRead, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use crate::listening::Listening;
use crate::python::python;
use crate::sandbox::{KEY, Sandbox};
use crate::verify::{check, expect};
use servers::DatabaseServer;
use shapes::{DatabaseShape, SHAPES};

const COMPOSE: &str =
    "services:\n  backend:\n    build: ./backend\n    environment:\n      TZ: UTC\n";

/// The maximum time from the end of a span to its receipt.
const PATIENCE: Duration = Duration::from_secs(6);

/// An application and its child processes.
struct RunningApp {
    child: Child,
    address: SocketAddr,
}

impl RunningApp {
    /// Starts the shape's application as its Dockerfile does, with these variables.
    fn start(
        python: &Path,
        sandbox: &Sandbox,
        shape: &DatabaseShape,
        variables: &BTreeMap<&str, String>,
    ) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let log = std::fs::File::create(sandbox.home().join("app.log")).unwrap();
        let child = Command::new(python)
            .arg("-m")
            .args(
                shape.command.iter().map(|word| word.replace("PORT", &address.port().to_string())),
            )
            .current_dir(sandbox.path("backend"))
            .env_clear()
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .envs(variables)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        let mut app = Self { child, address };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = app.child.try_wait().unwrap();
            let late = started.elapsed() > Duration::from_secs(60);
            assert!(ended.is_none() && !late, "{}: {}", shape.name, log_of(sandbox));
            std::thread::sleep(Duration::from_millis(50));
        }
        app
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for RunningApp {
    fn drop(&mut self) {
        // The group may have ended by itself.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Returns the spans that a `listen --json` prints, as they arrive.
fn received(listening: &mut Listening) -> mpsc::Receiver<Value> {
    let lines = listening.stdout().lines();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let _ = tell.send(serde_json::from_str::<Value>(&line).unwrap());
        }
    });
    told
}

fn log_of(sandbox: &Sandbox) -> String {
    std::fs::read_to_string(sandbox.home().join("app.log")).unwrap_or_default()
}

/// Creates the shape's compose project and runs `init`.
fn initialised(shape: &DatabaseShape) -> Sandbox {
    let sandbox = Sandbox::new(&[("docker-compose.yml", COMPOSE)]).with("HONEYCOMB_API_KEY", KEY);
    for (path, text) in shape.files {
        sandbox.write(&format!("backend/{path}"), text);
    }
    let command = shape.command.iter().map(|word| format!("{word:?}"));
    let command = command.collect::<Vec<_>>().join(", ").replace("PORT", "8000");
    let dockerfile = format!(
        "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\n\
         CMD [\"python\", \"-m\", {command}]\n"
    );
    sandbox.write("backend/Dockerfile", &dockerfile);
    sandbox.write("backend/requirements.txt", shape.requirements);
    let init = ["init", "--yes", "--no-verify"];
    sandbox.run(&init).expect(0);
    let text = |(path, _): &(&str, &str)| sandbox.read(&format!("backend/{path}"));
    let once: Vec<String> = shape.files.iter().map(text).collect();
    sandbox.run(&init).expect(0);
    let twice: Vec<String> = shape.files.iter().map(text).collect();
    assert_eq!(once, twice, "{}", shape.name);
    sandbox
}

/// Returns the scopes of the queries under the server span of one request.
fn nested_scopes(
    python: &Path,
    shape: &DatabaseShape,
    databases: &BTreeMap<&str, String>,
) -> Vec<String> {
    let sandbox = initialised(shape);
    let mut listening = Listening::start(&Sandbox::new(&[]), &["--json"]);
    let mut variables = databases.clone();
    variables.insert("OTEL_SERVICE_NAME", "backend".to_owned());
    variables.insert("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", listening.http));
    variables.insert("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned());
    let app = RunningApp::start(python, &sandbox, shape, &variables);
    let answer = app.get("/");
    assert!(answer.contains("200 OK"), "{}: {answer}\n{}", shape.name, log_of(&sandbox));
    let told = received(&mut listening);
    let mut spans: Vec<Value> = Vec::new();
    while let Ok(span) = told.recv_timeout(PATIENCE) {
        spans.push(span);
        let below = below_the_server(&spans);
        if below.iter().any(|scope| scope == shape.scope) {
            return below;
        }
    }
    let server = spans.iter().any(|span| span["kind"] == "server");
    assert!(server, "{}: no server span came\n{}", shape.name, log_of(&sandbox));
    below_the_server(&spans)
}

/// Returns the scopes of the queries that have a server span as ancestor.
fn below_the_server(spans: &[Value]) -> Vec<String> {
    let parent = |span: &Value| {
        let above = span["parent_span_id"].clone();
        spans.iter().find(|other| other["span_id"] == above && !above.is_null())
    };
    let is_query = |span: &&Value| {
        let attributes = &span["attributes"];
        ["db.statement", "db.query.text"].iter().any(|name| attributes[name].is_string())
    };
    let nested = spans.iter().filter(is_query).filter(|span| {
        std::iter::successors(parent(span), |above| parent(above))
            .any(|above| above["kind"] == "server")
    });
    nested.map(|span| span["scope"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_query_is_a_span_below_the_request() {
    let (Some(python), Some(postgres), Some(redis)) =
        (python(), DatabaseServer::start_postgres(), DatabaseServer::start_redis())
    else {
        return;
    };
    let address = format!("postgresql://app@127.0.0.1:{}/postgres", postgres.port());
    let databases = BTreeMap::from([
        ("DATABASE_URL", address),
        ("REDIS_URL", format!("redis://127.0.0.1:{}/0", redis.port())),
    ]);
    let untraced = |shapes: &[DatabaseShape]| -> Vec<String> {
        let scopes = |shape| (shape, nested_scopes(&python, shape, &databases));
        let lacks = |(shape, scopes): &(&DatabaseShape, Vec<String>)| {
            !scopes.iter().any(|scope| scope == shape.scope)
        };
        let lacking = shapes.iter().map(scopes).filter(lacks);
        lacking.map(|(shape, scopes)| format!("{}: {scopes:?}", shape.name)).collect()
    };
    let half = SHAPES.len() / 2;
    let mut lacking = std::thread::scope(|scope| {
        let first = scope.spawn(|| untraced(&SHAPES[..half]));
        let mut lacking = untraced(&SHAPES[half..]);
        lacking.extend(first.join().unwrap());
        lacking
    });
    lacking.sort();
    println!(
        "{} of {} shapes have the spans of their queries",
        SHAPES.len() - lacking.len(),
        SHAPES.len()
    );
    assert!(lacking.is_empty(), "{lacking:#?}");
}

const WORKER: DatabaseShape = DatabaseShape {
    name: "worker of Celery",
    requirements: "flask\ncelery\nredis\n",
    files: &[
        ("app.py", "from flask import Flask\n\napp = Flask(__name__)\n"),
        (
            "tasks.py",
            "import os\n\nfrom celery import Celery\n\nfrom app import app as flask_app\n\n\
             queue = Celery('tasks', broker=os.environ['REDIS_URL'])\n\n@queue.task\ndef add(one, other):\n    return one + other\n",
        ),
    ],
    command: &["flask", "run", "--port", "PORT"],
    scope: "opentelemetry.instrumentation.celery",
};

#[test]
fn a_worker_polls_its_queue_without_a_trace() {
    let (Some(python), Some(redis)) = (python(), DatabaseServer::start_redis()) else {
        return;
    };
    let sandbox = initialised(&WORKER);
    let mut listening = Listening::start(&Sandbox::new(&[]), &["--json"]);
    let celery = |service: &str, arguments: &[&str]| {
        let mut command = Command::new(&python);
        command
            .args(arguments)
            .current_dir(sandbox.path("backend"))
            .env_clear()
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("REDIS_URL", format!("redis://127.0.0.1:{}/0", redis.port()))
            .env("OTEL_SERVICE_NAME", service)
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", listening.http))
            .env("OTEL_BSP_SCHEDULE_DELAY", "100")
            .process_group(0);
        command
    };
    let log = std::fs::File::create(sandbox.home().join("app.log")).unwrap();
    let worker = ["-m", "celery", "--app", "tasks", "worker", "--pool", "solo"];
    let child =
        celery("worker", &worker).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
    let _worker = RunningApp { child, address: listening.http };
    let send = ["-c", "import tasks; tasks.add.delay(1, 2)"];
    // The second task has come after at least one more poll.
    let told = {
        let sent = celery("sender", &send).status().unwrap();
        assert!(sent.success());
        let sent = celery("sender", &send).status().unwrap();
        assert!(sent.success());
        received(&mut listening)
    };
    let (mut tasks, mut spans) = (0, Vec::new());
    while tasks < 2 {
        let span = told.recv_timeout(Duration::from_secs(60));
        let span = span.unwrap_or_else(|_| panic!("{spans:#?}\n{}", log_of(&sandbox)));
        if span["service"] == "worker" {
            tasks += usize::from(span["scope"] == WORKER.scope);
            spans.push(span);
        }
    }
    let polls = spans.iter().filter(|span| span["scope"] == "opentelemetry.instrumentation.redis");
    assert_eq!(polls.count(), 0, "{spans:#?}");
}

#[test]
fn a_library_that_is_instrumented_too_late_is_named() {
    let (Some(python), Some(postgres)) = (python(), DatabaseServer::start_postgres()) else {
        return;
    };
    let shape = &SHAPES[0];
    let sandbox = initialised(shape);
    let listening = Listening::start(&Sandbox::new(&[]), &[]);
    let endpoint = |host: &str| format!("http://{host}:{}", listening.http.port());
    let compose = format!(
        "{COMPOSE}      OTEL_SERVICE_NAME: backend\n      OTEL_EXPORTER_OTLP_ENDPOINT: {}\n",
        endpoint("host.docker.internal")
    );
    sandbox.write("docker-compose.yml", &compose);
    let address = format!("postgresql://app@127.0.0.1:{}/postgres", postgres.port());
    let variables = BTreeMap::from([
        ("DATABASE_URL", address),
        ("OTEL_SERVICE_NAME", "backend".to_owned()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint("127.0.0.1")),
        ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
    ]);
    let judged = || {
        let app = RunningApp::start(&python, &sandbox, shape, &variables);
        let url = format!("http://{}/", app.address);
        let service = expect(&sandbox, &["--timeout", "60s", "--app", &url], "queryable", None);
        let found = check(&service, "queryable").clone();
        (found["status"].clone(), found["evidence"].as_str().unwrap().contains("psycopg"))
    };
    let right = sandbox.read("backend/app.py");
    let line = "PsycopgInstrumentor().instrument()\n";
    let late = right.replace(line, "").replace("app = Flask", &format!("{line}app = Flask"));
    sandbox.write("backend/app.py", &late);
    assert_eq!(judged(), ("warn".into(), true));
    sandbox.run(&["instrument", "--fix", "--yes"]).expect(0);
    assert_eq!(judged(), ("pass".into(), false));
}
