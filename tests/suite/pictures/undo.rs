//! `undo`: the list, one step back, refusals.

use super::Transcript;
use crate::fixtures::cruddur;
use crate::sandbox::{KEY, Sandbox};

#[test]
fn two_steps_back() {
    let sandbox = Sandbox::new(&cruddur()).with("HONEYCOMB_API_KEY", KEY);
    sandbox.run(&["init", "--yes", "--store", "env", "--no-verify", "--no-instrument"]).expect(0);
    sandbox.run(&["ports", "--public", "--yes"]).expect(0);
    Transcript::of(&sandbox)
        .run(&["undo", "--list"])
        .run(&["undo", "3"])
        .run(&["undo", "--dry-run"])
        .run(&["undo"])
        .run(&["undo", "--yes"])
        .run(&["undo", "--yes", "--json"])
        .run(&["undo", "--yes"])
        .matches("undo");
}

#[test]
fn a_file_that_was_edited_since() {
    let sandbox = Sandbox::new(&cruddur()).with("HONEYCOMB_API_KEY", KEY);
    sandbox.run(&["ports", "--public", "--yes"]).expect(0);
    sandbox.write(".gitpod.yml", "# mine\n");
    Transcript::of(&sandbox).run(&["undo", "--yes"]).matches("undo_edited_since");
}
