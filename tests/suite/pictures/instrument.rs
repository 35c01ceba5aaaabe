//! `instrument`: packages and code, spans, refusals.

use super::Transcript;
use crate::instrument::project;

#[test]
fn packages_and_code() {
    let sandbox = project(&[]);
    Transcript::of(&sandbox)
        .run(&["instrument", "--dry-run"])
        .run(&["instrument"])
        .run(&["instrument", "--yes"])
        .run(&["instrument", "--yes"])
        .run(&["instrument", "--check", "--json"])
        .matches("instrument");
}

#[test]
fn lists_that_cannot_be_extended() {
    let locked =
        project(&[("backend-flask/requirements.txt", "flask==3.1.3 \\\n    --hash=sha256:00\n")]);
    Transcript::of(&locked).run(&["instrument", "--yes"]).matches("instrument_hash_locked");
    let lonely =
        project(&[("backend-flask/requirements.txt", "flask\nopentelemetry-sdk==1.45.2\n")]);
    Transcript::of(&lonely).run(&["instrument", "--yes"]).matches("instrument_no_version_set");
}

#[test]
fn a_span_in_a_function() {
    let service = "from datetime import datetime\n\ndef run():\n    now = datetime.now()\n    if now:\n        later = now\n    return [now]\n";
    let sandbox = project(&[
        ("backend-flask/home.py", service),
        ("backend-flask/broken.py", "def run(:\n    pass\n"),
    ]);
    let span = ["instrument", "span", "--name", "home-activities"];
    let to = |more: &[&'static str]| [&span[..], more].concat();
    Transcript::of(&sandbox)
        .run(&to(&["backend-flask/home.py:run", "--attr", "app.now=now", "--dry-run"]))
        .run(&to(&["backend-flask/home.py:walk"]))
        .run(&to(&["backend-flask/gone.py:run"]))
        .run(&to(&["backend-flask/home.py"]))
        .run(&to(&["backend-flask/home.py:run", "--attr", "app.now=user.id"]))
        .run(&to(&["backend-flask/home.py:run", "--attr", "app.now=later"]))
        .run(&to(&["backend-flask/home.py:run", "--attr", "app.now=1 +"]))
        .run(&to(&["backend-flask/broken.py:run"]))
        .matches("instrument_span");
}
