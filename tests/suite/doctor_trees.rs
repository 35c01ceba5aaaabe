//! Doctor on whole labelled projects: the precision of each rule, and the result of `--fix`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::compose_oracle::docker_compose;
use crate::doctor::{Tally, print_tallies};
use crate::sandbox::Sandbox;

/// A labelled project, described by a file in `tests/doctor/trees`.
pub struct LabelledTree {
    pub name: String,
    pub files: Vec<(String, String)>,
    /// Files that are committed although `.gitignore` names them.
    tracked: Vec<String>,
    shell: Vec<(String, String)>,
    labels: Vec<TreeLabel>,
    /// The other lines of its head, as a word and the rest: the expected output of `init` and `verify`.
    pub expected: Vec<(String, String)>,
}

/// A defect: its line, its code, and its severity if the label has one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TreeLabel {
    path: String,
    line: usize,
    code: String,
    severity: Option<String>,
}

impl LabelledTree {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut tree = Self {
            name,
            files: Vec::new(),
            tracked: Vec::new(),
            shell: Vec::new(),
            labels: Vec::new(),
            expected: Vec::new(),
        };
        for line in text.lines() {
            let begins = line.strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --"));
            match begins {
                Some(path) => tree.files.push((path.to_owned(), String::new())),
                None if tree.files.is_empty() => tree.read_head(line),
                None => tree.read_line(line),
            }
        }
        tree
    }

    fn read_head(&mut self, line: &str) {
        let (word, rest) = line.split_once(": ").unwrap_or_else(|| panic!("{}: {line}", self.name));
        match word {
            "origin" => {}
            "tracked" => self.tracked.push(rest.to_owned()),
            "shell" => {
                let (name, value) = rest.split_once('=').unwrap();
                self.shell.push((name.to_owned(), value.to_owned()));
            }
            "provider" | "init" | "says" | "writes" | "verify" => {
                self.expected.push((word.to_owned(), rest.to_owned()));
            }
            _ => panic!("{}: {line}", self.name),
        }
    }

    fn read_line(&mut self, line: &str) {
        let (path, text) = self.files.last_mut().unwrap();
        let (own, labels) = line.split_once(" #@ ").unwrap_or((line, ""));
        text.push_str(own);
        text.push('\n');
        let number = text.lines().count();
        self.labels.extend(labels.split_whitespace().map(|label| {
            let (code, severity) = label
                .split_once('/')
                .map_or((label, None), |(code, severity)| (code, Some(severity)));
            TreeLabel {
                path: path.clone(),
                line: number,
                code: code.to_owned(),
                severity: severity.map(str::to_owned),
            }
        }));
    }

    /// Creates the project in a git repository with all of its files except ignored ones.
    pub fn lay_out(&self) -> Sandbox {
        let files: Vec<(&str, &str)> =
            self.files.iter().map(|(path, text)| (&**path, &**text)).collect();
        let mut sandbox = Sandbox::new(&files);
        let mut commands = vec![vec!["init", "--quiet"], vec!["add", "."]];
        commands.extend(self.tracked.iter().map(|path| vec!["add", "--force", path]));
        for arguments in commands {
            let done = Command::new("git")
                .args(&arguments)
                .current_dir(sandbox.project())
                .env("HOME", sandbox.home())
                .output()
                .unwrap();
            assert!(done.status.success(), "{}: {done:?}", self.name);
        }
        if self.shell.is_empty() {
            sandbox = sandbox.with("CI", "true");
        }
        for (name, value) in &self.shell {
            sandbox = sandbox.with(name, value);
        }
        sandbox
    }
}

/// Returns every labelled project, ordered by name.
pub fn labelled_trees() -> Vec<LabelledTree> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doctor/trees");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| LabelledTree::read(path)).collect()
}

fn text(finding: &Value, field: &str) -> String {
    finding[field].as_str().unwrap().to_owned()
}

/// Returns a finding in the form of a label.
fn label_of(finding: &Value) -> TreeLabel {
    TreeLabel {
        path: text(finding, "path"),
        line: finding["line"].as_u64().unwrap() as usize,
        code: text(finding, "code"),
        severity: Some(text(finding, "severity")),
    }
}

fn findings(tree: &LabelledTree, sandbox: &Sandbox) -> Vec<Value> {
    let document = sandbox.run(&["doctor", "--json"]).json();
    let findings = document["findings"].as_array();
    findings.unwrap_or_else(|| panic!("{}: {document:#}", tree.name)).clone()
}

/// Returns whether a label matches this finding; a label without a severity matches any.
fn is_label_of(label: &TreeLabel, found: &TreeLabel) -> bool {
    (&label.path, label.line, &label.code) == (&found.path, found.line, &found.code)
        && label.severity.as_ref().is_none_or(|one| found.severity.as_ref() == Some(one))
}

#[test]
fn doctor_agrees_with_an_expert_on_whole_trees() {
    let mut rules: BTreeMap<String, Tally> = BTreeMap::new();
    let mut false_errors = Vec::new();
    let trees = labelled_trees();
    let clean = trees.iter().filter(|tree| tree.labels.is_empty()).count();
    for tree in &trees {
        let mut seen = BTreeSet::new();
        for finding in findings(tree, &tree.lay_out()) {
            let found = label_of(&finding);
            if !seen.insert((found.path.clone(), found.line, found.code.clone())) {
                continue;
            }
            let tally = rules.entry(found.code.clone()).or_default();
            if tree.labels.iter().any(|label| is_label_of(label, &found)) {
                tally.right += 1;
                continue;
            }
            tally.wrong += 1;
            let place = format!("{} {}:{} {}", tree.name, found.path, found.line, found.code);
            println!(
                "not expected: {place} ({}): {}",
                text(&finding, "severity"),
                text(&finding, "message")
            );
            if found.severity.as_deref() == Some("error") {
                false_errors.push(place);
            }
        }
        for label in &tree.labels {
            if !seen.contains(&(label.path.clone(), label.line, label.code.clone())) {
                rules.entry(label.code.clone()).or_default().missed += 1;
                println!("missed: {} {}:{} {}", tree.name, label.path, label.line, label.code);
            }
        }
    }
    let overall = print_tallies(&rules);
    println!("{} trees, {clean} of them without a defect", trees.len());
    assert!(trees.len() >= 60 && clean >= 10);
    assert_eq!(false_errors, [] as [String; 0]);
    assert!(overall.precision() >= 0.98, "precision {:.3}", overall.precision());
    assert!(overall.recall() >= 0.95, "recall {:.3}", overall.recall());
}

/// Returns whether the real Docker Compose loads the project.
fn is_accepted(program: &Path, sandbox: &Sandbox) -> bool {
    let done = Command::new(program)
        .args(["config", "--quiet"])
        .current_dir(sandbox.project())
        .env_clear()
        .output()
        .unwrap();
    done.status.success()
}

/// Returns the modules of a project that Python compiles.
fn compiled_modules(tree: &LabelledTree, sandbox: &Sandbox) -> BTreeSet<String> {
    let modules = tree.files.iter().map(|(path, _)| path).filter(|path| path.ends_with(".py"));
    let compiles = |path: &str| {
        let source = sandbox.path(path);
        let program = "import sys; compile(open(sys.argv[1]).read(), sys.argv[1], 'exec')";
        let done = Command::new("python3").args(["-c", program]).arg(source).output();
        done.is_ok_and(|done| done.status.success())
    };
    modules.filter(|path| compiles(path)).cloned().collect()
}

#[test]
fn fix_makes_every_repair_of_a_tree_and_undo_takes_each_back() {
    let compose = docker_compose();
    let mut repaired = 0;
    for tree in labelled_trees() {
        let sandbox = tree.lay_out();
        let name = &tree.name;
        let before = findings(&tree, &sandbox);
        let is_fixable = |finding: &&Value| finding["fixable"] == true;
        let accepted = compose.as_deref().map(|program| is_accepted(program, &sandbox));
        let compiled = compiled_modules(&tree, &sandbox);
        let run = sandbox.run(&["doctor", "--fix", "--yes", "--json"]);
        let document = run.json();
        if document["error"].is_object() {
            assert_eq!(document["error"]["code"], "no-compose-file", "{name}");
            continue;
        }
        let is_planned = before.iter().any(|finding| is_fixable(&finding));
        assert_eq!(document["applied"], is_planned, "{name}: {}", run.stdout);
        let left = findings(&tree, &sandbox);
        assert_eq!(document["findings"], Value::from(left.clone()), "{name}");
        assert_eq!(left.iter().find(is_fixable), None, "{name}");
        for finding in before.iter().filter(is_fixable) {
            let (code, path) = (&finding["code"], &finding["path"]);
            let count = |findings: &[Value]| {
                findings.iter().filter(|one| one["code"] == *code && one["path"] == *path).count()
            };
            assert!(count(&left) < count(&before), "{name}: {finding:#}");
        }
        if let (Some(true), Some(program)) = (accepted, compose.as_deref()) {
            assert!(is_accepted(program, &sandbox), "{name}: docker compose refuses the result");
        }
        assert!(compiled.is_subset(&compiled_modules(&tree, &sandbox)), "{name}");
        if is_planned {
            repaired += 1;
            sandbox.run(&["undo", "--yes"]).expect(0);
        }
        for (path, text) in &tree.files {
            assert_eq!(sandbox.read(path), *text, "{name}: {path}");
        }
    }
    assert!(repaired >= 20, "{repaired}");
}
