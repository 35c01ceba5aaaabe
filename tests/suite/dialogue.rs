//! The dialogue of `init`, in a pseudo-terminal: typed, pasted, interrupted.

use rexpect::process::WaitStatus;
use rexpect::session::{PtySession, spawn_command};

use crate::fake_cloud::{FakeCloud, Mode};
use crate::fake_gp::{FakeGp, Mode as GpMode};
use crate::faults::tree;
use crate::fixtures::{COMPOSE, COMPOSE_WIRED, GITPOD, GITPOD_PUBLIC, cruddur};
use crate::sandbox::{KEY, Sandbox, TOKEN};

const LIMIT: Option<u64> = Some(20_000);
const INIT: [&str; 5] = ["init", "--store", "dotenv", "--no-verify", "--no-instrument"];

fn start(sandbox: &Sandbox) -> PtySession {
    start_with(sandbox, &[])
}

fn start_with(sandbox: &Sandbox, more: &[&str]) -> PtySession {
    in_a_terminal(sandbox, &[&INIT[..], more].concat())
}

pub fn in_a_terminal(sandbox: &Sandbox, arguments: &[&str]) -> PtySession {
    let mut command = sandbox.command(arguments);
    command.env("TERM", "xterm").stdin(std::process::Stdio::inherit());
    spawn_command(command, LIMIT).unwrap()
}

pub fn type_in(session: &mut PtySession, text: &str) {
    session.send(text).unwrap();
    session.flush().unwrap();
}

/// Waits for the exit and returns the exit status.
pub fn status(session: &PtySession) -> i32 {
    match session.process().wait().unwrap() {
        WaitStatus::Exited(_, status) => status,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_whole_dialogue() {
    let sandbox = Sandbox::new(&cruddur());
    let mut session = start(&sandbox);
    let mut seen = session.exp_string("Honeycomb key").unwrap();
    // As a terminal pastes: the line between two marks.
    type_in(&mut session, &format!("\u{1b}[200~{KEY}\u{1b}[201~\r"));
    seen += &session.exp_string("Which services are traced").unwrap();
    type_in(&mut session, "\r");
    seen += &session.exp_string("published ports public").unwrap();
    type_in(&mut session, "y\r");
    seen += &session.exp_string("Write these").unwrap();
    type_in(&mut session, "y\r");
    seen += &session.exp_eof().unwrap();
    assert_eq!(status(&session), 0, "{seen}");
    assert!(!seen.contains(KEY));
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE_WIRED);
    assert_eq!(sandbox.read(".gitpod.yml"), GITPOD_PUBLIC);
    assert_eq!(sandbox.files_with_the_key(), [sandbox.path(".env")]);
}

#[test]
fn an_invalid_key_is_asked_again_and_a_letter_alone_answers_nothing() {
    let sandbox = Sandbox::new(&cruddur());
    let mut session = start_with(&sandbox, &["--no-ports"]);
    session.exp_string("Honeycomb key").unwrap();
    type_in(&mut session, "hcaik_short\r");
    session.exp_string("has 64 characters").unwrap();
    session.exp_string("Honeycomb key").unwrap();
    type_in(&mut session, &format!("{KEY}\r"));
    session.exp_string("Which services are traced").unwrap();
    type_in(&mut session, "\r");
    session.exp_string("traced: backend-flask").unwrap();
    session.exp_string("Write these").unwrap();
    // The letter is shown, and taken back before it is sent.
    type_in(&mut session, "y");
    type_in(&mut session, "\u{7f}n\r");
    let rest = session.exp_eof().unwrap();
    assert_eq!(status(&session), 1, "{rest}");
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);
}

#[test]
fn a_region_and_a_token_are_asked_like_the_key() {
    let sandbox = Sandbox::new(&cruddur());
    let mut session = start_with(&sandbox, &["--with", "xray,rollbar", "--no-ports"]);
    let mut seen = session.exp_string("Honeycomb key").unwrap();
    type_in(&mut session, &format!("{KEY}\r"));
    seen += &session.exp_string("Which services are traced").unwrap();
    type_in(&mut session, "\r");
    seen += &session.exp_string("AWS region of X-Ray").unwrap();
    type_in(&mut session, "eu-west-3\r");
    seen += &session.exp_string("ROLLBAR_ACCESS_TOKEN (hidden)").unwrap();
    type_in(&mut session, &format!("{TOKEN}\r"));
    seen += &session.exp_string("Write these").unwrap();
    type_in(&mut session, "y\r");
    seen += &session.exp_eof().unwrap();
    assert_eq!(status(&session), 0, "{seen}");
    assert!(!seen.contains(KEY) && !seen.contains(TOKEN), "{seen}");
    let compose = sandbox.read("docker-compose.yml");
    assert!(compose.contains("AWS_REGION: \"eu-west-3\""), "{compose}");
    let stored = sandbox.read(".env");
    assert!(stored.contains(KEY) && stored.contains(TOKEN));
    assert_eq!(sandbox.files_with_the_key(), [sandbox.path(".env")]);
}

#[test]
fn in_a_codespace_a_person_says_yes_to_the_file_that_gets_the_key() {
    let gh = FakeCloud::codespace(Mode::Well);
    let sandbox = gh.workspace(Sandbox::new(&cruddur()));
    says_yes_to_the_file(&sandbox, "In a codespace the key is stored in .env");
}

#[test]
fn without_a_keyring_the_user_confirms_the_file_for_the_key() {
    let sandbox = Sandbox::new(&cruddur());
    says_yes_to_the_file(&sandbox, "There is no keyring here: the key is stored in .env");
}

fn says_yes_to_the_file(sandbox: &Sandbox, said: &str) {
    let arguments = ["init", "--no-verify", "--no-instrument", "--no-ports"];
    let mut session = in_a_terminal(sandbox, &arguments);
    session.exp_string(said).unwrap();
    session.exp_string("Honeycomb key").unwrap();
    type_in(&mut session, &format!("{KEY}\r"));
    session.exp_string("Which services are traced").unwrap();
    type_in(&mut session, "\r");
    let shown = session.exp_string("Write these").unwrap();
    assert!(shown.contains("+++ b/.env"), "{shown}");
    type_in(&mut session, "y\r");
    session.exp_eof().unwrap();
    assert_eq!(status(&session), 0);
    assert_eq!(sandbox.files_with_the_key(), [sandbox.path(".env")]);
}

#[test]
fn an_interrupt_at_the_hidden_prompt_writes_nothing_and_restores_the_terminal() {
    let sandbox = Sandbox::new(&cruddur());
    let mut session = start(&sandbox);
    session.exp_string("Honeycomb key").unwrap();
    session.send_control('c').unwrap();
    let rest = session.exp_eof().unwrap();
    assert_eq!(status(&session), 130);
    assert!(rest.contains("\u{1b}[?25h"), "the cursor stays hidden: {rest:?}");
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);
    assert!(!sandbox.path(".env").exists());
}

#[test]
fn an_interrupt_at_any_later_question_writes_nothing() {
    for questions in 1..=3 {
        let sandbox = Sandbox::new(&cruddur());
        let mut session = start(&sandbox);
        session.exp_string("Honeycomb key").unwrap();
        type_in(&mut session, &format!("{KEY}\r"));
        session.exp_string("Which services are traced").unwrap();
        if questions > 1 {
            type_in(&mut session, "\r");
            session.exp_string("published ports public").unwrap();
        }
        if questions > 2 {
            type_in(&mut session, "n\r");
            session.exp_string("Write these").unwrap();
        }
        session.send_control('c').unwrap();
        let rest = session.exp_eof().unwrap();
        assert_eq!(status(&session), 130, "question {questions}: {rest}");
        assert!(rest.contains("\u{1b}[?25h"), "question {questions}: {rest:?}");
        assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);
        assert_eq!(sandbox.read(".gitpod.yml"), GITPOD);
        assert!(sandbox.files_with_the_key().is_empty());
    }
}

#[test]
fn a_no_writes_nothing() {
    let sandbox = Sandbox::new(&cruddur());
    let mut session = start(&sandbox);
    session.exp_string("Honeycomb key").unwrap();
    type_in(&mut session, &format!("{KEY}\r"));
    session.exp_string("Which services are traced").unwrap();
    type_in(&mut session, "\r");
    session.exp_string("published ports public").unwrap();
    type_in(&mut session, "n\r");
    session.exp_string("Write these").unwrap();
    type_in(&mut session, "n\r");
    session.exp_eof().unwrap();
    assert_eq!(status(&session), 1);
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);
    assert!(sandbox.files_with_the_key().is_empty());
}

/// Creates a project of two backends of which the first is traced.
fn half_wired() -> (Sandbox, String) {
    let both = "services:\n  api: {build: api}\n  worker: {build: worker}\n";
    let packages = "fastapi\n";
    let image = "FROM python:3.12\nCOPY . .\nCMD [\"python\", \"app.py\"]\n";
    let files = [
        ("compose.yaml", both),
        ("api/requirements.txt", packages),
        ("worker/requirements.txt", packages),
        ("api/Dockerfile", image),
        ("worker/Dockerfile", image),
    ];
    let sandbox = Sandbox::new(&files).with("HONEYCOMB_API_KEY", KEY);
    sandbox.run(&[&AGAIN[..], &["--yes", "--service", "api"]].concat()).expect(0);
    let wired = sandbox.read("compose.yaml");
    assert_ne!(wired, both);
    (sandbox, wired)
}

const AGAIN: [&str; 6] = ["init", "--no-verify", "--no-instrument", "--no-ports", "--store", "env"];

#[test]
fn the_lines_of_a_service_that_is_unticked_are_taken_out_after_a_yes() {
    for answer in ["y\r", "n\r"] {
        let (sandbox, wired) = half_wired();
        let mut session = in_a_terminal(&sandbox, &AGAIN);
        session.exp_string("Which services").unwrap();
        // The wired one is the first of the list; the other is left out, too.
        type_in(&mut session, " \u{1b}[B \r");
        session.exp_string("api no longer sends").unwrap();
        type_in(&mut session, answer);
        let rest = session.exp_eof().unwrap();
        assert_eq!(status(&session), 0, "{rest}");
        let now = sandbox.read("compose.yaml");
        assert_eq!(now == wired, answer == "n\r", "{rest}");
        assert_eq!(now.contains("OTEL_"), answer == "n\r", "{now}");
    }
}

#[test]
fn a_project_that_is_set_up_is_asked_nothing_again() {
    const SETUP: [&str; 5] = ["init", "--no-verify", "--no-instrument", "--store", "env"];
    let gp = FakeGp::new(GpMode::Well);
    let gh = FakeCloud::codespace(Mode::Well);
    for (place, sandbox) in [
        ("Gitpod", gp.workspace(Sandbox::new(&cruddur()))),
        ("codespace", gh.workspace(Sandbox::new(&cruddur()))),
        ("laptop", Sandbox::new(&cruddur())),
    ] {
        let sandbox = sandbox.with("HONEYCOMB_API_KEY", KEY);
        for port_answer in ["y\r", "n\r"] {
            let mut session = in_a_terminal(&sandbox, &SETUP);
            session.exp_string("Which services").unwrap();
            type_in(&mut session, "\r");
            session.exp_string("published ports public").unwrap();
            type_in(&mut session, port_answer);
            session.exp_string("Write these").unwrap();
            type_in(&mut session, "y\r");
            let first = session.exp_eof().unwrap();
            assert_eq!(status(&session), 0, "{place}: {first}");
            let before = tree(&sandbox.project());
            let mut session = in_a_terminal(&sandbox, &SETUP);
            let again = session.exp_eof().unwrap();
            assert_eq!(status(&session), 0, "{place}: {again}");
            assert!(!again.contains("Write th") && !again.contains("Which services"), "{again}");
            assert!(tree(&sandbox.project()) == before, "{place}: {again}");
            sandbox.run(&["undo", "--yes"]).expect(0);
        }
    }
}

#[test]
fn a_service_that_was_named_once_stays_traced() {
    let compose = "services: {store: {image: postgres}}\n";
    let sandbox = Sandbox::new(&[("compose.yaml", compose)]).with("HONEYCOMB_API_KEY", KEY);
    let unnamed = [&AGAIN[..], &["--yes", "--json"]].concat();
    let none = sandbox.run(&unnamed).expect(0).json();
    assert_eq!(none["services"], serde_json::json!([]), "{none:#}");
    sandbox.run(&[&AGAIN[..], &["--yes", "--service", "store"]].concat()).expect(0);
    let wired = sandbox.read("compose.yaml");
    let again = sandbox.run(&unnamed).expect(0).json();
    assert_eq!(again["services"], serde_json::json!(["store"]), "{again:#}");
    assert_eq!(sandbox.read("compose.yaml"), wired);
}

#[test]
fn a_new_service_or_another_destination_is_asked_about() {
    let (sandbox, wired) = half_wired();
    let mut session = in_a_terminal(&sandbox, &AGAIN);
    session.exp_string("Which services").unwrap();
    type_in(&mut session, "\r");
    session.exp_string("Write this").unwrap();
    type_in(&mut session, "y\r");
    let rest = session.exp_eof().unwrap();
    assert_eq!(status(&session), 0, "{rest}");
    let both = sandbox.read("compose.yaml");
    assert_ne!(both, wired);
    for (more, is_asked) in [
        (&[][..], false),
        (&["--provider", "honeycomb"], false),
        (&["--provider", "local"], true),
        (&["--provider", "otlp", "--endpoint", "http://127.0.0.1:9/v1"], true),
    ] {
        let arguments: Vec<&str> = AGAIN.into_iter().chain(more.iter().copied()).collect();
        let mut session = in_a_terminal(&sandbox, &arguments);
        if is_asked {
            session.exp_string("Which services").unwrap();
            session.send_control('c').unwrap();
        }
        let rest = session.exp_eof().unwrap();
        assert_eq!(status(&session), if is_asked { 130 } else { 0 }, "{more:?}: {rest}");
        assert!(is_asked || !rest.contains("Which services"), "{more:?}: {rest}");
        assert_eq!(sandbox.read("compose.yaml"), both, "{more:?}");
    }
}

#[test]
fn ports_that_do_not_exist_are_not_asked_about() {
    let compose = "services:\n  api: {build: api}\n";
    let gp = FakeGp::new(GpMode::Well);
    let files = [
        ("compose.yaml", compose),
        ("api/package.json", "{\"scripts\": {\"start\": \"node .\"}}\n"),
    ];
    let sandbox = gp.workspace(Sandbox::new(&files)).with("HONEYCOMB_API_KEY", KEY);
    let arguments =
        ["init", "--no-verify", "--no-instrument", "--store", "env", "--service", "api"];
    let mut session = in_a_terminal(&sandbox, &arguments);
    let before = session.exp_string("Write th").unwrap();
    assert!(!before.contains("ports public"), "{before}");
    type_in(&mut session, "n\r");
    session.exp_eof().unwrap();
    assert_eq!(status(&session), 1);
}

#[test]
fn compose_files_that_nobody_reads_are_named_where_no_service_is_traced() {
    let base = "services:\n  cache: {image: redis}\n";
    let more = "services:\n  api: {build: api}\n";
    let named = |files: &[(&str, &str)]| {
        let sandbox = Sandbox::new(files).with("HONEYCOMB_API_KEY", KEY);
        let document = sandbox.run(&["init", "--dry-run", "--json"]).expect(0).json();
        let notes = document["notes"].as_array().unwrap().clone();
        let hints = notes.iter().filter_map(|note| note["hint"].as_str().map(str::to_owned));
        hints.filter(|hint| hint.contains("-f ")).collect::<Vec<_>>()
    };
    let code = ("api/package.json", "{\"scripts\": {\"start\": \"node .\"}}\n");
    for (files, expected) in [
        (
            &[("compose.yaml", base), ("compose.dev.yml", more), code][..],
            "init -f compose.yaml -f compose.dev.yml`",
        ),
        (
            &[
                ("docker-compose.yml", base),
                ("docker-compose.override.yml", base),
                ("docker-compose.python.yml", more),
                code,
            ],
            "init -f docker-compose.yml -f docker-compose.override.yml -f docker-compose.python.yml`",
        ),
    ] {
        let hints = named(files);
        assert!(hints.len() == 1 && hints[0].contains(expected), "{hints:?}");
    }
    assert_eq!(named(&[("compose.yaml", more), ("compose.dev.yml", base), code]), [""; 0]);
    assert_eq!(named(&[("compose.yaml", base)]), [""; 0]);
}
