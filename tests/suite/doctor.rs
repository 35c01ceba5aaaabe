//! Doctor on real files of public repositories, compared with a careful reader's findings.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use cruddur_ops::lint;
use serde_json::Value;

use crate::fake_honeycomb::{Honeycomb, Key};
use crate::sandbox::{KEY, Sandbox};
use crate::verify;

/// Returns the folder of real files, or the reason to skip.
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

/// A finding of doctor under `--json`.
struct Found {
    path: PathBuf,
    line: usize,
    code: String,
    severity: String,
    message: String,
}

/// Returns doctor's findings in a separate folder with these files, without shell, stores and git.
///
/// Files that a compose file refers to are not in the corpus, so what docker compose refuses is left out.
fn examined(files: &[(PathBuf, Vec<u8>)]) -> Vec<Found> {
    let sandbox = Sandbox::new(&[]).with("CI", "true");
    for (path, bytes) in files {
        let path = sandbox.path(path.to_str().unwrap());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, String::from_utf8_lossy(bytes).as_bytes()).unwrap();
    }
    let document = sandbox.run(&["doctor", "--json"]).json();
    let findings = document["findings"].as_array().unwrap_or_else(|| panic!("{document:#}"));
    let text = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
    let found = findings.iter().map(|one| Found {
        path: text(one, "path").into(),
        line: one["line"].as_u64().unwrap() as usize,
        code: text(one, "code"),
        severity: text(one, "severity"),
        message: text(one, "message"),
    });
    found.filter(|one| one.code != "compose-refused").collect()
}

/// Checks a file from the history alone in a project, under its old name.
fn alone(corpus: &Path, path: &Path) -> (Vec<Found>, PathBuf) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let name = match name.rsplit("__").next().unwrap() {
        compose if compose.contains("compose") => PathBuf::from("docker-compose.yml"),
        other if other.contains("gitpod") => PathBuf::from(".gitpod.yml"),
        other => PathBuf::from(other),
    };
    let bytes = std::fs::read(corpus.join(path)).unwrap();
    (examined(&[(name.clone(), bytes)]), name)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_owned();
            files.push((name, std::fs::read(&path).unwrap()));
        }
    }
}

/// Returns the findings in each labelled file. A current file is checked in its repository:
/// `cruddur/OWNER+REPO/PATH`.
fn findings(corpus: &Path, paths: &[&PathBuf]) -> HashMap<PathBuf, Vec<Found>> {
    let mut all: HashMap<PathBuf, Vec<Found>> = HashMap::new();
    let mut repositories: HashMap<PathBuf, Vec<Found>> = HashMap::new();
    for path in paths {
        if path.starts_with("cruddur-history") {
            let (found, name) = alone(corpus, path);
            let own = found.into_iter().filter(|one| one.path == name);
            all.insert(path.to_path_buf(), own.collect());
            continue;
        }
        let root: PathBuf = path.components().take(2).collect();
        let name = path.strip_prefix(&root).unwrap();
        let found = repositories.entry(root.clone()).or_insert_with(|| {
            let mut files = Vec::new();
            collect(&corpus.join(&root), &corpus.join(&root), &mut files);
            examined(&files)
        });
        let own = found.extract_if(.., |one| one.path == name);
        all.insert(path.to_path_buf(), own.collect());
    }
    all
}

/// How often a rule was right, wrong, or missed a defect.
#[derive(Default)]
pub struct Tally {
    pub right: usize,
    pub wrong: usize,
    pub missed: usize,
}

impl Tally {
    pub fn precision(&self) -> f64 {
        share(self.right, self.wrong)
    }

    pub fn recall(&self) -> f64 {
        share(self.right, self.missed)
    }
}

fn share(good: usize, bad: usize) -> f64 {
    if good + bad == 0 { 1.0 } else { good as f64 / (good + bad) as f64 }
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
            for finding in alone(&corpus, path).0 {
                let found = format!("{}:{}:{}", path.display(), finding.line, finding.code);
                if finding.severity == "error" && !agreed.contains(found.as_str()) {
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

/// The rule that looks for files that the corpus does not have: of each repository it has only those that doctor
/// reads.
const NEEDS_THE_WHOLE_REPOSITORY: &str = "task-path-missing";

#[test]
fn doctor_agrees_with_a_careful_reader_of_real_files() {
    let Some(corpus) = corpus() else { return };
    let mut rules: BTreeMap<String, Tally> = BTreeMap::new();
    let mut false_errors = Vec::new();
    let labels = labels();
    let paths: Vec<&PathBuf> = labels.iter().map(|(path, _)| path).collect();
    let found = findings(&corpus, &paths);
    for (path, expected) in &labels {
        let mut got = BTreeSet::new();
        for finding in
            found[path].iter().filter(|finding| finding.code != NEEDS_THE_WHOLE_REPOSITORY)
        {
            let label = (finding.code.clone(), finding.line);
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
                if finding.severity == "error" {
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
    let overall = print_tallies(&rules);
    assert_eq!(false_errors, []);
    assert!(overall.precision() >= 0.98, "precision {:.3}", overall.precision());
    assert!(overall.recall() >= 0.95, "recall {:.3}", overall.recall());
}

/// Prints how often each rule was right, wrong and missed a defect; returns the sums.
pub fn print_tallies(rules: &BTreeMap<String, Tally>) -> Tally {
    let mut overall = Tally::default();
    println!(
        "{:<24} {:>5} {:>5} {:>6} {:>9} {:>6}",
        "rule", "right", "wrong", "missed", "precision", "recall"
    );
    for (code, tally) in rules {
        print_tally(code, tally);
        overall.right += tally.right;
        overall.wrong += tally.wrong;
        overall.missed += tally.missed;
    }
    print_tally("overall", &overall);
    overall
}

fn print_tally(code: &str, tally: &Tally) {
    println!(
        "{code:<24} {:>5} {:>5} {:>6} {:>9.3} {:>6.3}",
        tally.right,
        tally.wrong,
        tally.missed,
        tally.precision(),
        tally.recall()
    );
}

#[test]
fn on_real_repositories_what_fix_leaves_is_clean_and_undo_brings_the_bytes_back() {
    let Some(corpus) = corpus() else { return };
    let (mut tried, mut mended) = (0, 0);
    for entry in std::fs::read_dir(corpus.join("cruddur")).unwrap() {
        let root = entry.unwrap().path();
        let mut files = Vec::new();
        collect(&root, &root, &mut files);
        let files: Vec<(String, String)> = files
            .into_iter()
            .filter_map(|(path, bytes)| {
                Some((path.to_str()?.to_owned(), String::from_utf8(bytes).ok()?))
            })
            .collect();
        let names = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
        if !files.iter().any(|(path, _)| names.contains(&path.as_str())) {
            continue;
        }
        let sandbox = Sandbox::new(&[]).with("CI", "true");
        for (path, text) in &files {
            sandbox.write(path, text);
        }
        let run = sandbox.run(&["doctor", "--fix", "--yes", "--json"]);
        let document = run.json();
        tried += 1;
        if document["applied"] == true {
            mended += 1;
            let after = sandbox.run(&["doctor", "--json"]).json();
            assert_eq!(after["findings"], document["findings"], "{}", root.display());
            let left = after["findings"].as_array().unwrap();
            assert!(left.iter().all(|one| one["fixable"] == false), "{} {left:?}", root.display());
            sandbox.run(&["undo", "--yes"]).expect(0);
        }
        for (path, text) in &files {
            assert_eq!(sandbox.read(path), *text, "{}", root.display());
        }
    }
    assert!(mended > 20, "{mended} of {tried}");
}

const BROKEN: &str = "services:
  api:
    build: ./api
    environment:
      OTEL_SERVICE_NAME: \"${HONEYCOMB_SERVICE_NAME}\"
      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io/v1/traces   # keep me
      OTEL_EXPORTER_OTLP_HEADERS: 'x-honeycomb-team: ${HONEYCOMB_API_KEY}'
      AWS_XRAY_DAEMON_ADDRSES: xray-daemon:2000
  xray-daemon:
    image: amazon/aws-xray-daemon
    environment:
      AWS_REGION: us-east-1
    command:
      - \"xray -o -b xray-daemon:2000\"
";

const GITPOD: &str = "ports:\n  - port: 2000\n    visibility: public\n";

pub fn broken() -> Sandbox {
    Sandbox::new(&[
        ("docker-compose.yml", BROKEN),
        (".gitpod.yml", GITPOD),
        ("api/requirements.txt", "flask\nopentelemetry-sdkopentelemetry-api\n"),
    ])
    .with("HONEYCOMB_API_KEY", KEY)
}

pub fn codes(run: &crate::sandbox::Run) -> Vec<String> {
    let document = run.json();
    let findings = document["findings"].as_array().unwrap();
    findings.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_sound_project_has_no_findings_and_warnings_count_only_when_asked() {
    let sound = "services:\n  api:\n    image: x\n    environment:\n      OTEL_SERVICE_NAME: api\n";
    let sandbox = Sandbox::new(&[("compose.yaml", sound)]);
    let run = sandbox.run(&["doctor", "--strict"]).expect(0);
    assert!(run.stdout.starts_with("nothing found in "), "{}", run.stdout);
    sandbox.write(".gitpod.yml", GITPOD);
    let run = sandbox.run(&["doctor", "--json"]).expect(0);
    assert_eq!(codes(&run), ["port-not-published"], "port 2000 is not the daemon's here");
    let daemon =
        "  traces:\n    image: amazon/aws-xray-daemon\n    environment: {AWS_REGION: us-east-1}\n";
    sandbox.write("compose.yaml", &format!("{sound}{daemon}"));
    sandbox.run(&["doctor"]).expect(0);
    sandbox.run(&["doctor", "--strict"]).expect(1);
    sandbox.write(
        ".gitpod.yml",
        &GITPOD.replace("public", "public # cruddur-ops: ignore port-xray-public"),
    );
    let run = sandbox.run(&["doctor", "--json"]).expect(0);
    assert_eq!(codes(&run), ["port-not-published"]);
}

#[test]
fn one_list_gives_the_purpose_of_ports() {
    let sandbox = Sandbox::new(&[
        (
            "compose.yaml",
            "services:\n  search:\n    image: opensearchproject/opensearch:2\n    ports: ['9201:9200']\n  vectors:\n    image: qdrant/qdrant\n    ports: ['7333:6333']\n  api:\n    image: x\n    ports: ['4567:4567', '127.0.0.1:9229:9229', '9230:9230']\n  gate:\n    image: traefik:v3\n    ports: ['80:80', '8081:8080']\n  otel:\n    image: otel/opentelemetry-collector\n    ports: ['4317:4317', '14268:14268']\n",
        ),
        (
            ".gitpod.yml",
            "tasks:\n  - command: python3 -m http.server 8123\nports:\n  - port: 9201\n    visibility: public\n  - port: 7333\n    visibility: public\n  - port: 8123\n",
        ),
    ]);
    let run = sandbox.run(&["doctor", "--json"]);
    let codes = codes(&run);
    let count = |code: &str| codes.iter().filter(|one| *one == code).count();
    assert_eq!(count("port-database-public"), 2, "{codes:?}");
    assert_eq!(count("port-not-published"), 0, "a task serves it: {codes:?}");
    // 4567, 80 and the gateway's 8081.
    assert_eq!(count("port-not-configured"), 3, "{}", run.stdout);

    sandbox.write(".gitpod.yml", "ports: []\n");
    sandbox.run(&["ports", "--public", "--yes"]).expect(0);
    let written = sandbox.read(".gitpod.yml");
    let public: Vec<&str> = written
        .split("- ")
        .filter(|entry| entry.contains("visibility: public"))
        .filter_map(|entry| entry.lines().find_map(|line| line.trim().strip_prefix("port: ")))
        .collect();
    assert_eq!(public, ["4567", "80"], "{written}");
}

#[test]
fn a_key_of_every_provider_is_known_where_it_is_written_out() {
    let key = "abcd1234EFGH5678ijkl9012MNOP3456";
    for (endpoint, headers) in [
        ("https://otlp.datadoghq.com", format!("dd-api-key={key}")),
        ("https://otlp.nr-data.net", format!("api-key={key}")),
        ("https://api.axiom.co", format!("Authorization=Bearer%20{key},X-Axiom-Dataset=shop")),
        (
            "https://otlp.uptrace.dev",
            format!("uptrace-dsn=https://{key}@api.uptrace.dev?grpc=4317"),
        ),
        ("https://x.apm.eu.aws.cloud.es.io", format!("Authorization=ApiKey%20{key}")),
        ("https://ingest.eu.signoz.cloud:443", format!("signoz-ingestion-key={key}")),
    ] {
        let text = format!(
            "services:\n  api:\n    image: x\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: {endpoint}\n      OTEL_EXPORTER_OTLP_HEADERS: \"{headers}\"\n"
        );
        let sandbox = Sandbox::new(&[("compose.yaml", &text)]);
        let run = sandbox.run(&["doctor", "--json"]).expect(1);
        assert!(codes(&run).contains(&"secret-literal".to_owned()), "{endpoint}: {}", run.stdout);
        assert!(!run.stdout.contains(key), "{}", run.stdout);
    }
}

#[test]
fn a_fixed_project_is_clean_and_undo_restores_the_bytes() {
    let sandbox = broken();
    sandbox.run(&["doctor", "--fix", "--dry-run"]).expect(0);
    assert_eq!(sandbox.read("docker-compose.yml"), BROKEN);
    sandbox.run(&["doctor", "--fix", "--check"]).expect(1);

    let run = sandbox.run(&["doctor", "--fix", "--yes", "--json"]).expect(0);
    assert_eq!(codes(&run), ["port-not-published"]);
    let mended = sandbox.read("docker-compose.yml");
    assert!(
        mended
            .contains("      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io   # keep me\n"),
        "{mended}"
    );
    assert!(mended.contains("      OTEL_SERVICE_NAME: \"api\"\n"), "{mended}");
    assert_eq!(
        sandbox.read("api/requirements.txt"),
        "flask\nopentelemetry-sdk\nopentelemetry-api\n"
    );
    assert_eq!(sandbox.read(".gitpod.yml"), GITPOD.replace("public", "private"));
    let again = sandbox.run(&["doctor", "--fix", "--yes", "--json"]).expect(0);
    assert_eq!(again.json()["changes"].as_array().unwrap().len(), 0);

    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("docker-compose.yml"), BROKEN);
    assert_eq!(sandbox.read(".gitpod.yml"), GITPOD);
}

#[test]
fn a_mistake_that_two_services_share_is_fixed_in_both_and_reported_once() {
    let service = "    image: x\n    environment:\n      OTEL_SERVICE_NAME: NAME\n      OTEL_EXPORTER_OTLP_HEADERS: \"x-honeycomb-team=${HONEYCOMB_APIKEY}\"\n";
    let [one, two] = ["one", "two"].map(|name| service.replace("NAME", name));
    let text = format!("services:\n  one:\n{one}  two:\n{two}");
    let sandbox = Sandbox::new(&[("compose.yaml", &text)]);
    let run = sandbox.run(&["doctor"]).expect(1);
    run.shows("doctor_shared_slip");
    sandbox.run(&["doctor", "--fix", "--yes"]).expect(0);
    assert_eq!(sandbox.read("compose.yaml"), text.replace("APIKEY", "API_KEY"));
}

#[test]
fn a_key_that_is_written_out_is_found_and_never_shown() {
    let text = format!(
        "services:\n  api:\n    image: x\n    environment:\n      - HONEYCOMB_API_KEY={KEY}\n      - ROLLBAR_ACCESS_TOKEN=0123456789abcdef0123456789abcdef\n"
    );
    let sandbox = Sandbox::new(&[("compose.yaml", &text)]);
    for arguments in [&["doctor"][..], &["doctor", "--json"]] {
        let run = sandbox.run(arguments).expect(1);
        assert!(!run.stdout.contains("0123456789abcdef"), "{}", run.stdout);
    }
}

#[test]
fn the_shell_and_the_stores_are_asked() {
    let text = "services:\n  api:\n    image: x\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY}\n";
    let sandbox = Sandbox::new(&[("compose.yaml", text)]);
    assert_eq!(codes(&sandbox.run(&["doctor", "--json"])), ["variable-unstored"]);
    sandbox.write(".env", &format!("HONEYCOMB_API_KEY='{KEY}'\n"));
    assert_eq!(codes(&sandbox.run(&["doctor", "--json"])), [] as [&str; 0]);
    let sandbox = sandbox.with("HONEYCOMB_API_KEY", "hcaik_another-one-from-before");
    assert_eq!(codes(&sandbox.run(&["doctor", "--json"])), ["key-stale"]);
    let sandbox = sandbox.with("HONEYCOMB_API_KEY", "");
    assert_eq!(codes(&sandbox.run(&["doctor", "--json"])), ["key-unset"]);
    let sandbox = sandbox.with("CI", "true");
    assert_eq!(codes(&sandbox.run(&["doctor", "--json"])), [] as [&str; 0]);
}

#[test]
fn a_key_file_that_git_would_take_is_put_into_gitignore() {
    let text = "services:\n  api:\n    image: x\n";
    let sandbox = Sandbox::new(&[("compose.yaml", text), (".gitignore", "node_modules")]);
    sandbox.write(".env", &format!("HONEYCOMB_API_KEY={KEY}\n"));
    let made = std::process::Command::new("git")
        .args(["init", "-q"])
        .current_dir(sandbox.project())
        .status();
    assert!(made.unwrap().success());
    let run = sandbox.run(&["doctor"]).expect(1);
    assert!(run.stdout.contains("error[dotenv-not-ignored]"), "{}", run.stdout);
    sandbox.run(&["doctor", "--fix", "--yes"]).expect(0);
    assert_eq!(sandbox.read(".gitignore"), "node_modules\n.env\n");
    let undo = sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read(".gitignore"), "node_modules");
    undo.shows("undo_ignored_key");
}

#[test]
fn every_rule_explains_itself() {
    let sandbox = Sandbox::new(&[]);
    for rule in lint::RULES {
        let run = sandbox.run(&["doctor", "--explain", rule.code]).expect(0);
        assert!(run.stdout.contains(rule.explanation), "{}", rule.code);
    }
    let run = sandbox.run(&["doctor", "--explain", "nonsense"]).expect(2);
    assert!(run.stderr.contains("error[unknown-rule]"), "{}", run.stderr);
}

#[test]
fn a_file_that_is_no_text_ends_with_status_two() {
    let sandbox = Sandbox::new(&[("compose.yaml", "services:\n  a:\n    image: x\n")]);
    std::fs::write(sandbox.path(".gitpod.yml"), b"caf\xe9: 1\n").unwrap();
    sandbox.run(&["doctor"]).expect(2);
    std::fs::remove_file(sandbox.path(".gitpod.yml")).unwrap();
    sandbox.write("compose.yaml", "services:\n  a:\n\timage: x\n");
    let run = sandbox.run(&["doctor"]).expect(1);
    assert!(run.stdout.contains("error[yaml-syntax]"), "{}", run.stdout);
}

#[test]
fn online_adds_the_proof_of_delivery() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    let sandbox = verify::project(&honeycomb.url());
    let run = sandbox.run(&["doctor", "--online", "--json"]).expect(1);
    assert_eq!(codes(&run), ["localhost-in-container"]);
    let document = run.json();
    assert_eq!(document["verify"]["passed"], true, "{document:#}");
    let offline = sandbox.run(&["doctor", "--json"]).json();
    assert!(offline["verify"].is_null());
}
