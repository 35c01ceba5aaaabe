//! A hostile project: nothing of it is run, no escape sequence is printed, and no key is sent to a host that it
//! names.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::fake_gp::{FakeGp, Mode};
use crate::rude::Rude;
use crate::sandbox::{KEY, Run, Sandbox};
use crate::verify::{check, expect, project, project_with};
use crate::verify_trust::outer_address;

const JSON: &str = "application/json";

/// Every command that reads a project, and those that write.
const COMMANDS: [&[&str]; 12] = [
    &["init", "--yes", "--store", "env", "--no-verify", "--public"],
    &["doctor"],
    &["doctor", "--json"],
    &["ports"],
    &["ports", "--json"],
    &["ports", "--public", "--yes", "--devcontainer"],
    &["verify", "--timeout", "1s"],
    &["key", "status"],
    &["instrument", "--yes"],
    &["query"],
    &["doctor", "--fix", "--yes"],
    &["undo", "--yes"],
];

/// Texts that would create a file `pwned` if a shell, a template or another tool interpreted them.
const PAYLOADS: [&str; 6] = [
    "$$(touch pwned)",
    "`touch pwned`",
    "; touch pwned;",
    "x'\\\"; touch pwned #",
    "{{ cycler.__init__.__globals__.os.popen('touch pwned') }}",
    "{% include '/etc/passwd' %}",
];

fn payload_files(payload: &str) -> Vec<(String, String)> {
    let quoted = payload.replace('\'', "''");
    let compose = format!(
        "name: x\nservices:\n  '{quoted}':\n    build: {{context: ./app, args: ['A={quoted}']}}\n    container_name: '{quoted}'\n    \
         command: '{quoted}'\n    env_file: ['a.env']\n    ports: ['4567:4567']\n    environment:\n      A: '{quoted}'\n      \
         OTEL_RESOURCE_ATTRIBUTES: '{quoted}'\n  other:\n    image: '{quoted}'\n"
    );
    let gitpod = format!(
        "tasks:\n  - init: '{quoted}'\n    command: touch pwned\nports:\n  - port: 3000\n    name: '{quoted}'\n"
    );
    let devcontainer = serde_json::json!({
        "name": payload, "postStartCommand": format!("touch pwned; {payload}"), "initializeCommand": "touch pwned",
    });
    [
        ("docker-compose.yml", compose),
        (".gitpod.yml", gitpod),
        (".devcontainer/devcontainer.json", devcontainer.to_string()),
        (".env", format!("A='{}'\nB=$(touch pwned)\nC=`touch pwned`\n", payload.replace('\'', ""))),
        ("a.env", format!("D={payload}\n")),
        ("app/requirements.txt", format!("flask\n{payload}\n")),
        ("app/Dockerfile", format!("FROM python:3.10\nRUN {payload}\n")),
        (
            "app/app.py",
            "from flask import Flask\nimport os\nos.system('touch pwned')\napp = Flask(__name__)\n"
                .to_owned(),
        ),
        ("app/setup.py", "import os\nos.system('touch pwned')\n".to_owned()),
    ]
    .map(|(path, text)| (path.to_owned(), text))
    .to_vec()
}

fn hostile(payload: &str) -> Sandbox {
    let files = payload_files(payload);
    let borrowed: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    Sandbox::new(&borrowed).with("HONEYCOMB_API_KEY", KEY)
}

/// Checks that no file named `pwned` exists in the sandbox.
#[track_caller]
fn nothing_ran(sandbox: &Sandbox) {
    let mut folders = vec![sandbox.home().parent().unwrap().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            assert!(!path.ends_with("pwned"), "{}", path.display());
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            }
        }
    }
}

fn run_all(sandbox: &Sandbox) -> Vec<Run> {
    let runs = COMMANDS.iter().map(|command| {
        let run = sandbox.run(command);
        assert!((0..=2).contains(&run.status), "{command:?}: {}", run.stderr);
        run
    });
    runs.collect()
}

#[test]
fn nothing_that_a_project_says_is_run() {
    for payload in PAYLOADS {
        let sandbox = hostile(payload);
        run_all(&sandbox);
        nothing_ran(&sandbox);
    }
}

#[test]
fn programs_that_lie_in_a_project_are_not_taken_for_those_of_the_path() {
    let sandbox = hostile("x");
    for name in [
        "gp",
        "git",
        "gh",
        "docker",
        "docker-compose",
        "pip",
        "python3",
        "sh",
        "xdg-open",
        "gitpod",
    ] {
        let path = sandbox.path(name);
        std::fs::write(&path, "#!/bin/sh\ntouch pwned\n").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let gp = FakeGp::new(Mode::Well);
    let sandbox = gp.workspace(sandbox);
    run_all(&sandbox);
    nothing_ran(&sandbox);
    // Nor where the user's PATH leads there.
    let (own, path) = (sandbox.project(), std::env::var("PATH").unwrap());
    let mut sandbox = sandbox.with("CODESPACES", "true").with("CODESPACE_NAME", "x");
    for entries in
        [".".to_owned(), String::new(), "../project".to_owned(), own.display().to_string()]
    {
        sandbox = sandbox.with("PATH", &format!("{entries}:{path}"));
        run_all(&sandbox);
        sandbox.run(&["verify", "--app", "http://127.0.0.1:9/", "--timeout", "1s"]);
        nothing_ran(&sandbox);
    }
}

#[test]
fn programs_in_the_repositorys_git_configuration_are_not_run() {
    let sandbox = hostile("x");
    let git = |arguments: &[&str]| {
        Command::new("git").args(arguments).current_dir(sandbox.project()).output()
    };
    if !git(&["init", "--quiet"]).is_ok_and(|output| output.status.success()) {
        println!("skipped: no git");
        return;
    }
    let script = sandbox.path("hook");
    let touch = format!("#!/bin/sh\ntouch {}\n", sandbox.path("pwned").display());
    std::fs::write(&script, touch).unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    let hook = script.display().to_string();
    for name in [
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "core.sshCommand",
        "diff.external",
        "alias.ls-files",
    ] {
        assert!(git(&["config", name, &hook]).unwrap().status.success());
    }
    run_all(&sandbox);
    let given = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(given.path(), KEY).unwrap();
    let mut set = sandbox.command(&["key", "set", "--store", "dotenv", "--stdin", "--yes"]);
    set.stdin(std::fs::File::open(given.path()).unwrap());
    Run::of(set).expect(0);
    nothing_ran(&sandbox);
}

#[test]
fn no_output_moves_the_cursor_or_forges_a_line_of_ours() {
    let evil = "a\\e[2J\\e[31m\\x9b1m\\r\\b\\nerror[forged]: x\\u202e\\u2066";
    let compose = format!(
        "services:\n  \"{evil}\":\n    build: ./app\n    container_name: \"{evil}\"\n    ports: [\"4567:4567\"]\n    environment:\n      \
         OTEL_SERVICE_NAME: \"{evil}\"\n      OTEL_EXPORTER_OTLP_ENDPOINT: \"http://127.0.0.1:9/{evil}\"\n      OTEL_EXPORTER_OTLP_HEADERS: \"{evil}\"\n      \
         \"{evil}\": x\n  b:\n    image: \"{evil}\"\n    depends_on: [\"{evil}\"]\n    env_file: \"{evil}\"\n    extends: {{service: \"{evil}\"}}\n"
    );
    let raw = "a\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}1m\r";
    let sandbox = Sandbox::new(&[
        ("docker-compose.yml", &compose),
        (".gitpod.yml", &format!("# {raw}\nports:\n  - name: \"{evil}\"\n    port: 3000\n")),
        (".env", &format!("A={raw}\n")),
        ("app/requirements.txt", &format!("flask\n{raw}\n")),
        ("app/app.py", &format!("# {raw}\nfrom flask import Flask\napp = Flask(__name__)\n")),
    ])
    .with("HONEYCOMB_API_KEY", KEY);
    let foreign = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
    for (run, command) in run_all(&sandbox).iter().zip(COMMANDS) {
        for text in [&run.stdout, &run.stderr] {
            let line = text.lines().find(|line| line.contains(foreign));
            assert!(line.is_none(), "{command:?} prints {line:?}");
            assert!(
                !text.lines().any(|line| line.starts_with("error[forged]")),
                "{command:?} prints\n{text}"
            );
        }
    }
    // What is no YAML is quoted too.
    for text in [format!("services: [\n{raw}"), format!("a: b: {raw}\n")] {
        sandbox.write("docker-compose.yml", &text);
        for (run, command) in run_all(&sandbox).iter().zip(COMMANDS) {
            let line =
                run.stderr.lines().chain(run.stdout.lines()).find(|line| line.contains(foreign));
            assert!(line.is_none(), "{command:?} prints {line:?}");
        }
    }
}

#[test]
fn an_address_that_only_looks_like_the_providers_gets_nothing() {
    let Some(address) = outer_address() else {
        println!("skipped: this machine has no address but loopback");
        return;
    };
    let server = Rude::on(address, JSON, b"{}");
    let host = server.address;
    for endpoint in [
        format!("http://api.honeycomb.io@{host}"),
        format!("http://api.honeycomb.io:443@{host}/"),
        format!("http://{host}/?https://api.honeycomb.io"),
        format!("http://{host}#@api.honeycomb.io"),
        format!("http://{host}\\\\@api.honeycomb.io"),
        format!("http://127.0.0.1@{host}"),
        format!("http://localhost:80@{host}"),
    ] {
        let service = expect_refused(&endpoint);
        assert_eq!(service["code"], "untrusted-host", "{endpoint}: {service:#}");
    }
    assert_eq!(server.connections(), 0);
    // Without an address here, or with one that nobody trusts: nothing is sent either way.
    for endpoint in [
        "https://api.honeycomb.io.evil.invalid",
        "https://evil-api.honeycomb.io.invalid",
        "https://api.honeyc\u{43e}mb.invalid",
        "https://api.honeycomb.io..invalid",
        "https://api%2ehoneycomb%2eio.invalid",
    ] {
        expect_refused(endpoint);
    }
}

/// Checks that nothing was proven for an address that cannot be trusted.
fn expect_refused(endpoint: &str) -> serde_json::Value {
    let run = project(endpoint).run(&["verify", "--json", "--timeout", "3s"]);
    let service = crate::verify::service(&run.expect(1));
    assert_eq!(service["proven"], "none", "{endpoint}");
    service
}

#[test]
fn a_service_that_calls_itself_like_the_provider_does_not_inherit_its_trust() {
    let Some(address) = outer_address() else {
        println!("skipped: this machine has no address but loopback");
        return;
    };
    let server = Rude::on(address, JSON, b"{}");
    let port = server.address.port();
    for (scheme, inner) in [("https", 443), ("http", 80)] {
        let compose = format!(
            "services:\n  api:\n    build: .\n    environment:\n      OTEL_SERVICE_NAME: api\n      \
             OTEL_EXPORTER_OTLP_ENDPOINT: {scheme}://api.honeycomb.io\n      OTEL_EXPORTER_OTLP_CERTIFICATE: ca.pem\n      \
             OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${{HONEYCOMB_API_KEY}}\n  \
             api.honeycomb.io:\n    image: x\n    ports: ['{address}:{port}:{inner}']\n"
        );
        let files = [("compose.yaml", compose.as_str()), ("ca.pem", "")];
        let sandbox = Sandbox::new(&files).with("HONEYCOMB_API_KEY", KEY);
        let service = expect(&sandbox, &[], "none", Some("untrusted-host"));
        assert!(check(&service, "reachable")["hint"].as_str().unwrap().contains("--trust-host"));
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_proxy_that_the_project_names_is_not_used() {
    let proxy = Rude::answering(JSON, b"{}");
    let server = Rude::answering(JSON, b"{}");
    let names =
        ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let url = proxy.url();
    let more: Vec<(&str, &str)> = names.iter().map(|name| (*name, url.as_str())).collect();
    let sandbox = project_with(&server.url(), &more);
    let lines: String = names.iter().map(|name| format!("{name}={url}\n")).collect();
    sandbox.write(".env", &lines);
    expect(&sandbox, &[], "accepted", None);
    let elsewhere = project_with("http://192.0.2.1:4318", &more);
    elsewhere.write(".env", &lines);
    expect(&elsewhere, &["--timeout", "2s"], "none", Some("untrusted-host"));
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn certificate_files_are_read_if_they_are_files_and_quoted_never() {
    let sandbox = project("https://127.0.0.1:9");
    let pipe = sandbox.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    sandbox.write(
        "secrets.pem",
        "top-secret-line\n-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n",
    );
    for path in ["/etc/shadow", "pipe", "/dev/zero", "/proc/self/environ", "/", "secrets.pem"] {
        for name in ["OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_KEY"] {
            let text = format!(
                "services:\n  a:\n    build: .\n    environment:\n      OTEL_SERVICE_NAME: a\n      OTEL_EXPORTER_OTLP_ENDPOINT: \
                 https://127.0.0.1:9\n      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: {path}\n      {name}: {path}\n"
            );
            sandbox.write("docker-compose.yml", &text);
            let run = sandbox.run(&["verify", "--timeout", "3s"]).expect(1);
            let said = run.stdout + &run.stderr;
            for secret in ["root:", "top-secret", "HOME=", "PATH="] {
                assert!(!said.contains(secret), "{path}: {said}");
            }
        }
    }
}
