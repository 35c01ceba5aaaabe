//! Kinds of defects that were seen in real projects: several instances of each, and similar correct lines.

use std::process::Command;

use crate::sandbox::Sandbox;

const COMPOSE: &str = "services:\n  api:\n    build: ./api\n    environment:\n      ROLLBAR_ACCESS_TOKEN: ${ROLLBAR_ACCESS_TOKEN}\n";

/// Returns `path:line` of each finding of a rule in a project with these files, in CI.
fn places(code: &str, files: &[(&str, &str)]) -> Vec<String> {
    let mut sandbox = Sandbox::new(&[("compose.yaml", COMPOSE)]).with("CI", "true");
    for (path, text) in files {
        match path.strip_prefix('$') {
            Some(name) => sandbox = sandbox.with(name, text),
            None => sandbox.write(path, text),
        }
    }
    if files.iter().any(|(path, _)| *path == ".gitignore") {
        let done = Command::new("git").args(["init", "-q"]).current_dir(sandbox.project()).status();
        assert!(done.unwrap().success());
    }
    let document = sandbox.run(&["doctor", "--json"]).json();
    let found = document["findings"].as_array().unwrap().iter().filter(|one| one["code"] == code);
    found
        .map(|one| {
            let severity = one["severity"].as_str().unwrap();
            format!("{}:{} {severity}", one["path"].as_str().unwrap(), one["line"])
        })
        .collect()
}

/// Files of a project, and the places of its findings.
type KindCase<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

#[track_caller]
fn check(code: &str, cases: &[KindCase<'_>]) {
    for (files, expected) in cases {
        assert_eq!(places(code, files), *expected, "{code}: {files:?}");
    }
}

#[test]
fn python_that_flask_refuses_or_ignores() {
    let app = |text: &str| {
        format!(
            "from flask import Flask, g, request\nimport flask_cors\nfrom flask_cors import CORS\napp = Flask(__name__)\n{text}"
        )
    };
    for (code, text, expected) in [
        ("context-at-import", "g.pool = 1\n", "api/app.py:5 error"),
        ("context-at-import", "agent = request.headers.get('user-agent')\n", "api/app.py:5 error"),
        (
            "context-at-import",
            "import flask\nflask.session['a'] = 1\nflask.session.permanent = True\n",
            "api/app.py:7 error",
        ),
        ("context-at-import", "with app.test_request_context():\n    g.pool = 1\n", ""),
        ("context-at-import", "app.app_context().push()\ng.pool = 1\n", ""),
        ("cors-argument-unknown", "CORS(app, headers='x')\n", "api/app.py:5 warning"),
        (
            "cors-argument-unknown",
            "flask_cors.CORS(\n    app,\n    origin='*',\n)\n",
            "api/app.py:7 warning",
        ),
        (
            "cors-argument-unknown",
            "@flask_cors.cross_origin(allow_header=['x'])\ndef f():\n    pass\n",
            "api/app.py:5 warning",
        ),
        ("cors-argument-unknown", "CORS(app, origins='*', max_age=5, send_wildcard=True)\n", ""),
    ] {
        let expected: Vec<&str> =
            Some(expected).filter(|one| !one.is_empty()).into_iter().collect();
        assert_eq!(places(code, &[("api/app.py", &app(text))]), expected, "{text}");
    }
}

#[test]
fn segments_of_xray_that_end_twice() {
    let head = "from aws_xray_sdk.core import xray_recorder as x\ndef run():\n";
    for (body, line) in [
        ("    x.begin_segment('a')\n    x.end_segment()\n    x.end_segment()\n", Some(5)),
        (
            "    s = x.begin_subsegment('a')\n    try:\n        s.put()\n    finally:\n        x.end_subsegment()\n    x.end_subsegment()\n",
            Some(8),
        ),
        (
            "    try:\n        x.begin_subsegment('a')\n        x.end_subsegment()\n    finally:\n        x.end_subsegment()\n",
            Some(7),
        ),
        (
            "    x.begin_subsegment('a')\n    if x:\n        x.end_subsegment()\n        return\n    x.end_subsegment()\n",
            None,
        ),
    ] {
        let expected: Vec<String> =
            line.into_iter().map(|line| format!("api/app.py:{line} warning")).collect();
        assert_eq!(
            places("xray-segments", &[("api/app.py", &format!("{head}{body}"))]),
            expected,
            "{body}"
        );
    }
}

#[test]
fn images_of_production_with_the_debugger() {
    check(
        "debug-in-production",
        &[
            (
                &[("api/Dockerfile.prod", "FROM python\nENV FLASK_DEBUG=1\n")],
                &["api/Dockerfile.prod:2 warning"],
            ),
            (
                &[("api/prod.Dockerfile", "FROM python\nENV A=b FLASK_DEBUG=true\n")],
                &["api/prod.Dockerfile:2 warning"],
            ),
            (
                &[(
                    "Dockerfile.production",
                    "FROM python\nCMD [\"flask\", \"run\", \"--debug\"]\n",
                )],
                &["Dockerfile.production:2 warning"],
            ),
            (
                &[(
                    "api/Dockerfile.prod",
                    "FROM python\nENV FLASK_DEBUG ${DEBUG}\nRUN flask --debug routes\n",
                )],
                &[],
            ),
            (&[("api/Dockerfile.product", "FROM python\nENV FLASK_DEBUG=1\n")], &[]),
        ],
    );
}

#[test]
fn tasks_of_gitpod_that_use_missing_paths() {
    let task = |lines: &str| {
        format!("tasks:\n  - command: |\n      {}\n", lines.replace('\n', "\n      "))
    };
    for (lines, expected) in [
        ("cd web\nnpm i", vec![".gitpod.yml:3 warning"]),
        (
            "cd api && bash ../x.sh\nsource $GITPOD_REPO_ROOT/bin/login",
            vec![".gitpod.yml:4 warning"],
        ),
        (
            "cd api\npip install -r requirements.txt\npip install -r dev.txt",
            vec![".gitpod.yml:5 warning"],
        ),
        ("cd web\nsh start.sh\ncd src", vec![".gitpod.yml:3 warning"]),
        ("git clone https://example.com/web\ncd web", vec![]),
        ("cd /workspace/web\ncd deeper\ncd $THEIA_WORKSPACE_ROOT\ncd api", vec![]),
        ("source .venv/bin/activate\ncd ${FOLDER}/web\n# cd web", vec![]),
    ] {
        let files = [(".gitpod.yml", &*task(lines)), ("api/requirements.txt", "flask\n")];
        assert_eq!(places("task-path-missing", &files), expected, "{lines}");
    }
}

#[test]
fn lines_of_dotenv_that_reach_no_service() {
    let line = "OTEL_EXPORTER_OTLP_ENDPOINT=https://otel.example.com\n";
    let referring =
        format!("{COMPOSE}      OTEL_EXPORTER_OTLP_ENDPOINT: ${{OTEL_EXPORTER_OTLP_ENDPOINT}}\n");
    let bare = COMPOSE.replace("environment:\n", "env_file: .env\n    environment:\n");
    check(
        "dotenv-unread",
        &[
            (&[(".env", &format!("A=b\n{line}"))], &[".env:2 warning"]),
            (&[(".env", &format!("{line}OTEL_TRACES_SAMPLER=always_on\n"))], &[".env:1 warning"]),
            (
                &[
                    (".env", &format!("{line}OTEL_TRACES_SAMPLER=always_on\n")),
                    ("compose.yaml", &referring),
                ],
                &[".env:2 warning"],
            ),
            (&[(".env", line), ("compose.yaml", &referring)], &[]),
            (&[(".env", line), ("compose.yaml", &bare)], &[]),
            (
                &[
                    (".env", line),
                    ("api/app.py", "from dotenv import load_dotenv\nload_dotenv()\n"),
                ],
                &[],
            ),
        ],
    );
}

#[test]
fn keys_where_people_put_them() {
    let key = "4e6a8c0b2d4f61738495a6b7c8d9e0f1";
    let token = format!("export ROLLBAR_ACCESS_TOKEN={key}\n");
    check(
        "secret-literal",
        &[
            (&[("bin/start", &format!("#!/usr/bin/env bash\n{token}"))], &["bin/start:2 error"]),
            (
                &[("api/Dockerfile", &format!("FROM python\nENV ROLLBAR_ACCESS_TOKEN {key}\n"))],
                &["api/Dockerfile:2 error"],
            ),
            (
                &[("deploy/task.json", &format!("{{\"ROLLBAR_ACCESS_TOKEN\": \"{key}\"}}\n"))],
                &["deploy/task.json:1 error"],
            ),
            (
                &[(".github/workflows/ci.yml", &format!("env:\n  ROLLBAR_ACCESS_TOKEN: {key}\n"))],
                &[".github/workflows/ci.yml:2 error"],
            ),
            (
                &[(
                    "aws/main.tf",
                    &format!("  {{ name = \"ROLLBAR_ACCESS_TOKEN\", value = \"{key}\" }}\n"),
                )],
                &["aws/main.tf:1 error"],
            ),
            (
                &[(
                    "k8s/api.yaml",
                    &format!(
                        "- name: ROLLBAR_ACCESS_TOKEN\n  value: {key}\n- name: BUILD\n  value: {key}\n"
                    ),
                )],
                &["k8s/api.yaml:2 error"],
            ),
            (
                &[
                    ("data", &token),
                    ("package-lock.json", &format!("{{\"ROLLBAR_ACCESS_TOKEN\": \"{key}\"}}\n")),
                ],
                &[],
            ),
            (
                &[
                    (".gitignore", "local.py\n"),
                    ("api/local.py", &format!("ROLLBAR_ACCESS_TOKEN = '{key}'\n")),
                ],
                &["api/local.py:1 warning"],
            ),
            (&[(".gitignore", "start.sh\n"), ("bin/start.sh", &token)], &[]),
        ],
    );
}

#[test]
fn names_that_only_other_programs_read() {
    let service = |name: &str, image: &str| {
        format!("services:\n  api:\n    {image}\n    environment:\n      {name}: ${{{name}}}\n")
    };
    let own = "build: ./api";
    let uses = ("api/app.py", "import boto3\nboto3.client('s3')\n");
    let reads = (
        "api/app.py",
        "import os, boto3\nboto3.client('s3', aws_access_key_id=os.environ['AWS_ACCESS_KEY'])\n",
    );
    check(
        "env-near-miss",
        &[
            (&[("compose.yaml", &service("AWS_ACCESS_KEY", own)), uses], &["compose.yaml:5 error"]),
            (&[("compose.yaml", &service("AWS_SECRET_KEY", own)), uses], &["compose.yaml:5 error"]),
            (&[("compose.yaml", &service("AWS_ACCESS_KEY", own)), reads], &[]),
            (&[("compose.yaml", &service("AWS_SECRET_KEY", "image: amazon/aws-xray-daemon"))], &[]),
        ],
    );
}

#[test]
fn temporary_keys_without_their_token() {
    let daemon = |entries: &str| {
        format!(
            "services:\n  xray:\n    image: amazon/aws-xray-daemon\n    environment:\n{entries}      - AWS_REGION=us-east-1\n"
        )
    };
    let keys =
        "      - AWS_ACCESS_KEY_ID\n      - AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY}\n";
    let dotenv = |id: &str| format!("AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY=x\n");
    let (temporary, lasting) = ("ASIAQ4XN7LMZ2WVKJ8RT", "AKIAQ4XN7LMZ2WVKJ8RT");
    let whole = format!("{keys}      - AWS_SESSION_TOKEN\n");
    check(
        "xray-session-token",
        &[
            (
                &[("compose.yaml", &daemon(keys)), (".env", &dotenv(temporary))],
                &["compose.yaml:5 error"],
            ),
            (
                &[("compose.yaml", &daemon(keys)), ("$AWS_ACCESS_KEY_ID", temporary)],
                &["compose.yaml:5 error"],
            ),
            (&[("compose.yaml", &daemon(&whole)), (".env", &dotenv(temporary))], &[]),
            (&[("compose.yaml", &daemon(keys)), (".env", &dotenv(lasting))], &[]),
        ],
    );
    let sandbox = Sandbox::new(&[("compose.yaml", &*daemon(keys)), (".env", &*dotenv(temporary))])
        .with("CI", "true");
    sandbox.run(&["doctor", "--fix", "--yes"]);
    assert_eq!(
        sandbox.read("compose.yaml"),
        daemon(&keys.replacen("_KEY_ID\n", "_KEY_ID\n      - AWS_SESSION_TOKEN\n", 1))
    );
}

#[test]
fn hooks_that_get_a_key() {
    let hook = |lines: &str| format!("{COMPOSE}    pre_start:\n      - {lines}\n");
    check(
        "key-in-hook",
        &[
            (&[("compose.yaml", &hook("image: other/wait"))], &["compose.yaml:7 warning"]),
            (
                &[("compose.yaml", &hook("command: [\"/wait\"]\n        image: other/wait"))],
                &["compose.yaml:8 warning"],
            ),
            (
                &[("compose.yaml", &hook("image: other/wait\n        environment: [A=b]"))],
                &["compose.yaml:7 warning"],
            ),
            (
                &[(
                    "compose.yaml",
                    &hook("image: other/wait\n        environment: [ROLLBAR_ACCESS_TOKEN=]"),
                )],
                &[],
            ),
            (&[("compose.yaml", &hook("command: [\"/wait\"]"))], &[]),
        ],
    );
}

#[test]
fn a_misspelt_variable_of_the_shell_is_named() {
    for typed in ["ROLLBAR_ACCES_TOKEN", "ROLBAR_ACCESS_TOKEN", "ROLLBAR_ACCESS_TOKENS"] {
        let sandbox = Sandbox::new(&[("compose.yaml", COMPOSE)]).with(typed, "x");
        let document = sandbox.run(&["doctor", "--json"]).json();
        let found = document["findings"].to_string();
        assert!(found.contains("variable-unstored") && found.contains(typed), "{found}");
    }
}

#[test]
fn without_a_compose_file_nothing_is_called_fixable() {
    let sandbox = Sandbox::new(&[
        ("docker-compose-local.yml", "services:\n  api: {build: .}\n"),
        ("requirements.txt", "flask\npip install rollbar\n"),
        ("app.py", "from flask import Flask\napp = Flask(__name__)\n"),
    ])
    .with("CI", "true");
    let document = sandbox.run(&["doctor", "--json"]).expect(2).json();
    let findings = document["findings"].as_array().unwrap();
    assert!(findings.iter().any(|one| one["code"] == "requirement-pip-line"), "{document}");
    assert!(findings.iter().all(|one| one["fixable"] == false), "{document}");
}
