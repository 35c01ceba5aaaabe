//! `ports`, from outside and outside Gitpod.

use crate::fixtures::{GITPOD, GITPOD_PUBLIC, cruddur};
use crate::sandbox::Sandbox;

#[test]
fn public_writes_an_entry_for_each_published_port() {
    let sandbox = Sandbox::new(&cruddur());
    sandbox.run(&["ports", "--public", "--yes"]).expect(0);
    assert_eq!(sandbox.read(".gitpod.yml"), GITPOD_PUBLIC);
    sandbox.run(&["ports", "--public", "--check"]).expect(0);
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read(".gitpod.yml"), GITPOD);
}

#[test]
fn the_file_keeps_its_place_on_disk_because_gitpod_watches_it() {
    use std::os::unix::fs::MetadataExt;
    let sandbox = Sandbox::new(&cruddur());
    let before = std::fs::metadata(sandbox.path(".gitpod.yml")).unwrap().ino();
    sandbox.run(&["ports", "--public", "--yes"]).expect(0);
    assert_eq!(std::fs::metadata(sandbox.path(".gitpod.yml")).unwrap().ino(), before);
}

#[test]
fn a_port_can_be_named() {
    let sandbox = Sandbox::new(&cruddur());
    sandbox.run(&["ports", "5432=public:postgres", "--yes"]).expect(0);
    let text = sandbox.read(".gitpod.yml");
    assert!(text.contains("- name: postgres\n    port: 5432\n    visibility: public\n"), "{text}");
}

#[test]
fn the_list_shows_what_is_declared_and_configured() {
    let sandbox = Sandbox::new(&cruddur());
    let document = sandbox.run(&["ports", "--json"]).expect(0).json();
    assert_eq!(document["ports"][0]["port"], 3000);
    assert_eq!(document["ports"][0]["service"], "frontend-react-js");
    assert!(document["ports"][0]["configured"].is_null());
}

#[test]
fn a_word_that_is_no_port_is_an_error() {
    let run = Sandbox::new(&cruddur()).run(&["ports", "web=public"]).expect(2);
    assert!(run.stderr.contains("error[port-invalid]"), "{}", run.stderr);
}

#[test]
fn a_file_left_empty_is_its_owners_to_fill() {
    let sandbox = Sandbox::new(&cruddur());
    std::fs::write(sandbox.path(".gitpod.yml"), "").unwrap();
    let run = sandbox.run(&["ports", "--public", "--yes"]).expect(2);
    assert!(run.stderr.contains("error[unsafe-edit]"), "{}", run.stderr);
    assert_eq!(sandbox.read(".gitpod.yml"), "");
    std::fs::remove_file(sandbox.path(".gitpod.yml")).unwrap();
    sandbox.run(&["ports", "--public", "--yes"]).expect(0);
    assert!(sandbox.read(".gitpod.yml").starts_with("ports:\n"));
}

#[test]
fn what_is_for_administrators_stays_as_it_is() {
    let compose = "services: {pgadmin: {image: dpage/pgadmin4, ports: ['5050:80']}}\n";
    let sandbox = Sandbox::new(&[("compose.yaml", compose)]);
    let run = sandbox.run(&["ports", "--public", "--yes"]).expect(0);
    run.shows("ports_administration");
    assert!(sandbox.read(".gitpod.yml").contains("port: 5050\n    visibility: private\n"));
}

#[test]
fn a_file_that_cannot_be_read_is_said_where_its_ports_are_missing() {
    let broken = "ports:\n  - port: 3000\n\tvisibility: public\n";
    let sandbox = Sandbox::new(&[
        ("compose.yaml", "services: {web: {build: ., ports: [3000:3000]}}\n"),
        (".gitpod.yml", broken),
        (".devcontainer/devcontainer.json", "{\"forwardPorts\": [1 2]}\n"),
    ]);
    let run = sandbox.run(&["ports"]).expect(0);
    run.shows("ports_broken_files");
    let doctor = sandbox.run(&["doctor"]).expect(1);
    assert!(doctor.stdout.contains("devcontainer-syntax"), "{}", doctor.stdout);
}
