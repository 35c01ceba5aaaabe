//! Full disks and read-only file systems.

use std::path::Path;

use super::{INIT, assert_same, mounted, sandbox, tree};
use crate::sandbox::Sandbox;

/// A script that creates a project on a small separate disk with `$ROOM` KiB left, and copies its files out
/// afterwards.
const SMALL_DISK: &str = r#"
seed="$(mktemp -d)"
cp -r "$PROJECT/." "$seed"
mount -t tmpfs -o size=512k,mode=755 tmpfs "$PROJECT"
cd "$PROJECT"
cp -r "$seed/." .
dd if=/dev/zero of=filler bs=4k 2>/dev/null || true
truncate -s "-${ROOM}K" filler
status=0
"$OPS" init --yes --store env --no-verify --public || status=$?
rm -f filler
cp -r . "$AFTER"
if [ "$status" = 0 ]; then "$OPS" undo --yes; else "$OPS" undo; fi
cp -r . "$UNDONE"
exit "$status"
"#;

/// Returns files of increasing size, so that the second or third write fails.
fn growing() -> Sandbox {
    let sandbox = sandbox();
    let pad = |path: &str, bytes: usize| {
        let comment = format!("# {}\n", "-".repeat(61)).repeat(bytes / 64);
        sandbox.write(path, &(comment + &sandbox.read(path)));
    };
    pad("docker-compose.yml", 16 << 10);
    // The lines that are added need a block that is not there.
    pad(".gitpod.yml", 4032);
    pad("backend-flask/app.py", 32 << 10);
    pad("backend-flask/requirements.txt", 64 << 10);
    sandbox
}

#[test]
fn a_full_disk_leaves_every_file_as_it_was() {
    let mut failed = Vec::new();
    for room in [0, 4, 20, 24, 36, 48, 72, 128] {
        let sandbox = growing();
        let before = tree(&sandbox.project());
        let copies = tempfile::tempdir().unwrap();
        let (after, undone) = (copies.path().join("after"), copies.path().join("undone"));
        for folder in [&after, &undone] {
            std::fs::create_dir(folder).unwrap();
        }
        let variables = [
            ("ROOM", &*room.to_string()),
            ("AFTER", after.to_str().unwrap()),
            ("UNDONE", undone.to_str().unwrap()),
        ];
        let Some(run) = mounted(&sandbox, SMALL_DISK, &variables) else {
            return;
        };
        if run.status == 0 {
            assert_ne!(tree(&after), before, "{}", run.stderr);
        } else {
            let told = ["No space left on device", "no file was changed"];
            let run = run.failed("write-failed", &told);
            let files = ["docker-compose.yml", ".gitpod.yml", "app.py", "requirements.txt"];
            let line = run.stderr.lines().find(|line| line.starts_with("error["));
            failed.extend(files.into_iter().find(|file| line.unwrap().contains(file)));
            assert_same(&tree(&after), &before);
        }
        assert_same(&tree(&undone), &before);
    }
    failed.dedup();
    assert!(failed.len() > 1, "only one write ever failed: {failed:?}");
}

#[test]
fn a_journal_that_finds_no_room_keeps_everything_from_being_written() {
    let sandbox = sandbox();
    let before = tree(&sandbox.project());
    let script = r#"
        mount -t tmpfs -o size=64k,mode=755 tmpfs "$HOME"
        mkdir -p "$HOME/.local/state/cruddur-ops"
        dd if=/dev/zero of="$HOME/filler" bs=4k 2>/dev/null || true
        exec "$OPS" init --yes --store env --no-verify --public
    "#;
    let Some(run) = mounted(&sandbox, script, &[]) else {
        return;
    };
    run.failed("journal-unwritable", &["No space left on device", "XDG_STATE_HOME"]);
    assert_same(&tree(&sandbox.project()), &before);
}

#[test]
fn a_read_only_file_system_is_named_and_nothing_is_written() {
    let sandbox = sandbox();
    let before = tree(&sandbox.project());
    let script = r#"
        mount --bind "$PROJECT" "$PROJECT"
        mount -o remount,ro,bind "$PROJECT"
        cd "$PROJECT"
        exec "$OPS" init --yes --store env --no-verify --public
    "#;
    let Some(run) = mounted(&sandbox, script, &[]) else {
        return;
    };
    run.failed("write-failed", &["docker-compose.yml", "Read-only file system"]);
    assert_same(&tree(&sandbox.project()), &before);
}

/// Mounts `$FILE` over itself, as a container sees a file that is mounted into it.
const ONE_FILE: &str = r#"
    mount --bind "$FILE" "$FILE"
    if [ "$MODE" = ro ]; then mount -o remount,ro,bind "$FILE"; fi
    "$OPS" init --yes --store env --no-verify --public
    cp -r . "$AFTER"
    "$OPS" undo --yes
"#;

fn with_one_file_mounted(
    sandbox: &Sandbox,
    mode: &str,
    after: &Path,
) -> Option<crate::sandbox::Run> {
    let file = sandbox.path("docker-compose.yml");
    let variables =
        [("FILE", file.to_str().unwrap()), ("MODE", mode), ("AFTER", after.to_str().unwrap())];
    mounted(sandbox, ONE_FILE, &variables)
}

#[test]
fn a_single_mounted_file_is_overwritten_and_comes_back() {
    let whole = sandbox();
    whole.run(&INIT).expect(0);
    let sandbox = sandbox();
    let before = tree(&sandbox.project());
    let after = tempfile::tempdir().unwrap();
    let Some(run) = with_one_file_mounted(&sandbox, "rw", after.path()) else {
        return;
    };
    run.expect(0);
    assert_same(&tree(after.path()), &tree(&whole.project()));
    assert_same(&tree(&sandbox.project()), &before);
}

#[test]
fn a_single_file_mounted_read_only_is_named_and_nothing_is_written() {
    let sandbox = sandbox();
    let before = tree(&sandbox.project());
    let after = tempfile::tempdir().unwrap();
    let Some(run) = with_one_file_mounted(&sandbox, "ro", after.path()) else {
        return;
    };
    run.failed("write-failed", &["docker-compose.yml", "Read-only file system"]);
    assert_same(&tree(&sandbox.project()), &before);
}
