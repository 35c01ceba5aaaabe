//! A stdout that cannot be written: a lost result is no success, and a reader that closed the pipe is no failure.

use std::fs::OpenOptions;
use std::process::Stdio;

use crate::faults;
use crate::listening::{Listening, post, trace};
use crate::sandbox::{KEY, Run, Sandbox};

/// Commands that print to stdout, and their exit status if that works.
const COMMANDS: [(&[&str], i32); 18] = [
    (&["--help"], 0),
    (&["--version"], 0),
    (&["help", "init"], 0),
    (&["key", "set", "--help"], 0),
    (&["completions", "bash"], 0),
    (&["completions", "zsh", "--json"], 0),
    (&["doctor"], 1),
    (&["doctor", "--json"], 1),
    (&["doctor", "--explain", "name-missing"], 0),
    (&["key", "status"], 0),
    (&["key", "status", "--json"], 0),
    (&["ports"], 0),
    (&["ports", "--json"], 0),
    (&["ports", "--public", "--check"], 1),
    (&["init", "--dry-run", "--store", "env", "--no-verify"], 0),
    (&["init", "--yes", "--json", "--store", "env", "--no-verify"], 0),
    (&["undo", "--json", "--yes"], 0),
    (&["try"], 0),
];

fn project() -> Sandbox {
    let sandbox = faults::sandbox();
    let slip = "    environment:\n      OTEL_EXPORTER_OTLP_HEADER: x=1\n";
    let compose = sandbox.read("docker-compose.yml").replacen("    environment:\n", slip, 1);
    sandbox.write("docker-compose.yml", &compose);
    sandbox
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    for (arguments, _) in COMMANDS {
        let sandbox = project();
        let mut command = sandbox.command(arguments);
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert_eq!(said.matches("error[unwritable-stdout]").count(), 1, "{arguments:?}: {said}");
        assert!(said.contains("No space left on device"), "{arguments:?}: {said}");
        assert!(!said.contains(KEY), "{arguments:?}");
    }
}

#[test]
fn a_reader_that_went_away_changes_nothing() {
    for (arguments, status) in COMMANDS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let sandbox = project();
        let mut command = sandbox.command(arguments);
        let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        assert!(!said.contains("error"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_failure_of_the_command_is_reported() {
    for arguments in
        [&["init", "--service", "nosuch", "--yes", "--json"][..], &["nosuch", "--json"]]
    {
        let sandbox = project();
        let mut command = sandbox.command(arguments);
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        command.stdout(full);
        let output = command.stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains("nosuch") && !said.contains("unwritable"), "{said}");
    }
}

#[test]
fn a_change_is_made_although_its_result_is_lost() {
    let sandbox = project();
    let arguments = ["init", "--yes", "--json", "--store", "env", "--no-verify"];
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = sandbox.command(&arguments).stdout(full).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(2));
    let again: Run = sandbox.run(&arguments).expect(0);
    assert_eq!(again.json()["applied"], false, "{}", again.stdout);
}

#[test]
fn a_listener_ends_with_the_first_trace_it_cannot_print() {
    for arguments in [&["--for", "30s"][..], &["--for", "30s", "--json"]] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let listening = Listening::start_into(full, &Sandbox::new(&[]), arguments);
        post(listening.http, &trace("backend", 1));
        listening.end().failed("unwritable-stdout", &[]);
    }
}
