//! Lines of a project's files are quoted without the secrets that they assign, and no pipe among the files is waited for.

use std::path::Path;
use std::process::Command;

use crate::sandbox::Sandbox;

const PASSWORD: &str = "correct-horse-staple";

/// A project whose service has these lines at the end of its environment.
fn project(lines: &str) -> Sandbox {
    let text = format!(
        "services:\n  api:\n    build: .\n    ports: ['4567:4567']\n    environment:\n      A: b\n{lines}"
    );
    let files = [("docker-compose.yml", text.as_str()), ("Dockerfile", "FROM python:3.10\n")];
    Sandbox::new(&files).with("HONEYCOMB_API_KEY", crate::sandbox::KEY)
}

#[test]
fn no_command_quotes_a_password_of_the_project() {
    let commands: [&[&str]; 9] = [
        &["init", "--yes", "--dry-run", "--no-verify"],
        &["doctor"],
        &["doctor", "--json"],
        &["doctor", "--format", "sarif"],
        &["doctor", "--format", "github"],
        &["status", "--json"],
        &["ports", "--json"],
        &["verify", "--local"],
        &["remove", "--dry-run"],
    ];
    for lines in [
        format!("      DB_PASSWORD: |\n        {PASSWORD}\n"),
        format!("      DB_PASSWORD: \"a \\\n        {PASSWORD}\"\n"),
        format!("      DB_PASSWORD: \"a\\\"{PASSWORD}\"\n"),
        format!("      DB_PASSWORD: ${{PW-{PASSWORD}}}\n"),
        format!("      DB_PASSWORD: ${{PW}}{PASSWORD}\n"),
        format!("      CACHE: redis-server --requirepass {PASSWORD}\n"),
        format!("      DB_PASSWORD: \"{PASSWORD}\" x\n"),
        format!("      DB_PASSWORD: {PASSWORD}\n      DB_PASSWORD: {PASSWORD}\n"),
        format!("      - DB_PASSWORD={PASSWORD}\n"),
        format!("      DB_PASSWORD: [{PASSWORD}]\n"),
    ] {
        let sandbox = project(&lines);
        for arguments in commands {
            let run = sandbox.run(arguments);
            let said = run.stdout + &run.stderr;
            assert!(!said.contains(PASSWORD), "{lines}{arguments:?}: {said}");
        }
    }
}

#[test]
fn a_key_in_the_env_file_is_hidden_where_other_files_repeat_it() {
    let key = "zebra-crossing-0815-x";
    let sandbox = Sandbox::new(&[
        ("compose.yaml", "services:\n  api:\n    image: x\n    ports: ['4567:4567']\n"),
        (".gitpod.yml", &format!("ports:\n  - port: 4567\n    description: {key}\n")),
        (".env", &format!("HONEYCOMB_API_KEY={key}\n")),
    ]);
    for arguments in [
        &["ports", "--public", "--dry-run"][..],
        &["ports", "--public", "--yes"],
        &["undo", "--dry-run"],
        &["remove", "--dry-run"],
    ] {
        let run = sandbox.run(arguments).expect(0);
        let said = run.stdout + &run.stderr;
        assert!(!said.contains(key), "{arguments:?}: {said}");
        let is_shown = said.contains("<HONEYCOMB_API_KEY>");
        assert!(is_shown || arguments[0] == "remove", "{arguments:?}: {said}");
    }
}

fn replace_by_pipe(path: &Path) {
    let _ = std::fs::remove_file(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_pipe_in_a_project_is_not_waited_for() {
    for name in ["Makefile", "Procfile", "run", "a.sh", ".env.local", "Dockerfile", "app.py"] {
        let sandbox = project("");
        replace_by_pipe(&sandbox.path(name));
        for arguments in [&["doctor"][..], &["init", "--yes", "--dry-run", "--no-verify"]] {
            let run = sandbox.run(arguments);
            assert!((0..3).contains(&run.status), "{name}: {run:?}");
        }
    }
}

#[test]
fn a_pipe_in_the_journal_is_an_error() {
    for name in ["change-000001.json", "lock"] {
        let sandbox = project("");
        let write: &[&str] = &["init", "--yes", "--no-verify"];
        sandbox.run(write).expect(0);
        let state = sandbox.home().join(".local/state/cruddur-ops");
        let mut folder = std::fs::read_dir(state).unwrap().flatten().map(|entry| entry.path());
        replace_by_pipe(&folder.find(|path| path.is_dir()).unwrap().join(name));
        sandbox.run(&["undo", "--yes"]).expect(2);
        sandbox.run(&["ports", "--public", "--yes", "--gitpod"]).expect(2);
    }
}
