//! `verify`: the verdicts as text.

use super::Transcript;
use crate::closed::Closed;
use crate::fake_honeycomb::{Canned, Honeycomb, Key, Plan};
use crate::sandbox::{KEY, Sandbox};
use crate::verify::project;

#[test]
fn accepted_and_not_yet_seen() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    Transcript::of(&project(&honeycomb.url()))
        .run(&["verify"])
        .run(&["verify", "-v"])
        .run(&["verify", "-q"])
        .run(&["verify", "--json"])
        .matches("verify_accepted");
}

#[test]
fn delivered() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Configuration)]).on_plan(Plan::Enterprise);
    Transcript::of(&project(&honeycomb.url()))
        .run(&["verify", "--require", "queryable"])
        .matches("verify_delivered");
}

#[test]
fn a_key_that_is_rejected() {
    let honeycomb = Honeycomb::start(&[]);
    Transcript::of(&project(&honeycomb.url())).run(&["verify"]).matches("verify_key_rejected");
    let honeycomb = Honeycomb::start(&[(KEY, Key::Muted)]);
    Transcript::of(&project(&honeycomb.url())).run(&["verify"]).matches("verify_key_muted");
}

#[test]
fn a_rung_that_was_not_reached() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    Transcript::of(&project(&honeycomb.url()))
        .run(&["verify", "--require", "queryable", "--timeout", "1s"])
        .matches("verify_not_proven");
}

#[test]
fn answers_that_take_nothing() {
    for (name, status, kind, body) in [
        ("verify_server_error", 500, "-", &b""[..]),
        ("verify_not_otlp", 200, "text/html", b"<html>hello"),
        (
            "verify_spans_rejected",
            200,
            "application/json",
            br#"{"partialSuccess":{"rejectedSpans":1}}"#,
        ),
        ("verify_too_large", 413, "-", b""),
    ] {
        let honeycomb =
            Honeycomb::start(&[(KEY, Key::Ingest)]).answering(&[Canned::new(status, kind, body)]);
        Transcript::of(&project(&honeycomb.url()))
            .run(&["verify", "--timeout", "2s"])
            .matches(name);
    }
}

#[test]
fn nobody_is_there() {
    let closed = Closed::new();
    Transcript::of(&project(&closed.url())).run(&["verify"]).matches("verify_connect");
}

#[test]
fn an_untrusted_host_gets_no_key() {
    Transcript::of(&project("https://collector.example.com"))
        .run(&["verify"])
        .matches("verify_untrusted_host");
}

#[test]
fn services_that_are_not_configured() {
    let bare = Sandbox::new(&[("compose.yaml", "services:\n  db:\n    image: postgres\n")]);
    Transcript::of(&bare)
        .run(&["verify"])
        .run(&["verify", "--service", "db"])
        .run(&["verify", "--service", "nobody"])
        .run(&["verify", "--app", "localhost"])
        .matches("verify_not_configured");
    let unset = project("https://api.honeycomb.io").with("HONEYCOMB_API_KEY", "");
    Transcript::of(&unset).run(&["verify"]).matches("verify_key_missing");
}

#[test]
fn the_embedded_receiver() {
    Transcript::of(&project("https://api.honeycomb.io"))
        .run(&["verify", "--local"])
        .matches("verify_local");
}
