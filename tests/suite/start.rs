//! The program starts.

use crate::sandbox::Sandbox;

#[test]
fn version_names_the_program() {
    let run = Sandbox::new(&[]).run(&["--version"]).expect(0);
    assert!(run.stdout.starts_with("cruddur-ops "), "{}", run.stdout);
}
