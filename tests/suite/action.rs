//! `action.yml`: runs its script as GitHub does, with a release on a local file server.

use std::path::Path;
use std::process::{Command, Output};

use crate::install::{Machine, root};
use crate::sandbox::KEY;

/// A workflow step that uses the action.
struct Step<'a> {
    /// `uses: me/ops@REF`
    reference: &'a str,
    /// The place of the release on the server; passed as the input `from` unless something else leads there.
    released: &'a str,
    from: bool,
    strict: &'a str,
    sarif: &'a str,
}

const PLAIN: Step =
    Step { reference: "main", released: "", from: true, strict: "false", sarif: "false" };

/// Replaces GitHub's expressions in `text`, as a runner does.
fn evaluated(text: &str, values: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("${{{{ {name} }}}}"), value);
    }
    assert!(!text.contains("${{"), "{text}");
    text
}

/// Runs the action's script in a folder with this compose file.
fn action(compose: &str, step: &Step) -> Output {
    action_and_log(compose, step).0
}

/// Runs the action and also returns the log for code scanning.
fn action_and_log(compose: &str, step: &Step) -> (Output, Option<String>) {
    let machine = Machine::new();
    machine.moves(step.released);
    let text = std::fs::read_to_string(root().join("action.yml")).unwrap();
    let action: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    let steps = action["runs"]["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 2);
    let project = machine.folder.path().join("checkout/project");
    std::fs::create_dir_all(&project).unwrap();
    std::fs::create_dir(project.parent().unwrap().join(".git")).unwrap();
    std::fs::write(project.join("docker-compose.yml"), compose).unwrap();
    let (server, temporary) =
        (machine.served.url(), machine.folder.path().join("temporary").display().to_string());
    let values = [
        ("inputs.from", if step.from { server.as_str() } else { "" }),
        ("inputs.directory", "project"),
        ("inputs.strict", step.strict),
        ("inputs.sarif", step.sarif),
        ("github.server_url", server.as_str()),
        ("github.action_repository", "me/ops"),
        ("github.server_url == 'https://github.com' && github.token || ''", "ghs_token"),
        ("github.action_ref", step.reference),
        ("runner.temp", temporary.as_str()),
    ];
    let variables = steps[0]["env"].as_object().unwrap().iter();
    let variables =
        variables.map(|(name, value)| (name, evaluated(value.as_str().unwrap(), &values)));
    let output = Command::new("bash")
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c"])
        .arg(evaluated(steps[0]["run"].as_str().unwrap(), &[]))
        .current_dir(project.parent().unwrap())
        .env_clear()
        .env("PATH", machine.path())
        .env("HOME", machine.folder.path().join("home"))
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_ACTION_PATH", root())
        .envs(variables)
        .env("HONEYCOMB_API_KEY", KEY)
        .output()
        .unwrap();
    (output, std::fs::read_to_string(Path::new(&temporary).join("cruddur-ops/doctor.sarif")).ok())
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
    let output = action(TYPO, &PLAIN);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said.contains("::error file=project/docker-compose.yml,line=7"), "{said}");
}

#[test]
fn a_setup_without_mistakes_passes_even_strictly() {
    let right = TYPO.replace("OTLP_HEADER:", "OTLP_HEADERS:");
    let output = action(&right, &Step { strict: "true", ..PLAIN });
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn each_ref_gets_the_release_it_names() {
    let version = concat!("download/v", env!("CARGO_PKG_VERSION"));
    let commit = "0123456789abcdef0123456789abcdef01234567";
    for (reference, released) in [
        ("v7.8.9", "download/v7.8.9"),
        ("v7.8.9-rc.1", "download/v7.8.9-rc.1"),
        (commit, version),
        ("v7", version),
        ("main", "latest/download"),
        (&commit[..39], "latest/download"),
    ] {
        let released = format!("me/ops/releases/{released}");
        let step = Step { reference, released: &released, from: false, ..PLAIN };
        let output = action(TYPO, &step);
        assert_eq!(output.status.code(), Some(1), "{reference}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("::error file="), "{reference}");
    }
}

#[test]
fn code_scanning_gets_a_log_although_there_are_findings() {
    let text = std::fs::read_to_string(root().join("action.yml")).unwrap();
    let action: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    let upload = &action["runs"]["steps"][1];
    let file = upload["with"]["sarif_file"].as_str().unwrap();
    assert_eq!(file, "${{ runner.temp }}/cruddur-ops/doctor.sarif");
    for (sarif, is_there) in [("true", true), ("false", false)] {
        let (output, log) = action_and_log(TYPO, &Step { sarif, ..PLAIN });
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(log.is_some(), is_there);
        if let Some(log) = log {
            let log: serde_json::Value = serde_json::from_str(&log).unwrap();
            assert_eq!(log["runs"][0]["results"][0]["ruleId"], "env-near-miss");
        }
    }
}
