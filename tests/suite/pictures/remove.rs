//! `remove`: the diff, a run without a terminal, a removal.

use super::Transcript;
use crate::fixtures::cruddur;
use crate::sandbox::{KEY, Sandbox};

#[test]
fn a_set_up_taken_out() {
    let sandbox = Sandbox::new(&cruddur()).with("HONEYCOMB_API_KEY", KEY);
    sandbox.run(&["init", "--yes", "--store", "env", "--no-verify", "--public"]).expect(0);
    Transcript::of(&sandbox)
        .run(&["remove", "--service", "backend-flask", "--check"])
        .run(&["remove", "--service", "nosuch"])
        .run(&["remove", "--yes"])
        .run(&["remove", "--yes"])
        .matches("remove");
}
