//! X-Ray and Rollbar with OpenTelemetry: their real packages, sending to sockets of the test.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use cruddur_ops::plan::instrument::{Addon, MistakePolicy, plan_instrumentation};

const APP: &str = "import os\nfrom flask import Flask\n\napp = Flask(__name__)\n\n@app.route('/')\ndef home():\n    return 'x'\n\n\
                   @app.route('/rollbar/test')\ndef fail():\n    raise RuntimeError('boom')\n";

/// Returns the planned files: requirements and application.
fn planned(app: &str, requirements: &str, addons: &[Addon]) -> (String, String) {
    let python = [("app.py".to_owned(), app.to_owned())];
    let service = super::service(&python, requirements, addons);
    let plan = plan_instrumentation(&service, MistakePolicy::Fix).unwrap();
    let after = |name: &str, text: &str| {
        let path = Path::new("/s").join(name);
        let change = plan.changes.iter().find(|change| change.path == path);
        change.and_then(|change| change.after.as_deref()).unwrap_or(text).to_owned()
    };
    (after("requirements.txt", requirements), after("app.py", app))
}

/// Imports the application in a separate Python, sends it one request, then runs `then`.
fn visit(python: &Path, app: &str, path: &str, then: &str, variables: &[(&str, String)]) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.py"), app).unwrap();
    let script =
        format!("import app\nclient = app.app.test_client()\n{then}\nclient.get('{path}')\n");
    let status = Command::new(python)
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("OTEL_TRACES_SAMPLER", "always_off")
        .env_remove("HTTP_PROXY")
        .env_remove("http_proxy")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .status()
        .unwrap();
    assert!(status.success(), "{app}");
}

#[test]
fn packages_and_lines_come_once() {
    let addons = [Addon::Xray, Addon::Rollbar];
    let (requirements, app) = planned(APP, "flask\n", &addons);
    assert!(requirements.ends_with("aws-xray-sdk\nrollbar\nblinker\n"), "{requirements}");
    assert_eq!(planned(&app, &requirements, &addons), (requirements.clone(), app.clone()));
    let (pinned, _) = planned(APP, "flask==3.1.3\n", &addons);
    assert!(pinned.contains("aws-xray-sdk==2.15.0\n"), "{pinned}");
}

#[test]
fn a_request_is_a_segment() {
    let Some(python) = super::python() else {
        return;
    };
    let daemon = UdpSocket::bind("127.0.0.1:0").unwrap();
    daemon.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let address = daemon.local_addr().unwrap().to_string();
    let (_, app) = planned(APP, "flask\n", &[Addon::Xray]);
    let sampled =
        "from aws_xray_sdk.core import xray_recorder\nxray_recorder.configure(sampling=False)";
    visit(
        &python,
        &app,
        "/",
        sampled,
        &[("AWS_XRAY_DAEMON_ADDRESS", address), ("AWS_XRAY_URL", "*4567-*".to_owned())],
    );
    let mut datagram = [0; 65_536];
    let length = daemon.recv(&mut datagram).unwrap();
    let text = String::from_utf8_lossy(&datagram[..length]);
    let (head, segment) = text.split_once('\n').unwrap();
    assert!(head.contains("\"format\""), "{head}");
    let segment: serde_json::Value = serde_json::from_str(segment).unwrap();
    assert_eq!(segment["name"], "backend-flask");
    assert_eq!(segment["http"]["response"]["status"], 200);
}

#[test]
fn an_exception_is_an_item() {
    let Some(python) = super::python() else {
        return;
    };
    let (_, app) = planned(APP, "flask\n", &[Addon::Rollbar]);
    assert!(item(&python, &app).contains("boom"));
}

#[test]
fn the_guides_rollbar_is_migrated_and_works() {
    let Some(python) = super::python() else {
        return;
    };
    let guide = "import os\nimport rollbar\nimport rollbar.contrib.flask\nfrom flask import Flask, got_request_exception\n\
                 app = Flask(__name__)\nrollbar_access_token = os.getenv('ROLLBAR_ACCESS_TOKEN')\n\
                 @app.before_first_request\ndef init_rollbar():\n    \"\"\"init rollbar module\"\"\"\n    \
                 rollbar.init(rollbar_access_token, 'production', allow_logging_basic_config=False)\n    \
                 got_request_exception.connect(rollbar.contrib.flask.report_exception, app)\n\n\
                 @app.route('/rollbar/test')\ndef fail():\n    raise RuntimeError('boom')\n";
    let (_, app) = planned(guide, "flask\n", &[Addon::Rollbar]);
    assert!(
        !app.contains("before_first_request") && app.matches("rollbar.init(").count() == 1,
        "{app}"
    );
    assert!(item(&python, &app).contains("boom"));
}

/// Returns the item that the application posts for an exception, to an endpoint of this test.
fn item(python: &Path, app: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let endpoint = format!("http://{address}/api/1/");
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut got = Vec::new();
        let mut part = [0; 65_536];
        loop {
            let read = stream.read(&mut part).unwrap();
            if read == 0 {
                break;
            }
            got.extend_from_slice(&part[..read]);
            let text = String::from_utf8_lossy(&got);
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()
            });
            if length.is_some_and(|length| body.len() >= length) {
                break;
            }
        }
        let answer = r#"{"err": 0, "result": {"id": null, "uuid": "x"}}"#;
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{answer}", answer.len()).ok();
        String::from_utf8_lossy(&got).into_owned()
    });
    let loopback = format!(
        "import rollbar\nrollbar.SETTINGS['endpoint'] = '{endpoint}'\nrollbar.SETTINGS['handler'] = 'blocking'\n\
         app.app.config['PROPAGATE_EXCEPTIONS'] = False"
    );
    visit(python, app, "/rollbar/test", &loopback, &[("ROLLBAR_ACCESS_TOKEN", "0".repeat(32))]);
    // Wakes the listener where the application posted nothing.
    drop(std::net::TcpStream::connect(address));
    answering.join().unwrap()
}
