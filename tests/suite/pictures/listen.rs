//! `listen` and `try`: traces as they arrive, and the whole job on the sample.

use regex_lite::Regex;

use super::Transcript;
use crate::listening::{Listening, post, trace};
use crate::sandbox::Sandbox;

#[test]
fn a_trace_and_the_summary() {
    let sandbox = Sandbox::new(&[]);
    let listening = Listening::start(&sandbox, &["--traces", "1", "--for", "60s"]);
    post(listening.http, &trace("backend-flask", 1));
    let run = listening.end().expect(0);
    super::matches("listen", &format!("--- stdout\n{}--- stderr\n{}", run.stdout, run.stderr));
}

#[test]
fn nothing_arrived() {
    let run = Listening::start(&Sandbox::new(&[]), &["--for", "100ms", "--traces", "1"]).end();
    let run = run.expect(1);
    super::matches(
        "listen_nothing",
        &format!("--- stdout\n{}--- stderr\n{}", run.stdout, run.stderr),
    );
}

#[test]
fn the_whole_job_on_the_sample() {
    // How long it takes, and how that looks as bars, differs from run to run.
    let bars = Regex::new(r"=+ +[0-9.]+ ms").unwrap();
    Transcript::of(&Sandbox::new(&[]))
        .run(&["try"])
        .without(&bars, "[BAR]")
        .without(&Regex::new(r"\b[0-9.]+ ms").unwrap(), "[MS]")
        .matches("try");
}
