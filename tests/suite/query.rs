//! `query` as a person meets it: a running `listen`, and a Honeycomb on loopback.

use serde_json::{Value, json};

use crate::closed::Closed;
use crate::fake_honeycomb::{Honeycomb, Key};
use crate::listening::{Listening, post, trace};
use crate::sandbox::{KEY, Sandbox};

#[test]
fn listen_answers_the_guides_queries() {
    let sandbox = Sandbox::new(&[]);
    let listening = Listening::start(&sandbox, &[]);
    post(listening.http, &trace("backend-flask", 1));
    post(listening.http, &trace("frontend", 2));
    let port = listening.http.port().to_string();
    let ask = |arguments: &[&str]| {
        let mut all = vec!["query"];
        all.extend(arguments);
        all.extend(["--http-port", &port]);
        sandbox.run(&all).expect(0)
    };
    let traces = ask(&["traces", "--json"]).json();
    assert_eq!(traces["schema_version"], 1);
    assert_eq!(traces["answer"]["spans"], 2);
    assert_eq!(traces["answer"]["groups"][0]["count"], 1);
    assert_eq!(traces["link"], Value::Null);
    let by =
        ask(&["latency", "--by", "service.name", "--where", "duration_ms > 100", "--json"]).json();
    assert_eq!(by["answer"]["spans"], 2);
    assert_eq!(by["answer"]["groups"][0]["by"], json!(["backend-flask"]));
    assert_eq!(by["answer"]["groups"][0]["p90_ms"], 120.0);
    let none = ask(&["latency", "--where", "service.name = nobody", "--json"]).json();
    assert_eq!(none["answer"]["spans"], 0);
}

#[test]
fn a_query_without_a_key_and_without_listen_says_what_to_do() {
    let closed = Closed::new();
    let port = closed.address.port().to_string();
    let run = Sandbox::new(&[]).run(&["query", "traces", "--http-port", &port]).expect(2);
    assert!(run.stderr.contains("error[nobody-answers]"), "{}", run.stderr);
    let wrong = Sandbox::new(&[]).run(&["query", "latency", "--where", "name ~ x"]).expect(2);
    assert!(wrong.stderr.contains("error[filter-invalid]"), "{}", wrong.stderr);
}

#[test]
fn a_query_links_into_the_environment_of_the_key() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    let sandbox = Sandbox::new(&[]).with("HONEYCOMB_API_KEY", KEY);
    let run = sandbox
        .run(&["query", "latency", "--endpoint", &honeycomb.url(), "--http-port", "1", "--json"])
        .expect(0);
    let link = run.json()["link"].as_str().unwrap().to_owned();
    assert!(link.starts_with("https://ui.honeycomb.io/"), "{link}");
    assert!(link.contains("/environments/"), "{link}");
    assert!(link.contains("?query=%7B%22calculations%22"), "{link}");
}
