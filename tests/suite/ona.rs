//! Ports of an Ona environment, by way of a `gitpod` that does what its documentation says; and of places that open none.

use crate::fake_cloud::{FakeCloud, Mode};
use crate::fixtures::cruddur;
use crate::sandbox::Sandbox;

const FILE: &str = ".devcontainer.json";

fn project() -> Sandbox {
    let mut files = cruddur();
    files.retain(|(name, _)| *name != ".gitpod.yml");
    files.push((FILE, "{}\n"));
    Sandbox::new(&files)
}

#[test]
fn admission_is_said_each_time_and_taken_back() {
    let ona = FakeCloud::ona(Mode::Well);
    ona.port(4567, "creator_only");
    let sandbox = ona.workspace(project());
    let run = sandbox.run(&["ports", "--public", "--yes"]).expect(0);
    run.shows("ona_public");
    assert_eq!(ona.visibility(3000).as_deref(), Some("everyone"));
    assert_eq!(ona.visibility(4567).as_deref(), Some("everyone"));
    assert_eq!(ona.visibility(5432), None, "a database is not even opened");
    assert!(sandbox.read(FILE).contains("\"forwardPorts\": [4567, 3000]"));
    assert!(ona.calls().contains("open 3000 --name frontend --admission everyone"));

    sandbox.run(&["ports", "3000=private", "--yes"]).expect(0);
    assert_eq!(ona.visibility(3000).as_deref(), Some("creator_only"));
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(ona.visibility(3000).as_deref(), Some("everyone"));
    let opens = ona.calls();
    let mut opens = opens.lines().filter(|line| line.contains(" open "));
    assert!(opens.all(|line| line.contains("--admission")));
}

#[test]
fn a_list_that_is_not_understood_hinders_no_port() {
    let ona = FakeCloud::ona(Mode::Table);
    let sandbox = ona.workspace(project());
    let run = sandbox.run(&["ports", "--public", "--yes"]).expect(0);
    run.shows("ona_list_not_understood");
    assert_eq!(ona.visibility(3000).as_deref(), Some("everyone"));
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(ona.visibility(3000).as_deref(), Some("creator_only"));
}

#[test]
fn a_policy_and_a_success_without_effect_are_failures() {
    for (mode, code) in
        [(Mode::Policy, "error[workspace-failed]"), (Mode::Stuck, "error[visibility-unchanged]")]
    {
        let ona = FakeCloud::ona(mode);
        ona.port(3000, "creator_only");
        let sandbox = ona.workspace(project());
        let run = sandbox.run(&["ports", "3000=public", "--yes"]).expect(2);
        assert!(run.stderr.contains(code), "{}", run.stderr);
        assert_eq!(ona.visibility(3000).as_deref(), Some("creator_only"));
    }
}

#[test]
fn a_low_port_is_not_opened() {
    let ona = FakeCloud::ona(Mode::Well);
    let sandbox = ona.workspace(project());
    let run = sandbox.run(&["ports", "80=public", "--yes"]).expect(2);
    run.shows("ona_low_port");
    assert!(!ona.calls().contains("open"), "{}", ona.calls());
}

#[test]
fn places_that_open_no_ports_say_what_applies() {
    for (variable, name) in
        [("REMOTE_CONTAINERS", "ports_in_a_dev_container"), ("CODER", "ports_in_coder")]
    {
        let sandbox = project().with(variable, "true");
        let run = sandbox.run(&["ports", "--public", "--yes"]).expect(0);
        run.shows(name);
        assert!(!sandbox.path(".gitpod.yml").exists());
        let written = sandbox.read(FILE) != "{}\n";
        assert_eq!(written, variable == "REMOTE_CONTAINERS");
    }
    let sandbox = project();
    let run = sandbox.run(&["ports", "--public", "--yes"]).expect(0);
    run.shows("ports_on_a_laptop");
    assert!(sandbox.read(FILE).contains("portsAttributes"));
}
