//! `key`: set, status, whoami, forget.

use std::process::Command;

use super::Transcript;
use crate::fake_honeycomb::{Honeycomb, Key};
use crate::sandbox::{KEY, Sandbox};

const COMPOSE: (&str, &str) = (
    "compose.yaml",
    "services:\n  api:\n    build: .\n    environment:\n      H: x=${HONEYCOMB_API_KEY}\n",
);
const SET: [&str; 5] = ["key", "set", "--store", "dotenv", "--stdin"];

#[test]
fn a_key_in_dotenv_from_set_to_forget() {
    let sandbox = Sandbox::new(&[COMPOSE, (".gitignore", "node_modules\n")]);
    let init = Command::new("git").args(["init", "-q"]).current_dir(sandbox.project()).status();
    assert!(init.unwrap().success());
    let written = [&SET[..], &["--yes"]].concat();
    Transcript::of(&sandbox)
        .run(&["key", "status"])
        .feed(&[&SET[..], &["--dry-run"]].concat(), KEY)
        .feed(&written, KEY)
        .feed(&written, KEY)
        .run(&["key", "status"])
        .run(&["key", "forget"])
        .run(&["key", "forget", "--yes"])
        .run(&["key", "forget", "--yes"])
        .matches("key_dotenv");
}

#[test]
fn the_same_as_json() {
    let sandbox = Sandbox::new(&[COMPOSE]);
    Transcript::of(&sandbox)
        .feed(&[&SET[..], &["--yes", "--json"]].concat(), KEY)
        .run(&["key", "forget", "--yes", "--json"])
        .matches("key_json");
}

#[test]
fn an_older_key_in_the_shell() {
    let sandbox = Sandbox::new(&[COMPOSE, (".env", &format!("HONEYCOMB_API_KEY={KEY}\n"))]);
    let old = sandbox.with("HONEYCOMB_API_KEY", "an-older-key-of-this-shell");
    Transcript::of(&old).run(&["key", "status"]).matches("key_stale");
}

#[test]
fn texts_that_are_no_key() {
    let sandbox = Sandbox::new(&[COMPOSE]);
    let written = [&SET[..], &["--yes"]].concat();
    let mut transcript = Transcript::of(&sandbox).run(&SET[..4]).run(&written);
    for text in [
        format!("\u{201c}{KEY}"),
        format!("export OTHER={KEY}"),
        format!("{} {}", &KEY[..9], &KEY[9..]),
        KEY[..32].to_owned(),
        KEY[..50].to_owned(),
        "your-api-key".to_owned(),
        format!("hcamk_{}:{}", &KEY[6..32], &KEY[32..]),
    ] {
        transcript = transcript.feed(&written, &text);
    }
    transcript
        .run(&["key", "set", "a-key-as-an-argument"])
        .run(&["key", "set", "--store", "env"])
        .matches("key_mistakes");
}

#[test]
fn a_dotenv_that_git_tracks_is_refused() {
    let sandbox = Sandbox::new(&[COMPOSE, (".env", "A=1\n")]);
    for arguments in [&["init", "-q"][..], &["add", ".env"]] {
        let done = Command::new("git").args(arguments).current_dir(sandbox.project()).status();
        assert!(done.unwrap().success());
    }
    Transcript::of(&sandbox)
        .feed(&[&SET[..], &["--yes"]].concat(), KEY)
        .matches("key_tracked_dotenv");
}

#[test]
fn a_key_with_its_owner() {
    let sandbox = Sandbox::new(&[COMPOSE]).with("HONEYCOMB_API_KEY", KEY);
    let (friend, stranger) = (Honeycomb::start(&[(KEY, Key::Ingest)]), Honeycomb::start(&[]));
    let muted = Honeycomb::start(&[(KEY, Key::Muted)]);
    Transcript::of(&sandbox)
        .run(&["key", "whoami", "--endpoint", &friend.url()])
        .run(&["key", "whoami", "--endpoint", &friend.url(), "--json"])
        .run(&["key", "whoami", "--endpoint", &muted.url()])
        .run(&["key", "whoami", "--endpoint", &stranger.url()])
        .matches("key_whoami");
    let keyless = Sandbox::new(&[COMPOSE]);
    Transcript::of(&keyless).run(&["key", "whoami"]).matches("key_whoami_missing");
}
