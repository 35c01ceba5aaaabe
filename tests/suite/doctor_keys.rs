//! Doctor finds keys where people put them, and distinguishes a key from a hash, an id and a placeholder.

use std::process::Command;

use crate::sandbox::{Run, Sandbox};

const HONEYCOMB: &str = "abcdEFGH1234ijklMNOP56";
const ROLLBAR: &str = "0123456789abcdef0123456789abcdef";
const AWS: &str = "abcdefghij0123456789ABCDEFGHIJ0123456789";
const COMPOSE: (&str, &str) =
    ("compose.yaml", "services:\n  api:\n    image: example/api\n    env_file: api.env\n");

/// Returns the findings about keys as `code path:line`, and whether `--fix` fixes any of them.
fn found(run: &Run) -> Vec<(String, bool)> {
    let document = run.json();
    let findings = document["findings"].as_array().unwrap();
    let keys = ["secret-literal", "secret-in-frontend", "dotenv-not-ignored"];
    let findings = findings.iter().filter(|one| keys.contains(&one["code"].as_str().unwrap()));
    let shown = findings.map(|one| {
        assert_eq!(one["severity"], "error");
        let text = |field: &str| one[field].as_str().unwrap();
        let place = format!("{} {}:{}", text("code"), text("path"), one["line"]);
        (place, one["fixable"].as_bool().unwrap())
    });
    shown.collect()
}

/// Creates a repository with these files; git tracks those in `tracked`.
fn repository(files: &[(&str, &str)], tracked: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new(files);
    let git = |arguments: &[&str]| {
        let status = Command::new("git")
            .arg("-C")
            .arg(sandbox.path(""))
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .status();
        assert!(status.unwrap().success(), "git {arguments:?}");
    };
    git(&["init", "--quiet"]);
    if !tracked.is_empty() {
        git(&[&["add", "--force", "--"], tracked].concat());
    }
    sandbox
}

#[track_caller]
fn check(files: &[(&str, &str)], tracked: &[&str], expected: &[(&str, bool)]) {
    let run = repository(files, tracked).run(&["doctor", "--json"]);
    let expected: Vec<(String, bool)> =
        expected.iter().map(|(place, fixable)| ((*place).to_owned(), *fixable)).collect();
    assert_eq!(found(&run), expected, "{files:#?}");
    for key in [HONEYCOMB, ROLLBAR, AWS] {
        assert!(!run.stdout.contains(key) && !run.stderr.contains(key));
    }
}

#[test]
fn a_file_of_variables_that_git_has_is_not_fixed_by_a_line() {
    let key = format!("NAME=api\nHONEYCOMB_API_KEY={HONEYCOMB}\n");
    let aws = format!("AWS_SECRET_ACCESS_KEY={AWS}\n");
    let rollbar = format!("ROLLBAR_ACCESS_TOKEN={ROLLBAR}\n");
    for (text, line) in [(&key, 2), (&aws, 1), (&rollbar, 1)] {
        let place = format!("dotenv-not-ignored api.env:{line}");
        let files = [COMPOSE, ("api.env", text), (".gitignore", "api.env\n")];
        check(&files, &["api.env"], &[(&place, false)]);
        check(&files, &[], &[]);
        check(&files[..2], &[], &[(&place, true)]);
        let dotenv = [
            ("compose.yaml", "services: {api: {image: x}}\n"),
            (".env", text),
            (".gitignore", ".env\n"),
        ];
        let place = format!("dotenv-not-ignored .env:{line}");
        check(&dotenv, &[".env"], &[(&place, false)]);
        check(&dotenv, &[], &[]);
        check(&dotenv[..2], &[], &[(&place, true)]);
    }
    // No service reads it, and git has it all the same.
    let files = [("compose.yaml", "services: {api: {image: x}}\n"), ("conf/prod.env", &*key)];
    check(&files, &["conf/prod.env"], &[("dotenv-not-ignored conf/prod.env:2", false)]);
    let placeholder = [COMPOSE, ("api.env", "HONEYCOMB_API_KEY=your-api-key-0123456789\n")];
    check(&placeholder, &["api.env"], &[]);
}

#[test]
fn fix_adds_no_line_for_a_file_that_git_has() {
    let text = format!("HONEYCOMB_API_KEY={HONEYCOMB}\n");
    let files = [
        ("compose.yaml", "services: {api: {image: x}}\n"),
        (".env", &*text),
        (".gitignore", ".env\n"),
    ];
    let sandbox = repository(&files, &[".env"]);
    for _ in 0..2 {
        let run = sandbox.run(&["doctor", "--fix", "--yes", "--json"]).expect(1);
        assert_eq!(found(&run), [("dotenv-not-ignored .env:1".to_owned(), false)]);
        assert_eq!(std::fs::read_to_string(sandbox.path(".gitignore")).unwrap(), ".env\n");
    }
    let sandbox = repository(&files[..2], &[]);
    let run = sandbox.run(&["doctor", "--fix", "--yes", "--json"]).expect(0);
    assert_eq!(found(&run), []);
    assert_eq!(std::fs::read_to_string(sandbox.path(".gitignore")).unwrap(), ".env\n");
}

#[test]
fn a_key_in_a_script_a_page_a_dockerfile_or_a_template_is_found() {
    let line = |path: &str| format!("secret-literal {path}");
    for (path, text) in [
        ("api/app.py", format!("import rollbar\nrollbar.init('{ROLLBAR}', 'production')\n")),
        ("api/app.py", format!("import rollbar\nrollbar.init(access_token=\"{ROLLBAR}\")\n")),
        ("api/app.py", format!("import os\nheaders = {{\"x-honeycomb-team\": \"{HONEYCOMB}\"}}\n")),
        (
            "web/src/tracing.js",
            format!("export default {{\n  'x-honeycomb-team': '{HONEYCOMB}' }}\n"),
        ),
        ("web/src/tracing.tsx", format!("// one\nconst dd = {{ 'dd-api-key': '{ROLLBAR}' }}\n")),
        ("bin/run.sh", format!("#!/bin/sh\nexport HONEYCOMB_API_KEY={HONEYCOMB}\n")),
        ("bin/run.sh", format!("#!/bin/sh\ngp env ROLLBAR_ACCESS_TOKEN=\"{ROLLBAR}\"\n")),
        ("api/Dockerfile", format!("FROM python\nENV AWS_SECRET_ACCESS_KEY={AWS}\n")),
        ("api/Dockerfile.prod", format!("FROM python\nENV HONEYCOMB_API_KEY={HONEYCOMB}\n")),
        ("erb/api.env.erb", format!("NAME=api\nHONEYCOMB_API_KEY={HONEYCOMB}\n")),
        (".env.example", format!("NAME=api\nROLLBAR_ACCESS_TOKEN={ROLLBAR}\n")),
        (".gitpod.yml", format!("tasks:\n  - init: gp env HONEYCOMB_API_KEY=\"{HONEYCOMB}\"\n")),
    ] {
        let files = [
            ("compose.yaml", "services: {api: {build: ./api}, web: {build: ./web}}\n"),
            ("api/requirements.txt", "flask\nrollbar\n"),
            (path, &*text),
        ];
        check(&files, &[], &[(&line(&format!("{path}:2")), false)]);
        let ignored = [files[0], files[1], files[2], (".gitignore", path)];
        if ![".gitpod.yml", ".py"].iter().any(|end| path.ends_with(end)) {
            check(&ignored, &[], &[]);
        }
    }
    let page = ("web/Dockerfile", "FROM node\nARG REACT_APP_HONEYCOMB_API_KEY\n");
    check(
        &[("compose.yaml", "services: {web: {build: ./web}}\n"), page],
        &[],
        &[("secret-in-frontend web/Dockerfile:2", false)],
    );
}

#[test]
fn a_hash_an_id_and_a_placeholder_are_no_keys() {
    for (path, text) in [
        ("bin/run.sh", format!("COMMIT={ROLLBAR}\nimage=repo@sha256:{ROLLBAR}{ROLLBAR}\n")),
        (
            "web/src/tracing.js",
            format!("const trace = '{ROLLBAR}'\nconst key = process.env.HONEYCOMB_API_KEY\n"),
        ),
        (
            "web/src/tracing.js",
            "headers: {'x-honeycomb-team': `${import.meta.env.VITE_KEY}`}\n".to_owned(),
        ),
        (
            "api/app.py",
            "import rollbar, os\nrollbar.init(os.environ['ROLLBAR_ACCESS_TOKEN'])\n".to_owned(),
        ),
        (
            "api/app.py",
            "import rollbar\nrollbar.init('your-rollbar-token', 'production')\n".to_owned(),
        ),
        (
            ".env.example",
            "HONEYCOMB_API_KEY=your-api-key-0123456789\nROLLBAR_ACCESS_TOKEN=\n".to_owned(),
        ),
        ("erb/api.env.erb", "HONEYCOMB_API_KEY=<%= ENV['HONEYCOMB_API_KEY'] %>\n".to_owned()),
        ("web/node_modules/x/index.js", format!("'x-honeycomb-team': '{HONEYCOMB}'\n")),
    ] {
        let files = [
            ("compose.yaml", "services: {api: {build: ./api}, web: {build: ./web}}\n"),
            ("api/requirements.txt", "flask\nrollbar\n"),
            (path, &*text),
        ];
        check(&files, &[], &[]);
    }
}
