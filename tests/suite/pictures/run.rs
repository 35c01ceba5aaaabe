//! `run`: its own messages next to the command's output.

use super::Transcript;
use crate::sandbox::{KEY, Sandbox};

const COMPOSE: (&str, &str) = (
    "compose.yaml",
    "services:\n  api:\n    build: .\n    environment:\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY}\n",
);

#[test]
fn a_key_that_is_missing_and_a_command_that_is_not_there() {
    Transcript::of(&Sandbox::new(&[COMPOSE]))
        .run(&["run", "--", "echo", "hello"])
        .run(&["run", "--", "no-such-program-1"])
        .run(&["run"])
        .matches("run");
}

#[test]
fn the_store_beats_the_shell() {
    let sandbox = Sandbox::new(&[COMPOSE, (".env", &format!("HONEYCOMB_API_KEY={KEY}\n"))])
        .with("HONEYCOMB_API_KEY", "an-older-key-of-this-shell");
    Transcript::of(&sandbox).run(&["run", "--", "echo", "hello"]).matches("run_stale");
}
