//! `doctor`: findings, fixes, explanations.

use super::Transcript;
use crate::doctor::broken;
use crate::sandbox::{KEY, Sandbox};

const SOUND: &str =
    "services:\n  api:\n    image: x\n    environment:\n      OTEL_SERVICE_NAME: api\n";

#[test]
fn findings_and_their_fixes() {
    Transcript::of(&broken())
        .run(&["doctor"])
        .run(&["doctor", "-q"])
        .run(&["doctor", "--fix", "--dry-run"])
        .run(&["doctor", "--fix"])
        .run(&["doctor", "--fix", "--yes"])
        .run(&["doctor"])
        .matches("doctor");
}

#[test]
fn findings_as_json_and_as_annotations() {
    Transcript::of(&broken()).run(&["doctor", "--json"]).matches("doctor_json");
    let actions = broken().with("GITHUB_ACTIONS", "true").with("CI", "true");
    Transcript::of(&actions).run(&["doctor"]).matches("doctor_annotations");
}

#[test]
fn a_path_that_leaves_no_room_for_the_code() {
    let deep = "backend/application/utilities/middleware/cross_origin_requests.py";
    let sandbox = Sandbox::new(&[
        ("compose.yaml", "services:\n  api:\n    build: ./backend\n"),
        ("backend/requirements.txt", "flask\nflask-cors\n"),
        (deep, "from flask_cors import CORS\nCORS(app, headers=[\"Authorization\"])\n"),
    ]);
    Transcript::of(&sandbox).run(&["doctor"]).matches("doctor_long_path");
}

#[test]
fn nothing_to_find() {
    let untraced = Sandbox::new(&[("compose.yaml", "services:\n  a:\n    image: x\n")]);
    Transcript::of(&Sandbox::new(&[("compose.yaml", SOUND)]))
        .run(&["doctor"])
        .run(&["doctor", "--json"])
        .matches("doctor_nothing");
    Transcript::of(&untraced).run(&["doctor"]).matches("doctor_untraced");
}

#[test]
fn keys_that_are_written_out() {
    let text = format!(
        "services:\n  api:\n    image: x\n    environment:\n      - HONEYCOMB_API_KEY={KEY}\n      - ROLLBAR_ACCESS_TOKEN=0123456789abcdef0123456789abcdef\n"
    );
    Transcript::of(&Sandbox::new(&[("compose.yaml", &text)]))
        .run(&["doctor"])
        .matches("doctor_secrets");
}

#[test]
fn explanations() {
    Transcript::of(&Sandbox::new(&[]))
        .run(&["doctor", "--explain", "header-colon"])
        .run(&["doctor", "--explain", "header-colon", "--json"])
        .run(&["doctor", "--explain", "nonsense"])
        .matches("doctor_explain");
}
