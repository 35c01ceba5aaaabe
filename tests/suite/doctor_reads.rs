//! Doctor reads what docker compose reads, continues after files that cannot be parsed, and reports nothing about
//! what it did not read.

use std::collections::BTreeSet;

use crate::sandbox::{Run, Sandbox};

const TYPO: &str =
    "services:\n  api:\n    image: x\n    environment:\n      OTEL_EXPORTER_OTLP_HEADER: a=b\n";
const TYPED: &str = "OTEL_EXPORTER_OTLP_HEADER=a=b\n";

/// Creates a project without shell, stores and git.
fn project(files: &[(&str, &str)]) -> Sandbox {
    Sandbox::new(files).with("CI", "true")
}

/// Returns the findings as `code path:line`.
fn found(run: &Run) -> BTreeSet<String> {
    let document = run.json();
    let findings = document["findings"].as_array().unwrap();
    let shown = findings.iter().map(|one| {
        let text = |field: &str| one[field].as_str().unwrap();
        format!("{} {}:{}", text("code"), text("path"), one["line"])
    });
    shown.collect()
}

#[track_caller]
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let run = project(files).run(&["doctor", "--json"]);
    let expected: BTreeSet<String> = expected.iter().map(|one| (*one).to_owned()).collect();
    assert_eq!(found(&run), expected, "{files:#?}");
}

/// Returns the paths in one field of the document, each in `path` if it is an object.
fn paths(run: &Run, field: &str) -> Vec<String> {
    let document = run.json();
    let items = document[field].as_array().unwrap().clone();
    let path = |one: &serde_json::Value| one["path"].as_str().or(one.as_str()).unwrap().to_owned();
    items.iter().map(path).collect()
}

#[test]
fn what_included_extended_and_named_files_say_is_judged_where_it_stands() {
    let base = |text: &str| format!("{text}\nservices:\n  web:\n    image: x\n");
    let included = base("include: [other.yaml]");
    let deeper = base("include:\n  - path: sub/other.yaml\n    project_directory: sub\n");
    let extending = "services:\n  web:\n    extends: {file: other.yaml, service: api}\n";
    let named = "services:\n  web:\n    image: x\n    env_file: [{path: conf/web.env}]\n";
    for (compose, path, text, line) in [
        (included.as_str(), "other.yaml", TYPO, 5),
        (deeper.as_str(), "sub/other.yaml", TYPO, 5),
        (extending, "other.yaml", TYPO, 5),
        (named, "conf/web.env", TYPED, 1),
    ] {
        let files = [("compose.yaml", compose), (path, text)];
        check(&files, &[&format!("env-near-miss {path}:{line}")]);
        let run = project(&files).run(&["doctor", "--strict", "--json"]).expect(1);
        assert_eq!(paths(&run, "files"), ["compose.yaml", path]);
        assert!(!project(&files).run(&["doctor"]).stdout.contains("cruddur-ops init"), "{path}");
    }
}

#[test]
fn what_merges_of_merges_bring_is_known() {
    let sends = "OTEL_EXPORTER_OTLP_ENDPOINT: https://otel.example.com";
    let file = format!(
        "x-a: &a {{env_file: names.env}}\nx-b: &b {{<<: *a}}\nservices:\n  api:\n    <<: *b\n    build: .\n    environment: {{{sends}}}\n"
    );
    let environment = format!(
        "x-a: &a {{OTEL_SERVICE_NAME: api}}\nx-b: &b {{<<: *a}}\nservices:\n  api:\n    build: .\n    environment: {{<<: [*b], {sends}}}\n"
    );
    let service = format!(
        "x-a: &a {{environment: {{OTEL_SERVICE_NAME: api, {sends}}}}}\nx-b: &b {{<<: *a}}\nservices:\n  api: {{<<: *b, build: .}}\n"
    );
    for compose in [&file, &environment, &service] {
        check(&[("compose.yaml", compose), ("names.env", "OTEL_SERVICE_NAME=api\n")], &[]);
    }
    // The same file without the name.
    check(&[("compose.yaml", &file), ("names.env", "A=b\n")], &["name-missing compose.yaml:4"]);
}

#[test]
fn ports_of_variables_and_ranges_are_the_ports_that_docker_compose_publishes() {
    let database = |ports: &str| {
        format!("services:\n  store:\n    image: postgres:16\n    ports: ['{ports}']\n")
    };
    let entry = |port: &str| format!("ports:\n  - port: {port}\n    visibility: public\n");
    for (ports, dotenv, port) in [
        ("${DBPORT:-5432}:5432", "DBPORT=5433\n", "5433"),
        ("${DBPORT}:5432", "DBPORT=6001\n", "6001"),
        ("6100-6110:5430-5440", "A=b\n", "6105"),
        ("6001:5432", "A=b\n", "6000-6010"),
        ("5432:5432", "A=b\n", "5430-5440"),
        ("6100-6110:5430-5440", "A=b\n", "6110:6120"),
    ] {
        let files = [
            ("compose.yaml", database(ports)),
            (".env", dotenv.to_owned()),
            (".gitpod.yml", entry(port)),
        ];
        let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
        check(&files, &["port-database-public .gitpod.yml:3"]);
    }
    // An exact entry beats the range.
    let closed = format!("{}  - port: 6001\n", entry("6000-6010"));
    check(&[("compose.yaml", &database("6001:5432")), (".gitpod.yml", &closed)], &[]);
}

#[test]
fn variables_that_telemetry_needs_and_nothing_sets_are_named() {
    let setting = |line: &str| {
        format!(
            "services:\n  api:\n    image: x\n    environment:\n      OTEL_SERVICE_NAME: api\n      {line}\n"
        )
    };
    for line in [
        "OTEL_EXPORTER_OTLP_HEADERS: dd-api-key=${DD_API_KEY}",
        "OTEL_EXPORTER_OTLP_ENDPOINT: ${OTLP_URL}",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://$COLLECTOR_HOST:4318/v1/traces",
        "OTEL_EXPORTER_OTLP_HEADERS: x-tenant=${TENANT}",
    ] {
        let sandbox = Sandbox::new(&[("compose.yaml", &setting(line))]);
        let run = sandbox.run(&["doctor", "--json"]);
        assert_eq!(found(&run), ["variable-unstored compose.yaml:6".to_owned()].into(), "{line}");
        let kept = "DD_API_KEY=a\nOTLP_URL=http://c:4318\nCOLLECTOR_HOST=c\nTENANT=t\n";
        sandbox.write(".env", kept);
        assert_eq!(found(&sandbox.run(&["doctor", "--json"])), BTreeSet::new(), "{line}");
    }
    check(&[("compose.yaml", &setting("GREETING: ${HELLO}"))], &[]);
}

#[test]
fn a_missing_env_file_is_a_finding_unless_it_need_not_be_there() {
    let service = |file: &str| format!("services:\n  api:\n    image: x\n    env_file: {file}\n");
    for file in ["api.env", "[api.env]", "[{path: conf/api.env}]"] {
        check(&[("compose.yaml", &service(file))], &["compose-refused compose.yaml:4"]);
    }
    check(&[("compose.yaml", &service("[{path: api.env, required: false}]"))], &[]);
}

#[test]
fn compose_files_of_other_names_are_listed_and_taken_by_name() {
    let other = [
        ("docker-compose-gitpod.yml", TYPO),
        ("docker-compose-local.yml", "services:\n  db:\n    image: postgres\n"),
        (".gitpod.yml", "ports:\n  - name: t\n    command: ls\n"),
    ];
    let sandbox = project(&other);
    let run = sandbox.run(&["doctor", "--json"]).expect(2);
    let names = ["docker-compose-gitpod.yml", "docker-compose-local.yml"];
    for name in names {
        assert!(run.stderr.contains(name), "{}", run.stderr);
    }
    assert!(run.stderr.contains("COMPOSE_FILE="), "{}", run.stderr);
    // The rest is read all the same.
    assert_eq!(found(&run), ["task-in-ports .gitpod.yml:2".to_owned()].into());
    assert_eq!(run.json()["error"]["code"], "no-compose-file");
    sandbox.run(&["verify", "--local"]).failed("no-compose-file", &names);

    // Without anything else there is no result to show.
    let alone = project(&other[..2]).run(&["doctor"]).expect(2);
    assert_eq!(alone.stdout, "");

    let typo = "env-near-miss docker-compose-gitpod.yml:5".to_owned();
    let told = sandbox.run(&["-f", names[0], "doctor", "--json"]).expect(1);
    assert!(found(&told).contains(&typo));
    let both = sandbox.run(&["doctor", "-f", names[1], "-f", names[0], "--json"]).expect(1);
    assert!(found(&both).contains(&typo));
    assert_eq!(paths(&both, "files")[..2], [names[1], names[0]]);
    let verified = sandbox.run(&["-f", names[0], "verify", "--local", "--json"]).expect(1);
    assert_eq!(verified.json()["services"][0]["service"], "api");
    sandbox.run(&["-f", "gone.yml", "doctor"]).expect(2);
    let by_variable = project(&other).with("COMPOSE_FILE", names[0]);
    assert!(found(&by_variable.run(&["doctor", "--json"])).contains(&typo));
}

#[test]
fn the_child_of_run_gets_the_compose_files_too() {
    let sandbox = project(&[("docker-compose-gitpod.yml", TYPO)]);
    let run = sandbox.run(&["-f", "docker-compose-gitpod.yml", "run", "--", "env"]).expect(0);
    let file = sandbox.path("docker-compose-gitpod.yml");
    let line = format!("COMPOSE_FILE={}", file.display());
    assert!(run.stdout.lines().any(|one| one == line), "{}", run.stdout);
}

const OLD_HOOK: &str = "from flask import Flask\napp = Flask(__name__)\n@app.before_first_request\ndef start():\n    pass\n";

#[test]
fn files_beside_one_that_does_not_parse_are_read_and_nothing_is_claimed_of_it() {
    let good = "services:\n  api:\n    build: ./api\n";
    let broken = "services:\n  api:\n\tbuild: ./api\n";
    let code = ("api/app.py", OLD_HOOK);
    let hook = "before-first-request api/app.py:3";
    for (files, unread, expected) in [
        (
            vec![("compose.yaml", broken), code],
            "compose.yaml",
            vec!["yaml-syntax compose.yaml:3", hook],
        ),
        (
            vec![("compose.yaml", good), ("compose.override.yaml", broken), code],
            "compose.override.yaml",
            vec!["yaml-syntax compose.override.yaml:3", hook],
        ),
        (
            vec![("compose.yaml", "include: [sub/a.yaml]\n"), ("sub/a.yaml", broken), code],
            "sub/a.yaml",
            vec!["yaml-syntax sub/a.yaml:3", hook],
        ),
        (
            vec![("compose.yaml", good), (".gitpod.yml", "ports:\n\t- port: 1\n"), code],
            ".gitpod.yml",
            vec!["yaml-syntax .gitpod.yml:2", hook],
        ),
    ] {
        check(&files, &expected);
        let run = project(&files).run(&["doctor", "--json"]).expect(1);
        assert_eq!(paths(&run, "unread"), [unread]);
        assert!(!paths(&run, "files").contains(&unread.to_owned()), "{unread}");
        let is_compose = unread != ".gitpod.yml";
        let claims = project(&files).run(&["doctor"]).stdout.contains("cruddur-ops init");
        assert_eq!(claims, !is_compose, "{unread}");
    }
}

#[test]
fn files_that_include_each_other_are_a_finding() {
    let run = project(&[
        ("compose.yaml", "include: [a.yaml]\n"),
        ("a.yaml", "include: [compose.yaml]\n"),
    ]);
    assert_eq!(found(&run.run(&["doctor", "--json"]).expect(1)).len(), 1);
    let own = "services:\n  a:\n    extends: {service: b}\n  b:\n    extends: {service: a}\n";
    let run = project(&[("compose.yaml", own)]).run(&["doctor", "--json"]).expect(1);
    assert!(found(&run).iter().all(|one| one.starts_with("compose-refused ")));
}

#[test]
fn a_name_in_dotenv_is_said_at_its_line_and_to_reach_no_container() {
    let service = |environment: &str| format!("services:\n  api:\n    image: x\n{environment}");
    let names = [
        "OTEL_SERVICE_NAME=api\n",
        "A=b\nOTEL_SERVICE_NAME='x'\n",
        "export HONEYCOMB_SERVICE_NAME=y\n",
    ];
    for (dotenv, line) in names.into_iter().zip([1, 2, 1]) {
        let files = [("compose.yaml", service("")), (".env", dotenv.to_owned())];
        let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
        check(&files, &[&format!("name-in-shell .env:{line}")]);
        let run = Sandbox::new(&files).run(&["doctor", "--json"]);
        assert_eq!(found(&run), [format!("name-in-shell .env:{line}")].into(), "{dotenv}");
    }
    // Where the container gets it, it is no leftover.
    let read = service("    env_file: .env\n");
    check(&[("compose.yaml", &read), (".env", "OTEL_SERVICE_NAME=api\n")], &[]);
    let passed = service("    environment: [OTEL_SERVICE_NAME]\n");
    check(
        &[("compose.yaml", &passed), (".env", "OTEL_SERVICE_NAME=api\n")],
        &["name-from-variable compose.yaml:4"],
    );
}

#[test]
fn a_dotenv_of_another_encoding_is_an_error_for_every_command() {
    let utf16 = |text: &str| -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let text = "HONEYCOMB_API_KEY=abc\n";
    for bytes in [
        utf16(text),
        text.encode_utf16().flat_map(u16::to_be_bytes).chain([0xff]).collect(),
        b"A=caf\xe9\n".to_vec(),
    ] {
        for command in [&["doctor"][..], &["verify", "--local"], &["init", "--yes", "--no-verify"]]
        {
            let sandbox = project(&[("compose.yaml", TYPO)]);
            std::fs::write(sandbox.path(".env"), &bytes).unwrap();
            sandbox.run(command).failed("not-utf8", &[".env"]);
        }
    }
}

#[test]
fn the_advice_on_a_missing_env_file_says_how_to_create_it() {
    let compose = "services:\n  api:\n    build: .\n    env_file:\n      - api.env\n";
    for (files, named) in [
        (&[("erb/api.env.erb", "A=b\n")][..], "erb/api.env.erb"),
        (&[("api.env.example", "A=b\n")], "api.env.example"),
        (&[], "{path: api.env, required: false}"),
    ] {
        let files = [&[("compose.yaml", compose)][..], files].concat();
        let document = Sandbox::new(&files).run(&["doctor", "--json"]).expect(1).json();
        let findings = document["findings"].as_array().unwrap();
        let refused = findings.iter().find(|one| one["code"] == "compose-refused").unwrap();
        assert!(refused["fix"].as_str().unwrap().contains(named), "{refused:#}");
    }
}
