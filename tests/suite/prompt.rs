//! The hidden prompt of `key set`, in a pseudo-terminal.

use std::process::Command;

use rexpect::process::WaitStatus;
use rexpect::session::{PtySession, spawn_command};

use crate::sandbox::{KEY, Sandbox};

const COMPOSE: (&str, &str) = ("compose.yaml", "services:\n  api:\n    build: .\n");
const LIMIT: Option<u64> = Some(20_000);

/// Runs `script` in a terminal with echo; the program is its `$1`.
fn terminal(sandbox: &Sandbox, script: &str) -> PtySession {
    let template = sandbox.command(&[]);
    let variables = template.get_envs();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("stty echo; {script}"), "sh"])
        .arg(template.get_program())
        .current_dir(sandbox.project())
        .env_clear()
        .envs(variables.filter_map(|(name, value)| Some((name, value?))))
        .env("TERM", "xterm");
    spawn_command(shell, LIMIT).unwrap()
}

fn type_in(session: &mut PtySession, text: &str) {
    session.send(text).unwrap();
    session.flush().unwrap();
}

fn set(sandbox: &Sandbox) -> PtySession {
    let mut session = terminal(sandbox, "exec \"$1\" key set --store dotenv");
    session.exp_string("HONEYCOMB_API_KEY (hidden)").unwrap();
    session
}

/// Reads to the end; returns the exit status and the output.
fn end(mut session: PtySession) -> (i32, String) {
    let seen = session.exp_eof().unwrap();
    match session.process().wait().unwrap() {
        WaitStatus::Exited(_, status) => (status, seen),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_typed_key_is_not_shown_and_stored_after_a_yes() {
    let sandbox = Sandbox::new(&[COMPOSE]);
    let mut session = set(&sandbox);
    type_in(&mut session, &format!("{KEY}\r"));
    let before = session.exp_string("Write this?").unwrap();
    assert!(!before.contains(KEY), "{before}");
    assert!(!sandbox.path(".env").exists(), "written before the yes");
    type_in(&mut session, "y\r");
    let (status, seen) = end(session);
    assert_eq!(status, 0, "{seen}");
    assert!(!seen.contains(KEY), "{seen}");
    assert_eq!(sandbox.files_with_the_key(), [sandbox.path(".env")]);
}

#[test]
fn a_paste_in_brackets_is_taken_without_them() {
    let sandbox = Sandbox::new(&[COMPOSE]);
    let mut session = set(&sandbox);
    type_in(&mut session, &format!("\u{1b}[200~ {KEY}\u{1b}[201~\r"));
    session.exp_string("Write this?").unwrap();
    type_in(&mut session, "y\r");
    assert_eq!(end(session).0, 0);
    assert_eq!(sandbox.read(".env"), format!("HONEYCOMB_API_KEY='{KEY}'\n"));
}

#[test]
fn a_no_leaves_everything_as_it_was() {
    let sandbox = Sandbox::new(&[COMPOSE]);
    let mut session = set(&sandbox);
    type_in(&mut session, &format!("{KEY}\r"));
    session.exp_string("Write this?").unwrap();
    type_in(&mut session, "n\r");
    assert_eq!(end(session).0, 1);
    assert!(!sandbox.path(".env").exists() && !sandbox.path(".gitignore").exists());
}

#[test]
fn an_interrupt_ends_with_130_and_gives_the_terminal_back() {
    let sandbox = Sandbox::new(&[COMPOSE]);
    let script = "trap : INT; \"$1\" key set --store dotenv; echo \"status $?\"; stty -a";
    let mut session = terminal(&sandbox, script);
    session.exp_string("(hidden)").unwrap();
    session.send_control('c').unwrap();
    session.flush().unwrap();
    let (status, seen) = end(session);
    assert!(seen.contains("status 130"), "{status}: {seen}");
    assert!(seen.contains(" echo "), "the echo stays off: {seen}");
    assert!(seen.contains("\u{1b}[?25h"), "the cursor stays hidden: {seen:?}");
    assert!(!sandbox.path(".env").exists());
}

#[test]
fn forgetting_asks_first() {
    let sandbox = Sandbox::new(&[COMPOSE, (".env", &format!("HONEYCOMB_API_KEY={KEY}\n"))]);
    let mut session = terminal(&sandbox, "exec \"$1\" key forget");
    session.exp_string("Forget HONEYCOMB_API_KEY?").unwrap();
    type_in(&mut session, "n\r");
    assert_eq!(end(session).0, 1);
    assert!(sandbox.read(".env").contains(KEY));
}
