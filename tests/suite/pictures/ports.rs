//! `ports`: the list, the plan, the workspace.

use super::Transcript;
use crate::fake_gp::{FakeGp, Mode};
use crate::fixtures::cruddur;
use crate::sandbox::Sandbox;

#[test]
fn the_list_the_plan_and_a_second_run() {
    Transcript::of(&Sandbox::new(&cruddur()))
        .run(&["ports"])
        .run(&["ports", "--json"])
        .run(&["ports", "--public", "--dry-run"])
        .run(&["ports", "--public"])
        .run(&["ports", "--public", "--yes"])
        .run(&["ports", "--public", "--yes"])
        .run(&["ports"])
        .run(&["ports", "--private", "--yes", "--json"])
        .matches("ports");
}

#[test]
fn words_and_files_that_cannot_be_used() {
    let sandbox = Sandbox::new(&cruddur());
    let database = sandbox.path(".gitpod.yml");
    std::fs::write(database, "").unwrap();
    Transcript::of(&sandbox)
        .run(&["ports", "web=public"])
        .run(&["ports", "3000=open"])
        .run(&["ports", "--public", "--yes"])
        .matches("ports_refused");
}

#[test]
fn a_database_and_x_rays_daemon_are_opened_only_by_name() {
    let compose = "services:\n  db: {image: postgres, ports: ['5432:5432']}\n  xray-daemon: {image: amazon/aws-xray-daemon, ports: ['2000:2000/udp']}\n";
    Transcript::of(&Sandbox::new(&[("compose.yaml", compose)]))
        .run(&["ports", "--public", "--dry-run"])
        .run(&["ports", "--public", "--gitpod", "--dry-run"])
        .run(&["ports", "5432=public", "2000=public", "--gitpod", "--dry-run"])
        .matches("ports_private_by_default");
}

#[test]
fn in_gitpod_ports_are_opened_at_once() {
    let gp = FakeGp::new(Mode::Well);
    gp.port(3000, "private");
    gp.port(4567, "private");
    let sandbox = gp.workspace(Sandbox::new(&cruddur()));
    Transcript::of(&sandbox)
        .run(&["ports"])
        .run(&["ports", "--public", "--yes"])
        .run(&["ports"])
        .matches("ports_in_gitpod");
}
