//! Files that a user without root's rights may not read or write.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::{INIT, assert_same, in_place_of, sandbox, tree};
use crate::sandbox::{Run, Sandbox};

const NOBODY: &str = "65534";

/// Runs `init` without root's rights; `None`, with a message, if root cannot drop them.
fn init(sandbox: &Sandbox) -> Option<Run> {
    init_after(sandbox, || true)
}

/// Runs `init` without root's rights if `can` returns true, which may change what needs root.
fn init_after(sandbox: &Sandbox, can: impl FnOnce() -> bool) -> Option<Run> {
    run_after(sandbox, &INIT, can)
}

fn run_after(sandbox: &Sandbox, arguments: &[&str], can: impl FnOnce() -> bool) -> Option<Run> {
    let program = sandbox.command(arguments);
    if !rustix::process::geteuid().is_root() {
        if !can() {
            println!("skipped: this needs root");
            return None;
        }
        return Some(Run::of(program));
    }
    let whole = sandbox.home().parent().unwrap().to_owned();
    // The program may lie where only root looks.
    let copy = whole.join("program");
    // Copied by another process: what is open for writing here may be open in a child of another test too.
    let copied = Command::new("cp").arg(program.get_program()).arg(&copy).status();
    assert!(copied.unwrap().success());
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"])
        .arg(copy)
        .args(program.get_args());
    let command = in_place_of(&program, command);
    let owned = Command::new("chown").args(["-R", NOBODY]).arg(&whole).status();
    let steps_down =
        Command::new("setpriv").args(["--reuid", NOBODY, "--clear-groups", "true"]).status();
    if !owned.is_ok_and(|status| status.success())
        || !steps_down.is_ok_and(|status| status.success())
    {
        println!("skipped: root cannot step down here (`setpriv`)");
        return None;
    }
    assert!(can());
    Some(Run::of(command))
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_read_only_file_is_named_with_what_makes_it_writable() {
    for file in ["docker-compose.yml", ".gitpod.yml", "backend-flask/app.py"] {
        let sandbox = sandbox();
        let before = tree(&sandbox.project());
        mode(&sandbox.path(file), 0o444);
        let Some(run) = init(&sandbox) else { return };
        let run = run.failed("read-only", &[file, "`chmod u+w "]);
        assert!(!run.stderr.contains("+++"), "shown before it was refused");
        assert_same(&tree(&sandbox.project()), &before);
    }
}

#[test]
fn a_file_of_another_user_is_refused_before_it_is_shown() {
    let sandbox = sandbox();
    let before = tree(&sandbox.project());
    let path = sandbox.path("docker-compose.yml");
    // Its mode lets its owner write, and that is not who runs this.
    let Some(_) = init_after(&sandbox, || {
        let owned = Command::new("chown").arg("0").arg(&path).status();
        owned.is_ok_and(|status| status.success())
    })
    .map(|run| run.failed("write-failed", &["Permission denied", "nothing was written"])) else {
        return;
    };
    assert_same(&tree(&sandbox.project()), &before);
}

#[test]
fn a_read_only_folder_gets_no_file_and_loses_none() {
    let sandbox = sandbox();
    let before = tree(&sandbox.project());
    mode(&sandbox.path("backend-flask"), 0o555);
    let Some(run) = init(&sandbox) else { return };
    let told = ["backend-flask", "Permission denied", "nothing was written"];
    let run = run.failed("write-failed", &told);
    assert!(!run.stderr.contains("+++"), "shown before it was refused");
    mode(&sandbox.path("backend-flask"), 0o755);
    assert_same(&tree(&sandbox.project()), &before);
}

#[test]
fn a_file_that_is_overwritten_needs_no_writable_folder_and_a_new_one_does() {
    for is_there in [true, false] {
        let sandbox = sandbox();
        if !is_there {
            std::fs::remove_file(sandbox.path(".gitpod.yml")).unwrap();
        }
        let before = tree(&sandbox.project());
        mode(&sandbox.project(), 0o555);
        let run = run_after(&sandbox, &["ports", "--public", "--gitpod", "--yes"], || true);
        mode(&sandbox.project(), 0o755);
        let Some(run) = run else { return };
        if is_there {
            run.expect(0);
            assert!(sandbox.read(".gitpod.yml").contains("visibility: public"));
        } else {
            let run = run.failed("write-failed", &[".gitpod.yml", "nothing was written"]);
            assert!(!run.stderr.contains("+++"), "shown before it was refused");
            assert_same(&tree(&sandbox.project()), &before);
        }
    }
}

#[test]
fn an_unreadable_file_is_named() {
    for file in ["docker-compose.yml", ".gitpod.yml"] {
        let sandbox = sandbox();
        let before = tree(&sandbox.project());
        mode(&sandbox.path(file), 0o000);
        let Some(run) = init(&sandbox) else { return };
        run.failed("unreadable-file", &[file, "Permission denied"]);
        mode(&sandbox.path(file), 0o644);
        assert_same(&tree(&sandbox.project()), &before);
    }
}

#[test]
fn nothing_is_written_if_the_state_folder_is_read_only() {
    let sandbox = sandbox();
    let before = tree(&sandbox.project());
    mode(&sandbox.home(), 0o555);
    let Some(run) = init(&sandbox) else { return };
    run.failed("journal-unwritable", &["Permission denied", "XDG_STATE_HOME"]);
    mode(&sandbox.home(), 0o755);
    assert_same(&tree(&sandbox.project()), &before);
}
