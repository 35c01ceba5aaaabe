//! `init --instrument`: what is written for services that an agent traces, a second run, `undo`, and docker compose's
//! view of the result.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::compose_oracle::{docker_compose, oracle};
use crate::sandbox::{KEY, Run, Sandbox};

const INIT: [&str; 6] = ["init", "--yes", "--store", "env", "--no-ports", "--no-verify"];

const COMPOSE: &str = "# ours
services:
  gateway:
    build: ./gateway
    ports: [\"8080:8080\"]
    depends_on:
      - api # first
  api:
    build: ./api
    environment:
      - LOG=info
    volumes: [\"./api:/app\"]
    depends_on: {db: {condition: service_healthy}}
  db:
    image: postgres:16
";

/// Returns two services without any tracing.
pub fn project() -> Vec<(&'static str, &'static str)> {
    vec![
        ("docker-compose.yml", COMPOSE),
        (
            "gateway/Dockerfile",
            "FROM node:22-alpine\nCOPY . .\nENV NODE_OPTIONS=--enable-source-maps\nCMD [\"node\", \"server.js\"]\n",
        ),
        ("gateway/package.json", "{\"dependencies\": {\"express\": \"^4\"}}\n"),
        ("gateway/server.js", "require('express')().listen(8080)\n"),
        ("api/Dockerfile", "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nCMD uvicorn main:app\n"),
        ("api/requirements.txt", "fastapi\nuvicorn\n"),
        ("api/main.py", "from fastapi import FastAPI\napp = FastAPI()\n"),
    ]
}

fn sandbox(files: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::new(&project()).with("HONEYCOMB_API_KEY", KEY);
    files.iter().for_each(|(path, text)| sandbox.write(path, text));
    sandbox
}

fn init(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    sandbox.run(&[&INIT[..], arguments].concat())
}

/// Returns the source of each service's spans, from `--json`.
fn how(run: &Run) -> BTreeMap<String, String> {
    let document = run.json();
    let services = document["instrumentation"].as_object().unwrap().iter();
    let how = services
        .map(|(name, one)| (name.clone(), one["instrumented"].as_str().unwrap().to_owned()));
    how.collect()
}

/// Returns a service of the current compose file.
fn service(sandbox: &Sandbox, name: &str) -> Value {
    let file: Value = serde_yaml::from_str(&sandbox.read("docker-compose.yml")).unwrap();
    file["services"][name].clone()
}

#[test]
fn services_without_an_sdk_are_started_with_an_agent_and_keep_what_they_have() {
    let sandbox = sandbox(&[]);
    let run = init(&sandbox, &["--json"]).expect(0);
    assert_eq!(
        how(&run),
        [("api", "agent"), ("gateway", "agent")].map(|(a, b)| (a.into(), b.into())).into()
    );
    let gateway = service(&sandbox, "gateway");
    assert_eq!(
        gateway["environment"]["NODE_OPTIONS"],
        "--enable-source-maps --require /otel-auto-instrumentation-nodejs/cruddur-ops/register.cjs"
    );
    let waits = json!({
        "api": { "condition": "service_started" },
        "otel-agent-nodejs": { "condition": "service_healthy" },
    });
    assert_eq!(gateway["depends_on"], waits);
    let api = service(&sandbox, "api");
    let variables = api["environment"].as_array().unwrap();
    for line in [
        "LOG=info",
        "PYTHONPATH=/otel-auto-instrumentation-python/cruddur-ops",
        "OTEL_METRICS_EXPORTER=none",
        "OTEL_LOGS_EXPORTER=none",
        "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
    ] {
        assert!(variables.contains(&json!(line)), "{line}: {variables:?}");
    }
    let volumes = api["volumes"].as_array().unwrap();
    let volume = volumes[1].as_str().unwrap().split_once(':').unwrap();
    assert_eq!(volumes[0], "./api:/app");
    assert_eq!(volume.1, "/otel-auto-instrumentation-python:ro");
    assert_eq!(api["depends_on"]["db"]["condition"], "service_healthy");
    let copies = service(&sandbox, "otel-agent-python");
    assert_eq!(copies["network_mode"], "none");
    assert!(copies["volumes"][0].as_str().unwrap().starts_with(volume.0));
    if let Some(program) = docker_compose() {
        let read = oracle(&program, &sandbox.project(), &BTreeMap::new()).unwrap();
        assert_eq!(read.len(), 5);
    }
    let lines = sandbox.read("docker-compose.yml");
    for line in COMPOSE.lines().filter(|line| !line.contains("- api") && !line.contains(['{', '[']))
    {
        assert!(lines.lines().any(|one| one == line), "{line}");
    }
    init(&sandbox, &["--check"]).expect(0);
    init(&sandbox, &["--check", "--all-services"]).expect(1);
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);
}

#[test]
fn the_flag_says_how_for_all_and_for_one() {
    let code = |arguments: &[&str]| {
        let run = init(&sandbox(&[]), &[&["--json"], arguments].concat()).expect(0);
        let how = how(&run);
        (how["api"].clone(), how["gateway"].clone())
    };
    let both = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    assert_eq!(code(&["--no-instrument"]), both("none", "none"));
    assert_eq!(code(&["--instrument", "code"]), both("none", "none"));
    assert_eq!(code(&["--instrument", "code", "--instrument", "api=agent"]), both("agent", "none"));
    assert_eq!(code(&["--instrument", "gateway=none"]), both("agent", "none"));
    init(&sandbox(&[]), &["--instrument", "nobody=agent"]).failed("unknown-service", &["nobody"]);
}

#[test]
fn what_speaks_against_an_agent_keeps_it_out_unless_it_is_named() {
    let isolated = "FROM python:3.12-slim\nCOPY . .\nCMD python -I main.py\n";
    let dotnet = "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nCMD dotnet app.dll\n";
    let own = "{\"dependencies\": {\"@opentelemetry/sdk-node\": \"1\"}}\n";
    for (service, path, text) in [
        ("api", "api/Dockerfile", isolated),
        ("api", "api/Dockerfile", "FROM python:3.7\nCOPY . .\nCMD python main.py\n"),
        ("api", "api/Dockerfile", "FROM team/base\nCOPY . .\nCMD python main.py\n"),
        ("api", "api/requirements.txt", "fastapi\ngevent\n"),
        ("gateway", "gateway/Dockerfile", dotnet),
        ("gateway", "gateway/package.json", own),
    ] {
        let sandbox = sandbox(&[(path, text)]);
        let run = init(&sandbox, &["--json", "--service", service]).expect(0);
        assert_eq!(how(&run)[service], "none", "{text}");
        assert!(!sandbox.read("docker-compose.yml").contains("otel-agent"), "{text}");
        let named = format!("{service}=agent");
        let run = init(&sandbox, &["--json", "--service", service, "--instrument", &named]);
        let run = run.expect(0);
        assert_eq!(how(&run)[service], "agent", "{text}");
    }
}

#[test]
fn an_untested_agent_is_added_on_request() {
    let docker = |project: &str| {
        sandbox(&[
            (
                "api/Dockerfile",
                "FROM mcr.microsoft.com/dotnet/sdk:8.0 AS b\nCOPY app.csproj .\nRUN dotnet publish\nFROM mcr.microsoft.com/dotnet/aspnet:8.0\nCMD dotnet app.dll\n",
            ),
            ("api/app.csproj", project),
        ])
    };
    let arguments = |how: &'static str| ["--json", "--service", "api", "--instrument", how];
    let plain = docker("<Project/>\n");
    assert_eq!(how(&init(&plain, &arguments("auto")).expect(0))["api"], "none");
    assert_eq!(how(&init(&plain, &arguments("agent")).expect(0))["api"], "agent");
    let variables = service(&plain, "api")["environment"].to_string();
    assert!(variables.contains("DOTNET_STARTUP_HOOKS=/otel-auto-instrumentation-dotnet/"));
    let own = docker("<PackageReference Include=\"OpenTelemetry.Extensions.Hosting\"/>\n");
    assert_eq!(how(&init(&own, &arguments("agent")).expect(0))["api"], "sdk");
    let unknown = sandbox(&[(
        "api/Dockerfile",
        "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nCMD dotnet app.dll\n",
    )]);
    assert_eq!(how(&init(&unknown, &arguments("agent")).expect(0))["api"], "none");
    assert_eq!(how(&init(&unknown, &arguments("api=agent")).expect(0))["api"], "agent");
}

#[test]
fn a_service_with_an_sdk_or_with_flask_gets_no_agent() {
    let tracing = "const {NodeSDK} = require('@opentelemetry/sdk-node');\nnew NodeSDK({}).start();\nrequire('express')().listen(8080)\n";
    let flask = "from flask import Flask\napp = Flask(__name__)\n";
    let sandbox = sandbox(&[
        ("gateway/server.js", tracing),
        ("api/requirements.txt", "flask\n"),
        ("api/main.py", flask),
        (
            "api/Dockerfile",
            "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\nCMD flask --app main run\n",
        ),
    ]);
    let run = init(&sandbox, &["--json"]).expect(0);
    assert_eq!(
        how(&run),
        [("api", "code"), ("gateway", "sdk")].map(|(a, b)| (a.into(), b.into())).into()
    );
    assert!(!sandbox.read("docker-compose.yml").contains("otel-agent"));
}

#[test]
fn an_image_can_be_named_and_is_kept() {
    let sandbox = sandbox(&[]);
    let digest = format!("mirror:5000/python@sha256:{}", "0123456789abcdef".repeat(4));
    let image = format!("python={digest}");
    init(&sandbox, &["--agent-image", &image]).expect(0);
    assert_eq!(service(&sandbox, "otel-agent-python")["image"], digest.as_str());
    assert!(
        sandbox.read("docker-compose.yml").contains("otel-agent-python-0123456789ab:/otel-auto")
    );
    init(&sandbox, &["--check"]).expect(0);
    init(&sandbox, &["--agent-image", "cobol=x"]).expect(2);
    init(&sandbox, &["--agent-image", "python=$X"]).expect(2);
}

#[test]
fn another_image_of_an_agent_is_copied_into_another_volume() {
    let sandbox = sandbox(&[]);
    init(&sandbox, &[]).expect(0);
    let usual = sandbox.read("docker-compose.yml");
    let image = service(&sandbox, "otel-agent-python")["image"].as_str().unwrap().to_owned();
    let (published, tag) = image.rsplit_once(':').unwrap();
    let volume = format!("otel-agent-python-{tag}");
    let of_tag = |tag: &str| {
        let volume_of_tag = format!("otel-agent-python-{tag}");
        usual.replace(&volume, &volume_of_tag).replace(&image, &format!("{published}:{tag}"))
    };
    // Named once more, with another image; and all of it back.
    let run = init(&sandbox, &["--json", "--agent-image", "python=mirror/py:7-1"]).expect(0);
    let moved = sandbox.read("docker-compose.yml");
    let expected = usual.replace(&volume, "otel-agent-python-7-1").replace(&image, "mirror/py:7-1");
    assert_eq!(moved, expected);
    let notes = run.json()["notes"].to_string();
    assert!(notes.contains(&volume) && notes.contains(&image), "{notes}");
    init(&sandbox, &["--check"]).expect(0);
    if let Some(program) = docker_compose() {
        assert_eq!(oracle(&program, &sandbox.project(), &BTreeMap::new()).unwrap().len(), 5);
    }
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("docker-compose.yml"), usual);
    // A version of this program before had an older tag; one that is newer was chosen by somebody.
    for (tag, is_kept) in [("0.1b0", false), ("latest", true), ("99.0", true)] {
        sandbox.write("docker-compose.yml", &of_tag(tag));
        init(&sandbox, &[]).expect(0);
        let expected = if is_kept { of_tag(tag) } else { usual.clone() };
        assert_eq!(sandbox.read("docker-compose.yml"), expected, "{tag}");
    }
    let own = of_tag("0.1b0").replace("otel-agent-python-0.1b0:", "agents:");
    sandbox.write("docker-compose.yml", &own);
    init(&sandbox, &["--instrument", "agent"]).failed("unsafe-edit", &["otel-agent-python"]);
    assert_eq!(sandbox.read("docker-compose.yml"), own);
}

#[test]
fn commands_that_start_services_without_their_agents_are_named() {
    let tasks = [
        ("Makefile", "test:\n\tdocker compose run --rm --no-deps api pytest\n"),
        ("scripts/dev", "#!/bin/sh\ndocker compose up --no-deps gateway\n"),
        (
            ".github/workflows/ci.yml",
            "jobs:\n  t:\n    steps:\n      - run: docker compose up -d --no-deps api\n",
        ),
        ("deploy.sh", "docker stack deploy -c docker-compose.yml shop\n"),
        ("install.sh", "pip install --no-deps .\n"),
    ];
    let named = |arguments: &[&str]| -> Vec<bool> {
        let run = init(&sandbox(&tasks), &[&["--json", "--dry-run"], arguments].concat()).expect(0);
        let document = run.json();
        let notes = document["notes"].as_array().unwrap();
        let is_named = |path: &str| {
            notes.iter().any(|note| note["text"].as_str().unwrap().starts_with(&format!("{path}:")))
        };
        tasks.iter().map(|(path, _)| is_named(path)).collect()
    };
    assert_eq!(named(&[]), [true, true, true, true, false]);
    assert_eq!(named(&["--no-instrument"]), [false; 5]);
}

#[test]
fn an_edit_that_cannot_be_done_costs_the_agent_of_its_service_alone() {
    let compose = "services:
  api:
    build: ./api
    depends_on: ['${DB:-db}']
  gateway:
    build: ./gateway
  jobs:
    build: ./api
  queue:
    build: ./api
    volumes:
      - ./a:/a
      - ${MORE:-./b:/b}
    depends_on: [\"${DB:-db}\"]
  db:
    image: postgres:16
";
    let sandbox = sandbox(&[("docker-compose.yml", compose)]);
    let arguments = [
        "--json",
        "--service",
        "api",
        "--service",
        "gateway",
        "--service",
        "jobs",
        "--service",
        "queue",
    ];
    let run = init(&sandbox, &arguments).expect(0);
    let expected = [("api", "none"), ("gateway", "agent"), ("jobs", "agent"), ("queue", "none")];
    assert_eq!(how(&run), expected.map(|(name, how)| (name.into(), how.into())).into());
    assert_eq!(run.json()["instrumentation"]["api"]["spans"], "nothing");
    for (name, is_traced) in [("api", false), ("gateway", true), ("jobs", true), ("queue", false)] {
        let waits = service(&sandbox, name)["depends_on"].to_string();
        assert_eq!(waits.contains("otel-agent"), is_traced, "{name}: {waits}");
    }
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("docker-compose.yml"), compose);
}

#[test]
fn an_edit_that_cannot_be_done_costs_the_agent_alone() {
    let compose = "services:\n  api:\n    build: ./api\n    depends_on:\n      - ${DB:-db}\n  db:\n    image: postgres:16\n";
    let sandbox = sandbox(&[("docker-compose.yml", compose)]);
    init(&sandbox, &["--instrument", "agent"]).failed("unsafe-edit", &["docker-compose.yml"]);
    assert_eq!(sandbox.read("docker-compose.yml"), compose);
    let run = init(&sandbox, &["--json"]).expect(0);
    assert_eq!(how(&run)["api"], "none");
    let written = sandbox.read("docker-compose.yml");
    assert!(written.contains("OTEL_SERVICE_NAME") && !written.contains("otel-agent"), "{written}");
}

#[test]
fn metrics_and_logs_are_sent_on_request() {
    let sandbox = sandbox(&[]);
    init(&sandbox, &["--signals", "traces,metrics"]).expect(0);
    let environment = &service(&sandbox, "gateway")["environment"];
    assert_eq!(environment["OTEL_METRICS_EXPORTER"], "otlp");
    assert_eq!(environment["OTEL_LOGS_EXPORTER"], "none");
}

#[test]
fn the_service_that_copies_an_agent_is_not_traced_and_doctor_finds_nothing_in_it() {
    let sandbox = sandbox(&[]);
    init(&sandbox, &[]).expect(0);
    let run = sandbox.run(&["doctor", "--json"]).expect(0);
    assert_eq!(run.json()["findings"], json!([]));
    let run = sandbox.run(&["verify", "--local", "--json"]).expect(0);
    let document = run.json();
    let services = document["services"].as_array().unwrap().iter();
    let names: Vec<&str> = services.map(|one| one["service"].as_str().unwrap()).collect();
    assert_eq!(names, ["gateway", "api"]);
}

#[test]
fn an_agent_of_one_protocol_takes_the_port_of_the_plan() {
    let compose = "services:\n  api:\n    build: ./api\n    environment:\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://otel-collector:4317\n  otel-collector:\n    image: otel/opentelemetry-collector-contrib\n    ports: [\"4317:4317\", \"4318:4318\"]\n";
    let sandbox = sandbox(&[("docker-compose.yml", compose)]);
    init(&sandbox, &["--provider", "collector"]).expect(0);
    let environment = &service(&sandbox, "api")["environment"];
    assert_eq!(environment["OTEL_EXPORTER_OTLP_ENDPOINT"], "http://otel-collector:4318");
    assert_eq!(environment["OTEL_EXPORTER_OTLP_PROTOCOL"], "http/protobuf");
}

#[test]
fn a_language_without_an_agent_is_said_with_the_lines_for_its_code() {
    let sandbox = sandbox(&[
        ("api/Dockerfile", "FROM golang:1.23\nCOPY . .\nCMD go run .\n"),
        ("api/go.mod", "module api\n"),
    ]);
    let run =
        init(&sandbox, &["--json", "--instrument", "api=agent", "--service", "api"]).expect(0);
    assert_eq!(how(&run)["api"], "none");
    let document = run.json();
    let mut notes = document["notes"].as_array().unwrap().iter();
    let hint =
        notes.find_map(|note| note["hint"].as_str().filter(|hint| hint.contains("otelhttp")));
    assert!(hint.is_some(), "{document}");
    assert!(!sandbox.read("docker-compose.yml").contains("otel-agent"));
}

#[test]
fn an_agent_that_was_asked_for_is_given_or_its_absence_is_explained() {
    for instrument in ["agent", "api=agent"] {
        for image in ["example/api", "example/api:1", "ghcr.io/example/web"] {
            let compose = format!("services:\n  api: {{image: '{image}'}}\n");
            let sandbox = Sandbox::new(&[("compose.yaml", &compose)]);
            let init = ["init", "--dry-run", "--store", "none", "--service", "api", "--json"];
            let document = sandbox.run(&[&init[..], &["--instrument", instrument]].concat()).json();
            let notes = document["notes"].as_array().unwrap();
            let explained = notes.iter().filter_map(|note| note["text"].as_str());
            let explained = explained.filter(|text| text.contains("no agent is added")).count();
            assert_eq!(explained, 1, "{instrument} {image}: {document:#}");
        }
    }
}
