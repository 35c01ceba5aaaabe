//! Loading of whole projects, one rule for each test.

use std::path::Path;

use crate::compose::texts::{describe_environment, load_texts};
use crate::compose::{ComposeWarning, VariableValue, WarningWeight};
use crate::error::ErrorCode;
use crate::secret::Secret;

#[track_caller]
fn assert_environment(
    files: &[(&str, &str)],
    shell: &[(&str, &str)],
    service: &str,
    expected: &[&str],
) {
    let model = load_texts(files, shell).unwrap();
    let service = model.service(service).unwrap();
    assert_eq!(describe_environment(service, model.plain()), expected);
}

fn list_warnings(files: &[(&str, &str)]) -> Vec<String> {
    let model = load_texts(files, &[]).unwrap();
    let line = |warning: &ComposeWarning| format!("{}: {}", warning.place.line, warning.text);
    model.warnings.iter().map(line).collect()
}

#[test]
fn every_source_of_a_value_in_its_order() {
    let compose = "services:\n  a:\n    image: x\n    env_file: a.env\n    environment:\n      \
                   A: '${V}'\n      E: ''\n      PASSED:\n      GONE:\n      R: ${R:?say}\n";
    assert_environment(
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
fn overrides_are_merged_over_the_base() {
    assert_environment(
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
    assert_environment(&files, &[], "a", &["B=2"]);
    let model = load_texts(&files, &[]).unwrap();
    assert!(model.service("a").unwrap().ports.is_empty());
    assert_eq!(model.services.len(), 1);
}

#[test]
fn merge_keys_and_aliases_are_followed() {
    let compose = "x-a: &a {A: 1, B: 1}\nx-b: &b {B: 2, C: 2}\nservices:\n  a: &s\n    image: x\n    \
                   environment: {<<: [*a, *b], C: 3}\n  b:\n    <<: *s\n    environment: *b\n";
    assert_environment(&[("compose.yaml", compose)], &[], "a", &["A=1", "B=1", "C=3"]);
    assert_environment(&[("compose.yaml", compose)], &[], "b", &["B=2", "C=2"]);
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
    assert_environment(&files, &[], "a", &["A=1", "B=1", "C=1"]);
    let model = load_texts(&files, &[]).unwrap();
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
    assert_environment(&files, &[], "b", &["A=outer", "B=inner"]);
}

#[test]
fn cycles_are_errors() {
    for compose in [
        "include: [compose.yaml]\n",
        "services:\n  a: {extends: b}\n  b: {extends: a}\n",
        "services:\n  a: {extends: a}\n",
    ] {
        let error = load_texts(&[("compose.yaml", compose)], &[]).unwrap_err();
        assert_eq!(error.code, ErrorCode::ComposeCycle, "{compose}");
        assert!(error.place.is_some());
    }
}

#[test]
fn missing_files_are_warnings_with_a_line() {
    assert_eq!(
        list_warnings(&[
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
fn remote_resources_are_recorded_without_a_refusal() {
    let compose = "include: ['https://e.example/x.git', a.yml]\nservices:\n  a:\n    \
                   extends: {file: 'git@e.example:x', service: a}\n  b:\n    build: https://e.example/x.git\n";
    let model = load_texts(&[("compose.yaml", compose), ("a.yml", "services: {}\n")], &[]).unwrap();
    let lines: Vec<usize> = model.reaches.iter().map(|span| model.place(span).line).collect();
    assert_eq!(lines.iter().copied().collect::<std::collections::BTreeSet<_>>(), [1, 4, 6].into());
    assert!(model.warnings.iter().all(|warning| warning.weight == WarningWeight::Remark));
    assert_eq!(model.warnings.len(), 2, "{:?}", model.warnings);
    let model = load_texts(&[("compose.yaml", "services: {a: {build: .}}\n")], &[]).unwrap();
    assert!(model.reaches.is_empty());
}

#[test]
fn a_stored_value_supplies_a_required_variable_and_overrides_the_shell() {
    let compose =
        "services:\n  a:\n    image: x\n    environment: {K: '${KEY:?set it}', S: $SHELL_KEY}\n";
    let model = load_texts(&[("compose.yaml", compose)], &[("SHELL_KEY", "old")]).unwrap();
    assert_eq!(model.refusals(model.plain()).len(), 1);
    let stored = ["KEY", "SHELL_KEY"].map(|name| (name.to_owned(), Secret::new("new")));
    let run = model.under_run(stored.into());
    assert!(model.refusals(&run).is_empty());
    assert_eq!(describe_environment(&model.services[0], &run), ["K=new", "S=new"]);
    let settings = model.services[0].effective(&run);
    let VariableValue::Known(held) = &settings.get("K").unwrap().value else {
        panic!("{settings:?}")
    };
    assert_eq!(*held, Secret::new("new"));
    assert!(!format!("{run:?} {settings:?}").contains("new"));
    let differing = model.differences(&run, &["SHELL_KEY"]);
    assert_eq!(differing.len(), 1);
    assert_eq!(differing[0].plain.name, "S");
}

#[test]
fn a_yaml_syntax_error_has_a_position() {
    let error = load_texts(&[("compose.yaml", "services:\n  a: [\n")], &[]).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidYaml);
    assert!(error.place.unwrap().line >= 2);
}

#[test]
fn alias_bombs_are_cheap() {
    let mut text = "x-0: &x0 {A: 1}\n".to_owned();
    for level in 1..200 {
        let below = level - 1;
        let line = format!("x-{level}: &x{level} {{<<: [*x{below}, *x{below}, *x{below}]}}\n");
        text.push_str(&line);
    }
    text.push_str("services:\n  a:\n    image: x\n    environment: *x199\n");
    assert_environment(&[("compose.yaml", &text)], &[], "a", &["A=1"]);
}

#[test]
fn plain_scalars_are_handed_on_as_docker_compose_prints_them() {
    let compose = "services:\n  a:\n    image: x\n    environment: {A: 0x10, B: 1.50, C: '0x10', \
                   D: !!str 0x10, E: ~, F: True, G: !override 0x10}\n";
    let expected = ["A=16", "B=1.5", "C=0x10", "D=0x10", "E", "F=true", "G=16"];
    assert_environment(&[("compose.yaml", compose)], &[], "a", &expected);
}

#[test]
fn large_mappings_are_merged_as_small_ones_are() {
    for count in [3, 16, 17, 18, 40] {
        let entries = |value: &str, count: usize| -> String {
            let entries: Vec<String> = (0..count).map(|at| format!("V{at:02}: {value}")).collect();
            entries.join(", ")
        };
        let compose = format!(
            "x-a: &a {{{}}}\nx-b: &b {{{}}}\nservices:\n  a:\n    image: x\n    \
             environment: {{{}, <<: [*a, *b]}}\n",
            entries("1", count + 1),
            entries("2", count + 2),
            entries("0", count),
        );
        let mut expected: Vec<String> = (0..count).map(|at| format!("V{at:02}=0")).collect();
        expected.extend([format!("V{count:02}=1"), format!("V{:02}=2", count + 1)]);
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        assert_environment(&[("compose.yaml", &compose)], &[], "a", &expected);
    }
}

#[test]
fn variables_that_docker_compose_sets_are_set_under_run_too() {
    let compose = "name: shop\nservices:\n  a:\n    image: x\n    \
                   environment: {P: $COMPOSE_PROJECT_NAME, S: '${STORED}'}\n";
    let model = load_texts(&[("compose.yaml", compose)], &[]).unwrap();
    assert_eq!(describe_environment(&model.services[0], model.plain()), ["P=shop", "S="]);
    let stored = [("STORED".to_owned(), Secret::new("kept"))].into();
    assert_eq!(
        describe_environment(&model.services[0], &model.under_run(stored)),
        ["P=shop", "S=kept"]
    );
}

/// Returns what docker compose rejects in one service, loaded together with a service `b`.
fn list_refusals(service: &str) -> Vec<String> {
    let compose = format!("services:\n  b: {{image: x}}\n  a: {service}\n");
    let model = load_texts(&[("compose.yaml", &compose)], &[]).unwrap();
    model.refusals(model.plain()).into_iter().map(|error| error.message).collect()
}

#[track_caller]
fn check_accepted(services: &[&str]) {
    for service in services {
        assert_eq!(list_refusals(service), [""; 0], "{service}");
    }
}

#[test]
fn a_value_of_a_wrong_form_is_refused_with_its_path_and_what_it_may_be() {
    let mut wrong = Vec::new();
    for (service, path, words) in [
        ("{image: true}", "`image`", &["a string"][..]),
        ("{image: 5}", "`image`", &["a string"]),
        ("{image: x, ports: {}}", "`ports`", &["a list"]),
        ("{image: x, tty: maybe}", "`tty`", &["true or false"]),
        ("{image: x, healthcheck: {retries: x}}", "`healthcheck.retries`", &["number"]),
        ("{image: x, deploy: {replica: 2}}", "`deploy`", &["`replica`", "`replicas`"]),
        ("{image: x, blkio_config: {weight: [1]}}", "`blkio_config.weight`", &["number"]),
        (
            "{image: x, networks: {default: {priority: '0x10'}}}",
            "`networks.default.priority`",
            &["a number"],
        ),
        ("{image: x, oom_score_adj: 1001}", "`oom_score_adj`", &["range"]),
        ("{image: x, oom_score_adj: -1001}", "`oom_score_adj`", &["range"]),
        ("[]", "`a`", &["a mapping"]),
    ] {
        let found = list_refusals(service);
        let is_said =
            |message: &String| [path, "`a`"].iter().chain(words).all(|word| message.contains(word));
        if !matches!(found.as_slice(), [message] if is_said(message)) {
            wrong.push(format!("{service}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    check_accepted(&[
        "{image: 'true'}",
        "{image: '5'}",
        "{image: x, tty: 'yes', oom_score_adj: 1000}",
        "{image: x, oom_score_adj: -1000, healthcheck: {retries: '3'}}",
        "{image: x, networks: {default: {priority: 0x10, gw_priority: 1.5}}}",
        "{image: x, cpu_count: 0x10, mem_swappiness: '${NOWHERE:-60}'}",
    ]);
}

#[test]
fn a_name_that_nothing_defines_is_refused_with_its_kind() {
    for (service, kind) in [
        ("{image: x, depends_on: [gone]}", "service"),
        ("{image: x, links: ['gone:alias']}", "service"),
        ("{image: x, volumes_from: ['gone:ro']}", "service"),
        ("{image: x, pid: 'service:gone'}", "service"),
        ("{image: x, networks: [gone]}", "network"),
        ("{image: x, volumes: ['gone:/x']}", "volume"),
        ("{image: x, volumes: [{type: volume, source: gone, target: /x}]}", "volume"),
        ("{image: x, secrets: [gone]}", "secret"),
        ("{image: x, configs: [{source: gone, target: /x}]}", "config"),
        ("{image: x, models: [gone]}", "model"),
    ] {
        let found = list_refusals(service);
        let [message] = found.as_slice() else { panic!("{service}: {found:?}") };
        assert!(message.contains(&format!("{kind} `gone`")), "{service}: {message}");
    }
    check_accepted(&[
        "{image: x, depends_on: [b], links: ['b:alias'], volumes_from: ['b:ro']}",
        "{image: x, volumes_from: ['container:gone'], network_mode: 'container:gone'}",
        "{image: x, ipc: 'service:b', pid: host}",
        "{image: x, networks: [default], volumes: ['./gone:/x', '/y', 'c:/z', '~/gone:/w']}",
        "{image: x, volumes: [{type: bind, source: gone, target: /x}]}",
    ]);
}

#[test]
fn services_that_wait_for_each_other_are_refused() {
    for (services, is_refused) in [
        ("a: {image: x, depends_on: [b]}, b: {image: x}", false),
        ("a: {image: x, depends_on: [a]}", true),
        ("a: {image: x, depends_on: [b]}, b: {image: x, links: [a]}", true),
        (
            "a: {image: x, depends_on: [b]}, b: {image: x, ipc: 'service:c'}, c: {image: x, volumes_from: [b]}",
            true,
        ),
        ("a: {image: x, depends_on: [b, c]}, b: {image: x, depends_on: [c]}, c: {image: x}", false),
    ] {
        let model =
            load_texts(&[("compose.yaml", &format!("services: {{{services}}}\n"))], &[]).unwrap();
        assert_eq!(!model.refusals(model.plain()).is_empty(), is_refused, "{services}");
    }
}

#[test]
fn a_top_level_service_is_refused_unless_it_is_an_extension() {
    for (top, is_refused) in [
        ("web: {image: x}", true),
        ("web: {build: .}", true),
        ("x-web: {image: x}", false),
        ("x-web: {build: .}", false),
    ] {
        let compose = format!("services: {{a: {{image: x}}}}\n{top}\n");
        let model = load_texts(&[("compose.yaml", &compose)], &[]).unwrap();
        assert_eq!(!model.refusals(model.plain()).is_empty(), is_refused, "{top}");
    }
}
