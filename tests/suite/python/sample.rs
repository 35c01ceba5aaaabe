//! The sample application after one `init`: run by Flask, its spans received by `listen`, its segments and items by
//! sockets of the test.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::fake_rollbar::Rollbar;
use crate::fake_xray::Daemon;
use crate::listening::Listening;
use crate::sandbox::{KEY, Sandbox, TOKEN, list_files};

/// `flask run` as a running process.
pub(super) struct Flask {
    child: Child,
    address: SocketAddr,
}

impl Flask {
    /// Starts the application in a folder on a free port; its spans go to `receiver`.
    pub(super) fn start(
        python: &Path,
        folder: &Path,
        receiver: SocketAddr,
        variables: &[(&str, &str)],
    ) -> Self {
        let mut child = Command::new(python)
            .args(["-m", "flask", "run", "--host=127.0.0.1", "--port=0"])
            .current_dir(folder)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("OTEL_SERVICE_NAME", "backend-flask")
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{receiver}"))
            .env("OTEL_BSP_SCHEDULE_DELAY", "100")
            .env("NO_PROXY", "127.0.0.1")
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.by_ref().find_map(|line| {
            let line = line.unwrap();
            let (_, address) = line.split_once("Running on http://")?;
            address.trim().parse().ok()
        });
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: address.expect("flask did not start") }
    }

    pub(super) fn get(&self, path: &str) -> String {
        use std::io::{Read, Write};
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Flask {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies the bundled sample project.
fn sample() -> Sandbox {
    let sandbox = Sandbox::new(&[]);
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cruddur");
    for path in list_files(&home) {
        let name = path.strip_prefix(&home).unwrap().to_str().unwrap();
        sandbox.write(name, &std::fs::read_to_string(&path).unwrap());
    }
    sandbox
}

/// Creates a Python with the sample's current requirements; or returns the reason to skip.
fn installed(sandbox: &Sandbox) -> Option<PathBuf> {
    let requirements = sandbox.path("backend-flask/requirements.txt");
    super::installed(&sandbox.home(), &requirements)
}

#[test]
fn a_request_to_the_sample_is_a_server_span_with_the_guides_child() {
    let sandbox = sample().with("HONEYCOMB_API_KEY", KEY);
    sandbox.run(&["init", "--yes", "--no-verify"]).expect(0);
    let span = [
        "instrument",
        "span",
        "backend-flask/services/home_activities.py:HomeActivities.run",
        "--name",
        "home-activities-mock-data",
        "--attr",
        "app.now=now.isoformat()",
        "--yes",
    ];
    sandbox.run(&span).expect(0);
    let Some(python) = installed(&sandbox) else {
        return;
    };

    let mut listening = Listening::start(&sandbox, &["--json"]);
    let flask = Flask::start(&python, &sandbox.path("backend-flask"), listening.http, &[]);
    let answer = flask.get("/api/activities/home");
    assert!(answer.contains("200 OK"), "{answer}");
    let spans: Vec<Value> = listening
        .stdout()
        .lines()
        .take(2)
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect();
    listening.interrupt();
    listening.end().expect(0);

    let child = spans.iter().find(|span| span["name"] == "home-activities-mock-data").unwrap();
    let server = spans.iter().find(|span| span["name"] == "GET /api/activities/home").unwrap();
    assert_eq!(child["trace_id"], server["trace_id"]);
    assert_eq!(child["parent_span_id"], server["span_id"]);
    assert_eq!(server["service"], "backend-flask");
    assert!(child["attributes"]["app.now"].is_string(), "{child}");
}

#[test]
fn a_request_to_the_sample_is_a_segment_after_one_init() {
    let sandbox = sample().with("HONEYCOMB_API_KEY", KEY);
    let init = ["init", "--yes", "--no-verify", "--with", "xray", "--aws-region", "us-east-1"];
    sandbox.run(&init).expect(0);
    let Some(python) = installed(&sandbox) else {
        return;
    };
    let daemon = Daemon::start();
    let address = daemon.address();
    let variables = [
        ("AWS_XRAY_DAEMON_ADDRESS", address.as_str()),
        ("AWS_XRAY_URL", "*localhost:4567*"),
        ("OTEL_TRACES_SAMPLER", "always_off"),
    ];
    let flask = Flask::start(&python, &sandbox.path("backend-flask"), daemon.tcp, &variables);
    let answer = flask.get("/api/activities/home");
    assert!(answer.contains("200 OK"), "{answer}");
    let segment = daemon.segment();
    assert_eq!(segment["name"], "backend-flask");
    assert_eq!(segment["http"]["response"]["status"], 200);
    let url = segment["http"]["request"]["url"].as_str().unwrap();
    assert!(url.ends_with("/api/activities/home"), "{segment}");
}

#[test]
fn an_exception_in_the_sample_is_an_item_after_one_init() {
    let sandbox = sample().with("HONEYCOMB_API_KEY", KEY).with("ROLLBAR_ACCESS_TOKEN", TOKEN);
    sandbox.run(&["init", "--yes", "--no-verify", "--with", "rollbar"]).expect(0);
    let Some(python) = installed(&sandbox) else {
        return;
    };
    // A route that fails, beside the application as it is.
    sandbox.write(
        "backend-flask/failing.py",
        "from app import app\n\n@app.route('/rollbar/test')\ndef fail():\n    raise RuntimeError('boom')\n",
    );
    let server = Rollbar::start(TOKEN);
    let endpoint = server.endpoint();
    let variables = [
        ("ROLLBAR_ACCESS_TOKEN", TOKEN),
        ("ROLLBAR_ENDPOINT", endpoint.as_str()),
        ("FLASK_APP", "failing"),
        ("OTEL_TRACES_SAMPLER", "always_off"),
    ];
    let flask = Flask::start(
        &python,
        &sandbox.path("backend-flask"),
        "127.0.0.1:9".parse().unwrap(),
        &variables,
    );
    assert!(flask.get("/api/activities/home").contains("200 OK"));
    assert!(flask.get("/rollbar/test").contains("500 "));
    let item = server.item();
    let exception = &item["body"]["trace"]["exception"];
    assert_eq!(exception["message"], "boom", "{item}");
    assert_eq!(item["environment"], "production");
}
