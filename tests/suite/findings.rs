//! `doctor` in pipelines: which findings are omitted, and the formats of the others.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::sandbox::{KEY, Run, Sandbox, tool};

/// Creates a project with an error, a warning, a secret and a public database port.
fn project() -> Sandbox {
    let compose = format!(
        "services:\n  api:\n    build: .\n    environment:\n      OTEL_SERVICE_NAME: api\n      \
         OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n      \
         OTEL_EXPORTER_OTLP_HEADER: x-honeycomb-team=${{HONEYCOMB_API_KEY}}\n      KEY: {KEY}\n    \
         ports: ['4567:4567']\n  db:\n    image: postgres\n    ports: ['5432:5432']\n"
    );
    let gitpod = "ports:\n  - port: 5432\n    visibility: public\n";
    Sandbox::new(&[("docker-compose.yml", &compose), (".gitpod.yml", gitpod)])
}

fn codes(run: &Run) -> Vec<String> {
    let document = run.json();
    let findings = document["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_argument_silences_any_rule_and_a_file_only_harmless_ones() {
    let sandbox = project();
    let all = codes(&sandbox.run(&["doctor", "--json"]).expect(1));
    for code in ["env-near-miss", "port-not-configured", "port-database-public"] {
        assert!(all.iter().any(|have| have == code), "{code}: {all:?}");
    }
    let run = sandbox.run(&["doctor", "--json", "--ignore", "port-database-public"]).expect(1);
    assert!(!codes(&run).contains(&"port-database-public".to_owned()));
    assert_eq!(run.json()["silenced"], 1);
    sandbox.write(".cruddur-ops.toml", "[doctor]\nignore = [\"port-not-configured\"]\n");
    let run = sandbox.run(&["doctor", "--json"]).expect(1);
    assert!(!codes(&run).contains(&"port-not-configured".to_owned()));
    assert_eq!(codes(&run).len(), all.len() - 1);
    let text = sandbox.run(&["doctor"]).expect(1).stdout;
    assert!(text.contains("1 ignored by .cruddur-ops.toml"), "{text}");
    for code in ["port-database-public", "secret-literal", "endpoint-unreachable"] {
        sandbox.write(".cruddur-ops.toml", &format!("[doctor]\nignore = [\"{code}\"]\n"));
        assert_eq!(
            sandbox.run(&["doctor", "--json"]).expect(2).json()["error"]["code"],
            "config-invalid"
        );
    }
}

#[test]
fn less_severe_findings_are_omitted() {
    let sandbox = project();
    for (least, severities) in [("error", vec!["error"]), ("warning", vec!["error", "warning"])] {
        let run = sandbox.run(&["doctor", "--json", "--min-severity", least]).expect(1);
        let document = run.json();
        let findings = document["findings"].as_array().unwrap();
        assert!(!findings.is_empty());
        let is_asked_for =
            |finding: &Value| severities.iter().any(|one| finding["severity"] == *one);
        assert!(findings.iter().all(is_asked_for), "{findings:?}");
    }
}

#[test]
fn a_project_with_only_less_severe_findings_is_not_said_to_have_none() {
    let sandbox = Sandbox::new(&[
        ("compose.yaml", "services:\n  api:\n    image: x\n    ports: [\"3000:3000\"]\n"),
        (".gitpod.yml", "tasks: []\n"),
    ]);
    let text = sandbox.run(&["doctor", "--min-severity", "error"]).expect(0).stdout;
    assert!(text.contains("; 1 hidden by `--min-severity`"), "{text}");
}

#[test]
fn every_rule_is_listed_and_an_unknown_one_is_answered_with_the_nearest() {
    let sandbox = Sandbox::new(&[]);
    let rules = sandbox.run(&["doctor", "--list", "--json"]).expect(0).json();
    let listed = rules["rules"].as_array().unwrap().len();
    assert_eq!(listed, cruddur_ops::lint::RULES.len());
    for arguments in
        [["doctor", "--explain", "env-near-mis"], ["doctor", "--ignore", "env-near-mis"]]
    {
        let sandbox = project();
        let error = sandbox.run(&[&arguments[..], &["--json"]].concat()).expect(2).json();
        assert_eq!(error["error"]["code"], "unknown-rule");
        let hints = error["error"]["hints"].to_string();
        assert!(hints.contains("env-near-miss") && hints.contains("--list"), "{hints}");
    }
}

#[test]
fn the_formats_say_the_same() {
    let sandbox = project();
    let findings = codes(&sandbox.run(&["doctor", "--json"]).expect(1));
    assert_eq!(codes(&sandbox.run(&["doctor", "--format", "json"]).expect(1)), findings);
    let github = sandbox.run(&["doctor", "--format", "github"]).expect(1).stdout;
    assert_eq!(github.lines().count(), findings.len());
    assert!(
        github.lines().all(|line| line.starts_with("::") && line.contains("file=")),
        "{github}"
    );
    let log = sandbox.run(&["doctor", "--format", "sarif"]).expect(1);
    let results = log.json()["runs"][0]["results"].clone();
    let rules: Vec<&str> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["ruleId"].as_str().unwrap())
        .collect();
    assert_eq!(rules, findings);
    assert!(!log.stdout.contains(KEY) && !github.contains(KEY));
}

/// Returns the folder where `tests/tools/sarif.sh` puts the schema and its validators, or the reason to skip.
fn tools() -> Option<PathBuf> {
    let schema = tool("sarif/schema.json", "sarif.sh")?;
    schema.parent().map(Path::to_owned)
}

#[test]
fn the_log_is_what_the_schema_of_sarif_asks_for() {
    let Some(tools) = tools() else { return };
    let sandbox = project();
    let judge = |log: &Value| {
        sandbox.write("log.sarif", &log.to_string());
        let judged = Command::new(tools.join("python/bin/python"))
            .args(["-m", "jsonschema", "-i"])
            .arg(sandbox.path("log.sarif"))
            .arg(tools.join("schema.json"))
            .output()
            .unwrap();
        judged.status.success()
    };
    let mut log = sandbox.run(&["doctor", "--format", "sarif"]).expect(1).json();
    assert!(judge(&log));
    log["runs"][0]["results"][0]["level"] = json!("fatal");
    assert!(!judge(&log), "the judge takes anything");
}

#[test]
fn a_pre_commit_hook_stops_a_commit_with_an_error() {
    let Some(tools) = tools() else { return };
    let sandbox = project();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        let done = Command::new("git")
            .args(identity)
            .args(arguments)
            .current_dir(sandbox.path("."))
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    let hooks = Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml");
    let hooks: Value = serde_yaml::from_str(&std::fs::read_to_string(hooks).unwrap()).unwrap();
    let config = json!({"repos": [{"repo": "local", "hooks": hooks}]});
    sandbox.write(".pre-commit-config.yaml", &config.to_string());
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    let program = crate::sandbox::program().parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let commit = || {
        Command::new(tools.join("python/bin/python"))
            .args(["-m", "pre_commit", "run", "--all-files"])
            .current_dir(sandbox.path("."))
            .env("PATH", &path)
            .env("HOME", sandbox.home())
            .env("PRE_COMMIT_HOME", sandbox.home().join("pre-commit"))
            .output()
            .unwrap()
    };
    let refused = commit();
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(!refused.status.success() && said.contains("env-near-miss"), "{refused:?}");
    let clean = "services:\n  db:\n    image: postgres\n";
    sandbox.write("docker-compose.yml", clean);
    sandbox.write(".gitpod.yml", "image: mine\n");
    git(&["add", "."]);
    assert!(commit().status.success());
}
