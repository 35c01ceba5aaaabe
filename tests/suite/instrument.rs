//! `instrument`, run as a program: packages, code, spans, refusals.

use crate::sandbox::{KEY, Sandbox};

const COMPOSE: &str = "services:\n  backend-flask:\n    build: ./backend-flask\n";
const APP: &str = "from flask import Flask\n\napp = Flask(__name__)\n";
const DOCKERFILE: &str = "FROM python:3.10-slim-buster\nCOPY requirements.txt requirements.txt\nRUN pip3 install -r requirements.txt\n";

pub fn project(files: &[(&str, &str)]) -> Sandbox {
    let usual = [
        ("docker-compose.yml", COMPOSE),
        ("backend-flask/Dockerfile", DOCKERFILE),
        ("backend-flask/app.py", APP),
        ("backend-flask/requirements.txt", "flask"),
    ];
    let sandbox = Sandbox::new(&usual);
    for (path, text) in files {
        sandbox.write(path, text);
    }
    sandbox
}

#[test]
fn packages_and_code_are_written_once_and_taken_back() {
    let sandbox = project(&[]);
    sandbox.run(&["instrument", "--check"]).expect(1);
    sandbox.run(&["instrument", "--dry-run"]).expect(0);
    assert_eq!(sandbox.read("backend-flask/requirements.txt"), "flask");

    sandbox.run(&["instrument", "--yes"]).expect(0);
    assert!(
        sandbox.read("backend-flask/requirements.txt").starts_with("flask\nopentelemetry-api\n")
    );
    assert!(
        sandbox.read("backend-flask/app.py").contains("FlaskInstrumentor().instrument_app(app)")
    );
    let again = sandbox.run(&["instrument", "--check", "--json"]).expect(0).json();
    assert_eq!(again["changes"], serde_json::json!([]));

    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("backend-flask/requirements.txt"), "flask");
    assert_eq!(sandbox.read("backend-flask/app.py"), APP);
}

#[test]
fn pinned_lists_get_pins_that_belong_together() {
    let sandbox = project(&[
        (
            "backend-flask/requirements.txt",
            "-r requirements/base.txt\nFlask==2.3.2\nredis==5.0.0\n",
        ),
        (
            "backend-flask/requirements/base.txt",
            "opentelemetry_api==1.18.0\npsycopg[binary]==3.1.9\n",
        ),
    ]);
    let run = sandbox.run(&["instrument", "--yes"]).expect(0);
    assert_eq!(
        sandbox.read("backend-flask/requirements.txt"),
        "-r requirements/base.txt\nFlask==2.3.2\nredis==5.0.0\nopentelemetry-sdk==1.18.0\nopentelemetry-exporter-otlp-proto-http==1.18.0\n\
         opentelemetry-instrumentation-flask==0.39b0\nopentelemetry-instrumentation-requests==0.39b0\nopentelemetry-instrumentation-redis==0.39b0\n"
    );
    run.shows("instrument_pinned_list");
    let app = sandbox.read("backend-flask/app.py");
    assert!(app.contains("RedisInstrumentor().instrument()") && !app.contains("Psycopg"), "{app}");
}

#[test]
fn a_list_named_by_the_dockerfile_and_an_old_python_are_heeded() {
    let sandbox = project(&[
        (
            "backend-flask/Dockerfile",
            "FROM python:3.9 AS base\nWORKDIR /app\nCOPY . .\nRUN pip install -r deps/prod.txt\nFROM base\n",
        ),
        ("backend-flask/deps/prod.txt", "flask==3.0.0\r\n"),
    ]);
    sandbox.run(&["instrument", "--yes"]).expect(0);
    let list = sandbox.read("backend-flask/deps/prod.txt");
    assert!(
        list.contains("opentelemetry-sdk==1.41.1\r\n") && list.contains("-flask==0.62b1\r\n"),
        "{list}"
    );
    assert_eq!(sandbox.read("backend-flask/requirements.txt"), "flask");
}

#[test]
fn versions_nothing_was_made_for_are_refused() {
    let sandbox =
        project(&[("backend-flask/requirements.txt", "flask\nopentelemetry-sdk==1.45.2\n")]);
    let run = sandbox.run(&["instrument", "--yes"]).expect(2);
    assert!(run.stderr.contains("error[no-version-set]"), "{}", run.stderr);
}

#[test]
fn a_list_locked_to_hashes_is_refused_with_the_command_to_run() {
    let sandbox =
        project(&[("backend-flask/requirements.txt", "flask==3.1.3 \\\n    --hash=sha256:00\n")]);
    let run = sandbox.run(&["instrument", "--yes"]).expect(2);
    assert!(run.stderr.contains("error[hash-locked]"), "{}", run.stderr);
    assert_eq!(sandbox.read("backend-flask/app.py"), APP);
}

#[test]
fn a_pyproject_is_used_where_there_is_no_other_list() {
    let sandbox = project(&[
        ("backend-flask/Dockerfile", "FROM python:3.12\nCOPY . .\nRUN poetry install\n"),
        (
            "backend-flask/pyproject.toml",
            "[tool.poetry.dependencies]\npython = \"^3.12\"\nflask = \"*\" # web\n",
        ),
    ]);
    std::fs::remove_file(sandbox.path("backend-flask/requirements.txt")).unwrap();
    sandbox.run(&["instrument", "--yes"]).expect(0);
    let list = sandbox.read("backend-flask/pyproject.toml");
    assert!(list.contains("flask = \"*\" # web\nopentelemetry-api = \"*\"\n"), "{list}");
}

#[test]
fn code_is_unchanged_if_the_installed_packages_are_unknown() {
    let sandbox = project(&[]);
    std::fs::remove_file(sandbox.path("backend-flask/requirements.txt")).unwrap();
    let found = sandbox.run(&["instrument", "--yes", "--json"]).expect(0).json();
    let step = found["next"][0].as_str().unwrap();
    assert!(step.starts_with("backend-flask/Dockerfile, after line 3: RUN pip3 install"), "{step}");
    let hint = found["notes"].to_string();
    assert!(hint.contains("backend-flask/Dockerfile, after line 3: `RUN pip3 install"), "{hint}");
    assert_eq!(found["changes"], serde_json::json!([]));
    assert_eq!(sandbox.read("backend-flask/app.py"), APP);
    std::fs::remove_file(sandbox.path("backend-flask/Dockerfile")).unwrap();
    let found = sandbox.run(&["instrument", "--yes", "--json"]).expect(0).json();
    assert_eq!(found["changes"], serde_json::json!([]));
    assert_eq!(found["notes"][0]["level"], "warning");
}

/// Returns the steps and the changed files of `instrument --dry-run`.
fn shown(sandbox: &Sandbox) -> (Vec<String>, Vec<String>) {
    let found = sandbox.run(&["instrument", "--dry-run", "--json"]).expect(0).json();
    let texts = |list: &serde_json::Value, key: &str| -> Vec<String> {
        let items = list.as_array().unwrap().iter();
        items.map(|one| one.get(key).unwrap_or(one).as_str().unwrap().to_owned()).collect()
    };
    (texts(&found["next"], ""), texts(&found["changes"], "path"))
}

#[test]
fn code_that_runs_in_two_images_waits_for_the_packages_of_both() {
    let compose = "services:\n  worker:\n    build: {context: backend-flask, dockerfile: worker.Dockerfile}\n  \
                   api: {build: ./backend-flask}\n  pages: {build: {context: backend-flask, dockerfile: pages.Dockerfile}}\n";
    let sandbox = project(&[
        ("docker-compose.yml", compose),
        ("backend-flask/pages.Dockerfile", "FROM node\nRUN npm ci\n"),
        (
            "backend-flask/worker.Dockerfile",
            "FROM python:3.12\nCOPY . .\nRUN pip install -r worker.txt\n",
        ),
        ("backend-flask/worker.txt", "flask\n"),
    ]);
    let (steps, mut changes) = shown(&sandbox);
    changes.sort();
    let lists = ["backend-flask/requirements.txt", "backend-flask/worker.txt"];
    assert_eq!(
        (steps.len(), changes),
        (0, ["backend-flask/app.py"].iter().chain(&lists).map(|path| (*path).to_owned()).collect())
    );

    sandbox.write("backend-flask/worker.Dockerfile", "FROM python:3.12\nRUN pip install flask\n");
    let (steps, changes) = shown(&sandbox);
    assert!(steps[0].starts_with("backend-flask/worker.Dockerfile, after line 2: "), "{steps:?}");
    assert_eq!(changes, [lists[0]]);
}

#[test]
fn a_mounted_folder_is_a_services_own_code() {
    let service = |command: &str| {
        format!(
            "services:\n  api:\n    image: python:3.12-slim\n    working_dir: /app\n    volumes: ['./backend-flask:/app']\n    command: {command}\n"
        )
    };
    let sandbox = project(&[]);
    sandbox.write(
        "docker-compose.yml",
        &service("sh -c \"pip install -r requirements.txt && flask run\""),
    );
    let (steps, changes) = shown(&sandbox);
    assert_eq!((steps.len(), changes.len()), (0, 2), "{changes:?}");
    sandbox.write("docker-compose.yml", &service("flask run"));
    let (steps, changes) = shown(&sandbox);
    assert!(
        steps[0].starts_with("the command of `api`, first: python -m pip install "),
        "{steps:?}"
    );
    assert_eq!(changes, [""; 0]);
}

#[test]
fn a_list_that_is_mounted_by_itself_is_extended() {
    for mounts in [
        "'./backend-flask:/app', './lists/requirements.txt:/deps/requirements.txt'",
        "'./backend-flask:/app', './lists:/deps'",
        "'./backend-flask:/app', './other:/deps', './lists/requirements.txt:/deps/requirements.txt'",
    ] {
        let sandbox = project(&[("lists/requirements.txt", "flask\n")]);
        sandbox.write(
            "docker-compose.yml",
            &format!(
                "services:\n  api:\n    image: python:3.12-slim\n    working_dir: /app\n    volumes: [{mounts}]\n    command: sh -c \"pip install -r /deps/requirements.txt && flask run\"\n"
            ),
        );
        let (steps, changes) = shown(&sandbox);
        assert_eq!(steps, [""; 0], "{mounts}");
        assert!(
            changes.iter().any(|path| path == "lists/requirements.txt"),
            "{mounts}: {changes:?}"
        );
    }
}

#[test]
fn init_traces_a_mounted_folder() {
    for command in [
        "sh -c \"pip install -r requirements.txt && flask run\"",
        "bash -lc 'pip install -r /app/requirements.txt; gunicorn app:app'",
        "./start.sh",
    ] {
        let sandbox = project(&[(
            "backend-flask/start.sh",
            "pip install -r requirements.txt\nexec flask run\n",
        )]);
        let service = format!(
            "services:\n  api:\n    image: python:3.12-slim\n    working_dir: /app\n    volumes: ['./backend-flask:/app']\n    command: {command}\n"
        );
        sandbox.write("docker-compose.yml", &service);
        let init = ["init", "--yes", "--store", "none", "--no-verify", "--json"];
        let document = sandbox.with("HONEYCOMB_API_KEY", KEY).run(&init).expect(0).json();
        assert_eq!(document["services"], serde_json::json!(["api"]), "{command}");
        assert_eq!(document["changes"].as_array().unwrap().len(), 3, "{command}: {document:#}");
    }
}

#[test]
fn applications_of_other_classes_are_initialised() {
    let core =
        ("backend-flask/core.py", "from flask import Flask\n\nclass Shop(Flask):\n    pass\n");
    for (files, text, hooked) in [
        (
            &[][..],
            "from flask_openapi3 import OpenAPI\n\napp = OpenAPI(__name__)\n",
            "instrument_app(app)",
        ),
        (&[], "from apiflask import APIFlask\n\nweb = APIFlask(__name__)\n", "instrument_app(web)"),
        (
            &[],
            "import connexion\n\napp = connexion.FlaskApp(__name__)\n",
            "instrument_app(app.app)",
        ),
        (&[core], "from core import Shop\n\napp = Shop(__name__)\n", "instrument_app(app)"),
        (
            &[],
            "from flask import Flask\n\n\ndef create_app():\n    return Flask(__name__)\n",
            "    app = Flask(__name__)\n",
        ),
        (
            &[],
            "from flask import Flask\ndef make(app):\n  if app:\n    return (Flask(__name__))\n",
            "    flask_app = (Flask(__name__))\n",
        ),
        (
            &[],
            "from corp import Service  # flask inside\n\napp = Service(__name__)\n",
            "instrument_app(app)",
        ),
    ] {
        let sandbox = project(files);
        sandbox.write("backend-flask/app.py", text);
        sandbox.write(
            "docker-compose.yml",
            "services:\n  backend-flask:\n    build: ./backend-flask\n    command: flask run\n",
        );
        sandbox.run(&["instrument", "--yes"]).expect(0);
        let app = sandbox.read("backend-flask/app.py");
        assert!(app.contains(hooked) && app.contains(".instrument_app("), "{app}");
        assert!(app.contains("set_tracer_provider("), "{app}");
        let again = sandbox.run(&["instrument", "--check", "--json"]).expect(0).json();
        assert_eq!(again["changes"], serde_json::json!([]), "{app}");
        sandbox.run(&["undo", "--yes"]).expect(0);
        assert_eq!(sandbox.read("backend-flask/app.py"), text);
    }
}

#[test]
fn without_an_application_nothing_of_the_code_is_changed() {
    for text in [
        "from fastapi import FastAPI  # no flask\napp = FastAPI()\n",
        "import flask\napp = None\n",
        "from corp import flask_thing\nweb = flask_thing()\n",
    ] {
        let sandbox = project(&[("backend-flask/app.py", text)]);
        let shown = sandbox.run(&["instrument", "--dry-run", "--json"]).expect(0).json();
        assert_eq!(shown["changes"], serde_json::json!([]), "{text}");
    }
}

#[test]
fn a_set_up_in_gunicorns_settings_is_one() {
    let settings = "from opentelemetry import trace\nfrom opentelemetry.sdk.trace import TracerProvider\n\n\n\
                    def post_fork(server, worker):\n    trace.set_tracer_provider(TracerProvider())\n";
    for (name, more, expected) in [
        ("gunicorn.conf.py", "", 1),
        ("gunicorn_config.py", "", 1),
        (
            "conf/gunicorn.conf.py",
            "    FlaskInstrumentor().instrument()\n    RequestsInstrumentor().instrument()\n",
            0,
        ),
    ] {
        let sandbox = project(&[(&format!("backend-flask/{name}"), &format!("{settings}{more}"))]);
        let run = sandbox.run(&["instrument", "--yes", "--json"]).expect(0);
        let app = sandbox.read("backend-flask/app.py");
        assert!(!app.contains("set_tracer_provider"), "{name}: {app}");
        assert_eq!(app.matches(".instrument_app(app)").count(), expected, "{name}: {app}");
        let notes = run.json()["notes"].to_string();
        assert!(!notes.contains("no application imports it"), "{notes}");
    }
}

#[test]
fn the_stage_the_file_and_the_arguments_of_the_build_decide() {
    for (build, dockerfile, list) in [
        (
            "target: prod",
            "FROM python AS prod\nCOPY . .\nRUN pip install -r a.txt\nFROM node\n",
            "a.txt",
        ),
        (
            "args: {LIST: b}",
            "FROM python\nARG LIST=a\nCOPY . .\nRUN pip install -r $LIST.txt\n",
            "b.txt",
        ),
        (
            "args: ['LIST=${WHICH:-b}']",
            "FROM python\nARG LIST\nCOPY . .\nRUN pip install -r ${LIST}.txt\n",
            "b.txt",
        ),
        (
            "dockerfile_inline: \"FROM python\\nCOPY . .\\nRUN pip install -r b.txt\\n\"",
            "FROM node\n",
            "b.txt",
        ),
    ] {
        let compose =
            format!("services:\n  api:\n    build:\n      context: backend-flask\n      {build}\n");
        let sandbox = project(&[
            ("docker-compose.yml", &compose),
            ("backend-flask/Dockerfile", dockerfile),
            ("backend-flask/a.txt", "flask\n"),
            ("backend-flask/b.txt", "flask\n"),
        ]);
        let (steps, changes) = shown(&sandbox);
        assert_eq!(steps, [""; 0], "{build}");
        assert!(changes.contains(&format!("backend-flask/{list}")), "{build}: {changes:?}");
        assert_eq!(changes.len(), 2, "{build}");
    }
}

#[test]
fn a_plan_that_is_only_shown_says_what_comes_next() {
    let init = ["init", "--no-verify", "--store", "none", "--json"];
    for (flag, status) in [("--dry-run", 0), ("--check", 1)] {
        let shown = project(&[]).run(&[&init[..], &[flag]].concat()).expect(status).json();
        let written = project(&[]).run(&[&init[..], &["--yes"]].concat()).expect(0).json();
        assert_eq!(shown["next"], written["next"]);
        assert!(shown["next"][0].as_str().unwrap().contains("docker compose up"), "{shown:#}");
    }
    let sandbox = project(&[("backend-flask/Dockerfile", "FROM python\nRUN pip install flask\n")]);
    let shown = sandbox.run(&[&init[..], &["--dry-run"]].concat()).expect(0).json();
    assert!(
        shown["next"][0].as_str().unwrap().contains("RUN pip install opentelemetry-api"),
        "{shown:#}"
    );
    assert!(shown["next"][1].as_str().unwrap().starts_with("cruddur-ops init"), "{shown:#}");
}

#[test]
fn a_start_by_opentelemetry_instrument_needs_no_code() {
    let sandbox = project(&[(
        "docker-compose.yml",
        "services:\n  backend-flask:\n    build: ./backend-flask\n    command: opentelemetry-instrument flask run\n",
    )]);
    sandbox.run(&["instrument", "--yes"]).expect(0);
    assert_eq!(sandbox.read("backend-flask/app.py"), APP);
    assert!(sandbox.read("backend-flask/requirements.txt").contains("opentelemetry-distro\n"));
}

#[test]
fn a_file_that_is_not_python_is_refused_with_its_place() {
    let sandbox =
        project(&[("backend-flask/app.py", "from flask import Flask\napp = Flask((__name__)\n")]);
    let run = sandbox.run(&["instrument", "--yes"]).expect(2);
    assert!(run.stderr.contains("error[unsafe-edit]"), "{}", run.stderr);
    assert!(run.stderr.contains("app.py:2:"), "{}", run.stderr);
    assert_eq!(sandbox.read("backend-flask/requirements.txt"), "flask");
}

#[test]
fn what_keeps_the_application_from_starting_is_part_of_init() {
    let retired = "from flask import Flask\napp = Flask(__name__)\n@app.before_first_request\ndef start():\n    print(1)\n";
    let early = "from flask import Flask\nfrom aws_xray_sdk.ext.flask.middleware import XRayMiddleware\nXRayMiddleware(app, 1)\napp = Flask(__name__)\n";
    let init = ["init", "--yes", "--store", "none", "--no-verify"];
    for (requirements, code, wrong) in [
        ("flask\n", retired, "@app.before_first_request"),
        ("Flask>=2.3\n", retired, "@app.before_first_request"),
        ("flask\n", early, "XRayMiddleware(app, 1)\napp"),
    ] {
        let files =
            [("backend-flask/app.py", code), ("backend-flask/requirements.txt", requirements)];
        let sandbox = project(&files);
        let run = sandbox.run(&init).expect(0);
        let after = sandbox.read("backend-flask/app.py");
        assert!(!after.contains(wrong), "{after}");
        assert!(!run.stderr.contains("instrument --fix"), "{}", run.stderr);
        sandbox.run(&init).expect(0);
        assert_eq!(sandbox.read("backend-flask/app.py"), after);
        sandbox.run(&["undo", "--yes"]).expect(0);
        assert_eq!(sandbox.read("backend-flask/app.py"), code);
    }
    let old =
        [("backend-flask/app.py", retired), ("backend-flask/requirements.txt", "flask==2.2.5\n")];
    let sandbox = project(&old);
    sandbox.run(&init).expect(0);
    assert!(sandbox.read("backend-flask/app.py").contains("@app.before_first_request"));
}

#[test]
fn a_wrong_order_is_said_and_put_right_on_request() {
    let early = "from flask import Flask\nfrom aws_xray_sdk.ext.flask.middleware import XRayMiddleware\nXRayMiddleware(app, 1)\napp = Flask(__name__)\n";
    let late = "from flask import Flask\nfrom opentelemetry.instrumentation.flask import FlaskInstrumentor\napp = Flask(__name__)\n\
                if __name__ == '__main__':\n    FlaskInstrumentor().instrument_app(app)\n    app.run()\n";
    let sandbox = project(&[("backend-flask/app.py", late)]);
    let wired = sandbox.run(&["init", "--yes", "--store", "none", "--no-verify"]).expect(0);
    let next = "next:\n  cruddur-ops instrument --fix\n";
    assert!(wired.stderr.contains(next), "{}", wired.stderr);
    let sandbox = project(&[("backend-flask/app.py", early)]);
    let run = sandbox.run(&["instrument", "--yes"]).expect(0);
    assert!(
        run.stderr.contains("app.py:3: `XRayMiddleware` uses `app` before it is created"),
        "{}",
        run.stderr
    );
    assert!(
        sandbox
            .read("backend-flask/app.py")
            .contains("middleware import XRayMiddleware\n\n# OpenTelemetry")
    );
    sandbox.run(&["instrument", "--fix", "--yes"]).expect(0);
    let fixed = sandbox.read("backend-flask/app.py");
    assert!(fixed.find("XRayMiddleware(app, 1)") > fixed.find("app = Flask"), "{fixed}");
    sandbox.run(&["instrument", "--fix", "--check"]).expect(0);
}

#[test]
fn a_traced_browser_may_send_its_headers() {
    let app = "from flask import Flask\nfrom flask_cors import CORS\napp = Flask(__name__)\nCORS(app, allow_headers=['a'], expose_headers=['b'])\n";
    let sandbox = project(&[
        (
            "docker-compose.yml",
            "services:\n  backend-flask:\n    build: ./backend-flask\n  frontend:\n    build: ./frontend\n",
        ),
        ("backend-flask/app.py", app),
        (
            "frontend/package.json",
            "{\"dependencies\": {\"react\": \"1\", \"react-scripts\": \"5\", \"@opentelemetry/sdk-trace-web\": \"1\"}}",
        ),
    ]);
    sandbox.run(&["instrument", "--yes"]).expect(0);
    let text = sandbox.read("backend-flask/app.py");
    assert!(text.contains("allow_headers=['a', 'traceparent', 'tracestate']"), "{text}");
    sandbox.run(&["instrument", "--check"]).expect(0);
}

#[test]
fn a_span_is_put_around_a_function_and_taken_back() {
    let activities = "class HomeActivities:\n  def run():\n    results = []\n    return results\n";
    let sandbox = project(&[("backend-flask/services/home_activities.py", activities)]);
    let span = [
        "instrument",
        "span",
        "backend-flask/services/home_activities.py:HomeActivities.run",
        "--name",
        "home-activities-mock-data",
        "--attr",
        "app.result_length=len(results)",
    ];
    let run = sandbox.run(&[&span[..], &["--yes"]].concat()).expect(0);
    assert!(run.stderr.contains("is not traced yet"), "{}", run.stderr);
    let text = sandbox.read("backend-flask/services/home_activities.py");
    assert!(text.contains("tracer = trace.get_tracer(\"home.activities\")"), "{text}");
    assert!(
        text.contains("      span.set_attribute(\"app.result_length\", len(results))\n"),
        "{text}"
    );
    sandbox.run(&[&span[..], &["--check"]].concat()).expect(0);
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("backend-flask/services/home_activities.py"), activities);
}

#[test]
fn a_span_that_cannot_be_is_refused_with_the_reason() {
    let sandbox = project(&[("backend-flask/a.py", "def run():\n  return 1\n")]);
    let refused = |target: &str, attribute: &str, code: &str| {
        let run = sandbox
            .run(&["instrument", "span", target, "--name", "x", "--attr", attribute, "--yes"])
            .expect(2);
        assert!(run.stderr.contains(&format!("error[{code}]")), "{}", run.stderr);
    };
    refused("backend-flask/a.py:run", "user.id=user.id()", "not-in-scope");
    refused("backend-flask/a.py:walk", "a=1", "no-such-function");
    refused("backend-flask/b.py:run", "a=1", "no-such-file");
    refused("backend-flask/a.py", "a=1", "usage");
    refused("backend-flask/a.py:run", "a", "usage");
    let unknown = sandbox.run(&["instrument", "--service", "nobody"]).expect(2);
    assert!(unknown.stderr.contains("error[unknown-service]"), "{}", unknown.stderr);
}

#[test]
fn init_instruments_the_application_unless_forbidden() {
    let init = ["init", "--yes", "--no-verify", "--store", "none"];
    let sandbox = project(&[]);
    sandbox.run(&[&init[..], &["--no-instrument"]].concat()).expect(0);
    assert_eq!(sandbox.read("backend-flask/app.py"), APP);
    sandbox.run(&init).expect(0);
    assert!(sandbox.read("backend-flask/app.py").contains("set_tracer_provider"));
    let again = sandbox.run(&init).expect(0);
    again.shows_no_diff();
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("backend-flask/app.py"), APP);
}

#[test]
fn the_list_of_changes_has_columns() {
    let app = "from flask import Flask\n\napp = Flask(__name__)\n\n\ndef home():\n    return 1\n";
    let sandbox = project(&[("backend-flask/app.py", app)]);
    sandbox.run(&["instrument", "--yes"]).expect(0);
    let span = ["instrument", "span", "backend-flask/app.py:home", "--name", "home", "--yes"];
    sandbox.run(&span).expect(0);
    let list = sandbox.run(&["undo", "--list"]).expect(0).stdout;
    let columns = list.lines().map(|line| line.find("backend-flask/"));
    let columns: Vec<Option<usize>> = columns.collect();
    assert!(columns.len() == 2 && columns[0].is_some() && columns[0] == columns[1], "{list}");
}

#[test]
fn a_project_without_flask_is_not_called_complete() {
    let complete = project(&[]);
    complete.run(&["instrument", "--yes"]).expect(0);
    let plain = project(&[("backend-flask/app.py", "print(1)\n")]);
    let said = |sandbox: &Sandbox| sandbox.run(&["instrument", "--yes"]).expect(0).stderr;
    assert_ne!(said(&plain), said(&complete));
}

#[test]
fn generated_code_imports_a_name_once_and_asks_a_variable_for_the_environment() {
    let flask = "from flask import Flask\napp = Flask(__name__)\n";
    for (before, imports) in [
        ("", 1),
        ("import os\n", 0),
        ("import os, sys\n", 0),
        ("from os import environ\n", 1),
        ("import os as system\n", 0),
    ] {
        let sandbox = project(&[("backend-flask/app.py", &format!("{before}{flask}"))]);
        sandbox.run(&["instrument", "--with", "xray,rollbar", "--yes"]).expect(0);
        let code = sandbox.read("backend-flask/app.py");
        let found = code.lines().filter(|line| line.contains("import environ")).count();
        assert_eq!(found, imports, "{before:?}: {code}");
        assert!(code.contains("get(\"ROLLBAR_ENVIRONMENT\""), "{code}");
        sandbox.run(&["instrument", "--with", "xray,rollbar", "--check"]).expect(0);
    }
}
