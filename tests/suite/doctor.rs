//! Doctor against files that people really wrote, with the findings a careful reader gave them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cruddur_ops::lint::{self, Finding, Role, Severity, Subject, Text};

/// The folder of real files, or why there is none.
fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"),
        PathBuf::from,
    );
    if folder.join("MANIFEST.tsv").exists() {
        return Some(folder);
    }
    println!("skipped: no corpus of real files in {}", folder.display());
    None
}

/// `code:line`, as in labels.tsv.
type Label = (String, usize);

fn labels() -> Vec<(PathBuf, BTreeSet<Label>)> {
    include_str!("../doctor/labels.tsv")
        .lines()
        .skip(1)
        .map(|line| {
            let (path, findings) = line.split_once('\t').unwrap();
            let findings = findings.split_whitespace().map(|label| {
                let (code, line) = label.split_once(':').unwrap();
                (code.to_owned(), line.parse().unwrap())
            });
            (PathBuf::from(path), findings.collect())
        })
        .collect()
}

fn read(path: &Path, name: PathBuf) -> Text {
    let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    Text { path: name, text }
}

/// A file of the history stands alone, under the name it had.
fn alone(corpus: &Path, path: &Path) -> (Subject, PathBuf) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let name = match name.rsplit("__").next().unwrap() {
        compose if compose.contains("compose") => PathBuf::from("docker-compose.yml"),
        other if other.contains("gitpod") => PathBuf::from(".gitpod.yml"),
        other => PathBuf::from(other),
    };
    let role = lint::role(&name).unwrap();
    let subject = Subject::read(vec![(role, read(&corpus.join(path), name.clone()))]);
    (subject, name)
}

/// A file of today stands in its repository: `cruddur/OWNER+REPO/PATH`.
fn together(corpus: &Path, path: &Path) -> (Subject, PathBuf) {
    let mut parts = path.components();
    let root: PathBuf = parts.by_ref().take(2).collect();
    let mut files = Vec::new();
    collect(&corpus.join(&root), &corpus.join(&root), &mut files);
    (Subject::read(files), parts.collect())
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(Role, Text)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_owned();
        if path.is_dir() {
            collect(root, &path, files);
        } else if let Some(role) = lint::role(&name) {
            files.push((role, read(&path, name)));
        }
    }
}

fn findings(corpus: &Path, path: &Path) -> Vec<Finding> {
    let (subject, name) = if path.starts_with("cruddur-history") {
        alone(corpus, path)
    } else {
        together(corpus, path)
    };
    let mut found = lint::examine(&subject);
    found.retain(|finding| finding.place.path == name);
    found
}

/// How often a rule was right, wrong, and silent.
#[derive(Default)]
struct Tally {
    right: usize,
    wrong: usize,
    missed: usize,
}

impl Tally {
    fn precision(&self) -> f64 {
        share(self.right, self.wrong)
    }

    fn recall(&self) -> f64 {
        share(self.right, self.missed)
    }
}

fn share(good: usize, bad: usize) -> f64 {
    if good + bad == 0 {
        1.0
    } else {
        good as f64 / (good + bad) as f64
    }
}

#[test]
fn strangers_files_get_no_error_that_a_careful_reader_did_not_agree_with() {
    let Some(corpus) = corpus() else { return };
    let agreed: BTreeSet<&str> = include_str!("../doctor/strangers.tsv")
        .lines()
        .skip(1)
        .filter_map(|line| line.split('\t').next())
        .collect();
    let mut disputed = Vec::new();
    for kind in ["compose", "compose-history", "gitpod", "gitpod-history"] {
        let mut files = Vec::new();
        below(&corpus.join(kind), &mut files);
        assert!(!files.is_empty(), "{kind}");
        for path in files {
            let path = path.strip_prefix(&corpus).unwrap();
            let (subject, _) = alone(&corpus, path);
            for finding in lint::examine(&subject) {
                let found = format!("{}:{}:{}", path.display(), finding.place.line, finding.code);
                if finding.severity == Severity::Error && !agreed.contains(found.as_str()) {
                    disputed.push(format!("{found}: {}", finding.message));
                }
            }
        }
    }
    assert_eq!(disputed, [] as [String; 0]);
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            below(&path, files);
        } else {
            files.push(path);
        }
    }
}

#[test]
fn doctor_agrees_with_a_careful_reader_of_real_files() {
    let Some(corpus) = corpus() else { return };
    let mut rules: BTreeMap<String, Tally> = BTreeMap::new();
    let mut false_errors = Vec::new();
    for (path, expected) in labels() {
        let found = findings(&corpus, &path);
        let mut got = BTreeSet::new();
        for finding in &found {
            let label = (finding.code.to_owned(), finding.place.line);
            let tally = rules.entry(label.0.clone()).or_default();
            if expected.contains(&label) {
                tally.right += 1;
            } else {
                tally.wrong += 1;
                println!(
                    "not expected: {} {}:{} {}",
                    path.display(),
                    label.0,
                    label.1,
                    finding.message
                );
                if finding.severity == Severity::Error {
                    false_errors.push((path.clone(), label.clone()));
                }
            }
            got.insert(label);
        }
        for missed in expected.difference(&got) {
            rules.entry(missed.0.clone()).or_default().missed += 1;
            println!("missed: {} {}:{}", path.display(), missed.0, missed.1);
        }
    }
    let mut overall = Tally::default();
    println!(
        "{:<24} {:>5} {:>5} {:>6} {:>9} {:>6}",
        "rule", "right", "wrong", "missed", "precision", "recall"
    );
    for (code, tally) in &rules {
        print(code, tally);
        overall.right += tally.right;
        overall.wrong += tally.wrong;
        overall.missed += tally.missed;
    }
    print("overall", &overall);
    assert_eq!(false_errors, []);
    assert!(
        overall.precision() >= 0.98,
        "precision {:.3}",
        overall.precision()
    );
    assert!(overall.recall() >= 0.95, "recall {:.3}", overall.recall());
}

fn print(code: &str, tally: &Tally) {
    println!(
        "{code:<24} {:>5} {:>5} {:>6} {:>9.3} {:>6.3}",
        tally.right,
        tally.wrong,
        tally.missed,
        tally.precision(),
        tally.recall()
    );
}
