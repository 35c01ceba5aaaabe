//! `--fix` fixes exactly what doctor calls fixable, also when a repair uncovers another finding; one cause is one
//! finding.

use serde_json::Value;

use crate::sandbox::{Run, Sandbox};

fn findings(run: &Run) -> Vec<Value> {
    run.json()["findings"].as_array().unwrap().clone()
}

/// Returns a finding as `code path:line`.
fn place(finding: &Value) -> String {
    let text = |field: &str| finding[field].as_str().unwrap();
    format!("{} {}:{}", text("code"), text("path"), finding["line"])
}

/// Fixes everything fixable and checks that none of it is left and that a second run changes nothing. Returns the
/// rest.
#[track_caller]
fn fix(sandbox: &Sandbox, fixable: &[&str]) -> Vec<String> {
    let before = findings(&sandbox.run(&["doctor", "--json"]));
    let found: Vec<String> =
        before.iter().filter(|one| one["fixable"] == true).map(place).collect();
    assert_eq!(found, fixable);
    let run = sandbox.run(&["doctor", "--fix", "--yes", "--json"]);
    assert_eq!(run.json()["applied"], true, "{}", run.stdout);
    let left = findings(&run);
    assert!(left.iter().all(|one| one["fixable"] == false), "{left:#?}");
    let again = sandbox.run(&["doctor", "--fix", "--yes", "--json"]);
    assert_eq!(again.json()["applied"], false);
    assert_eq!(
        findings(&again).iter().map(place).collect::<Vec<_>>(),
        left.iter().map(place).collect::<Vec<_>>()
    );
    left.iter().map(place).collect()
}

fn text(sandbox: &Sandbox, path: &str) -> String {
    std::fs::read_to_string(sandbox.path(path)).unwrap()
}

#[test]
fn a_repair_that_uncovers_another_finding_is_made() {
    for (pasted, names, uncovered) in [
        (
            "pip install rollbar blinker",
            "rollbar\nblinker",
            vec!["rollbar-no-token compose.yaml:2"],
        ),
        ("pip install rollbar", "rollbar", vec!["rollbar-no-token compose.yaml:2"]),
        ("pip install blinker", "blinker", vec![]),
    ] {
        let packages = format!("flask\n{pasted}\n");
        let sandbox = Sandbox::new(&[
            ("compose.yaml", "services:\n  api: {build: ./api}\n"),
            ("api/requirements.txt", &*packages),
            ("api/app.py", "from flask import Flask\napp = Flask(__name__)\n"),
        ])
        .with("CI", "true");
        assert_eq!(fix(&sandbox, &["requirement-pip-line api/requirements.txt:2"]), uncovered);
        assert_eq!(text(&sandbox, "api/requirements.txt"), format!("flask\n{names}\n"));
    }
}

#[test]
fn a_slip_beside_the_right_line_is_taken_out() {
    let name = "OTEL_SERVICE_NAME";
    for (before, line, after) in [
        (
            format!(
                "    environment:\n      {name}: api\n      OTEL_SERVICENAME: api # old\n      A: b\n"
            ),
            6,
            format!("    environment:\n      {name}: api\n      A: b\n"),
        ),
        (
            format!("    environment:\n      - OTEL_SERVICENAME=api\n      - {name}=api\n"),
            5,
            format!("    environment:\n      - {name}=api\n"),
        ),
        (
            format!("    environment:\n      {name}: api\n      \"OTEL_SERVICE_NAM\": \"x\"\n"),
            6,
            format!("    environment:\n      {name}: api\n"),
        ),
    ] {
        let head = "services:\n  api:\n    image: example/api\n";
        let compose = format!("{head}{before}");
        let sandbox = Sandbox::new(&[("compose.yaml", &*compose)]).with("CI", "true");
        let left = fix(&sandbox, &[&format!("env-near-miss compose.yaml:{line}")]);
        assert_eq!(left, [""; 0]);
        assert_eq!(text(&sandbox, "compose.yaml"), format!("{head}{after}"));
    }
    // Both on one line: whose it is to choose is the user's.
    let flow = format!(
        "services:\n  api:\n    image: x\n    environment: {{{name}: api, OTEL_SERVICENAME: api}}\n"
    );
    let run =
        Sandbox::new(&[("compose.yaml", &*flow)]).with("CI", "true").run(&["doctor", "--json"]);
    assert_eq!(findings(&run)[0]["fixable"], false);
}

#[test]
fn a_missing_package_is_added_to_a_list_that_pins_nothing() {
    let code = "from flask import Flask\nimport rollbar\nfrom opentelemetry.instrumentation.requests import RequestsInstrumentor\nRequestsInstrumentor().instrument()\napp = Flask(__name__)\n";
    let project = |packages: &str| {
        let files = [
            (
                "compose.yaml",
                "services:\n  api:\n    build: ./api\n    environment: {ROLLBAR_ACCESS_TOKEN: \"${ROLLBAR_ACCESS_TOKEN}\"}\n",
            ),
            ("api/requirements.txt", packages),
            ("api/app.py", code),
        ];
        Sandbox::new(&files).with("CI", "true")
    };
    let both = ["requirement-missing api/app.py:2", "requirement-missing api/app.py:3"];
    for packages in ["flask\nopentelemetry-exporter-otlp\n", "flask\nopentelemetry-exporter-otlp"] {
        let sandbox = project(packages);
        assert_eq!(fix(&sandbox, &both), [""; 0]);
        assert_eq!(
            text(&sandbox, "api/requirements.txt"),
            "flask\nopentelemetry-exporter-otlp\nrollbar\nopentelemetry-instrumentation-requests\n"
        );
    }
    let pinned = project("flask\nopentelemetry-exporter-otlp==1.30.0\n").run(&["doctor", "--json"]);
    let found = findings(&pinned);
    assert!(found.iter().any(|one| one["code"] == "requirement-missing"));
    assert!(found.iter().all(|one| one["fixable"] == false), "{found:#?}");
}

#[test]
fn code_that_runs_too_early_or_never_is_moved_or_named() {
    let project = |code: &str| {
        let packages = "flask\naws-xray-sdk\nflask-cors\nrollbar\n";
        let environment = "    environment: {ROLLBAR_ACCESS_TOKEN: \"${ROLLBAR_ACCESS_TOKEN}\"}\n";
        let compose = format!("services:\n  api:\n    build: ./api\n{environment}");
        let files =
            [("compose.yaml", &*compose), ("api/requirements.txt", packages), ("api/app.py", code)];
        Sandbox::new(&files).with("CI", "true")
    };
    let imports = "from flask import Flask\nfrom flask_cors import CORS\nfrom aws_xray_sdk.core import xray_recorder\nfrom aws_xray_sdk.ext.flask.middleware import XRayMiddleware\n";
    for early in [
        "XRayMiddleware(app, xray_recorder)",
        "CORS(app)",
        "XRayMiddleware(app=app, recorder=xray_recorder)",
    ] {
        let sandbox = project(&format!("{imports}{early}\napp = Flask(__name__)\n"));
        assert_eq!(fix(&sandbox, &["init-order api/app.py:5"]), [""; 0]);
        assert_eq!(
            text(&sandbox, "api/app.py"),
            format!("{imports}app = Flask(__name__)\n{early}\n")
        );
    }
    let start = "def start():\n    rollbar.init(os.environ['ROLLBAR_ACCESS_TOKEN'])\n";
    let rollbar =
        format!("import os, rollbar\nfrom flask import Flask\napp = Flask(__name__)\n{start}");
    let found = |code: &str| {
        findings(&project(code).run(&["doctor", "--json"])).iter().map(place).collect::<Vec<_>>()
    };
    assert_eq!(found(&rollbar), ["rollbar-not-started api/app.py:5"]);
    for runs in
        ["start()\n", "app.before_request(start)\n", "with app.app_context():\n    start()\n"]
    {
        assert_eq!(found(&format!("{rollbar}{runs}")), [""; 0], "{runs}");
    }
    let wrong = imports.replace("aws_xray_sdk.ext.flask", "aws_xray_sdk.flask");
    assert_eq!(
        found(&format!("{wrong}app = Flask(__name__)\nXRayMiddleware(app, xray_recorder)\n")),
        ["name-undefined api/app.py:4"]
    );
}

#[test]
fn variables_that_are_set_nowhere_are_one_finding() {
    let compose = |more: &str| {
        format!(
            "services:\n  api:\n    image: example/api\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: ${{OTLP_URL}}\n      OTEL_EXPORTER_OTLP_HEADERS: dd-api-key=${{DD_API_KEY}}{more}\n      ROLLBAR_ACCESS_TOKEN: ${{ROLLBAR_ACCESS_TOKEN}}\n"
        )
    };
    let unstored = |files: &[(&str, &str)]| {
        let found = findings(&Sandbox::new(files).run(&["doctor", "--json"]));
        let found = found.into_iter().filter(|one| one["code"] == "variable-unstored");
        found.map(|one| one["message"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = unstored(&[("compose.yaml", &compose(""))]);
    let [message] = &all[..] else { panic!("{all:#?}") };
    for name in ["OTLP_URL", "DD_API_KEY", "ROLLBAR_ACCESS_TOKEN"] {
        assert!(message.contains(name), "{message}");
    }
    let silenced =
        unstored(&[("compose.yaml", &compose(" # cruddur-ops: ignore variable-unstored"))]);
    assert!(!silenced[0].contains("DD_API_KEY") && silenced[0].contains("OTLP_URL"));
    // An env_file gives a value to the container, and none to `${…}`.
    let service = |name: &str| {
        format!(
            "  {name}:\n    image: example/api\n    env_file: api.env\n    environment:\n      OTEL_EXPORTER_OTLP_HEADERS: dd-api-key=${{DD_API_KEY}}\n"
        )
    };
    let file = format!("services:\n{}{}", service("api"), service("web"));
    let found = unstored(&[("compose.yaml", &file), ("api.env", "DD_API_KEY=0123456789abcdef\n")]);
    assert!(found.len() == 1 && found[0].contains("api.env"), "{found:#?}");
}
