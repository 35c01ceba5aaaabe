//! Keys as Codespaces secrets, through a fake `gh` that behaves like the real one; and a new user in a codespace.

use crate::fake_cloud::{FakeCloud, Mode};
use crate::fixtures::{COMPOSE, COMPOSE_WIRED, GITPOD, GITPOD_PUBLIC, cruddur};
use crate::gp::run_with_input;
use crate::sandbox::{KEY, Sandbox};

const SET: [&str; 5] = ["key", "set", "--store", "codespaces", "--stdin"];

fn codespace(mode: Mode) -> (FakeCloud, Sandbox) {
    let gh = FakeCloud::codespace(mode);
    let sandbox = gh.workspace(Sandbox::new(&cruddur()));
    (gh, sandbox)
}

#[test]
fn a_key_goes_in_by_standard_input_and_to_this_repository() {
    let (gh, sandbox) = codespace(Mode::Well);
    let set = run_with_input(&sandbox, &SET, &format!("{KEY}\n")).expect(0);
    assert_eq!(gh.secret("HONEYCOMB_API_KEY").as_deref(), Some(KEY));
    assert_eq!(
        gh.calls(),
        "secret set HONEYCOMB_API_KEY --user --app codespaces --repos me/app\n",
        "the value is in no argument"
    );
    set.shows("codespaces_secret_set");
    assert!(sandbox.files_with_the_key().is_empty());

    // As it is after the next start: a variable.
    let started = sandbox.with("HONEYCOMB_API_KEY", KEY);
    let unwired = started.run(&["key", "status", "--json"]).expect(0);
    unwired.shows("codespaces_secret_unwired");
    assert!(unwired.json()["run_takes"].is_null());
    started.write("docker-compose.yml", COMPOSE_WIRED);
    let status = started.run(&["key", "status", "--json"]).expect(0).json();
    assert_eq!(status["run_takes"], "codespaces");
    assert_eq!(status["compose_takes"], "env");
    let shown = started.run(&["key", "status"]).expect(0);
    assert!(!shown.stdout.contains("your Codespaces secrets"), "{}", shown.stdout);

    // A new value is stored whatever the shell has: that is no proof.
    run_with_input(&started, &SET, KEY).expect(0);
    assert_eq!(gh.calls().lines().count(), 2);
}

#[test]
fn it_is_forgotten_by_name_where_the_shell_has_none() {
    let (gh, sandbox) = codespace(Mode::Well);
    run_with_input(&sandbox, &SET, KEY).expect(0);
    let unnamed = sandbox.run(&["key", "forget", "--yes"]).expect(0);
    unnamed.shows("codespaces_secret_unnamed");
    assert!(gh.secret("HONEYCOMB_API_KEY").is_some());
    let forget = ["key", "forget", "--store", "codespaces"];
    sandbox.run(&[&forget[..], &["--dry-run"]].concat()).expect(0);
    assert!(gh.secret("HONEYCOMB_API_KEY").is_some());
    let yes = [&forget[..], &["--yes"]].concat();
    sandbox.run(&yes).expect(0);
    assert_eq!(gh.secret("HONEYCOMB_API_KEY"), None);
    let again = sandbox.run(&yes).expect(0);
    again.shows("codespaces_secret_forgotten_already");
}

#[test]
fn the_token_of_a_codespace_is_refused_with_the_way_out() {
    let (gh, sandbox) = codespace(Mode::Unscoped);
    let set = run_with_input(&sandbox, &SET, KEY).expect(2);
    assert!(set.stderr.contains("error[store-failed]"), "{}", set.stderr);
    set.shows("codespaces_secret_unscoped");
    let laptop = sandbox.with("CODESPACES", "").with("GITHUB_TOKEN", "");
    let set = run_with_input(&laptop, &SET, KEY).expect(2);
    set.shows("codespaces_secret_laptop");
    assert_eq!(gh.secret("HONEYCOMB_API_KEY"), None);
}

#[test]
fn without_gh_or_a_repository_it_is_no_store() {
    let (_gh, sandbox) = codespace(Mode::Well);
    let set = run_with_input(&sandbox.with("PATH", "/nowhere"), &SET, KEY).expect(2);
    assert!(set.stderr.contains("error[store-unavailable]"), "{}", set.stderr);
    let (gh, sandbox) = codespace(Mode::Well);
    let set = run_with_input(&sandbox.with("GITHUB_REPOSITORY", ""), &SET, KEY).expect(2);
    set.shows("codespaces_secret_no_remote");
    assert_eq!(gh.calls(), "");
    let (gh, sandbox) = codespace(Mode::Well);
    sandbox.write(".git/config", "[remote \"origin\"]\n\turl = git@github.com:me/app.git\n");
    run_with_input(&sandbox.with("GITHUB_REPOSITORY", ""), &SET, KEY).expect(0);
    assert_eq!(gh.secret("HONEYCOMB_API_KEY").as_deref(), Some(KEY));
}

#[test]
fn init_with_a_secret_that_comes_later_says_so_and_verifies_nothing() {
    let (gh, sandbox) = codespace(Mode::Well);
    let arguments =
        ["init", "--yes", "--no-verify", "--no-instrument", "--key-stdin", "--store", "codespaces"];
    let init = run_with_input(&sandbox, &arguments, KEY).expect(0);
    init.shows("codespaces_secret_init");
    assert_eq!(gh.secret("HONEYCOMB_API_KEY").as_deref(), Some(KEY));
    assert!(sandbox.files_with_the_key().is_empty());
}

#[test]
fn a_dev_container_gets_the_command_that_passes_the_key() {
    let sandbox = Sandbox::new(&cruddur()).with("REMOTE_CONTAINERS", "true");
    let status = sandbox.run(&["key", "status"]).expect(1);
    status.shows("dev_container_key");
    sandbox.write(".devcontainer.json", "{\"secrets\": {\"HONEYCOMB_API_KEY\": {}}}\n");
    let status = sandbox.run(&["key", "status"]).expect(1);
    status.shows("dev_container_key_passed");
}

#[test]
fn a_new_user_in_a_codespace() {
    const FILE: &str = ".devcontainer/devcontainer.json";
    const DEVCONTAINER: &str = "{\n  // the image\n  \"image\": \"x\"\n}\n";
    let (gh, sandbox) = codespace(Mode::Well);
    sandbox.write(FILE, DEVCONTAINER);
    sandbox.write(".gitignore", "node_modules\n");

    let arguments = ["init", "--yes", "--no-verify", "--no-instrument", "--key-stdin"];
    let refused = run_with_input(&sandbox, &arguments, KEY).expect(2);
    assert!(
        refused.stderr.contains("--store dotenv"),
        "nobody agreed to a file: {}",
        refused.stderr
    );
    let arguments = [&arguments[..], &["--store", "dotenv"]].concat();
    run_with_input(&sandbox, &arguments, KEY).expect(0);
    assert_eq!(sandbox.files_with_the_key(), [sandbox.path(".env")]);
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE_WIRED);
    assert_eq!(sandbox.read(FILE), DEVCONTAINER, "ports were not asked for");
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);

    // The services run now.
    for port in [3000, 4567, 5432] {
        gh.port(port, "private");
    }
    let arguments = ["init", "--yes", "--no-verify", "--no-instrument", "--public", "--on-start"];
    sandbox.run(&arguments).expect(0);
    let text = sandbox.read(FILE);
    assert!(
        text.contains("  // the image\n  \"image\": \"x\",\n  \"forwardPorts\": [4567, 3000],\n"),
        "{text}"
    );
    assert!(text.contains("3000:public 4567:public -c"), "{text}");
    assert_eq!(sandbox.read(".gitpod.yml"), GITPOD_PUBLIC, "kept up where it is");
    assert_eq!(gh.visibility(3000).as_deref(), Some("public"));
    assert_eq!(gh.visibility(5432).as_deref(), Some("private"));
    let again = sandbox.run(&["ports", "--public", "--yes"]).expect(0);
    again.shows("codespaces_new_user_again");

    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read(FILE), DEVCONTAINER);
    assert_eq!(sandbox.read(".gitpod.yml"), GITPOD);
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);
    assert_eq!(gh.visibility(3000).as_deref(), Some("private"));
}
