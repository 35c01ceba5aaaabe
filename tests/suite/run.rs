//! `run`: what the child process gets and does not get, and how it ends.

use std::process::Command;

use crate::compose_oracle::docker_compose;
use crate::gp::run_with_input;
use crate::sandbox::{KEY, Sandbox};

const COMPOSE: (&str, &str) = (
    "compose.yaml",
    "services:\n  api:\n    build: .\n    environment:\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY}\n",
);

fn with_key(files: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::new(files);
    let arguments = ["key", "set", "--store", "dotenv", "--stdin", "--yes"];
    run_with_input(&sandbox, &arguments, KEY).expect(0);
    sandbox
}

#[test]
fn the_child_gets_the_key_its_status_is_ours_and_nothing_is_said() {
    let sandbox = with_key(&[COMPOSE]);
    let script = "echo ${#HONEYCOMB_API_KEY}; exit 7";
    let run = sandbox.run(&["run", "--", "sh", "-c", script]).expect(7);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("64\n", ""));
}

#[test]
fn no_other_secret_of_the_stores_is_handed_over() {
    let sandbox = with_key(&[COMPOSE, (".env", "AWS_SECRET_ACCESS_KEY=abc\nDB_PASSWORD=x\n")]);
    let run = sandbox.run(&["run", "--", "sh", "-c", "env | cut -d= -f1"]);
    assert_eq!(run.status, 0);
    assert!(!run.stdout.contains("AWS_SECRET") && !run.stdout.contains("DB_PASSWORD"));
}

#[test]
fn the_store_beats_an_older_value_of_the_shell_and_says_so_by_name() {
    let sandbox = with_key(&[COMPOSE]).with("HONEYCOMB_API_KEY", "an-older-key-of-this-shell");
    let run = sandbox.run(&["run", "--", "sh", "-c", "echo ${#HONEYCOMB_API_KEY}"]).expect(0);
    assert_eq!(run.stdout, "64\n");
    assert!(!run.stderr.contains("older-key"), "{}", run.stderr);
}

#[test]
fn a_signal_ends_the_child_and_us_alike() {
    use std::os::unix::process::ExitStatusExt;
    let sandbox = with_key(&[COMPOSE]);
    let mut command: Command = sandbox.command(&["run", "--", "sh", "-c", "kill -TERM $$"]);
    assert_eq!(command.status().unwrap().signal(), Some(15));
}

#[test]
fn a_command_that_is_not_there_is_named() {
    let sandbox = with_key(&[COMPOSE]);
    let run = sandbox.run(&["run", "--", "no-such-program-1"]).expect(127);
    assert!(run.stderr.contains("error[command-not-started]"), "{}", run.stderr);
}

#[test]
fn a_warning_about_two_services_is_printed_once() {
    for compose in [
        "services:\n  a: {image: x, env_file: gone.env}\n  b: {image: x, env_file: gone.env}\n",
        "services:\n  a: {image: x, env_file: [gone.env]}\n  b: {image: x, env_file: [{path: gone.env}]}\n  c: {image: x, env_file: gone.env}\n",
        "services:\n  a: {image: x, env_file: [gone.env, gone.env]}\n",
    ] {
        let run = with_key(&[("compose.yaml", compose)]).run(&["run", "--", "true"]).expect(0);
        let lines = run.stderr.lines().filter(|line| line.contains("gone.env")).count();
        assert_eq!(lines, 1, "{compose}{}", run.stderr);
    }
}

#[test]
fn a_project_that_names_no_key_gets_none() {
    let sandbox = with_key(&[("compose.yaml", "services:\n  api:\n    image: x\n")]);
    let run = sandbox.run(&["run", "--", "sh", "-c", "echo ${HONEYCOMB_API_KEY-unset}"]).expect(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("unset\n", ""));
}

#[test]
fn a_variable_of_an_exporters_headers_is_handed_over_too() {
    let compose = COMPOSE.1.replace("HONEYCOMB_API_KEY", "VENDOR_TOKEN");
    let sandbox = Sandbox::new(&[("compose.yaml", &compose), (".env", "VENDOR_TOKEN=abc\n")]);
    let run = sandbox.run(&["run", "--", "sh", "-c", "echo ${#VENDOR_TOKEN}"]).expect(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("3\n", ""));
}

#[test]
fn a_project_gives_no_child_a_variable_that_programs_obey() {
    const NAMES: [&str; 8] = [
        "BASH_ENV",
        "DOCKER_CONFIG",
        "DOCKER_HOST",
        "GIT_ASKPASS",
        "LD_PRELOAD",
        "NODE_OPTIONS",
        "PATH",
        "SSLKEYLOGFILE",
    ];
    for name in NAMES {
        let compose = COMPOSE.1.replace("HONEYCOMB_API_KEY", name);
        let env_file = format!("{name}=./evil\n");
        let sandbox = Sandbox::new(&[("compose.yaml", &compose), (".env", &env_file)]);
        let run = sandbox.run(&["run", "--", "/bin/sh", "-c", "/usr/bin/env"]).expect(0);
        assert!(!run.stdout.contains("evil"), "{name}: {}", run.stdout);
        assert_eq!(run.stderr, "", "{name}");
    }
}

#[test]
fn faults_that_compose_refuses_are_reported() {
    let compose = "services:\n  api:\n    image: x\n    env_file: gone.env\n";
    let sandbox = Sandbox::new(&[("compose.yaml", compose)]);
    let run = sandbox.run(&["run", "--", "true"]).expect(0);
    run.shows("run_refused_project");
}

#[test]
fn the_real_docker_compose_takes_what_is_stored_and_not_what_the_shell_has() {
    let Some(compose) = docker_compose() else {
        return;
    };
    let token = "it's-$HOME-\"q\"-\\n-#x";
    let text = "services:\n  api:\n    image: x\n    environment:\n      KEY: ${HONEYCOMB_API_KEY}\n      TOKEN: ${TOKEN}\n";
    let sandbox = with_key(&[("compose.yaml", text), (".env", "A=\"x\ny\" # c\nTOKEN=old\n")])
        .with("HONEYCOMB_API_KEY", "an-older-key-of-this-shell");
    let set = ["key", "set", "--variable", "TOKEN", "--store", "dotenv", "--stdin", "--yes"];
    run_with_input(&sandbox, &set, token).expect(0);
    let config = |command: &mut Command| {
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["services"]["api"]["environment"]
            .take()
    };
    let compose = compose.display().to_string();
    let under_run =
        config(&mut sandbox.command(&["run", "--", &compose, "config", "--format", "json"]));
    assert_eq!(under_run["KEY"], KEY);
    // `config` escapes dollars in what it prints.
    assert_eq!(under_run["TOKEN"], token.replace('$', "$$"));
}
