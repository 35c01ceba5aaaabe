//! Whole projects of texts, one rule each.

use std::path::Path;

use crate::compose::texts::{load, seen};
use crate::compose::{Value, Warning, Weight};
use crate::error::ErrorCode;
use crate::secret::Secret;

#[track_caller]
fn check(files: &[(&str, &str)], shell: &[(&str, &str)], service: &str, expected: &[&str]) {
    let model = load(files, shell).unwrap();
    let service = model.service(service).unwrap();
    assert_eq!(seen(service, model.plain()), expected);
}

fn warnings(files: &[(&str, &str)]) -> Vec<String> {
    let model = load(files, &[]).unwrap();
    let line = |one: &Warning| format!("{}: {}", one.place.line, one.text);
    model.warnings.iter().map(line).collect()
}

#[test]
fn every_source_of_a_value_in_its_order() {
    let compose = "services:\n  a:\n    image: x\n    env_file: a.env\n    environment:\n      \
                   A: '${V}'\n      E: ''\n      PASSED:\n      GONE:\n      R: ${R:?say}\n";
    check(
        &[
            ("compose.yaml", compose),
            (".env", "V=dot\nPASSED=dot\nB=dot\n"),
            ("a.env", "A=file\nE=file\nF=$B\nGONE=file\n"),
        ],
        &[("V", "shell")],
        "a",
        &["A=shell", "E=", "F=dot", "GONE", "PASSED=dot", "R?"],
    );
}

#[test]
fn overrides_lie_over_the_base() {
    check(
        &[
            (
                "compose.yaml",
                "services:\n  a:\n    image: x\n    environment: {A: 1, B: 1, C: 1}\n",
            ),
            ("compose.override.yml", "services:\n  a:\n    environment: {B: 2, C: !reset null}\n"),
        ],
        &[],
        "a",
        &["A=1", "B=2"],
    );
}

#[test]
fn tags_reset_and_override() {
    let base = "services:\n  a:\n    image: x\n    environment: [A=1]\n    ports: ['1:1']\n  b: {image: y}\n";
    let over = "services:\n  a:\n    environment: !override {B: 2}\n    ports: !reset []\n  b: !reset null\n";
    let files = [("compose.yaml", base), ("compose.override.yaml", over)];
    check(&files, &[], "a", &["B=2"]);
    let model = load(&files, &[]).unwrap();
    assert!(model.service("a").unwrap().ports.is_empty());
    assert_eq!(model.services.len(), 1);
}

#[test]
fn merge_keys_and_aliases_are_followed() {
    let compose = "x-a: &a {A: 1, B: 1}\nx-b: &b {B: 2, C: 2}\nservices:\n  a: &s\n    image: x\n    \
                   environment: {<<: [*a, *b], C: 3}\n  b:\n    <<: *s\n    environment: *b\n";
    check(&[("compose.yaml", compose)], &[], "a", &["A=1", "B=1", "C=3"]);
    check(&[("compose.yaml", compose)], &[], "b", &["B=2", "C=2"]);
}

#[test]
fn extends_follows_files_and_chains() {
    let files = [
        (
            "compose.yaml",
            "services:\n  a:\n    extends: {file: sub/base.yml, service: mid}\n    environment: {A: 1}\n",
        ),
        (
            "sub/base.yml",
            "services:\n  mid:\n    extends: low\n    environment: {A: 0, B: 1}\n  low:\n    build: .\n    \
             env_file: low.env\n",
        ),
        ("sub/low.env", "C=1\n"),
    ];
    check(&files, &[], "a", &["A=1", "B=1", "C=1"]);
    let model = load(&files, &[]).unwrap();
    let service = model.service("a").unwrap();
    assert_eq!(service.build.as_ref().unwrap().context, Path::new("/p/sub"));
    assert_eq!(service.defined_in.len(), 1);
}

#[test]
fn includes_have_their_own_folder_and_variables() {
    let files = [
        ("compose.yaml", "include:\n  - sub/compose.yml\nservices:\n  a: {image: x}\n"),
        ("sub/compose.yml", "services:\n  b:\n    build: .\n    environment: {A: $V, B: $W}\n"),
        (".env", "V=outer\n"),
        ("sub/.env", "V=inner\nW=inner\n"),
    ];
    check(&files, &[], "b", &["A=outer", "B=inner"]);
}

#[test]
fn circles_are_errors() {
    for compose in [
        "include: [compose.yaml]\n",
        "services:\n  a: {extends: b}\n  b: {extends: a}\n",
        "services:\n  a: {extends: a}\n",
    ] {
        let error = load(&[("compose.yaml", compose)], &[]).unwrap_err();
        assert_eq!(error.code, ErrorCode::ComposeCycle, "{compose}");
        assert!(error.place.is_some());
    }
}

#[test]
fn what_is_missing_is_a_warning_with_its_line() {
    assert_eq!(
        warnings(&[
            (
                "compose.yaml",
                "include: [gone.yml]\nservices:\n  a:\n    image: x\n    env_file: backend.env\n  b:\n    \
                 extends: {file: gone.yml, service: x}\n    environment: {A: '${A B}', B: '${B:?why}'}\n",
            ),
            ("erb/backend.env.erb", ""),
        ]),
        [
            "8: `${A B}` is not a valid variable reference; a literal dollar sign is written `$$`",
            "8: required variable B is missing a value: why",
            "5: the env_file backend.env does not exist; it is generated from erb/backend.env.erb",
            "7: `gone.yml`, which this service extends, does not exist",
            "1: the included file /p/gone.yml does not exist",
        ]
    );
}

#[test]
fn what_docker_compose_fetches_is_no_refusal_and_is_known() {
    let compose = "include: ['https://e.example/x.git', a.yml]\nservices:\n  a:\n    \
                   extends: {file: 'git@e.example:x', service: a}\n  b:\n    build: https://e.example/x.git\n";
    let model = load(&[("compose.yaml", compose), ("a.yml", "services: {}\n")], &[]).unwrap();
    let lines: Vec<usize> = model.reaches.iter().map(|span| model.place(span).line).collect();
    assert_eq!(lines.iter().copied().collect::<std::collections::BTreeSet<_>>(), [1, 4, 6].into());
    assert!(model.warnings.iter().all(|warning| warning.weight == Weight::Remark));
    assert_eq!(model.warnings.len(), 2, "{:?}", model.warnings);
    let model = load(&[("compose.yaml", "services: {a: {build: .}}\n")], &[]).unwrap();
    assert!(model.reaches.is_empty());
}

#[test]
fn a_stored_value_mends_what_was_required_and_beats_the_shell() {
    let compose =
        "services:\n  a:\n    image: x\n    environment: {K: '${KEY:?set it}', S: $SHELL_KEY}\n";
    let model = load(&[("compose.yaml", compose)], &[("SHELL_KEY", "old")]).unwrap();
    assert_eq!(model.refusals(model.plain()).len(), 1);
    let stored = ["KEY", "SHELL_KEY"].map(|name| (name.to_owned(), Secret::new("new")));
    let run = model.under_run(stored.into());
    assert!(model.refusals(&run).is_empty());
    assert_eq!(seen(&model.services[0], &run), ["K=new", "S=new"]);
    let settings = model.services[0].effective(&run);
    let Value::Known(held) = &settings.get("K").unwrap().value else { panic!("{settings:?}") };
    assert_eq!(*held, Secret::new("new"));
    assert!(!format!("{run:?} {settings:?}").contains("new"));
    let differing = model.differences(&run, &["SHELL_KEY"]);
    assert_eq!(differing.len(), 1);
    assert_eq!(differing[0].plain.name, "S");
}

#[test]
fn yaml_that_is_none_has_a_place() {
    let error = load(&[("compose.yaml", "services:\n  a: [\n")], &[]).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidYaml);
    assert!(error.place.unwrap().line >= 2);
}

#[test]
fn laughs_are_cheap() {
    let mut text = "x-0: &x0 {A: 1}\n".to_owned();
    for level in 1..200 {
        let below = level - 1;
        let line = format!("x-{level}: &x{level} {{<<: [*x{below}, *x{below}, *x{below}]}}\n");
        text.push_str(&line);
    }
    text.push_str("services:\n  a:\n    image: x\n    environment: *x199\n");
    check(&[("compose.yaml", &text)], &[], "a", &["A=1"]);
}
