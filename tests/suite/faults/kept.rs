//! What a write must keep: the key, attributes, access lists, the user's lines.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use rustix::fs::{XattrFlags, getxattr, setxattr};

use super::{APP, COMPOSE, GITPOD, assert_same, tree};
use crate::gp::run_with_input;
use crate::sandbox::{KEY, Sandbox};

const INIT: [&str; 6] = ["init", "--yes", "--key-stdin", "--store", "dotenv", "--no-verify"];

const FILES: [&str; 3] =
    ["docker-compose.yml", "backend-flask/requirements.txt", "backend-flask/app.py"];

fn sandbox() -> Sandbox {
    Sandbox::new(&[
        ("docker-compose.yml", COMPOSE),
        (".gitpod.yml", GITPOD),
        ("backend-flask/requirements.txt", "flask\n"),
        ("backend-flask/app.py", APP),
    ])
}

fn git(sandbox: &Sandbox, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.args(arguments).current_dir(sandbox.project()).env("HOME", sandbox.home());
    assert!(git.output().unwrap().status.success(), "git {arguments:?}");
}

#[test]
fn no_key_is_stored_where_no_journal_can_be_written() {
    let file = Path::new("/dev/null").to_owned();
    for state in [PathBuf::from("/proc/nope"), file, PathBuf::from("/sys/kernel/nope")] {
        for arguments in [&INIT[..], &["key", "set", "--stdin", "--store", "dotenv", "--yes"]] {
            let sandbox = sandbox().with("XDG_STATE_HOME", state.to_str().unwrap());
            let before = tree(&sandbox.project());
            let run = run_with_input(&sandbox, arguments, KEY);
            run.failed("journal-unwritable", &["XDG_STATE_HOME"]);
            assert_same(&tree(&sandbox.project()), &before);
        }
    }
}

/// A function that creates a `.gitignore` that has the line, or gets it, and still does not ignore the file.
type Unignoring = fn(&Sandbox);

const UNIGNORING: [Unignoring; 4] = [
    |sandbox| sandbox.write(".gitignore", "/.env\n!/.env\n"),
    |sandbox| sandbox.write(".gitignore", ".env\n!*.env\n"),
    |sandbox| sandbox.write(".gitignore", "*.env\n/.env\n!.e*\n"),
    // Git follows no link here.
    |sandbox| {
        sandbox.write("rules", "node_modules\n");
        std::os::unix::fs::symlink("rules", sandbox.path(".gitignore")).unwrap();
    },
];

#[test]
fn no_key_is_stored_where_git_would_take_it_all_the_same() {
    for make in UNIGNORING {
        for arguments in [&INIT[..], &["key", "set", "--stdin", "--store", "dotenv", "--yes"]] {
            let sandbox = sandbox();
            git(&sandbox, &["init", "--quiet"]);
            make(&sandbox);
            let before = tree(&sandbox.project());
            run_with_input(&sandbox, arguments, KEY).failed("store-refused", &[".env"]);
            assert_same(&tree(&sandbox.project()), &before);
            assert!(sandbox.files_with_the_key().is_empty());
        }
    }
}

/// Returns an access list that lets one more user read: version 2, then tag, permissions and id of each entry.
fn access_list() -> Vec<u8> {
    const NO_ID: u32 = u32::MAX;
    let entries: [(u16, u16, u32); 5] =
        [(1, 6, NO_ID), (2, 4, 12_345), (4, 4, NO_ID), (16, 4, NO_ID), (32, 0, NO_ID)];
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(permissions.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}

fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 4096];
    let length = getxattr(path, name, &mut value[..]).ok()?;
    value.truncate(length);
    Some(value)
}

#[cfg(target_os = "linux")]
#[test]
fn attributes_and_access_lists_outlive_a_replacement() {
    let attributes = [
        ("user.comment", b"mine".to_vec()),
        ("user.empty", Vec::new()),
        ("system.posix_acl_access", access_list()),
    ];
    let sandbox = sandbox();
    sandbox.write(".env", "A=1\n");
    let env = [".env"];
    for file in FILES.iter().chain(&env) {
        for (name, value) in &attributes {
            let set = setxattr(sandbox.path(file), *name, value, XattrFlags::empty());
            if let Err(error) = set {
                println!("skipped: no {name} here: {error}");
                return;
            }
        }
    }
    let before = sandbox.path(FILES[0]).metadata().unwrap().permissions().mode();
    let check = |when: &str| {
        for file in FILES {
            for (name, value) in &attributes {
                let now = attribute(&sandbox.path(file), name);
                assert_eq!(now.as_ref(), Some(value), "{name} of {file} after {when}");
            }
            let mode = sandbox.path(file).metadata().unwrap().permissions().mode();
            assert_eq!(mode, before, "{file} after {when}");
        }
    };
    run_with_input(&sandbox, &INIT, KEY).expect(0);
    check("init");
    // The file with the key keeps its attributes too, and its list lets nobody in any more.
    assert_eq!(attribute(&sandbox.path(".env"), "user.comment"), Some(b"mine".to_vec()));
    let mode = sandbox.path(".env").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    sandbox.run(&["undo", "--yes"]).expect(0);
    check("undo");
}

/// Returns the journal's entry and its folder.
fn entry(sandbox: &Sandbox) -> PathBuf {
    let state = sandbox.home().join(".local/state/cruddur-ops");
    let mut folders = std::fs::read_dir(state).unwrap();
    folders.next().unwrap().unwrap().path().join("change-000001.json")
}

#[test]
fn the_users_lines_are_restored_byte_for_byte_and_stay_private() {
    let known = format!("x-honeycomb-team={KEY}");
    for (endpoint, headers) in [
        ("https://user:hunter2hunter2@collector.example", "x-custom-auth=opensesame-opensesame"),
        (
            "https://collector.example/?token=opensesame-opensesame",
            "authorization=Token swordfish-1",
        ),
        ("https://collector.example", &known),
    ] {
        let sandbox = sandbox();
        let text = COMPOSE.replace(
            "    build: ./backend-flask\n",
            &format!(
                "      OTEL_EXPORTER_OTLP_ENDPOINT: {endpoint}\n      OTEL_EXPORTER_OTLP_HEADERS: {headers}\n    build: ./backend-flask\n"
            ),
        );
        sandbox.write("docker-compose.yml", &text);
        run_with_input(&sandbox, &INIT, KEY).expect(0);
        assert!(!sandbox.read("docker-compose.yml").contains(headers));
        let entry = entry(&sandbox);
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&entry), mode(entry.parent().unwrap())), (0o600, 0o700));
        assert_eq!(sandbox.files_with_the_key(), [sandbox.path(".env")]);
        sandbox.run(&["undo", "--yes"]).expect(0);
        assert_eq!(sandbox.read("docker-compose.yml"), text);
    }
}

#[test]
fn an_expired_entry_is_not_undone_and_is_removed_by_the_next_write() {
    let month = Duration::from_secs(31 * 86_400);
    for next in
        [&["undo", "--yes"][..], &["ports", "--private", "--yes"], &["doctor", "--fix", "--yes"]]
    {
        let sandbox = sandbox();
        run_with_input(&sandbox, &INIT, KEY).expect(0);
        let wired = tree(&sandbox.project());
        let entry = entry(&sandbox);
        let file = File::options().append(true).open(&entry).unwrap();
        file.set_modified(SystemTime::now() - month).unwrap();
        let shown = sandbox.run(&["undo", "--dry-run", "--json"]).expect(0).json();
        assert_eq!(shown["command"], serde_json::Value::Null);
        assert!(entry.exists(), "a dry run removes nothing");
        sandbox.run(next);
        assert!(!entry.exists() || next[0] == "ports", "{next:?}");
        let text = std::fs::read_to_string(&entry).unwrap_or_default();
        assert!(!text.contains("\"init\""), "{next:?}");
        if next[0] == "undo" {
            assert_same(&tree(&sandbox.project()), &wired);
        }
    }
}
