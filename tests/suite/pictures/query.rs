//! `query`: answers of `listen`, links, errors.

use super::Transcript;
use crate::closed::Closed;
use crate::fake_honeycomb::{Honeycomb, Key};
use crate::listening::{Listening, post, trace};
use crate::sandbox::{KEY, Sandbox};

#[test]
fn answers_of_a_running_listen() {
    let sandbox = Sandbox::new(&[]);
    let listening = Listening::start(&sandbox, &[]);
    post(listening.http, &trace("backend-flask", 1));
    let port = listening.http.port().to_string();
    let mut text = String::new();
    for arguments in [
        &["query", "traces"][..],
        &["query", "latency", "--by", "service.name"],
        &["query", "latency", "--where", "service.name = nobody"],
    ] {
        let run = sandbox.run(&[arguments, &["--http-port", &port]].concat()).expect(0);
        text += &format!("$ cruddur-ops {}\n{}{}\n", arguments.join(" "), run.stdout, run.stderr);
    }
    super::matches("query_answers", &text);
}

#[test]
fn nobody_to_ask() {
    let closed = Closed::new();
    let port = closed.address.port().to_string();
    let run = Sandbox::new(&[]).run(&["query", "traces", "--http-port", &port]).expect(2);
    super::matches("query_nobody_answers", &run.stderr);
    Transcript::of(&Sandbox::new(&[]))
        .run(&["query", "latency", "--where", "name ~ x"])
        .run(&["query", "everything"])
        .matches("query_refused");
}

#[test]
fn a_link_into_honeycomb() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    let sandbox = Sandbox::new(&[]).with("HONEYCOMB_API_KEY", KEY);
    Transcript::of(&sandbox)
        .run(&["query", "latency", "--endpoint", &honeycomb.url(), "--http-port", "1"])
        .matches("query_link");
}
