//! The result of `init` is proven on the whole project: according to the real Docker Compose, every service has what
//! was planned for it, and everything else is unchanged.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value};

use crate::compose_oracle::{docker_compose, oracle};
use crate::init::INIT;
use crate::sandbox::{KEY, Run, Sandbox};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
const NAME: &str = "OTEL_SERVICE_NAME";
/// The lines that `init` removes from the services it wires.
const TYPO: &str = "OTEL_EXPORTER_OTLP_HEADER";

type Services = Map<String, Value>;

/// A project, and the expected output and changes of `init`.
struct Wired {
    sandbox: Sandbox,
    run: Run,
    before: Vec<(String, String)>,
}

impl Wired {
    fn new(files: &[(&str, &str)], arguments: &[&str]) -> Self {
        let sandbox = Sandbox::new(files).with("HONEYCOMB_API_KEY", KEY);
        let run = sandbox.run(&[&INIT[..], &["--no-ports", "--json"], arguments].concat());
        let before = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        Self { sandbox, run, before: before.collect() }
    }

    fn changed(&self) -> Vec<&str> {
        let changed = self.before.iter().filter(|(path, text)| self.sandbox.read(path) != *text);
        changed.map(|(path, _)| path.as_str()).collect()
    }

    /// Checks that `init` wrote these files only; a second run changes nothing, and undo restores all.
    #[track_caller]
    fn writes(&self, files: &[&str]) {
        assert_eq!(self.run.status, 0, "{}", self.run.stderr);
        assert_eq!(self.changed(), files);
        self.is_stable();
    }

    #[track_caller]
    fn is_stable(&self) {
        let selected = self.run.json()["services"].clone();
        let selected: Vec<&str> =
            selected.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        let again: Vec<&str> = selected.iter().flat_map(|name| ["--service", name]).collect();
        let check = ["init", "--no-verify", "--no-instrument", "--no-ports", "--check"];
        let again = self.sandbox.run(&[&check[..], &again].concat());
        assert!(selected.is_empty() || again.status == 0, "{}{}", again.stdout, again.stderr);
        if !self.changed().is_empty() {
            self.sandbox.run(&["undo", "--yes"]).expect(0);
            assert!(self.changed().is_empty());
        }
    }

    /// Checks that `init` changed no byte, and prints the place and the lines to paste.
    #[track_caller]
    fn refuses(&self) -> Value {
        assert_eq!(self.run.status, 2, "{}{}", self.run.stdout, self.run.stderr);
        assert!(self.changed().is_empty());
        let error = self.run.json()["error"].clone();
        assert_eq!(error["code"], "unsafe-edit", "{error}");
        assert!(error["paste"].as_str().unwrap().contains("OTEL_"), "{error}");
        assert!(error["place"]["line"].is_number(), "{error}");
        error
    }
}

/// Returns the services as docker compose sees them; `None` if it refuses the project.
fn seen(sandbox: &Sandbox) -> Option<Services> {
    let shell: BTreeMap<String, String> = [("HOME", "/home/me"), ("HONEYCOMB_API_KEY", "k")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    oracle(&docker_compose()?, &sandbox.project(), &shell).ok()
}

/// Returns the differences except those planned for the selected services.
fn unplanned(before: &Services, after: &Services, selected: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    if before.keys().ne(after.keys()) {
        wrong.push(format!("services: {:?} {:?}", before.keys(), after.keys()));
    }
    for (name, was) in before {
        let (mut was, mut is) = (was.clone(), after[name].clone());
        let mut variables = [&mut was, &mut is].map(|service| {
            let taken = service.as_object_mut().unwrap().remove("environment");
            taken.and_then(|taken| taken.as_object().cloned()).unwrap_or_default()
        });
        if was != is {
            wrong.push(format!("{name}: {was} {is}"));
        }
        if selected.contains(&name.as_str()) {
            let text = |name: &str| variables[1].get(name).and_then(Value::as_str);
            if text(ENDPOINT) != Some("https://api.honeycomb.io")
                || text(HEADERS) != Some("x-honeycomb-team=k")
                || text(NAME).is_none_or(str::is_empty)
            {
                wrong.push(format!("{name} is not wired: {:?}", variables[1]));
            }
            for ours in [ENDPOINT, HEADERS, NAME, TYPO] {
                variables.iter_mut().for_each(|one| drop(one.remove(ours)));
            }
        }
        if variables[0] != variables[1] {
            wrong.push(format!("{name}: {variables:?}"));
        }
    }
    wrong
}

#[test]
fn lines_are_written_where_the_last_word_is_said() {
    let base = "services:\n  s: {build: ., environment: {A: 1}}\n";
    let over = |environment: &str| format!("services:\n  s:\n    environment: {environment}\n");
    for environment in ["!override\n      C: 1", "!override [C=1]", "!override {}"] {
        let over = over(environment);
        let files = [("compose.yaml", base), ("compose.override.yaml", over.as_str())];
        Wired::new(&files, &["--all-services"]).writes(&["compose.override.yaml"]);
    }
    let takes = "services:\n  s: !override\n    image: y\n    environment:\n      C: 1\n";
    let files = [("compose.yaml", base), ("compose.override.yaml", takes)];
    Wired::new(&files, &["--all-services"]).writes(&["compose.override.yaml"]);
    let files =
        [("compose.yaml", base), ("compose.override.yaml", "services:\n  s: {tty: true}\n")];
    Wired::new(&files, &["--all-services"]).writes(&["compose.yaml"]);
    let one =
        "services:\n  s:\n    environment:\n      OTEL_SERVICE_NAME: !reset null\n      D: 1\n";
    let files = [("compose.yaml", base), ("compose.override.yaml", one)];
    Wired::new(&files, &["--all-services"]).writes(&["compose.override.yaml"]);
}

#[test]
fn lines_reach_what_is_included_and_extended() {
    let main = "include: [inc.yaml]\nservices:\n  s:\n    environment: !override\n      C: 1\n";
    let inc = "services:\n  s: {image: x, environment: {A: 1}}\n";
    Wired::new(&[("compose.yaml", main), ("inc.yaml", inc)], &["--all-services"])
        .writes(&["compose.yaml"]);
    let main = "include: [inc.yaml]\nservices:\n  t: {image: y}\n";
    Wired::new(&[("compose.yaml", main), ("inc.yaml", inc)], &["--service", "s"])
        .writes(&["inc.yaml"]);
    let main = "services:\n  s:\n    extends: {file: base.yaml, service: b}\n    environment: !override\n      C: 1\n";
    let base = "services:\n  b: {image: x, environment: {A: 1}}\n";
    Wired::new(&[("compose.yaml", main), ("base.yaml", base)], &["--all-services"])
        .writes(&["compose.yaml"]);
    let over =
        "services:\n  s: {extends: {file: base.yaml, service: b}, environment: !reset null}\n";
    Wired::new(&[("compose.yaml", over), ("base.yaml", base)], &["--all-services"]).refuses();
}

#[test]
fn a_reset_value_is_refused_with_lines_to_paste() {
    let base = "services:\n  s: {build: ., environment: {A: 1}}\n";
    for environment in ["!reset null", "!reset {}", "!reset\n      C: 1"] {
        let over = format!("services:\n  s:\n    environment: {environment}\n");
        let files = [("compose.yaml", base), ("compose.override.yaml", over.as_str())];
        let error = Wired::new(&files, &["--all-services"]).refuses();
        assert!(error["place"]["path"].as_str().unwrap().ends_with("compose.override.yaml"));
    }
    // Where another file speaks of it later, that one is written.
    for over in ["{tty: true}", "{environment: {B: 1}}", "{environment: !override [B=1]}"] {
        let base = "services:\n  s:\n    image: x\n    environment: !reset null\n";
        let over = format!("services:\n  s: {over}\n");
        let files = [("compose.yaml", base), ("compose.override.yaml", over.as_str())];
        Wired::new(&files, &["--all-services"]).writes(&["compose.override.yaml"]);
    }
}

#[test]
fn a_service_that_would_change_along_is_named() {
    let base = "services:\n  s: {build: ., environment: {A: 1}}\n";
    let over = "services:\n  t: {extends: {file: compose.yaml, service: s}}\n";
    let files = [("compose.yaml", base), ("compose.override.yaml", over)];
    let error = Wired::new(&files, &["--service", "s"]).refuses();
    assert_eq!(error["place"]["line"], 2, "{error}");
    Wired::new(&files, &["--all-services"]).writes(&["compose.yaml", "compose.override.yaml"]);
    // Where another file speaks of it too, the lines go there and reach nobody else.
    let over = "services:\n  t: {extends: {file: compose.yaml, service: s}}\n  s: {tty: true}\n";
    let files = [("compose.yaml", base), ("compose.override.yaml", over)];
    Wired::new(&files, &["--service", "s"]).writes(&["compose.override.yaml"]);
    let copied = "services:\n  t: {extends: {file: compose.yaml, service: s}, environment: !override {B: 1}}\n";
    let files = [("compose.yaml", base), ("compose.override.yaml", copied)];
    Wired::new(&files, &["--service", "s"]).writes(&["compose.yaml"]);
}

#[test]
fn an_edit_that_docker_compose_would_not_load_is_refused() {
    for services in [
        "web.one: &b {image: x, environment: {A: 1}}\n  web: *b\n  web.two: *b",
        "a: &b {image: x, environment: {A: 1}}\n  a.b: *b\n  a.b.c: *b",
        "s: &b {image: x}\n  s.t.u: *b\n  s.t: *b",
    ] {
        let compose = format!("services:\n  {services}\n");
        Wired::new(&[("compose.yaml", &compose)], &["--all-services"]).refuses();
    }
}

#[test]
fn a_collector_is_never_traced_itself() {
    let compose = "services:\n  api: {build: .}\n  web: {build: ./web}\n";
    let own = "services:\n  api: {build: .}\n  gather: {image: 'otel/opentelemetry-collector-contrib:0.90.0'}\n";
    for (compose, collector) in [(compose, "otel-collector"), (own, "gather")] {
        let sandbox = Sandbox::new(&[("compose.yaml", compose)]).with("HONEYCOMB_API_KEY", KEY);
        let arguments = [&INIT[..], &["--no-ports", "--json", "--all-services"]].concat();
        let through = [&arguments[..], &["--provider", "collector"]].concat();
        sandbox.run(&through).expect(0);
        let once = sandbox.read("compose.yaml");
        let again = sandbox.run(&through).expect(0).json();
        assert_eq!(sandbox.read("compose.yaml"), once);
        assert_eq!(again["applied"], false, "{again}");
        let named = [&through[..], &["--service", collector]].concat();
        let named: Vec<&str> = named.into_iter().filter(|one| *one != "--all-services").collect();
        let named = sandbox.run(&named).expect(0).json();
        assert_eq!(named["services"], serde_json::json!([]));
        assert_eq!(sandbox.read("compose.yaml"), once);
    }
}

#[test]
fn a_misspelt_line_goes_where_the_right_one_stands() {
    let right = "OTEL_SERVICE_NAME: s, OTEL_EXPORTER_OTLP_ENDPOINT: 'https://api.honeycomb.io', \
                 OTEL_EXPORTER_OTLP_HEADERS: 'x-honeycomb-team=${HONEYCOMB_API_KEY}'";
    for environment in [
        "{OTEL_EXPORTER_OTLP_HEADER: x, A: 1}".to_owned(),
        "[OTEL_SERVICE_NAMES=x, A=1, OTEL_EXPORTER_OTLP_ENDPONT=y]".to_owned(),
        format!("{{OTEL_EXPORTER_OTLP_HEADER: x, {right}, A: 1}}"),
        "\n      - OTEL_EXPORTER_OTLP_HEADER=x\n      - A=1".to_owned(),
    ] {
        let compose = format!("services:\n  s:\n    image: x\n    environment: {environment}\n");
        let wired = Wired::new(&[("compose.yaml", &compose)], &["--all-services"]);
        assert_eq!(wired.run.status, 0, "{}", wired.run.stderr);
        let after = wired.sandbox.read("compose.yaml");
        assert_eq!(after.matches("HEADER").count(), 1, "{after}");
        assert_eq!(after.matches("OTEL_").count(), 3, "{after}");
        assert!(after.contains("A: 1") || after.contains("A=1"), "{after}");
        let services = seen(&wired.sandbox);
        assert!(services.is_some() || docker_compose().is_none(), "{after}");
        wired.is_stable();
    }
    // What others use too stays: it is not this service's alone.
    let shared = "x-e: &e {OTEL_EXPORTER_OTLP_HEADER: x}\nservices:\n  s: {image: x, environment: {<<: *e}}\n";
    let wired = Wired::new(&[("compose.yaml", shared)], &["--all-services"]);
    assert!(wired.sandbox.read("compose.yaml").contains("&e {OTEL_EXPORTER_OTLP_HEADER: x}"));
    wired.is_stable();
}

#[test]
fn an_item_that_docker_compose_refuses_is_fixed_or_refused() {
    for item in ["OTEL_SERVICE_NAME: api", "OTEL_SERVICE_NAME = api", "{OTEL_SERVICE_NAME: api}"] {
        let compose = format!(
            "services:\n  s:\n    image: x\n    environment:\n      - A=1\n      - {item}\n"
        );
        let wired = Wired::new(&[("compose.yaml", &compose)], &["--all-services"]);
        assert_eq!(wired.run.status, 0, "{}", wired.run.stderr);
        assert!(seen(&wired.sandbox).is_some() || docker_compose().is_none());
        wired.writes(&["compose.yaml"]);
    }
    for item in ["FOO: bar", "FOO = bar", "[A=1]", "{FOO: 1, OTEL_SERVICE_NAME: api}"] {
        let compose = format!(
            "services:\n  s:\n    image: x\n    environment:\n      - A=1\n      - {item}\n"
        );
        let error = Wired::new(&[("compose.yaml", &compose)], &["--all-services"]).refuses();
        assert_eq!(error["place"]["line"], 6, "{error}");
    }
}

#[test]
fn lines_are_written_into_the_document_that_has_the_last_word() {
    let first = "services:\n  s:\n    image: x\n    environment:\n      A: 1\n      OTEL_EXPORTER_OTLP_HEADER: typo\n  t: {image: y}\n";
    for (last, written) in [
        ("services:\n  s:\n    environment: !override\n      C: 1\n", 2),
        ("services:\n  s: {environment: [C=1]}\n", 2),
        ("services:\n  s: {tty: true}\n  u: {image: z}\n", 2),
        ("x-e: &e {C: 1}\nservices:\n  s: {environment: *e}\n  t:\n    environment: {<<: *e}\n", 2),
        ("networks: {default: {}}\n", 1),
        ("services:\n  s: ~\n", 1),
    ] {
        for between in ["---\n", "# above\n--- # below\n\n", "...\n---\n"] {
            let compose = format!("{first}{between}{last}");
            for compose in [compose.clone(), compose.replace('\n', "\r\n")] {
                let files = [("compose.yaml", compose.as_str())];
                let before = seen(&Sandbox::new(&files));
                let wired = Wired::new(&files, &["--all-services"]);
                let after = seen(&wired.sandbox);
                let text = wired.sandbox.read("compose.yaml");
                if let (Some(before), Some(after)) = (before, after) {
                    let wrong = unplanned(&before, &after, &["s", "t", "u"]);
                    assert!(wrong.is_empty(), "{}\n{text}", wrong.join("\n"));
                } else {
                    assert!(docker_compose().is_none(), "{compose}");
                }
                let documents: Vec<&str> = text.split("---").collect();
                assert!(
                    documents[written - 1].contains("OTEL_SERVICE_NAME: \"s\"")
                        || documents[written - 1].contains("OTEL_SERVICE_NAME=s"),
                    "{text}"
                );
                let is_overridden = last.contains("!override");
                assert_eq!(text.contains("OTEL_EXPORTER_OTLP_HEADER:"), is_overridden, "{text}");
                wired.writes(&["compose.yaml"]);
            }
        }
    }
}

#[test]
fn additions_are_in_one_of_several_documents() {
    let compose =
        "services:\n  s: {image: x}\n---\nservices:\n  s: {tty: true}\n---\nvolumes:\n  v: {}\n";
    for arguments in [&["--provider", "collector"][..], &["--provider", "local"]] {
        let files = [("compose.yaml", compose)];
        let wired = Wired::new(&files, &[&["--service", "s"], arguments].concat());
        assert_eq!(wired.run.status, 0, "{}", wired.run.stderr);
        let text = wired.sandbox.read("compose.yaml");
        assert!(text.starts_with("services:\n  s: {image: x}\n---\n"), "{text}");
        assert!(text.ends_with("---\nvolumes:\n  v: {}\n"), "{text}");
        let services = seen(&wired.sandbox);
        assert!(services.is_some() || docker_compose().is_none(), "{text}");
        wired.sandbox.run(&["undo", "--yes"]).expect(0);
        assert_eq!(wired.sandbox.read("compose.yaml"), compose);
    }
}

#[test]
fn a_document_that_takes_variables_away_is_refused_at_its_line() {
    let compose =
        "services:\n  s:\n    image: x\n---\nservices:\n  s:\n    environment: !reset null\n";
    let error = Wired::new(&[("compose.yaml", compose)], &["--all-services"]).refuses();
    assert_eq!(error["place"]["line"], 7, "{error}");
}

#[test]
fn names_without_values_in_brackets_are_edited() {
    for environment in ["{A: , B: }", "{A: ,B: }", "{A, B}", "{A: }", "{A: , B: , }"] {
        let compose = format!("services:\n  s: {{image: x, environment: {environment}}}\n");
        let wired = Wired::new(&[("compose.yaml", &compose)], &["--all-services"]);
        let after = seen(&wired.sandbox);
        assert!(after.is_some() || docker_compose().is_none(), "{environment}");
        wired.writes(&["compose.yaml"]);
    }
}

#[test]
fn existing_faults_that_docker_compose_refuses_are_reported() {
    for (service, said) in [
        ("s: {image: x, depends_on: [gone]}", "gone"),
        ("s: {image: x, networks: [lost]}", "lost"),
        ("s: {image: x}\n  t: {command: y}", "`t`"),
    ] {
        let compose = format!("services:\n  {service}\n");
        let wired = Wired::new(&[("compose.yaml", &compose)], &["--all-services"]);
        let notes = wired.run.json()["notes"].to_string();
        assert!(notes.contains(said), "{notes}");
    }
}

/// The lines of a service's environment in a file.
const ENVIRONMENTS: [&str; 14] = [
    "",
    "",
    "    environment: {A: 1}\n",
    "    environment: [A=1, B]\n",
    "    environment:\n      A: 1\n      OTEL_EXPORTER_OTLP_HEADER: typo\n",
    "    environment: !override {C: 1}\n",
    "    environment: !override\n      - C=1\n",
    "    environment: !reset null\n",
    "    environment: {OTEL_SERVICE_NAME: !reset null, D: 1}\n",
    "    environment: {OTEL_SERVICE_NAME: mine, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://elsewhere:4318'}\n",
    "    environment: *e\n",
    "    <<: *m\n",
    "    environment: {<<: *e, A: , B: }\n",
    "    <<: *m\n    environment: !reset null\n",
];

const EXTENDS: [&str; 4] = [
    "",
    "    extends: one\n",
    "    extends: {file: base.yaml, service: base}\n",
    "    extends: {file: compose.yaml, service: one}\n",
];

fn file(services: &str) -> String {
    format!(
        "x-e: &e {{E: anchor, F: '${{F:-f}}'}}\nx-m: &m\n  environment: {{M: merged}}\nservices:\n{services}"
    )
}

fn projects() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let environment = || prop::sample::select(ENVIRONMENTS.to_vec());
    let environments = prop::array::uniform6(environment());
    let extends = prop::array::uniform2(prop::sample::select(EXTENDS.to_vec()));
    (environments, extends, any::<[bool; 3]>()).prop_map(
        |(
            [one, two, over, added, base, included],
            [own, late],
            [with_over, with_include, is_whole],
        )| {
            let include = if with_include { "include: [inc.yaml]\n" } else { "" };
            let own = if own.contains("compose.yaml") { "" } else { own };
            let tag = if is_whole { " !override\n    image: o" } else { "" };
            let main =
                file(&format!("  one:\n    image: x\n{one}  two:\n    image: y\n{own}{two}"));
            let mut files = vec![
                ("compose.yaml", format!("{include}{main}")),
                ("base.yaml", file(&format!("  base:\n    image: z\n{base}"))),
                ("inc.yaml", file(&format!("  three:\n    image: i\n{included}"))),
            ];
            if with_over {
                let three = if with_include {
                    format!("  three:\n    tty: true\n{added}")
                } else {
                    String::new()
                };
                let late = late.replace("extends: one", "tty: true");
                files.push((
                    "compose.override.yaml",
                    file(&format!(
                        "  one:{tag}\n    tty: true\n{over}  four:\n    image: f\n{late}{three}"
                    )),
                ));
            }
            files
        },
    )
}

/// Returns the override as a second document of the file that it overrides.
fn joined(mut files: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    let over = files.extract_if(.., |(path, _)| *path == "compose.override.yaml");
    let over: Vec<String> = over.map(|(_, text)| text).collect();
    for text in over {
        files[0].1 = format!("{}---\n{text}", files[0].1);
    }
    files
}

#[test]
fn generated_projects_have_what_was_planned_and_nothing_else() {
    if docker_compose().is_none() {
        return;
    }
    let mut runner =
        TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let (written, refused) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let result = runner.run(&(projects(), any::<bool>(), any::<bool>()), |(files, all, join)| {
        let files = if join { joined(files) } else { files };
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let untouched = Sandbox::new(&files);
        let Some(before) = seen(&untouched) else { return Ok(()) };
        let chosen: &[&str] = if all { &["--all-services"] } else { &["--service", "one"] };
        let wired = Wired::new(&files, chosen);
        if wired.run.status != 0 {
            refused.set(refused.get() + 1);
            wired.refuses();
            return Ok(());
        }
        written.set(written.get() + 1);
        let after = seen(&wired.sandbox);
        let texts = files.iter().map(|(path, _)| wired.sandbox.read(path)).collect::<Vec<_>>();
        prop_assert!(after.is_some(), "docker compose refuses {}", texts.join("---\n"));
        let selected = wired.run.json()["services"].clone();
        let selected: Vec<&str> =
            selected.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        let wrong = unplanned(&before, &after.unwrap_or_default(), &selected);
        prop_assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), texts.join("---\n"));
        wired.is_stable();
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    println!("{} written, {} refused", written.get(), refused.get());
    assert!(written.get() > 0, "nothing was written");
}
