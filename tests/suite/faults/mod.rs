//! Faults of disks, systems and projects: each leads to a clear error, nothing is lost, and undo still works.

mod denied;
mod full;
#[cfg(target_os = "linux")]
mod injected;
mod kept;
mod outside;
mod shapes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fixtures::COMPOSE;
use crate::sandbox::{KEY, Run, Sandbox};

/// Everything `init` writes: a compose file, `.gitpod.yml`, packages and code.
pub const INIT: [&str; 6] = ["init", "--yes", "--store", "env", "--no-verify", "--public"];

pub const GITPOD: &str = "tasks: []\n";

pub const APP: &str = "from flask import Flask\n\napp = Flask(__name__)\n";

/// Creates a project in which `init` changes four files.
pub fn sandbox() -> Sandbox {
    let files = [
        ("docker-compose.yml", COMPOSE),
        (".gitpod.yml", GITPOD),
        ("backend-flask/requirements.txt", "flask\n"),
        (
            "backend-flask/Dockerfile",
            "FROM python:3.10-slim-buster\nCOPY . .\nRUN pip3 install -r requirements.txt\n",
        ),
        ("backend-flask/app.py", APP),
        ("frontend-react-js/package.json", "{\"dependencies\": {\"react\": \"18\"}}"),
    ];
    Sandbox::new(&files).with("HONEYCOMB_API_KEY", KEY)
}

/// Returns every file in a folder, by its relative path.
pub fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(open) = folders.pop() {
        for entry in std::fs::read_dir(open).unwrap() {
            let path = entry.unwrap().path();
            let about = path.symlink_metadata().unwrap();
            if about.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = match about.is_file() {
                true => std::fs::read(&path).unwrap(),
                false => Vec::new(),
            };
            files.insert(path.strip_prefix(folder).unwrap().to_owned(), bytes);
        }
    }
    files
}

/// Fails with the paths that differ, without their bytes.
#[track_caller]
pub fn assert_same(now: &BTreeMap<PathBuf, Vec<u8>>, before: &BTreeMap<PathBuf, Vec<u8>>) {
    let paths: BTreeSet<&PathBuf> = now.keys().chain(before.keys()).collect();
    let differ: Vec<_> =
        paths.into_iter().filter(|path| now.get(*path) != before.get(*path)).collect();
    assert!(differ.is_empty(), "changed: {differ:?}");
}

/// Returns a command for `other` instead of the sandbox's program, in the same folder, with the same variables and no
/// input.
pub fn in_place_of(program: &Command, mut other: Command) -> Command {
    let variables = program.get_envs();
    other
        .current_dir(program.get_current_dir().unwrap())
        .env_clear()
        .envs(variables.filter_map(|(name, value)| Some((name, value?))))
        .stdin(std::process::Stdio::null());
    other
}

/// Runs a shell script as root in a separate mount namespace; `None`, with a message, if that is impossible.
pub fn mounted(sandbox: &Sandbox, script: &str, variables: &[(&str, &str)]) -> Option<Run> {
    let ways: [&[&str]; 2] = [&["--mount"], &["--mount", "--map-root-user"]];
    let works = |way: &&&[&str]| {
        let tried = Command::new("unshare").args(**way).arg("true").output();
        tried.is_ok_and(|output| output.status.success())
    };
    let Some(way) = ways.iter().find(works) else {
        println!("skipped: no mounts of our own (`unshare --mount`)");
        return None;
    };
    // The sandbox's own variables, and the program's path in the place of the arguments.
    let program = sandbox.command(&[]);
    let mut command = Command::new("unshare");
    command.args(*way).args(["sh", "-euc", script]);
    let mut command = in_place_of(&program, command);
    command
        .env("OPS", program.get_program())
        .env("PROJECT", sandbox.project())
        .envs(variables.iter().copied());
    Some(Run::of(command))
}
