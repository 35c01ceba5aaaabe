//! `verify --app` with real applications as a table: Flask and Express get requests, and Celery gets a task. A
//! variable of its process makes each behave wrongly in one way. No verdict is wrong.

use std::ffi::OsStr;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::fake_honeycomb::{Honeycomb, Key, Plan};
use crate::listening::Listening;
use crate::python::python;
use crate::sandbox::{KEY, Sandbox, tool};
use crate::verify_flask::{Running, answering};
use crate::verify_witnesses::play_all;

const FLASK: &str = r#"
import os
from flask import Flask
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
CeleryInstrumentor().instrument()
app = Flask(__name__)
FlaskInstrumentor().instrument_app(app)
import tasks

@app.route("/")
@app.route("/api/home")
def home():
    if "BROKER" in os.environ:
        tasks.work.delay()
    return []
"#;

const TASKS: &str = r#"
import os
from celery import Celery
from celery.signals import worker_init
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

app = Celery("tasks", broker=os.environ.get("BROKER", "memory://"))

@worker_init.connect
def trace_tasks(**_):
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    CeleryInstrumentor().instrument()

@app.task
def work():
    return 1
"#;

const EXPRESS: &str = "const app = require('express')();\n\
    app.get('/api/home', (request, response) => response.json([]));\n\
    app.listen(Number(process.env.PORT), '127.0.0.1');\n";

/// The witness that may see what arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looker {
    Listen,
    Query,
    /// An ingest key, which may not query.
    Nobody,
}

/// The behaviour of a real application, set by the variables of its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    Traces,
    SendsNothing,
    NamesItselfOtherwise,
    BeginsItsOwnTrace,
    TracesOnlyForACaller,
    SendsElsewhere,
}

const HABITS: [Habit; 6] = [
    Habit::Traces,
    Habit::SendsNothing,
    Habit::NamesItselfOtherwise,
    Habit::BeginsItsOwnTrace,
    Habit::TracesOnlyForACaller,
    Habit::SendsElsewhere,
];

impl Habit {
    fn variable(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Traces => None,
            Self::SendsNothing => Some(("OTEL_SDK_DISABLED", "true")),
            Self::NamesItselfOtherwise => Some(("OTEL_SERVICE_NAME", "web")),
            Self::BeginsItsOwnTrace => Some(("OTEL_PROPAGATORS", "baggage")),
            Self::TracesOnlyForACaller => Some(("OTEL_TRACES_SAMPLER", "parentbased_always_off")),
            // A port at which nobody can be.
            Self::SendsElsewhere => Some(("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")),
        }
    }

    /// Returns the right code for a requested application, if a witness can see its spans.
    fn words(self) -> &'static str {
        match self {
            Self::Traces => "an ordinary request is traced, too",
            Self::NamesItselfOtherwise => "named web",
            Self::BeginsItsOwnTrace => "another trace id",
            Self::TracesOnlyForACaller => "led to no span",
            Self::SendsNothing | Self::SendsElsewhere => "no span",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Flask,
    Express,
    /// Called by a Flask application that is traced.
    Celery,
}

type Cell = (Kind, Looker, Habit);

/// Returns the cells of one kind of application: every behaviour with a witness, and one right and one wrong
/// behaviour without.
fn cells(kind: Kind) -> Vec<Cell> {
    let seen = [Looker::Listen, Looker::Query];
    let seen = seen.into_iter().flat_map(|looker| HABITS.map(|habit| (kind, looker, habit)));
    let unseen = [Habit::Traces, Habit::SendsNothing].map(|habit| (kind, Looker::Nobody, habit));
    // Its sampler only ever sees a caller's decision.
    let is_told = |cell: &Cell| kind != Kind::Celery || cell.2 != Habit::TracesOnlyForACaller;
    seen.chain(unseen).filter(is_told).collect()
}

/// The receiver; it stops when dropped.
enum Receiver {
    Listen(Listening),
    Honeycomb(Honeycomb),
}

impl Receiver {
    fn of(looker: Looker) -> Self {
        let honeycomb =
            |kind| Self::Honeycomb(Honeycomb::start(&[(KEY, kind)]).on_plan(Plan::Enterprise));
        match looker {
            Looker::Listen => Self::Listen(Listening::start(&Sandbox::new(&[]), &[])),
            Looker::Query => honeycomb(Key::Configuration),
            Looker::Nobody => honeycomb(Key::Ingest),
        }
    }

    fn url(&self) -> String {
        match self {
            Self::Listen(listen) => format!("http://{}", listen.http),
            Self::Honeycomb(honeycomb) => honeycomb.url(),
        }
    }
}

/// The programs that start the applications.
struct Programs {
    python: PathBuf,
    node_agent: PathBuf,
    express: PathBuf,
}

impl Programs {
    fn find() -> Option<Self> {
        Some(Self {
            python: python()?,
            node_agent: tool("agents/nodejs/autoinstrumentation", "agent-images.sh")?,
            express: tool("agent-apps/gateway/node_modules", "agent-apps.sh")?,
        })
    }

    /// Returns a command that gets no variable of this process except PATH.
    fn command(program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command
    }

    /// Starts a program in `folder` that sends to `receiver` as `name`.
    fn start(
        &self,
        command: &mut Command,
        folder: &Path,
        receiver: &str,
        name: &str,
        habit: Habit,
    ) -> Running {
        let log = std::fs::File::create(folder.join(format!("{name}.log"))).unwrap();
        command
            .current_dir(folder)
            .envs([
                ("PYTHONDONTWRITEBYTECODE", "1"),
                ("OTEL_BSP_SCHEDULE_DELAY", "200"),
                ("OTEL_METRICS_EXPORTER", "none"),
                ("OTEL_LOGS_EXPORTER", "none"),
                ("OTEL_NODE_RESOURCE_DETECTORS", "env"),
                ("OTEL_SERVICE_NAME", name),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver),
                ("OTEL_EXPORTER_OTLP_HEADERS", &format!("x-honeycomb-team={KEY}")),
            ])
            .envs(habit.variable())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0);
        Running(command.spawn().unwrap())
    }

    fn flask(&self, port: &str) -> Command {
        let mut command = Self::command(&self.python);
        command.args(["-m", "flask", "run", "--port", port]);
        command
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn compose(receiver: &str, services: &[(&str, Option<u16>)]) -> String {
    let services = services.iter().map(|(name, port)| {
        let ports = port.map(|port| format!("    ports: [\"{port}:{port}\"]\n"));
        format!(
            "  {name}:\n    image: x\n{}    environment:\n      OTEL_SERVICE_NAME: {name}\n      \
             OTEL_EXPORTER_OTLP_ENDPOINT: {receiver}\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${{HONEYCOMB_API_KEY}}\n",
            ports.unwrap_or_default()
        )
    });
    format!("services:\n{}", services.collect::<String>())
}

/// Runs one cell; returns what is wrong with the verdict, and how long it took.
fn play(programs: &Programs, (kind, looker, habit): Cell) -> (Option<String>, Duration) {
    let receiver = Receiver::of(looker);
    let address = free_address();
    let port = address.port().to_string();
    let mut services = vec![("backend", Some(address.port()))];
    if kind == Kind::Celery {
        services.push(("worker", None));
    }
    let sandbox = Sandbox::new(&[
        ("compose.yaml", &compose(&receiver.url(), &services)),
        ("run/app.py", FLASK),
        ("run/tasks.py", TASKS),
        ("run/app.js", EXPRESS),
    ])
    .with("HONEYCOMB_API_KEY", KEY);
    let folder = sandbox.path("run");
    let start = |command: &mut Command, name, habit| {
        programs.start(command, &folder, &receiver.url(), name, habit)
    };
    let mut running = Vec::new();
    match kind {
        Kind::Flask => running.push(start(&mut programs.flask(&port), "backend", habit)),
        Kind::Express => {
            let agent = programs.node_agent.join("autoinstrumentation.js");
            let mut node = Programs::command("node");
            node.arg("--require").arg(agent).arg("app.js");
            node.env("PORT", &port).env("NODE_PATH", &programs.express);
            running.push(start(&mut node, "backend", habit));
        }
        Kind::Celery => {
            let broker = free_address();
            let mut redis = Programs::command("/usr/bin/redis-server");
            redis.args(["--bind", "127.0.0.1", "--port", &broker.port().to_string()]);
            redis.args(["--save", "", "--appendonly", "no"]);
            running.push(start(&mut redis, "redis", Habit::Traces));
            answering(&broker.to_string());
            let broker = format!("redis://{broker}/0");
            let mut worker = Programs::command(&programs.python);
            worker.args([
                "-m",
                "celery",
                "-A",
                "tasks",
                "worker",
                "--pool",
                "solo",
                "--loglevel",
                "INFO",
            ]);
            running.push(start(worker.env("BROKER", &broker), "worker", habit));
            let mut flask = programs.flask(&port);
            running.push(start(flask.env("BROKER", &broker), "backend", Habit::Traces));
            is_ready(&folder.join("worker.log"));
        }
    }
    answering(&address.to_string());
    let right = right(kind, looker, habit);
    let timeout = match (right, habit) {
        (None, Habit::Traces) => "60s",
        _ => "12s",
    };
    let started = Instant::now();
    let url = format!("http://{address}/api/home");
    let arguments = match kind {
        Kind::Celery => vec!["verify", "--json", "--strict", "--timeout", timeout, "--app"],
        _ => vec!["verify", "--json", "--timeout", timeout, "--app", &url],
    };
    let run = sandbox.run(&arguments);
    let took = started.elapsed();
    drop(running);
    let document = run.json();
    let service = match kind {
        Kind::Celery => &document["services"][1],
        _ => &document["services"][0],
    };
    let code = service["code"].as_str();
    let is_said = looker == Looker::Nobody
        || kind == Kind::Celery
        || service["checks"].to_string().contains(habit.words());
    let is_linked = kind != Kind::Celery
        || right.is_some()
        || looker == Looker::Nobody
        || service["application"]["linked_to"].is_string() == (habit == Habit::Traces);
    let status = i32::from(right.is_some());
    let is_right = code == right
        && run.status == status
        && document["passed"] == (status == 0)
        && is_said
        && is_linked;
    let wrong = (!is_right).then(|| {
        format!(
            "{kind:?} x {looker:?} x {habit:?}: not {right:?} (exit {})\n{service:#}",
            run.status
        )
    });
    (wrong, took)
}

/// Returns the right code.
fn right(kind: Kind, looker: Looker, habit: Habit) -> Option<&'static str> {
    match (kind, looker, habit) {
        (Kind::Celery, Looker::Nobody, _) => Some("not-asked"),
        (_, Looker::Nobody, _) => Some("unseen"),
        (_, _, Habit::Traces) => None,
        // Its spans came, under no trace of ours.
        (Kind::Celery, _, Habit::BeginsItsOwnTrace) => None,
        (Kind::Celery, _, _) => Some("not-asked"),
        _ => Some("not-proven"),
    }
}

/// Waits until a worker accepts tasks.
fn is_ready(log: &Path) {
    let began = Instant::now();
    while !std::fs::read_to_string(log).unwrap_or_default().contains(" ready.") {
        let said = || std::fs::read_to_string(log).unwrap_or_default();
        assert!(began.elapsed() < Duration::from_secs(120), "{}", said());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn no_verdict_is_wrong(kind: Kind) {
    let Some(programs) = Programs::find() else { return };
    for (cell, took) in play_all(&cells(kind), 4, |cell| play(&programs, cell)) {
        if cell.2 == Habit::Traces {
            println!("{kind:?}, {:?}: {:.1} s where it traces", cell.1, took.as_secs_f64());
        }
    }
}

#[test]
fn no_verdict_on_a_real_flask_is_wrong() {
    no_verdict_is_wrong(Kind::Flask);
}

#[test]
fn no_verdict_on_a_real_express_is_wrong() {
    no_verdict_is_wrong(Kind::Express);
}

#[test]
fn no_verdict_on_a_real_celery_is_wrong() {
    no_verdict_is_wrong(Kind::Celery);
}
