//! `key forget`: removes every copy; one failure keeps no other copy, and the rest is named.

use crate::dialogue::{in_a_terminal, status, type_in};
use crate::fake_cloud::{FakeCloud, Mode as CloudMode};
use crate::fake_gp::{FakeGp, Mode};
use crate::fixtures::cruddur;
use crate::gp::run_with_input;
use crate::sandbox::{KEY, Sandbox};

const NAME: &str = "HONEYCOMB_API_KEY";
const FORGET: [&str; 3] = ["key", "forget", "--yes"];

fn in_dotenv(sandbox: Sandbox) -> Sandbox {
    sandbox.write(".env", &format!("A=1\n{NAME}='{KEY}'\n"));
    sandbox
}

/// Creates a codespace with a key at GitHub, in the shell and in `.env`.
fn codespace() -> (FakeCloud, Sandbox) {
    let gh = FakeCloud::codespace(CloudMode::Well);
    let sandbox = gh.workspace(Sandbox::new(&cruddur()));
    let set = ["key", "set", "--store", "codespaces", "--stdin"];
    run_with_input(&sandbox, &set, KEY).expect(0);
    (gh, in_dotenv(sandbox.with(NAME, KEY)))
}

#[test]
fn a_store_that_fails_keeps_no_other_copy() {
    let gp = FakeGp::new(Mode::Well);
    let sandbox = in_dotenv(gp.workspace(Sandbox::new(&cruddur())));
    // Of the user and not of the repository: `gp` cannot remove it.
    gp.keep("user", NAME, KEY);
    let forget = sandbox.run(&[&FORGET[..], &["--json"]].concat()).expect(2);
    assert!(forget.stderr.contains("error[store-failed]"), "{}", forget.stderr);
    let said = forget.json();
    assert_eq!(said["held"], serde_json::json!(["gp", "dotenv"]));
    assert_eq!(said["forgotten"], serde_json::json!(["dotenv"]));
    assert_eq!(said["failed"][0]["store"], "gp");
    assert_eq!(sandbox.read(".env"), "A=1\n");
}

#[test]
fn a_store_that_does_not_answer_may_hold_a_copy() {
    let gp = FakeGp::new(Mode::Sleep);
    let sandbox = gp.workspace(Sandbox::new(&cruddur()));
    let forget = sandbox.run(&FORGET).expect(2);
    assert!(!forget.stdout.contains("is not stored"), "{}", forget.stdout);
    let sandbox = in_dotenv(sandbox);
    let said = sandbox.run(&[&FORGET[..], &["--json"]].concat()).expect(2).json();
    assert_eq!(said["forgotten"], serde_json::json!(["dotenv"]));
    assert_eq!(said["failed"][0]["store"], "gp");
}

#[test]
fn in_a_codespace_a_yes_in_advance_covers_the_copy_at_github() {
    let (gh, sandbox) = codespace();
    let shown = sandbox.run(&["key", "forget", "--dry-run"]).expect(0);
    assert!(gh.secret(NAME).is_some(), "{}", shown.stderr);
    let forget = sandbox.run(&[&FORGET[..], &["--json"]].concat()).expect(0);
    forget.shows("forget_in_codespace");
    assert_eq!(forget.json()["forgotten"], serde_json::json!(["dotenv", "codespaces"]));
    assert_eq!(gh.secret(NAME), None);
    assert_eq!(sandbox.read(".env"), "A=1\n");
    // The variable of the shell stays, whoever set it.
    let again = sandbox.run(&FORGET).expect(0);
    again.shows("forget_shell_variable");
}

#[test]
fn in_a_codespace_a_person_says_a_second_yes_for_the_copy_at_github() {
    for (second, kept, ended) in [("n\r", true, 1), ("y\r", false, 0)] {
        let (gh, sandbox) = codespace();
        let mut session = in_a_terminal(&sandbox, &["key", "forget"]);
        session.exp_string("Forget HONEYCOMB_API_KEY?").unwrap();
        type_in(&mut session, "y\r");
        session.exp_string("at GitHub too").unwrap();
        // What was said to the first question, shown again, is passed over.
        session.exp_string("your Codespaces secrets?").unwrap();
        type_in(&mut session, second);
        let rest = session.exp_eof().unwrap();
        assert_eq!(status(&session), ended, "{rest}");
        assert_eq!(gh.secret(NAME).is_some(), kept, "{rest}");
        assert_eq!(sandbox.read(".env"), "A=1\n");
    }
}

#[test]
fn a_copy_at_github_that_cannot_be_removed_ends_the_run_with_the_way_out() {
    for mode in [CloudMode::Unscoped, CloudMode::SignedOut] {
        let (gh, sandbox) = codespace();
        gh.becomes(mode);
        let forget = sandbox.run(&[&FORGET[..], &["--json"]].concat()).expect(2);
        assert_eq!(forget.json()["forgotten"], serde_json::json!(["dotenv"]));
        assert_eq!(forget.json()["failed"][0]["store"], "codespaces");
        assert!(gh.secret(NAME).is_some());
        assert_eq!(sandbox.read(".env"), "A=1\n");
    }
}

#[test]
fn without_a_codespace_the_command_for_the_copy_at_github_is_named() {
    let (gh, sandbox) = codespace();
    let laptop = sandbox.with("CODESPACES", "").with("CODESPACE_NAME", "").with(NAME, "");
    let forget = laptop.run(&FORGET).expect(0);
    forget.shows("forget_outside_codespace");
    assert!(gh.secret(NAME).is_some());
    let elsewhere = in_dotenv(Sandbox::new(&cruddur()));
    let forget = elsewhere.run(&FORGET).expect(0);
    assert!(!forget.stderr.contains("Codespaces"), "{}", forget.stderr);
}

#[test]
fn a_store_that_did_not_answer_is_not_called_empty() {
    let gp = FakeGp::new(Mode::Sleep);
    let sandbox = gp.workspace(Sandbox::new(&[("compose.yaml", crate::fixtures::COMPOSE_WIRED)]));
    for (arguments, ended) in [
        (&["key", "status"][..], 1),
        (&["key", "whoami"], 2),
        (&["init", "--yes", "--no-instrument"], 2),
        (&["run", "--", "true"], 0),
    ] {
        let run = sandbox.run(arguments).expect(ended);
        assert!(
            run.stderr.contains("Gitpod's variables could not be read"),
            "{arguments:?}: {}",
            run.stderr
        );
        for untrue in ["no key is stored", "is in no store", "in any store"] {
            assert!(!run.stderr.contains(untrue), "{arguments:?}: {}", run.stderr);
        }
    }
}

#[test]
fn undo_speaks_of_a_key_only_where_one_is_stored() {
    let gp = FakeGp::new(Mode::Well);
    let sandbox = gp.workspace(Sandbox::new(&cruddur()));
    let init = ["init", "--yes", "--no-verify", "--no-instrument", "--key-stdin"];
    for forgets in [false, true] {
        run_with_input(&sandbox, &init, KEY).expect(0);
        if forgets {
            sandbox.run(&FORGET).expect(0);
        }
        let undo = sandbox.run(&["undo", "--yes"]).expect(0);
        let said = undo.stderr.contains("`cruddur-ops key forget --store gp`");
        assert_eq!(said, !forgets, "{}", undo.stderr);
        assert_eq!(sandbox.read("docker-compose.yml"), crate::fixtures::COMPOSE);
    }
}

#[test]
fn a_file_in_place_of_the_folder_is_called_a_file() {
    let sandbox = Sandbox::new(&cruddur());
    let status = sandbox.run(&["-C", "docker-compose.yml", "key", "status"]).expect(2);
    assert!(status.stderr.contains("is a file"), "{}", status.stderr);
    let status = sandbox.run(&["-C", "nowhere", "key", "status"]).expect(2);
    assert!(status.stderr.contains("no folder"), "{}", status.stderr);
}
