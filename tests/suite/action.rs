//! `action.yml`: its script, run as GitHub runs it, on a release of a local file server.

use std::process::{Command, Output};

use crate::install::{Machine, root};
use crate::sandbox::KEY;

/// Runs the action's script in a folder with this compose file.
fn action(compose: &str, strict: &str) -> Output {
    let machine = Machine::new();
    let text = std::fs::read_to_string(root().join("action.yml")).unwrap();
    let action: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    let steps = action["runs"]["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 1);
    let project = machine.folder.path().join("checkout/project");
    std::fs::create_dir_all(&project).unwrap();
    std::fs::create_dir(project.parent().unwrap().join(".git")).unwrap();
    std::fs::write(project.join("docker-compose.yml"), compose).unwrap();
    Command::new("bash")
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c"])
        .arg(steps[0]["run"].as_str().unwrap())
        .current_dir(project.parent().unwrap())
        .env_clear()
        .env("PATH", machine.path())
        .env("HOME", machine.folder.path().join("home"))
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_ACTION_PATH", root())
        .env("FROM", machine.served.url())
        .env("PROGRAMS", machine.folder.path().join("programs"))
        .env("DIRECTORY", "project")
        .env("STRICT", strict)
        .env("HONEYCOMB_API_KEY", KEY)
        .output()
        .unwrap()
}

const TYPO: &str = "services:
  backend:
    build: .
    environment:
      OTEL_SERVICE_NAME: backend
      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io
      OTEL_EXPORTER_OTLP_HEADER: x-honeycomb-team=${HONEYCOMB_API_KEY}
";

#[test]
fn a_mistake_fails_the_job_at_its_line() {
    let output = action(TYPO, "false");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said.contains("::error file=project/docker-compose.yml,line=7"), "{said}");
}

#[test]
fn a_setup_without_mistakes_passes_even_strictly() {
    let right = TYPO.replace("OTLP_HEADER:", "OTLP_HEADERS:");
    let output = action(&right, "true");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}
