//! Each exit status has one meaning in every command.

use crate::dialogue::{in_a_terminal, status, type_in};
use crate::fake_honeycomb::Honeycomb;
use crate::faults::tree;
use crate::fixtures::cruddur;
use crate::sandbox::{KEY, Sandbox};

const SERVICES: &str = "services:\n  api: {build: .}\n  db: {image: postgres}\n";

#[test]
fn a_rejected_key_is_a_no_of_every_command() {
    let honeycomb = Honeycomb::start(&[]);
    let url = honeycomb.url();
    let wired = format!(
        "services:\n  api:\n    build: .\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: {url}\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${{HONEYCOMB_API_KEY}}\n"
    );
    let init = ["init", "--yes", "--no-instrument", "--service", "api", "--endpoint", url.as_str()];
    for (compose, arguments) in [
        (SERVICES, &init[..]),
        (SERVICES, &["key", "whoami", "--endpoint", &url]),
        (&wired, &["verify"]),
    ] {
        let sandbox = Sandbox::new(&[("compose.yaml", compose)]).with("HONEYCOMB_API_KEY", KEY);
        let before = tree(&sandbox.project());
        let run = sandbox.run(arguments).expect(1);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(said.contains("key-rejected") || said.contains("401"), "{arguments:?}: {said}");
        assert!(tree(&sandbox.project()) == before, "{arguments:?}");
    }
    // The same at a terminal, after the last try.
    let sandbox = Sandbox::new(&[("compose.yaml", SERVICES)]);
    let mut session = in_a_terminal(&sandbox, &["init", "--store", "dotenv", "--endpoint", &url]);
    for _ in 0..3 {
        session.exp_string("(hidden").unwrap();
        type_in(&mut session, &format!("{KEY}\r"));
        session.exp_string("key-rejected").unwrap();
    }
    let rest = session.exp_eof().unwrap();
    assert_eq!(status(&session), 1, "{rest}");
}

#[test]
fn a_command_that_cannot_be_started_ends_as_in_a_shell_and_its_own_status_is_kept() {
    let sandbox = Sandbox::new(&[("compose.yaml", SERVICES), ("plain", "no program\n")]);
    for (arguments, expected) in [
        (&["run", "nosuch"][..], 127),
        (&["run", "--", "nosuch", "--flag"], 127),
        (&["run", "./nosuch"], 127),
        (&["run", "--", "./plain"], 126),
        (&["run", "./plain", "--flag"], 126),
        (&["run", "."], 126),
        (&["run", "--", "sh", "-c", "exit 0"], 0),
        (&["run", "--", "sh", "-c", "exit 2"], 2),
        (&["run", "--", "sh", "-c", "exit 126"], 126),
    ] {
        sandbox.run(arguments).expect(expected);
    }
}

#[test]
fn a_service_without_flask_is_a_no_if_it_was_named() {
    let sandbox = Sandbox::new(&cruddur());
    for (arguments, expected) in [
        (&["instrument", "--service", "db", "--yes"][..], 1),
        (&["instrument", "--service", "db", "--dry-run", "--json"], 1),
        (&["instrument", "--service", "frontend-react-js", "--yes"], 1),
        (&["instrument", "--service", "nobody", "--yes"], 2),
        (&["instrument", "--yes"], 0),
    ] {
        let run = sandbox.run(arguments).expect(expected);
        assert_eq!(run.stderr.contains("nothing to do"), expected == 0, "{}", run.stderr);
    }
}

#[test]
fn a_project_without_services_is_given_no_next_step() {
    for compose in ["", "\n", "# later\n", "services: {}\n", "services:\n"] {
        let sandbox = Sandbox::new(&[("compose.yaml", compose)]);
        let init = ["init", "--yes", "--store", "none", "--no-verify", "--json"];
        let document = sandbox.run(&init).expect(0).json();
        assert_eq!(document["next"], serde_json::json!([]), "{compose:?}: {document:#}");
        let hints = document["notes"].as_array().unwrap().iter().map(|note| note["hint"].as_str());
        assert!(hints.flatten().all(|hint| !hint.contains("--service")), "{document:#}");
        sandbox.run(&["verify"]).failed("not-configured", &[]);
        assert_eq!(sandbox.read("compose.yaml"), compose);
    }
}

#[test]
fn without_traced_services_no_start_command_is_shown() {
    for service in ["db: {image: postgres}", "web: {image: nginx}", "cache: {image: redis}"] {
        let compose = format!("services:\n  {service}\n");
        let sandbox = Sandbox::new(&[("compose.yaml", &compose)]);
        let init = ["init", "--yes", "--store", "none", "--no-verify", "--json"];
        let document = sandbox.run(&init).expect(0).json();
        assert_eq!(document["next"], serde_json::json!([]), "{service}: {document:#}");
    }
}

#[test]
fn a_question_that_was_not_asked_has_no_answer() {
    let sandbox = Sandbox::new(&[("compose.yaml", SERVICES)]);
    for arguments in [&["query"][..], &["key"], &[]] {
        let run = sandbox.run(arguments).expect(2);
        assert!(!run.stderr.is_empty());
        let document = sandbox.run(&[arguments, &["--json"]].concat()).expect(2).json();
        assert_eq!(document["error"]["code"], "usage", "{document:#}");
    }
}

#[test]
fn the_manual_names_every_status() {
    let page = Sandbox::new(&[]).run(&["help", "exit-codes"]).expect(0).stdout;
    for status in ["0", "1", "2", "126", "127", "130"] {
        let is_named = page.split(|c: char| !c.is_ascii_digit()).any(|word| word == status);
        assert!(is_named, "{status}: {page}");
    }
}

#[test]
fn a_misspelt_word_is_answered_with_the_best_match() {
    let sandbox = Sandbox::new(&[("compose.yaml", SERVICES)]);
    for (arguments, meant, other) in [
        (&["verfy"][..], "`verify`", "`query`"),
        (&["stauts"], "`status`", "`try`"),
        (&["ports", "--pubic"], "`--public`", "`--private`"),
        (&["help", "exitcodes"], "`cruddur-ops help exit-codes`", "`cruddur-ops help errors`"),
        (&["help", "verfy"], "`cruddur-ops help verify`", "`cruddur-ops help query`"),
    ] {
        let run = sandbox.run(arguments).expect(2);
        assert!(run.stderr.contains(meant), "{arguments:?}: {}", run.stderr);
        assert!(!run.stderr.contains(other), "{arguments:?}: {}", run.stderr);
    }
}
