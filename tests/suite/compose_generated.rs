//! Generated projects: the effective environment is the one that the real Docker Compose prints, before and after an
//! edit.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use cruddur_ops::edit::yaml::environment::{Wanted, set};

use crate::compose_oracle::{agree, docker_compose};

/// A project's files and its shell.
#[derive(Debug, Clone)]
struct Generated {
    compose: String,
    over: String,
    dotenv: String,
    env_file: String,
    shell: Vec<(&'static str, &'static str)>,
}

const VALUES: [&str; 16] = [
    "1",
    "010",
    "1.0",
    "yes",
    "'v'",
    "\"q $A\"",
    "$A",
    "${B:-d}",
    "${B-d}",
    "${C:+set}",
    "'$$A ${A}'",
    "~",
    "''",
    "0x1F",
    "${D-${A}}",
    "\"a\\tb\"",
];

const ITEMS: [&str; 10] =
    ["A=1", "B", "C=", "'D=$A'", "E=${B:-x y}", "A=2", "\"F=a=b\"", "G=$$A", "H=${C+c}", "B=own"];

const LINES: [&str; 12] = [
    "A=file\n",
    "B=\"x ${A}\" # c\n",
    "C='$A'\n",
    "export D=e\n",
    "E=a b  # c\n",
    "F=\n",
    "# c\n",
    "G: yaml\n",
    "H\n",
    "A=${B:-again}\n",
    "I=\"two\nlines\"\n",
    "J=$UNSET.\n",
];

fn environment() -> impl Strategy<Value = String> {
    let map =
        prop::collection::vec(prop::sample::select(VALUES.to_vec()), 0..6).prop_map(|values| {
            let names = ["A", "B", "C", "D", "E", "F"];
            let entries =
                names.iter().zip(values).map(|(name, value)| format!("      {name}: {value}\n"));
            let entries: String = entries.collect();
            if entries.is_empty() { String::new() } else { format!("    environment:\n{entries}") }
        });
    let list =
        prop::collection::vec(prop::sample::select(ITEMS.to_vec()), 1..6).prop_map(|items| {
            let items: String = items.iter().map(|item| format!("      - {item}\n")).collect();
            format!("    environment:\n{items}")
        });
    prop_oneof![
        map.clone(),
        list,
        Just("    environment: *shared\n".to_owned()),
        Just("    environment:\n      <<: *shared\n      B: over\n".to_owned()),
        Just("    <<: *service\n".to_owned()),
    ]
}

fn generated() -> impl Strategy<Value = Generated> {
    let lines = || {
        prop::collection::vec(prop::sample::select(LINES.to_vec()), 0..6)
            .prop_map(|lines| lines.concat())
    };
    let shell =
        prop::sample::subsequence(vec![("A", "shell"), ("B", ""), ("C", "c d"), ("H", "h")], 0..5);
    (environment(), environment(), any::<[bool; 3]>(), lines(), lines(), shell).prop_map(
        |(one, two, [with_file, with_override, extends], dotenv, env_file, shell)| {
            let file = if with_file { "    env_file: s.env\n" } else { "" };
            let base = if extends { "    extends: {service: one}\n" } else { "" };
            let compose = format!(
                "x-shared: &shared {{A: anchor, Z: '${{C:-z}}'}}\nx-service: &service\n  environment:\n    S: ${{A}}\n  labels: {{l: m}}\n\
                 services:\n  one:\n    image: x\n{file}{one}  two:\n    image: y\n{base}{two}"
            );
            let over = match with_override {
                true => format!("x-shared: &shared {{Y: y}}\nx-service: &service {{user: u}}\nservices:\n  one:\n{two}    tty: true\n"),
                false => String::new(),
            };
            Generated { compose, over, dotenv, env_file, shell }
        },
    )
}

fn check(project: &Generated, compose: &str) {
    let mut files = vec![
        ("compose.yaml", compose),
        (".env", project.dotenv.as_str()),
        ("s.env", project.env_file.as_str()),
    ];
    if !project.over.is_empty() {
        files.push(("compose.override.yaml", project.over.as_str()));
    }
    agree(&files, &project.shell);
}

#[test]
fn generated_projects_are_seen_as_docker_compose_sees_them_before_and_after_an_edit() {
    if docker_compose().is_none() {
        return;
    }
    let mut runner =
        TestRunner::new(Config { cases: 32, failure_persistence: None, ..Config::default() });
    let wanted = [Wanted {
        service: "one".to_owned(),
        unset: vec!["D".to_owned()],
        set: vec![
            ("OTEL_SERVICE_NAME".to_owned(), "one".to_owned()),
            (
                "OTEL_EXPORTER_OTLP_HEADERS".to_owned(),
                "x-honeycomb-team=${HONEYCOMB_API_KEY:-none}".to_owned(),
            ),
        ],
    }];
    let result = runner.run(&generated(), |project| {
        check(&project, &project.compose);
        // Whoever extends `one` would be renamed with it, which is refused.
        let extended = project.compose.contains("extends");
        let edit = set(&project.compose, &wanted);
        prop_assert!(edit.is_ok() || extended, "{}\n{edit:#?}", project.compose);
        if let Ok(edit) = edit {
            check(&project, &edit.text);
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}
