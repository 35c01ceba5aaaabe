//! Checks every rule against its own examples.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::edit::patch;
use crate::project::Project;
use crate::session::collect::inspect_project;
use crate::shell::Shell;

/// Reads these files from a temporary folder. Names in brackets state facts from outside: `NAME STANDPOINT`, `NAME
/// STORE`, `PATH`.
fn inspect_files(files: &[(PathBuf, String)]) -> Inspection {
    let folder = tempfile::tempdir().unwrap();
    let is_outside = |path: &Path| path.to_string_lossy().starts_with('(');
    for (path, text) in files.iter().filter(|(path, _)| !is_outside(path)) {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let shell = Shell::new([], folder.path().to_owned());
    let project = Project::discover(&shell, None)
        .or_else(|_| Project::without_compose(&shell, None))
        .unwrap();
    let mut inspection = inspect_project(&project).unwrap();
    for (path, text) in files.iter().filter(|(path, _)| is_outside(path)) {
        let outside = inspection.outside.get_or_insert_default();
        for line in text.lines() {
            let (name, state) = line.split_once(' ').unwrap_or((line, ""));
            let status = match state {
                "empty" => ShellVariableStatus::Empty,
                "stale" => ShellVariableStatus::Stale,
                "wrong" => ShellVariableStatus::WrongKey,
                "not-loaded" => ShellVariableStatus::NotLoaded,
                _ => ShellVariableStatus::Set,
            };
            match path.to_str().unwrap() {
                "(shell)" if state == "temporary" => outside.temporary_keys = true,
                "(shell)" if state.starts_with("for ") => {
                    drop(outside.misspelt.insert(state[4..].to_owned(), name.to_owned()));
                }
                "(shell)" => drop(outside.shell.insert(name.to_owned(), status)),
                "(store)" => drop(outside.stored.insert(name.to_owned(), state.to_owned())),
                _ => {
                    let tracked = state == "tracked";
                    let status =
                        if tracked { KeyFileStatus::Tracked } else { KeyFileStatus::Untracked };
                    inspection.git.insert(name.into(), status);
                }
            }
        }
    }
    inspection
}

fn own_example(example: RuleExample) -> Vec<(PathBuf, String)> {
    example.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect()
}

/// Marks the lines of a failing example that the rule must report.
const MARK: &str = "# <-";

fn list_marks(files: &[(PathBuf, String)]) -> Vec<(PathBuf, usize)> {
    let mut lines: Vec<_> = files
        .iter()
        .flat_map(|(path, text)| {
            text.lines()
                .enumerate()
                .filter(|(_, line)| line.trim_end().ends_with(MARK))
                .map(|(at, _)| (path.clone(), at + 1))
        })
        .collect();
    lines.sort();
    lines
}

fn find_by_rule(files: &[(PathBuf, String)], code: &str) -> Vec<LintFinding> {
    examine(&inspect_files(files)).into_iter().filter(|finding| finding.code == code).collect()
}

fn apply_fixes(files: &[(PathBuf, String)], findings: &[LintFinding]) -> Vec<(PathBuf, String)> {
    let mut patches: BTreeMap<PathBuf, Vec<_>> = BTreeMap::new();
    for fix in findings.iter().filter_map(|finding| finding.fix.as_ref()) {
        // The temporary folder is gone, but its path is still part of the file names.
        let path = fix.path.components().skip(temporary_parts()).collect();
        patches.entry(path).or_default().extend(fix.patches.clone());
    }
    let mut files = files.to_vec();
    for (path, patches) in patches {
        if !files.iter().any(|(known, _)| *known == path) {
            files.push((path.clone(), String::new()));
        }
        let (_, text) = files.iter_mut().find(|(known, _)| *known == path).unwrap();
        *text = patch::apply(text, &patches).unwrap();
    }
    if files.iter().any(|(path, _)| path == Path::new(".gitignore")) {
        files.retain(|(path, _)| path != Path::new("(git)"));
    }
    files
}

/// Returns the number of components in the path of a temporary folder.
fn temporary_parts() -> usize {
    std::env::temp_dir().components().count() + 1
}

#[test]
fn every_rule_finds_its_failing_example_where_it_is_marked() {
    let mut wrong = Vec::new();
    for rule in RULES {
        let files = own_example(rule.failing);
        let lines: Vec<_> = find_by_rule(&files, rule.code)
            .into_iter()
            .map(|finding| (finding.place.path, finding.place.line))
            .collect();
        if lines != list_marks(&files) || lines.is_empty() {
            wrong.push((rule.code, lines));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_rule_finds_anything_in_a_passing_example() {
    let mut wrong = Vec::new();
    for rule in RULES {
        let mut findings = examine(&inspect_files(&own_example(rule.passing)));
        // An example shows only its rule's defect, and may lack an image.
        findings.retain(|finding| finding.code != "compose-refused" || finding.code == rule.code);
        wrong
            .extend(findings.into_iter().map(|finding| (rule.code, finding.code, finding.message)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_fixed_example_is_clean() {
    for rule in RULES {
        let files = own_example(rule.failing);
        let findings = find_by_rule(&files, rule.code);
        if findings.iter().all(|finding| finding.fix.is_none()) {
            continue;
        }
        let after = apply_fixes(&files, &findings);
        let remaining: Vec<_> = find_by_rule(&after, rule.code)
            .into_iter()
            .filter(|finding| finding.fix.is_some())
            .collect();
        assert!(remaining.is_empty(), "{}: {remaining:?}\n{after:?}", rule.code);
        assert!(inspect_files(&after).broken.is_empty(), "{}: {after:?}", rule.code);
    }
}

#[test]
fn a_comment_on_the_marked_line_silences_every_rule() {
    for rule in RULES {
        let mut files = own_example(rule.failing);
        if matches!(rule.code, "yaml-syntax") {
            continue;
        }
        for (_, text) in &mut files {
            *text = text.replace(MARK, &format!("# cruddur-ops: ignore {}", rule.code));
        }
        assert_eq!(find_by_rule(&files, rule.code), [], "{}", rule.code);
    }
}

#[test]
fn codes_are_distinct_and_texts_are_written() {
    let mut codes: Vec<_> = RULES.iter().map(|rule| rule.code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), RULES.len());
    for rule in RULES {
        assert!(!rule.why.ends_with('.') && rule.why.len() > 20, "{}", rule.code);
        assert!(rule.explanation.len() > 80, "{}", rule.code);
    }
}

#[test]
fn a_collector_configuration_is_read_as_yaml() {
    let compose = "services:\n  redis: {image: redis}\n  otel-collector:\n    image: otel/opentelemetry-collector-contrib:0.119.0\n    volumes: [\"./collector.yaml:/etc/otelcol-contrib/config.yaml\"]\n";
    for (config, lines) in [
        ("receivers: {otlp: {protocols: {grpc: {endpoint: 'redis:4317'}}}}\n", &[1][..]),
        ("receivers:\n  jaeger:\n    protocols:\n      grpc: {\"endpoint\": redis:14250}\n", &[4]),
        ("receivers:\n  jaeger:\n    remote_sampling:\n      endpoint: redis:14250\n", &[]),
        ("receivers:\n  'zipkin/a':\n    endpoint: &at redis:9411\n", &[3]),
        ("exporters: {debug: , logging/a: {}}\n", &[1]),
        ("exporters:\n  debug:\n    logging: true\n", &[]),
        ("exporters:\n  otlphttp:\n    headers: {x: 'a #${env:A}', y: b} # ${env:B}\n", &[3]),
        ("exporters: {otlphttp: {headers: {x: '$${env:A}'}}}\n", &[]),
    ] {
        let files = [("compose.yaml", compose), ("collector.yaml", config)]
            .map(|(path, text)| (PathBuf::from(path), text.to_owned()));
        let found = find_by_rule(&files, "collector-config");
        assert_eq!(found.iter().map(|hit| hit.place.line).collect::<Vec<_>>(), lines, "{config}");
    }
}

#[test]
fn a_mounted_dotenv_may_be_loaded() {
    for (path, mount, is_reported) in [
        (".env", "./.env:/app/.env", false),
        (".env", ".:/app", false),
        ("api/.env", ".:/app", false),
        (".env", "./api:/app", true),
        (".env", "./.env.example:/app/.env", true),
    ] {
        let compose = format!("services:\n  api:\n    build: ./api\n    volumes: [\"{mount}\"]\n");
        let files = [
            ("compose.yaml", compose.as_str()),
            (path, "OTEL_SERVICE_NAME=api\n"),
            ("api/app.py", "import os\n"),
            (".env.example", "A=b\n"),
        ]
        .map(|(path, text)| (PathBuf::from(path), text.to_owned()));
        let found = find_by_rule(&files, "name-in-shell");
        assert_eq!(!found.is_empty(), is_reported, "{path} {mount}");
    }
}

#[test]
fn a_package_counts_only_where_package_json_lists_it() {
    let script = "import { trace } from '@opentelemetry/sdk-trace-web'\n";
    for (manifest, is_missing) in [
        (r#"{"dependencies": {"@opentelemetry/sdk-trace-web": "1"}}"#, false),
        (r#"{"peerDependencies": {"@opentelemetry/sdk-trace-web": "1"}}"#, false),
        (r#"{"keywords": ["@opentelemetry/sdk-trace-web"]}"#, true),
        (r#"{"description": "\"@opentelemetry/auto-instrumentations-web\""}"#, true),
        (r#"{"dependencies": {"@opentelemetry/sdk-node": "1"}}"#, true),
        ("{", false),
    ] {
        let files = [
            ("compose.yaml", "services:\n  web: {build: ./web}\n"),
            ("web/package.json", manifest),
            ("web/src/tracing.js", script),
        ]
        .map(|(path, text)| (PathBuf::from(path), text.to_owned()));
        let found = find_by_rule(&files, "package-missing");
        assert_eq!(!found.is_empty(), is_missing, "{manifest}");
    }
}

#[test]
fn a_port_that_a_service_sends_to_is_reported_once() {
    let config = "receivers: {otlp: {protocols: {http: {endpoint: \"localhost:4318\"}}}}\nexporters: {debug: {}}\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n";
    for (address, code) in [
        ("http://otel-collector:4318", "endpoint-unreachable"),
        ("http://telemetry:4318", "endpoint-unreachable"),
        ("http://named:4318", "endpoint-unreachable"),
        ("http://my-otel-collector:4318", "collector-config"),
    ] {
        let compose = format!(
            "services:\n  api:\n    image: example/api\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: {address}\n  my-otel-collector: {{image: example/other}}\n  otel-collector:\n    image: otel/opentelemetry-collector-contrib:0.119.0\n    container_name: named\n    networks: {{default: {{aliases: [telemetry]}}}}\n    ports: [\"4318:4318\"]\n    volumes: [\"./collector.yaml:/etc/otelcol-contrib/config.yaml\"]\n"
        );
        let files = [("compose.yaml", compose.as_str()), ("collector.yaml", config)]
            .map(|(path, text)| (PathBuf::from(path), text.to_owned()));
        let found: Vec<&str> = ["collector-config", "endpoint-unreachable"]
            .into_iter()
            .filter(|code| !find_by_rule(&files, code).is_empty())
            .collect();
        assert_eq!(found, [code], "{address}");
    }
}
