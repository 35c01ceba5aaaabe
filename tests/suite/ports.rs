//! `ports`, run as a program, outside Gitpod.

use crate::dialogue::{in_a_terminal, status, type_in};
use crate::fake_cloud::{FakeCloud, Mode as CloudMode};
use crate::fake_gp::{FakeGp, Mode};
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
    sandbox.run(&["ports", "--public", "--yes", "--gitpod"]).expect(0);
    assert!(sandbox.read(".gitpod.yml").starts_with("ports:\n"));
}

#[test]
fn what_is_for_administrators_stays_as_it_is() {
    let compose = "services: {pgadmin: {image: dpage/pgadmin4, ports: ['5050:80']}}\n";
    let sandbox = Sandbox::new(&[("compose.yaml", compose)]);
    let run = sandbox.run(&["ports", "--public", "--yes", "--gitpod"]).expect(0);
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

const WEB: (&str, &str) =
    ("compose.yaml", "services: {web: {build: ., ports: [3000:3000]}, db: {image: postgres}}\n");

#[test]
fn on_a_laptop_no_file_is_created_unless_a_flag_asks_for_it() {
    for arguments in [
        &["ports", "--public", "--yes"][..],
        &["ports", "--public"],
        &["ports", "--private", "--yes"],
        &["ports", "3000=public:web", "--yes"],
        &["ports", "--public", "--check"],
        &["init", "--public", "--yes", "--store", "none", "--no-verify", "--service", "web"],
    ] {
        let sandbox = Sandbox::new(&[WEB]);
        let run = sandbox.run(arguments).expect(0);
        assert!(!sandbox.path(".gitpod.yml").exists(), "{arguments:?}");
        assert!(run.stderr.contains(" --gitpod` creates"), "{}", run.stderr);
        assert!(!sandbox.path(".devcontainer").exists(), "{arguments:?}");
    }
    let sandbox = Sandbox::new(&[WEB]);
    sandbox.run(&["ports", "--public", "--gitpod", "--dry-run"]).expect(0);
    assert!(!sandbox.path(".gitpod.yml").exists());
    sandbox.run(&["ports", "--public", "--gitpod", "--yes"]).expect(0);
    assert!(sandbox.read(".gitpod.yml").contains("port: 3000\n    visibility: public\n"));
    // A file that exists is kept up to date without the flag.
    sandbox.run(&["ports", "--private", "--yes"]).expect(0);
    assert!(sandbox.read(".gitpod.yml").contains("port: 3000\n    visibility: private\n"));
}

#[test]
fn at_a_laptops_terminal_the_file_is_a_question() {
    for (answer, created) in [("y\r", true), ("\r", false), ("n\r", false)] {
        let sandbox = Sandbox::new(&[WEB]);
        let mut session = in_a_terminal(&sandbox, &["ports", "--public"]);
        session.exp_string("Create .gitpod.yml").unwrap();
        type_in(&mut session, answer);
        if created {
            session.exp_string("Write these changes?").unwrap();
            type_in(&mut session, "y\r");
        }
        let rest = session.exp_eof().unwrap();
        assert_eq!(status(&session), i32::from(!created), "{answer:?}: {rest}");
        assert_eq!(sandbox.path(".gitpod.yml").exists(), created, "{answer:?}: {rest}");
    }
}

#[test]
fn in_gitpod_the_file_is_created_and_in_a_codespace_it_is_not() {
    let gp = FakeGp::new(Mode::Well);
    let gitpod = gp.workspace(Sandbox::new(&[WEB]));
    gitpod.run(&["ports", "--public", "--yes"]).expect(0);
    assert!(gitpod.read(".gitpod.yml").contains("port: 3000\n    visibility: public\n"));
    let gh = FakeCloud::codespace(CloudMode::Well);
    let codespace = gh.workspace(Sandbox::new(&[WEB]));
    let run = codespace.run(&["ports", "--public", "--yes"]);
    assert!(!codespace.path(".gitpod.yml").exists(), "{}", run.stderr);
    codespace.run(&["ports", "--public", "--yes", "--gitpod"]);
    assert!(codespace.path(".gitpod.yml").exists());
}

#[test]
fn a_diff_names_files_from_the_folder_that_holds_them_all() {
    for (folder, arguments) in [
        ("shop", &["ports", "--public", "--dry-run"][..]),
        ("apps/shop", &["ports", "--public", "--dry-run"]),
        ("apps/shop", &["ports", "--public", "--check"]),
        (
            "apps/shop",
            &["init", "--public", "--yes", "--store", "none", "--no-verify", "--dry-run"],
        ),
    ] {
        let compose = format!("{folder}/compose.yaml");
        let sandbox = Sandbox::new(&[
            (&compose, WEB.1),
            (".gitpod.yml", "tasks: []\n"),
            (".git/HEAD", "ref: refs/heads/main\n"),
            (".git/config", "[core]\n"),
            (".git/refs/heads/main", ""),
            (".git/objects/info", ""),
        ]);
        let mut here = vec!["-C", folder];
        here.extend(arguments);
        let diff = sandbox.run(&here).stdout;
        let headers: Vec<&str> = diff
            .lines()
            .filter(|line| line.starts_with("--- ") || line.starts_with("+++ "))
            .collect();
        assert!(headers.contains(&"--- a/.gitpod.yml"), "{arguments:?}: {diff}");
        assert!(headers.iter().all(|line| !line.contains("..")), "{arguments:?}: {diff}");
    }
}
