//! `init --with`: what X-Ray and Rollbar change in the files, a second run, `undo`, and how compose and `run` use the
//! result.

use std::process::Command;

use serde_json::Value;

use crate::compose_oracle::docker_compose;
use crate::fixtures::{COMPOSE, COMPOSE_WIRED, GITPOD, GITPOD_PUBLIC, cruddur};
use crate::gp::run_with_input;
use crate::init::INIT;
use crate::sandbox::{AWS_SECRET, KEY, Run, Sandbox, TOKEN};

const XRAY: [&str; 4] = ["--with", "xray", "--aws-region", "ca-central-1"];

const DAEMON: &str = "  xray-daemon:
    # Anyone who reaches its TCP port can sign requests with these AWS keys, so it is published to this machine only.
    image: amazon/aws-xray-daemon
    command: [\"-o\"]
    environment:
      AWS_REGION: \"ca-central-1\"
      AWS_ACCESS_KEY_ID: \"${AWS_ACCESS_KEY_ID}\"
      AWS_SECRET_ACCESS_KEY: \"${AWS_SECRET_ACCESS_KEY}\"
    ports:
      - \"127.0.0.1:2000:2000/udp\"
      - \"127.0.0.1:2000:2000\"
";

fn sandbox() -> Sandbox {
    Sandbox::new(&cruddur())
        .with("HONEYCOMB_API_KEY", KEY)
        .with("ROLLBAR_ACCESS_TOKEN", TOKEN)
        .with("AWS_ACCESS_KEY_ID", "AKIAQWERTYUIOPASDFGH")
        .with("AWS_SECRET_ACCESS_KEY", AWS_SECRET)
}

fn init(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    sandbox.run(&[&INIT[..], arguments].concat())
}

/// Returns the compose file after `init`, with these lines after the backend's variables, `depends_on` and the
/// daemon.
fn wired(variables: &str) -> String {
    let last = "x-honeycomb-team=${HONEYCOMB_API_KEY}\"\n";
    let ports = "      - \"4567:4567\"\n";
    let db = "      - '5432:5432'\n";
    COMPOSE_WIRED
        .replace(last, &format!("{last}{variables}"))
        .replace(ports, &format!("{ports}    depends_on:\n      - xray-daemon\n"))
        .replace(db, &format!("{db}{DAEMON}"))
}

const LOCAL: &str = "      AWS_XRAY_DAEMON_ADDRESS: \"xray-daemon:2000\"\n      AWS_XRAY_URL: \"*localhost:4567*\"\n";

#[test]
fn xray_comes_with_its_daemon_and_every_other_byte_stays() {
    let sandbox = sandbox();
    let run = init(&sandbox, &[&XRAY[..], &["--public"]].concat()).expect(0);
    assert_eq!(sandbox.read("docker-compose.yml"), wired(LOCAL));
    let private = "  - name: xray\n    port: 2000\n    visibility: private\n";
    assert_eq!(sandbox.read(".gitpod.yml"), format!("{GITPOD_PUBLIC}{private}"));
    run.shows("addons_xray");
    assert!(sandbox.files_with_the_key().is_empty());

    let again = init(&sandbox, &[&XRAY[..], &["--public"]].concat()).expect(0);
    again.shows_no_diff();
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);
    assert_eq!(sandbox.read(".gitpod.yml"), GITPOD);
}

#[test]
fn rollbar_is_one_variable() {
    let sandbox = sandbox();
    init(&sandbox, &["--with", "rollbar"]).expect(0);
    let last = "x-honeycomb-team=${HONEYCOMB_API_KEY}\"\n";
    let token = "      ROLLBAR_ACCESS_TOKEN: \"${ROLLBAR_ACCESS_TOKEN}\"\n";
    let expected = COMPOSE_WIRED.replace(last, &format!("{last}{token}"));
    assert_eq!(sandbox.read("docker-compose.yml"), expected);
    init(&sandbox, &["--with", "rollbar"]).expect(0).shows_no_diff();
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);
}

#[test]
fn packages_and_code_come_in_the_same_plan() {
    let sandbox = sandbox();
    let app = "from flask import Flask\n\napp = Flask(__name__)\n";
    sandbox.write("backend-flask/app.py", app);
    let with = [
        "init",
        "--yes",
        "--store",
        "env",
        "--no-verify",
        "--with",
        "xray,rollbar",
        "--aws-region",
        "us-east-1",
        "--json",
    ];
    let document = sandbox.run(&with).expect(0).json();
    assert_eq!(document["addons"], serde_json::json!(["xray", "rollbar"]));
    let changed: Vec<&str> = document["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["path"].as_str().unwrap())
        .collect();
    assert_eq!(
        changed.iter().filter(|path| **path == "docker-compose.yml").count(),
        1,
        "{changed:?}"
    );
    let requirements = sandbox.read("backend-flask/requirements.txt");
    assert!(requirements.ends_with("aws-xray-sdk\nrollbar\nblinker\n"), "{requirements}");
    let code = sandbox.read("backend-flask/app.py");
    assert!(
        code.contains("XRayMiddleware(app, xray_recorder)") && code.contains("rollbar.init("),
        "{code}"
    );
    let text = format!("{document}");
    assert!(!text.contains("missing in its environment"), "{text}");
    sandbox.run(&with).expect(0).shows_no_diff();
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("backend-flask/app.py"), app);
    assert!(sandbox.files_with_the_key().is_empty());
}

#[test]
fn segments_are_named_after_the_host_of_the_workspace() {
    let url = |variables: &[(&str, &str)]| {
        let mut sandbox = sandbox();
        for (name, value) in variables {
            sandbox = sandbox.with(name, value);
        }
        init(&sandbox, &[&XRAY[..], &["--no-ports"]].concat()).expect(0);
        let text = sandbox.read("docker-compose.yml");
        let line = text.lines().find(|line| line.contains("AWS_XRAY_URL")).unwrap();
        line.trim().to_owned()
    };
    let gitpod = [("GITPOD_WORKSPACE_ID", "me-app-1")];
    assert_eq!(
        url(&gitpod),
        "AWS_XRAY_URL: \"*4567-${GITPOD_WORKSPACE_ID}.${GITPOD_WORKSPACE_CLUSTER_HOST}*\""
    );
    assert_eq!(
        url(&[("CODESPACES", "true"), ("CODESPACE_NAME", "odd-owl")]),
        "AWS_XRAY_URL: \"*${CODESPACE_NAME}-4567.${GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN}*\""
    );
    assert_eq!(url(&[]), "AWS_XRAY_URL: \"*localhost:4567*\"");
}

#[test]
fn a_region_is_never_guessed() {
    let sandbox = sandbox();
    let run = init(&sandbox, &["--with", "xray"]).expect(2);
    assert!(run.stderr.contains("error[answer-missing]"), "{}", run.stderr);
    let run = init(&sandbox, &["--with", "xray", "--aws-region", "can-central-1"]).expect(2);
    assert!(run.stderr.contains("error[region-invalid]"), "{}", run.stderr);
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);

    let sandbox = sandbox.with("AWS_DEFAULT_REGION", "eu-west-3");
    let run = init(&sandbox, &["--with", "xray"]).expect(0);
    run.shows("addons_xray_region");
    assert!(sandbox.read("docker-compose.yml").contains("AWS_REGION: \"eu-west-3\""));
}

#[test]
fn missing_aws_keys_are_reported_and_not_asked() {
    let sandbox = Sandbox::new(&cruddur()).with("HONEYCOMB_API_KEY", KEY);
    let run = init(&sandbox, &XRAY).expect(0);
    run.shows("addons_xray_without_keys");
}

#[test]
fn a_missing_token_names_the_command_that_stores_it() {
    let sandbox = Sandbox::new(&cruddur()).with("HONEYCOMB_API_KEY", KEY);
    let run = init(&sandbox, &["--with", "rollbar"]).expect(2);
    assert!(run.stderr.contains("error[key-missing]"), "{}", run.stderr);
    run.shows("addons_rollbar_without_token");
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);
    let none =
        ["init", "--yes", "--store", "none", "--no-verify", "--no-instrument", "--with", "rollbar"];
    sandbox.run(&none).expect(0);
}

#[test]
fn both_secrets_go_into_one_file_and_run_hands_all_of_them_over() {
    let sandbox = sandbox();
    let both = [
        "init",
        "--yes",
        "--store",
        "dotenv",
        "--no-verify",
        "--no-instrument",
        "--with",
        "xray,rollbar",
        "--aws-region",
        "us-east-1",
    ];
    let run = sandbox.run(&both).expect(0);
    assert_eq!(run.stderr.matches("+++ b/.env\n").count(), 1, "{}", run.stderr);
    assert_eq!(sandbox.files_with_the_key(), [sandbox.path(".env")]);
    let set = [
        "key",
        "set",
        "--variable",
        "AWS_SECRET_ACCESS_KEY",
        "--store",
        "dotenv",
        "--stdin",
        "--yes",
    ];
    run_with_input(&sandbox, &set, AWS_SECRET).expect(0);
    let script = "echo ${#HONEYCOMB_API_KEY} ${#ROLLBAR_ACCESS_TOKEN} ${#AWS_SECRET_ACCESS_KEY}";
    let stores_only = sandbox
        .with("HONEYCOMB_API_KEY", "")
        .with("ROLLBAR_ACCESS_TOKEN", "")
        .with("AWS_SECRET_ACCESS_KEY", "");
    let run = stores_only.run(&["run", "--", "sh", "-c", script]).expect(0);
    assert_eq!(run.stdout, "64 32 40\n");
}

#[test]
fn the_guides_daemon_is_kept_and_its_command_explained() {
    let guide = "services:\n  backend-flask:\n    build: ./backend-flask\n    environment:\n      \
        AWS_XRAY_URL: \"*4567-${GITPOD_WORKSPACE_ID}.${GITPOD_WORKSPACE_CLUSTER_HOST}*\"\n      \
        AWS_XRAY_DAEMON_ADDRESS: \"xray-daemon:2000\"\n      ROLLBAR_ACCESS_TOKEN: \"${ROLLBAR_ACCESS_TOKEN}\"\n    ports:\n      - \"4567:4567\"\n  \
        xray-daemon:\n    image: \"amazon/aws-xray-daemon\"\n    environment:\n      AWS_ACCESS_KEY_ID: \"${AWS_ACCESS_KEY_ID}\"\n      \
        AWS_SECRET_ACCESS_KEY: \"${AWS_SECRET_ACCESS_KEY}\"\n      AWS_REGION: \"ca-central-1\"\n    command:\n      - \"xray -o -b xray-daemon:2000\"\n    \
        ports:\n      - 2000:2000/udp\n";
    let sandbox = sandbox();
    sandbox.write("docker-compose.yml", guide);
    let run = init(&sandbox, &["--with", "xray,rollbar"]).expect(0);
    run.shows("addons_xray_of_the_guide");
    let after = sandbox.read("docker-compose.yml");
    let added = after.lines().filter(|line| !guide.contains(*line));
    assert!(added.clone().all(|line| line.contains("OTEL_")), "{after}");
    assert_eq!(after.matches("aws-xray-daemon").count(), 1);
    assert_eq!(added.count(), 3);
}

#[test]
fn lists_networks_and_a_literal_token_are_met() {
    let text = format!(
        "services:\n  api:\n    build: ./backend-flask\n    networks:\n      inner: {{}}\n    environment:\n    - A=b\n    \
         - ROLLBAR_ACCESS_TOKEN={TOKEN}\n    depends_on:\n      db:\n        condition: service_healthy\n  db:\n    image: postgres\nnetworks:\n  inner:\n"
    );
    let sandbox = sandbox();
    sandbox.write("docker-compose.yml", &text);
    init(&sandbox, &[&XRAY[..], &["--with", "rollbar", "--service", "api"]].concat()).expect(0);
    let after = sandbox.read("docker-compose.yml");
    assert!(sandbox.files_with_the_key().is_empty());
    for line in [
        "    - ROLLBAR_ACCESS_TOKEN=${ROLLBAR_ACCESS_TOKEN}\n",
        "    - AWS_XRAY_DAEMON_ADDRESS=xray-daemon:2000\n",
        "      xray-daemon: {condition: service_started}\n",
        "    networks:\n      - \"inner\"\n",
    ] {
        assert!(after.contains(line), "{line}{after}");
    }
    assert!(!after.contains("AWS_XRAY_URL"), "nobody calls it from outside: {after}");
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("docker-compose.yml"), text);
}

#[test]
fn nothing_is_added_if_no_service_would_report() {
    let sandbox = sandbox();
    sandbox.write("docker-compose.yml", "services:\n  db:\n    image: postgres\n");
    let run = init(&sandbox, &[&XRAY[..], &["--service", "db"]].concat()).expect(0);
    run.shows("addons_without_python");
    assert!(!sandbox.read("docker-compose.yml").contains("xray"));
}

#[test]
fn instrument_says_what_the_environment_lacks_and_who_writes_it() {
    let sandbox = sandbox();
    sandbox.write("backend-flask/app.py", "from flask import Flask\napp = Flask(__name__)\n");
    let run = sandbox.run(&["instrument", "--yes", "--with", "xray,xray"]).expect(0);
    run.shows("addons_lacking_environment");
    assert_eq!(sandbox.read("backend-flask/app.py").matches("XRayMiddleware(app").count(), 1);
}

#[test]
fn docker_compose_takes_what_was_written() {
    let Some(compose) = docker_compose() else {
        return;
    };
    let sandbox = sandbox();
    init(&sandbox, &[&XRAY[..], &["--with", "rollbar"]].concat()).expect(0);
    let output = Command::new(compose)
        .args(["config", "--format", "json"])
        .current_dir(sandbox.project())
        .env_clear()
        .env("HOME", sandbox.home())
        .env("ROLLBAR_ACCESS_TOKEN", "a-token")
        .env("AWS_ACCESS_KEY_ID", "an-id")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let config: Value = serde_json::from_slice(&output.stdout).unwrap();
    let daemon = &config["services"]["xray-daemon"];
    assert_eq!(daemon["command"], serde_json::json!(["-o"]));
    assert_eq!(daemon["environment"]["AWS_REGION"], "ca-central-1");
    assert_eq!(daemon["environment"]["AWS_ACCESS_KEY_ID"], "an-id");
    for port in daemon["ports"].as_array().unwrap() {
        assert_eq!(port["host_ip"], "127.0.0.1", "{port}");
    }
    let backend = &config["services"]["backend-flask"];
    assert_eq!(backend["environment"]["AWS_XRAY_DAEMON_ADDRESS"], "xray-daemon:2000");
    assert_eq!(backend["environment"]["ROLLBAR_ACCESS_TOKEN"], "a-token");
    assert!(backend["depends_on"]["xray-daemon"].is_object());
}
