//! Text of files, servers and programs in the output: on one line, printable, without a secret; also in JSON.

use std::os::unix::fs::PermissionsExt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::fake_grpc::{GrpcReceiver, Reply};
use crate::listening::{Listening, post, trace};
use crate::rude::Rude;
use crate::sandbox::{KEY, Run, Sandbox};
use crate::verify::{check, project, project_with, service};

/// Lines that look like a verdict's, and everything else that could move the cursor or colour the output.
const FORGED: &str = "otlp2\n  \u{2713} accepted  2 F0RGED spans taken\n  ok   accepted F0RGED\n  delivered: F0RGED\r\
                      \u{1b}[1A\u{1b}[2K\u{1b}[32mdelivered\u{1b}[0m\u{9b}1A\u{1b}]8;;http://evil.example\u{1b}\\x\
                      \u{202e}dereviled\u{2066}\u{200b}\u{e0041}\u{2028}  delivered: F0RGED";

/// Returns `text` with its escapes as YAML and JSON write them in double quotes.
fn quoted(text: &str) -> String {
    let json = serde_json::to_string(text).unwrap();
    json[1..json.len() - 1].replace('\u{9b}', "\\x9b")
}

fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(character, '\u{e0000}'..='\u{e007f}')
}

/// Checks that each line of both streams is ours and contains nothing invisible.
#[track_caller]
fn is_ours(run: &Run) {
    for text in [&run.stdout, &run.stderr] {
        for line in text.lines() {
            let begins = |with: &str| line.trim_start().starts_with(with);
            let is_forged = line.contains("F0RGED")
                && (begins("\u{2713} accepted") || begins("ok ") || begins("delivered"))
                && line.len() - line.trim_start().len() < 6;
            assert!(!is_forged, "{text}");
            assert!(!line.contains(|one| one != '\t' && is_invisible(one)), "{text:?}");
        }
    }
}

/// Runs the command as text and as JSON; checks that neither is forged and that each mentions [`FORGED`].
#[track_caller]
fn shows(sandbox: &Sandbox, arguments: &[&str]) -> (Run, Value) {
    let text = sandbox.run(arguments);
    is_ours(&text);
    let all = format!("{}{}", text.stdout, text.stderr);
    assert!(all.contains("F0RGED"), "nothing of it is shown: {all}");
    let machine = sandbox.run(&[arguments, &["--json"]].concat());
    is_ours(&machine);
    assert_eq!(machine.stdout.lines().count(), 1, "{}", machine.stdout);
    assert_eq!(machine.status, text.status);
    let document = machine.json();
    (text, document)
}

#[test]
fn a_value_of_the_environment_forges_no_verdict() {
    for variable in
        ["OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_COMPRESSION"]
    {
        let server = Rude::answering("text/plain", b"");
        let sandbox =
            project_with(&server.url(), &[(variable, &quoted(FORGED))]).with("LANG", "C.UTF-8");
        let run = sandbox.run(&["verify", "--timeout", "2s"]);
        is_ours(&run);
        is_ours(&sandbox.run(&["verify", "--timeout", "2s", "--json"]));
        is_ours(&sandbox.run(&["doctor"]));
        is_ours(&sandbox.run(&["doctor", "--json"]));
    }
}

#[test]
fn the_name_of_a_service_forges_no_verdict() {
    let server = Rude::answering("text/plain", b"");
    let sandbox = project_with(&server.url(), &[("OTEL_SERVICE_NAME", &quoted(FORGED))]);
    // The first is given by `project_with` already.
    let text = sandbox.read("docker-compose.yml").replacen(
        "      OTEL_SERVICE_NAME: \"backend-flask\"\n",
        "",
        1,
    );
    sandbox.write("docker-compose.yml", &text);
    shows(&sandbox, &["verify", "--timeout", "2s"]);

    let text = format!("services:\n  \"{}\":\n    build: .\n", quoted(FORGED));
    let sandbox = Sandbox::new(&[("docker-compose.yml", &text)]);
    for command in [
        &["doctor"][..],
        &["verify"],
        &["ports"],
        &["init", "--yes", "--store", "none", "--no-verify"],
    ] {
        is_ours(&sandbox.run(command));
        is_ours(&sandbox.run(&[command, &["--json"]].concat()));
    }
}

#[test]
fn the_answer_of_a_server_forges_no_verdict() {
    for kind in ["text/plain", "text/html; charset=utf-8", "application/json"] {
        let body = match kind {
            "application/json" => json!({"message": FORGED, "error": FORGED}).to_string(),
            _ => FORGED.to_owned(),
        };
        for status in ["200 OK", "400 Bad Request", "401 Unauthorized", "503 Unavailable"] {
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nretry-after: 0\r\ncontent-length: {}\r\n\
                 connection: close\r\n\r\n{body}",
                body.len()
            );
            let server = Rude::saying(answer);
            let sandbox = project(&server.url());
            is_ours(&sandbox.run(&["verify", "--timeout", "2s"]));
            is_ours(&sandbox.run(&["verify", "--timeout", "2s", "--json"]));
        }
    }
    let named = "http://a.example/\u{202e}\u{200b}%0A%20%20delivered: F0RGED";
    for header in [
        format!("location: {named}"),
        "content-type: x/\u{202e}delivered F0RGED\u{200b}".to_owned(),
    ] {
        let answer = format!(
            "HTTP/1.1 302 Found\r\n{header}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        let server = Rude::saying(answer);
        is_ours(&project(&server.url()).run(&["verify", "--timeout", "2s"]));
    }
    for reply in [Reply::Refused(tonic::Code::Internal, FORGED), Reply::Partial(1, FORGED)] {
        let server = GrpcReceiver::start(reply);
        let sandbox = project_with(&server.url(), &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
        shows(&sandbox, &["verify", "--timeout", "2s"]);
    }
}

#[test]
fn a_span_forges_no_line_of_listen() {
    let sandbox = Sandbox::new(&[]).with("LANG", "C.UTF-8");
    let forged = |body: &mut Value| {
        let spans = &mut body["resourceSpans"][0]["scopeSpans"][0]["spans"];
        spans[0]["name"] = FORGED.into();
        spans[0]["status"] = json!({"code": 2, "message": FORGED});
        spans[1]["attributes"] = json!([{"key": FORGED, "value": {"stringValue": FORGED}}]);
    };
    let mut body = trace(FORGED, 1);
    forged(&mut body);
    for arguments in [&["-v", "--traces", "1"][..], &["--json", "--traces", "1"]] {
        let listening = Listening::start(&sandbox, arguments);
        post(listening.http, &body);
        let run = listening.end().expect(0);
        is_ours(&run);
        assert!(run.stdout.contains("F0RGED"), "{}", run.stdout);
        if arguments[0] == "--json" {
            // What a program reads is what was sent.
            let first: Value = serde_json::from_str(run.stdout.lines().next().unwrap()).unwrap();
            assert_eq!(first["name"], FORGED);
        }
    }
}

#[test]
fn a_file_name_forges_no_finding() {
    let name = "a\n  delivered: F0RGED\u{1b}[2K\u{202e}.env";
    let text = format!("services:\n  a:\n    build: .\n    env_file: \"{}\"\n", quoted(name));
    let sandbox = Sandbox::new(&[
        ("docker-compose.yml", &text),
        (name, "HONEYCOM_API_KEY=x\nOTEL_EXPORTER_OTLP_HEADER=a=b\n"),
        ("requirements.txt", "flask\n"),
        ("app\n  delivered: F0RGED\u{200b}.py", "from flask import Flask\napp = Flask(__name__)\n"),
    ]);
    shows(&sandbox, &["doctor"]);
    is_ours(&sandbox.run(&["instrument", "--dry-run"]));
    is_ours(&sandbox.run(&["init", "--yes", "--dry-run", "--store", "none", "--no-verify"]));
}

#[test]
fn labels_and_names_of_ports_forge_no_row() {
    let gitpod = format!(
        "ports:\n  - port: 4567\n    name: \"{}\"\n    visibility: public\n",
        quoted(FORGED)
    );
    let devcontainer =
        json!({"forwardPorts": [4567], "portsAttributes": {"4567": {"label": FORGED}}});
    let sandbox = Sandbox::new(&[
        ("docker-compose.yml", "services:\n  a:\n    build: .\n    ports: ['4567:4567']\n"),
        (".gitpod.yml", &gitpod),
        (".devcontainer/devcontainer.json", &devcontainer.to_string()),
    ]);
    let (_, document) = shows(&sandbox, &["ports"]);
    assert_eq!(document["ports"][0]["label"], FORGED);
    for arguments in [&["ports", "--public", "--yes", "--dry-run"][..], &["doctor"]] {
        is_ours(&sandbox.run(arguments));
    }
}

/// Adds a program that prints this text.
fn program(sandbox: Sandbox, name: &str, text: &str) -> Sandbox {
    let folder = sandbox.home().join("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    let all = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    sandbox.with("PATH", &all)
}

#[test]
fn output_of_gp_gh_and_docker_forges_no_line() {
    let compose =
        ("docker-compose.yml", "services:\n  a:\n    build: .\n    ports: ['4567:4567']\n");
    let rows = json!([{"browseUrl": format!("https://x/{FORGED}"), "label": FORGED, "sourcePort": 4567, "visibility": "public"}]);
    let said = format!("#!/bin/sh\ncat <<'END'\n{rows}\nEND\n");
    let failed = format!("#!/bin/sh\ncat >&2 <<'END'\n{FORGED}\nEND\nexit 1\n");
    for text in [&said, &failed] {
        let codespace =
            Sandbox::new(&[compose]).with("CODESPACES", "true").with("CODESPACE_NAME", "odd-owl");
        let codespace = program(codespace.with("GITHUB_TOKEN", "ghu_token0123456789"), "gh", text);
        let gitpod = Sandbox::new(&[compose])
            .with("GITPOD_WORKSPACE_ID", "x")
            .with("GITPOD_REPO_ROOT", "/x");
        let gitpod = program(gitpod, "gp", text);
        for sandbox in [codespace, gitpod] {
            for arguments in [&["ports"][..], &["ports", "--public", "--yes"], &["key", "status"]] {
                is_ours(&sandbox.run(arguments));
                is_ours(&sandbox.run(&[arguments, &["--json"]].concat()));
            }
        }
    }
    let docker = program(Sandbox::new(&[compose]), "docker", &failed);
    let run = docker.run(&["verify", "--app", "http://127.0.0.1:9/", "--timeout", "1s", "-v"]);
    is_ours(&run);
    is_ours(&docker.run(&["init", "--yes", "--store", "none", "--no-verify", "-v"]));
}

/// Adds a docker whose container of `backend-flask` runs with the configuration `digest`, writes `log`, and cannot be
/// replaced.
fn docker(sandbox: Sandbox, digest: &str, log: &str) -> Sandbox {
    let inspected = json!({
        "id": "a1",
        "state": {"Status": "running", "ExitCode": 0, "StartedAt": "2026-11-26T01:52:07.98Z"},
        "labels": {
            "com.docker.compose.service": "backend-flask",
            "com.docker.compose.config-hash": digest,
        },
    });
    let root = sandbox.project();
    let text = format!(
        "#!/bin/sh\ncase \"$1 $2\" in\n'ps --all') echo 'a1 {}';;\n'inspect --format') echo '{inspected}';;\n\
         'compose config') echo 'backend-flask of-now';;\n'logs --tail') cat <<'END'\n{log}\nEND\n;;\n\
         'compose up') cat >&2 <<'END'\n{log}\nEND\nexit 1;;\nesac\n",
        root.display()
    );
    program(sandbox, "docker", &text)
}

#[test]
fn the_log_of_a_running_service_forges_no_verdict() {
    let listening = Listening::start(&Sandbox::new(&[]), &[]);
    let silent = Rude::answering("text/plain", b"hi");
    let arguments = ["verify", "--app", &silent.url(), "--timeout", "2s"];
    for (last, read) in [
        (format!("Failed to export span batch code: 401, reason: {FORGED}"), "401"),
        (format!("{FORGED} Header format invalid! x-honeycomb-team: {FORGED}"), "header"),
        (
            format!("{FORGED}\u{1b}[2K No module named 'opentelemetry.sdk' {FORGED}"),
            "opentelemetry.sdk",
        ),
        (
            format!("No module named 'x {FORGED}'\nFailed to find Flask application {FORGED}"),
            "Flask",
        ),
    ] {
        let log = format!("{FORGED}\n{last}\n{FORGED}");
        let sandbox = project(&format!("http://{}", listening.http));
        let sandbox = docker(sandbox, "of-now", &log);
        for verbose in [&[][..], &["-v"]] {
            is_ours(&sandbox.run(&[&arguments, verbose].concat()).expect(1));
        }
        let run = sandbox.run(&[&arguments[..], &["--json"]].concat()).expect(1);
        is_ours(&run);
        let found = check(&service(&run), "queryable").clone();
        assert!(
            found["evidence"].as_str().unwrap().contains(read),
            "the log was not read: {found}"
        );
        assert!(!found.to_string().contains("F0RGED"), "{found}");
    }
    // Of what docker compose says where it cannot replace the container, each line is shown, and none is one of ours.
    let sandbox = project(&format!("http://{}", listening.http));
    let sandbox = docker(sandbox, "of-before", FORGED);
    shows(&sandbox, &[&arguments[..], &["--restart"]].concat());
}

#[test]
fn only_the_shown_changes_are_written() {
    let odd = "\u{202e}gnidaelsim\u{202c} \u{200b}x\u{e0041}";
    let text = format!(
        "services:\n  a:\n    build: .\n\t# {odd}\n    environment:\n      A: '{odd}' # \u{e9}\n"
    );
    let text = text.replace("\t#", "    #\t");
    let sandbox = Sandbox::new(&[
        ("docker-compose.yml", &text),
        ("requirements.txt", "flask\n"),
        ("app.py", "x = 1\n"),
    ]);
    let arguments =
        ["init", "--yes", "--dry-run", "--store", "none", "--no-verify", "--all-services"];
    let run = sandbox.run(&arguments).expect(0);
    is_ours(&run);
    for shown in ["\\u{202e}gnidaelsim\\u{202c} \\u{200b}x\\u{e0041}", "#\t", "\u{e9}"] {
        assert!(run.stdout.contains(shown), "{shown}: {}", run.stdout);
    }
    let run = sandbox.run(&[&arguments[..], &["--json"]].concat()).expect(0);
    is_ours(&run);
    let diff = run.json()["changes"][0]["diff"].to_string();
    let lines: Vec<String> = serde_json::from_str(&diff).unwrap();
    assert!(lines.iter().any(|line| line.contains(odd)), "a program reads the bytes: {diff}");
}

#[test]
fn a_key_in_a_span_is_hidden_however_it_is_cut_or_written() {
    let old = "Zx0abcDEF45ghiJKL90mnp";
    let percent: String = old.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let half = format!("{}\u{200b}{}", &old[..9], &old[9..]);
    let compose =
        "services:\n  a:\n    build: .\n    environment:\n      X: \"${HONEYCOMB_API_KEY}\"\n";
    let files =
        [("docker-compose.yml", compose), (".env", "HONEYCOMB_API_KEY=Zx0abcDEF45ghiJKL90mnp\n")];
    let written =
        [old.to_owned(), percent, half, old.to_lowercase(), STANDARD.encode(format!("a:{old}"))];
    for (number, text) in written.iter().enumerate() {
        let (before, after) = ("x".repeat(9 + number), "tail ".repeat(20));
        let mut body = trace("backend", 1);
        let span = &mut body["resourceSpans"][0]["scopeSpans"][0]["spans"][1];
        span["attributes"] = json!([{"key": "url.full", "value": {"stringValue": format!("{before}{text} {after}")}}]);
        span["name"] = format!("GET /{text}").into();
        let text: Vec<char> = text.chars().collect();
        let piece = |range: std::ops::Range<usize>| text[range].iter().collect::<String>();
        // No locale: what is too wide ends in two dots, and the column it ends in falls anywhere in the key.
        for arguments in [&["-v", "--traces", "1"][..], &["--json", "--traces", "1"]] {
            let listening = Listening::start(&Sandbox::new(&files), arguments);
            post(listening.http, &body);
            let run = listening.end().expect(0);
            for piece in [piece(0..8), piece(text.len() / 2..text.len() / 2 + 8)] {
                assert!(!run.stdout.contains(&piece), "{piece}: {}", run.stdout);
            }
            assert!(run.stdout.contains("HONEYCOMB_API_KEY"), "{}", run.stdout);
        }
    }
    let mut body = trace("backend", 1);
    body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] =
        format!("xxxxxxxxx{KEY} tail").into();
    let sandbox = Sandbox::new(&[]).with("HONEYCOMB_API_KEY", KEY);
    let listening = Listening::start(&sandbox, &["-v", "--traces", "1"]);
    post(listening.http, &body);
    let run = listening.end().expect(0);
    assert!(!run.stdout.contains(&KEY[..10]), "{}", run.stdout);
}

#[test]
fn json_hides_what_the_text_hides() {
    let lines = [
        "export HONEYCOMB_API_KEY=\"Zx0abcDEF45ghiJKL90mnp\"",
        "HONEYCOMB_API_KEY=\"Zx0abc\\\"EF45ghiJKL90mnp\"",
        "x-honeycomb-team: \"Zx0abc\\\\EF45ghiJKL90mnp\"",
        "set HONEYCOMB_API_KEY='Zx0abcDEF45ghiJKL90mnp'",
    ];
    for line in lines {
        let text =
            format!("services:\n  a:\n    build: .\n    environment:\n      - A=1\n      {line}\n");
        let sandbox = Sandbox::new(&[("docker-compose.yml", &text)]);
        for arguments in [&["doctor"][..], &["verify"], &["init", "--yes", "--dry-run"]] {
            let text = sandbox.run(arguments);
            let machine = sandbox.run(&[arguments, &["--json"]].concat());
            for piece in ["Zx0abc", "EF45ghi", "90mnp"] {
                for stream in [&text.stdout, &text.stderr, &machine.stdout, &machine.stderr] {
                    assert!(!stream.contains(piece), "{line}: {stream}");
                }
            }
        }
    }
}

#[test]
fn a_server_that_echoes_the_key_is_not_quoted_with_it() {
    let percent: String = KEY.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let spaced = format!("{}\u{200b}{}", &KEY[..20], &KEY[20..]);
    let coloured = format!("{}\u{1b}[31m{}", &KEY[..20], &KEY[20..]);
    let entities: String = KEY.bytes().map(|byte| format!("&#{byte};")).collect();
    let escapes: String = KEY.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
    let encoded = ["", "a", "ab"].map(|before| STANDARD.encode(format!("{before}{KEY}z")));
    let cut = KEY[..50].to_owned();
    for text in [percent, KEY.to_uppercase(), spaced, coloured, entities, escapes, cut]
        .into_iter()
        .chain(encoded)
    {
        let body = format!("unknown key {text}");
        let answer = format!(
            "HTTP/1.1 401 No\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let server = Rude::saying(answer);
        let sandbox = project(&server.url());
        for arguments in
            [&["verify", "--timeout", "2s"][..], &["verify", "--timeout", "2s", "--json"]]
        {
            let run = sandbox.run(arguments);
            let all = format!("{}{}", run.stdout, run.stderr);
            assert!(all.contains("unknown key"), "{all}");
            for at in [6, text.len() / 2] {
                assert!(!all.contains(&text[at..at + 10]), "{text}: {all}");
            }
        }
    }
}

#[test]
fn code_that_reads_a_key_is_shown_as_it_is() {
    let code = "import os\nfrom flask import Flask\nx = os.getenv('ROLLBAR_ACCESS_TOKEN')\n\
                rollbar_access_token = os.getenv('ROLLBAR_ACCESS_TOKEN')\nROLLBAR_ACCESS_TOKEN = settings.rollbar.token\n\
                app = Flask(__name__)\n";
    let compose = "services:\n  a:\n    build: .\n    command: flask run\n    environment:\n      ROLLBAR_ACCESS_TOKEN: \"${ROLLBAR_ACCESS_TOKEN}\"\n";
    let sandbox = Sandbox::new(&[
        ("docker-compose.yml", compose),
        ("requirements.txt", "flask\n"),
        ("app.py", code),
        ("Dockerfile", "FROM python:3.10\nCOPY . .\nRUN pip install -r requirements.txt\n"),
    ])
    .with("ROLLBAR_ACCESS_TOKEN", crate::sandbox::TOKEN);
    let run = sandbox.run(&["instrument", "--dry-run"]).expect(0);
    for line in code.lines().filter(|line| line.contains("ollbar") || line.contains("ROLLBAR")) {
        assert!(run.stdout.contains(line), "{line}: {}", run.stdout);
    }
}
