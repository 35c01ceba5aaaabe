//! Repositories whose configuration runs a program as soon as git reads them: bare, unpacked, linked by a file, owned
//! by another user. No command that reads such a project runs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sandbox::{KEY, Sandbox};

const COMPOSE: &str = "services:\n  api:\n    build: .\n    environment:\n      HONEYCOMB_API_KEY: ${HONEYCOMB_API_KEY}\n";

/// Commands that read a project and its `.env`.
const COMMANDS: [&[&str]; 8] = [
    &["doctor"],
    &["doctor", "--json"],
    &["status"],
    &["key", "status"],
    &["key", "set", "--store", "dotenv"],
    &["init", "--yes", "--store", "dotenv", "--no-verify"],
    &["init", "--yes", "--store", "dotenv", "--dry-run"],
    &["undo", "--yes"],
];

fn git(folder: &Path, arguments: &[&str]) -> i32 {
    let output = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "safe.directory=*"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    output.status.code().unwrap()
}

/// Makes `folder` a repository whose sparse index lacks an object that a remote promises; its configuration names a
/// program for each git operation.
fn repository(sandbox: &Sandbox, folder: &str) -> PathBuf {
    let path = sandbox.path(folder);
    sandbox.write(&format!("{folder}/kept/a"), "x");
    sandbox.write(&format!("{folder}/out/b"), "x");
    sandbox.write(&format!("{folder}/compose.yaml"), COMPOSE);
    sandbox.write(&format!("{folder}/.env"), &format!("HONEYCOMB_API_KEY={KEY}\n"));
    for arguments in [
        &["init", "--quiet"][..],
        &["add", "kept", "out", "compose.yaml"],
        &["commit", "--quiet", "--message=a"],
        &["sparse-checkout", "init", "--cone", "--sparse-index"],
        &["sparse-checkout", "set", "kept"],
    ] {
        assert_eq!(git(&path, arguments), 0, "{arguments:?}");
    }
    std::fs::remove_dir_all(path.join(".git/objects")).unwrap();
    std::fs::create_dir_all(path.join(".git/objects")).unwrap();
    let marker = sandbox.home().join("pwned").display().to_string();
    let run = format!("touch {marker};");
    let filter = format!("sh -c 'touch {marker}; cat'");
    for (name, value) in [
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.url", "ssh://git@127.0.0.1/x"),
        ("remote.origin.promisor", "true"),
        ("core.sshCommand", &run),
        ("core.fsmonitor", &run),
        ("core.pager", &run),
        ("core.editor", &run),
        ("filter.x.clean", &filter),
        ("filter.x.smudge", &filter),
        ("alias.ls-files", &format!("!{run}")),
    ] {
        assert_eq!(git(&path, &["config", name, value]), 0, "{name}");
    }
    path
}

/// Moves the contents of `.git` into the folder itself, in a form that can be committed.
fn make_bare(path: &Path) {
    assert_eq!(git(path, &["config", "core.worktree", "."]), 0);
    for entry in std::fs::read_dir(path.join(".git")).unwrap() {
        let entry = entry.unwrap();
        std::fs::rename(entry.path(), path.join(entry.file_name())).unwrap();
    }
    std::fs::remove_dir(path.join(".git")).unwrap();
}

/// Moves the contents of `.git` elsewhere and leaves a file with their path.
fn make_gitfile(path: &Path) {
    std::fs::rename(path.join(".git"), path.join("elsewhere")).unwrap();
    std::fs::write(path.join(".git"), "gitdir: elsewhere\n").unwrap();
}

/// Splits the contents of `.git` into those of a worktree and those shared by all worktrees.
fn make_worktree(path: &Path) {
    std::fs::rename(path.join(".git"), path.join("shared")).unwrap();
    std::fs::create_dir_all(path.join("own")).unwrap();
    for name in ["HEAD", "index"] {
        std::fs::rename(path.join("shared").join(name), path.join("own").join(name)).unwrap();
    }
    std::fs::write(path.join("shared/HEAD"), "ref: refs/heads/main\n").unwrap();
    std::fs::write(path.join("own/commondir"), "../shared\n").unwrap();
    std::fs::write(path.join("own/gitdir"), path.join(".git").display().to_string()).unwrap();
    std::fs::write(path.join(".git"), "gitdir: own\n").unwrap();
}

/// Gives everything to another user, if this user may.
fn make_foreign(path: &Path) {
    let _ = Command::new("chown").args(["-R", "12345:12345"]).arg(path).output().unwrap();
}

#[track_caller]
fn check(make: fn(&Path)) {
    let sandbox = Sandbox::new(&[]).with("HONEYCOMB_API_KEY", KEY);
    assert_eq!(git(&sandbox.project(), &["init", "--quiet"]), 0);
    make(&repository(&sandbox, "sub"));
    let marker = sandbox.home().join("pwned");
    for command in COMMANDS {
        for folder in [&["-C", "sub"][..], &["-C", "sub/kept"]] {
            let run = sandbox.run(&[folder, command].concat());
            assert!(!marker.exists(), "{command:?}\n{}", run.stderr);
        }
    }
    // From above, where the project's `.env` names the compose file below.
    sandbox.write(".env", "COMPOSE_FILE=sub/compose.yaml\n");
    for command in COMMANDS {
        let run = sandbox.run(command);
        assert!(!marker.exists(), "{command:?}\n{}", run.stderr);
    }
    // Git itself runs it: the repository does what it says.
    git(&sandbox.path("sub"), &["ls-files", "--error-unmatch", ".env"]);
    git(&sandbox.path("sub"), &["status"]);
    assert!(marker.exists(), "git did nothing either");
}

#[test]
fn an_unpacked_repository_runs_nothing() {
    check(|_| {});
}

#[test]
fn a_bare_repository_in_a_clone_runs_nothing() {
    check(make_bare);
}

#[test]
fn a_repository_named_by_a_file_runs_nothing() {
    check(make_gitfile);
}

#[test]
fn a_worktree_runs_nothing() {
    check(make_worktree);
}

#[test]
fn a_repository_of_another_owner_runs_nothing() {
    check(make_foreign);
}
