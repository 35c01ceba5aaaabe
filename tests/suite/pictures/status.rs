//! `status`: a project before and after `init`.

use super::Transcript;
use crate::fixtures::cruddur;
use crate::sandbox::{KEY, Sandbox};

#[test]
fn the_state_of_a_project() {
    let sandbox = Sandbox::new(&cruddur());
    let keyed = Sandbox::new(&cruddur()).with("HONEYCOMB_API_KEY", KEY);
    keyed.run(&["init", "--yes", "--store", "env", "--no-verify"]).expect(0);
    Transcript::of(&sandbox).run(&["status"]).matches("status_before");
    Transcript::of(&keyed).run(&["status"]).matches("status");
}
