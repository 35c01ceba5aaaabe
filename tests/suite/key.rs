//! Keys in `.env` and in the shell: what is stored, refused and printed.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::dialogue::{in_a_terminal, status, type_in};
use crate::gp::run_with_input;
use crate::sandbox::{KEY, Sandbox};

const COMPOSE: (&str, &str) = (
    "compose.yaml",
    "services:\n  api:\n    build: .\n    environment:\n      H: x=${HONEYCOMB_API_KEY}\n",
);
const SET: [&str; 6] = ["key", "set", "--store", "dotenv", "--stdin", "--yes"];

fn git(sandbox: &Sandbox, arguments: &[&str]) {
    let done = Command::new("git")
        .args(arguments)
        .current_dir(sandbox.project())
        .env("HOME", sandbox.home())
        .output()
        .unwrap();
    assert!(done.status.success(), "git {arguments:?}");
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn dotenv_alone_holds_the_key_private_and_ignored() {
    let sandbox = Sandbox::new(&[COMPOSE, (".gitignore", "node_modules")]);
    git(&sandbox, &["init", "-q"]);
    run_with_input(&sandbox, &SET, &format!("  {KEY}\r\n")).expect(0);
    assert_eq!(sandbox.read(".env"), format!("HONEYCOMB_API_KEY='{KEY}'\n"));
    assert_eq!(mode(&sandbox.path(".env")), 0o600);
    assert_eq!(sandbox.read(".gitignore"), "node_modules\n/.env\n");
    assert_eq!(sandbox.files_with_the_key(), [sandbox.path(".env")]);

    let again = run_with_input(&sandbox, &SET, KEY).expect(0);
    assert_eq!(again.stderr, "");

    let status = sandbox.run(&["key", "status", "--json"]).expect(0).json();
    assert_eq!(status["compose_takes"], "dotenv");
    assert_eq!(status["run_takes"], "dotenv");

    sandbox.run(&["key", "forget", "--yes"]).expect(0);
    assert!(!sandbox.path(".env").exists());
    assert_eq!(sandbox.run(&["key", "status"]).expect(1).stderr.lines().count(), 1);
}

#[test]
fn an_empty_dotenv_stays_where_something_needs_it() {
    let named = "services:\n  api:\n    build: .\n    env_file: .env\n";
    let named = Sandbox::new(&[("docker-compose.yml", named), (".gitignore", "/.env\n")]);
    let commented = Sandbox::new(&[COMPOSE, (".gitignore", "/.env\n"), (".env", "# mine\n")]);
    for (sandbox, left) in [(&named, ""), (&commented, "# mine\n")] {
        run_with_input(sandbox, &SET, KEY).expect(0);
        sandbox.run(&["key", "forget", "--yes"]).expect(0);
        assert_eq!(sandbox.read(".env"), left);
    }
    let tracked = Sandbox::new(&[COMPOSE, (".env", &format!("HONEYCOMB_API_KEY={KEY}\n"))]);
    git(&tracked, &["init", "-q"]);
    git(&tracked, &["add", "-f", ".env"]);
    tracked.run(&["key", "forget", "--yes"]).expect(0);
    assert_eq!(tracked.read(".env"), "");
}

#[test]
fn other_lines_of_dotenv_keep_their_bytes_and_are_not_shown() {
    let before = "# mine\r\nPASSWORD=hunter2hunter2 # note\r\nHONEYCOMB_API_KEY=old-old-old-old-old\r\nX: \"a\nb\"";
    let sandbox = Sandbox::new(&[COMPOSE, (".env", before)]);
    std::fs::set_permissions(sandbox.path(".env"), PermissionsExt::from_mode(0o644)).unwrap();
    let set = run_with_input(&sandbox, &SET, KEY).expect(0);
    let after = before.replace("old-old-old-old-old", &format!("'{KEY}'"));
    assert_eq!(sandbox.read(".env"), after);
    assert_eq!(mode(&sandbox.path(".env")), 0o600);
    set.shows("key_open_dotenv");
    for hidden in ["hunter2", "old-old"] {
        assert!(!set.stderr.contains(hidden), "{}", set.stderr);
    }
}

#[test]
fn a_dotenv_that_git_tracks_is_refused_before_the_key_is_read() {
    let sandbox = Sandbox::new(&[COMPOSE, (".env", "A=1\n")]);
    git(&sandbox, &["init", "-q"]);
    git(&sandbox, &["add", ".env"]);
    let set = run_with_input(&sandbox, &SET, KEY).expect(2);
    assert!(set.stderr.contains("error[store-refused]"), "{}", set.stderr);
    assert_eq!(sandbox.read(".env"), "A=1\n");
    assert_eq!(sandbox.files_with_the_key(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_dotenv_that_leads_out_of_the_project_is_refused() {
    let sandbox = Sandbox::new(&[COMPOSE]);
    let outside = sandbox.home().join("profile");
    std::fs::write(&outside, "echo\n").unwrap();
    std::os::unix::fs::symlink(&outside, sandbox.path(".env")).unwrap();
    let set = run_with_input(&sandbox, &SET, KEY).expect(2);
    assert!(set.stderr.contains("error[store-refused]"), "{}", set.stderr);
    assert_eq!(std::fs::read_to_string(outside).unwrap(), "echo\n");
}

/// The key is written to the target of the link, so git must ignore that file.
#[test]
fn a_dotenv_that_leads_to_a_file_git_has_or_would_take_is_refused() {
    for (rules, staged, allowed) in [
        ("", true, false),
        (".env\n", true, false),
        ("*\n", true, false),
        (".env\n", false, false),
        ("/.env\n/keys/local\n", false, true),
        ("*\n", false, true),
    ] {
        let sandbox = Sandbox::new(&[COMPOSE, (".gitignore", rules), ("keys/local", "A=1\n")]);
        std::os::unix::fs::symlink("keys/local", sandbox.path(".env")).unwrap();
        git(&sandbox, &["init", "-q"]);
        if staged {
            git(&sandbox, &["add", "--force", "keys/local"]);
        }
        let set = run_with_input(&sandbox, &SET, KEY).expect(if allowed { 0 } else { 2 });
        let refused = set.stderr.contains("error[store-refused]");
        assert_eq!(refused, !allowed, "{rules:?}: {}", set.stderr);
        assert_eq!(sandbox.read("keys/local").contains(KEY), allowed, "{rules:?}");
    }
}

#[test]
fn a_repository_that_cannot_be_read_gets_no_key_and_says_why() {
    let sandbox = Sandbox::new(&[COMPOSE]);
    git(&sandbox, &["init", "-q"]);
    sandbox.write(".git/index", "nothing");
    let set = run_with_input(&sandbox, &SET, KEY).expect(2);
    assert!(set.stderr.contains("error[store-refused]"), "{}", set.stderr);
    set.shows("key_unreadable_repository");
    sandbox.write(".env", &format!("HONEYCOMB_API_KEY={KEY}\n"));
    let doctor = sandbox.run(&["doctor"]).expect(1);
    assert!(doctor.stdout.contains("error[dotenv-not-ignored]"), "{}", doctor.stdout);
}

#[test]
fn without_a_yes_nothing_is_written() {
    let sandbox = Sandbox::new(&[COMPOSE]);
    let set = run_with_input(&sandbox, &SET[..5], KEY).expect(2);
    assert!(set.stderr.contains("error[answer-missing]"), "{}", set.stderr);
    for (flag, status) in [("--dry-run", 0), ("--check", 1)] {
        let mut arguments = SET[..5].to_vec();
        arguments.push(flag);
        let set = run_with_input(&sandbox, &arguments, KEY).expect(status);
        assert!(set.stdout.contains("+++ b/.env"), "{}", set.stdout);
    }
    assert!(!sandbox.path(".env").exists() && !sandbox.path(".gitignore").exists());
}

#[test]
fn mistakes_are_named_and_the_text_is_not_repeated() {
    let sandbox = Sandbox::new(&[COMPOSE]);
    for text in [
        format!("\u{201c}{KEY}"),
        format!("'{KEY}"),
        format!("export OTHER={KEY}"),
        format!("{} {}", &KEY[..9], &KEY[9..]),
        KEY[..32].to_owned(),
        KEY[..50].to_owned(),
        format!("hcamk_{}:{}", &KEY[6..32], &KEY[32..]),
        String::new(),
    ] {
        let set = run_with_input(&sandbox, &SET, &text).expect(2);
        assert!(set.stderr.contains("error[key-shape]"), "{}", set.stderr);
        assert!(!set.stderr.contains(&KEY[6..30]), "{}", set.stderr);
    }
    let doubtful = run_with_input(&sandbox, &SET, &"0f".repeat(16)).expect(0);
    doubtful.shows("key_doubtful");
}

#[test]
fn text_pasted_around_a_key_is_removed_with_a_note() {
    for text in [
        format!("'{KEY}'"),
        format!("export HONEYCOMB_API_KEY=\"{KEY}\""),
        format!("HONEYCOMB_API_KEY={KEY}"),
        format!("x-honeycomb-team={KEY}"),
    ] {
        let sandbox = Sandbox::new(&[COMPOSE]);
        run_with_input(&sandbox, &SET, &text).expect(0);
        assert_eq!(sandbox.read(".env"), format!("HONEYCOMB_API_KEY='{KEY}'\n"));

        let sandbox = Sandbox::new(&[COMPOSE]);
        let mut session = in_a_terminal(&sandbox, &["key", "set", "--store", "dotenv", "--yes"]);
        session.exp_string("(hidden)").unwrap();
        type_in(&mut session, &format!("{text}\r"));
        let seen = session.exp_eof().unwrap();
        assert_eq!(status(&session), 0, "{seen}");
        assert!(seen.contains("ignored") && !seen.contains(KEY), "{seen}");
        assert_eq!(sandbox.read(".env"), format!("HONEYCOMB_API_KEY='{KEY}'\n"));
    }
}

#[test]
fn a_key_among_the_arguments_is_refused_with_the_reason_and_not_repeated() {
    let sandbox = Sandbox::new(&[COMPOSE]);
    for arguments in [
        &["key", "set", "some-secret-value"][..],
        &["init", "--key", "some-secret-value"],
        &["init", "--token=some-secret-value"],
        &["init", "--api-key", "some-secret-value"],
    ] {
        let run = sandbox.run(&[arguments, &["--json"]].concat()).expect(2);
        assert!(!format!("{}{}", run.stdout, run.stderr).contains("some-secret"), "{arguments:?}");
        assert_eq!(run.json()["error"]["code"], "usage");
    }
}

#[test]
fn the_shell_cannot_be_set_from_here_and_what_to_type_is_said() {
    let sandbox = Sandbox::new(&[COMPOSE]).with("SHELL", "/usr/bin/fish");
    let set = sandbox.run(&["key", "set", "--store", "env"]).expect(2);
    set.shows("key_fish");
}

#[test]
fn an_old_or_empty_variable_of_the_shell_is_warned_of() {
    let sandbox = Sandbox::new(&[COMPOSE]);
    run_with_input(&sandbox, &SET, KEY).expect(0);
    let old = sandbox.with("HONEYCOMB_API_KEY", "an-older-key-of-this-shell");
    let status = old.run(&["key", "status"]).expect(0);
    assert!(!status.stdout.contains("an-older-key"), "{}", status.stdout);

    let empty = old.with("HONEYCOMB_API_KEY", "");
    let status = empty.run(&["key", "status", "--json"]).expect(0).json();
    assert_eq!(status["compose_takes"], "empty");
    assert!(status["warnings"][0]["text"].as_str().unwrap().contains("empty"));
}

#[test]
fn a_service_name_in_the_shell_is_warned_of_with_the_reason() {
    let sandbox = Sandbox::new(&[COMPOSE])
        .with("HONEYCOMB_API_KEY", KEY)
        .with("HONEYCOMB_SERVICE_NAME", "backend");
    let status = sandbox.run(&["key", "status"]).expect(0);
    status.shows("key_shared_name");
}

#[test]
fn without_any_keyring_a_new_key_needs_a_named_store() {
    let sandbox = Sandbox::new(&[COMPOSE]);
    let set = run_with_input(&sandbox, &["key", "set", "--stdin"], KEY).expect(2);
    assert!(set.stderr.contains("error[store-unavailable]"), "{}", set.stderr);
    assert!(set.stderr.contains("--store dotenv"), "{}", set.stderr);
    assert!(!set.stderr.contains("X11"), "{}", set.stderr);
    assert!(!sandbox.path(".env").exists());
    assert_eq!(sandbox.files_with_the_key(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_key_typed_as_an_argument_is_not_repeated() {
    let sandbox = Sandbox::new(&[("compose.yaml", "services:\n  api:\n    build: .\n")]);
    for arguments in [
        &["key", "set", "hunter2-hunter2"][..],
        &["key", "--json", "set", "hunter2-hunter2"],
        &["key", "whoami", "hunter2-hunter2"],
        &["init", "--key-stdin", "hunter2-hunter2"],
        &["init", "--key-stdin=hunter2-hunter2"],
        &["key", "set", "--stdin=hunter2-hunter2"],
    ] {
        let run = sandbox.run(arguments).expect(2);
        let said = run.stdout + &run.stderr;
        assert!(!said.contains("hunter2"), "{arguments:?}: {said}");
        assert!(said.contains("a key cannot be given as an argument"), "{arguments:?}: {said}");
    }
}
