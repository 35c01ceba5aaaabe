//! The undo journal stays out of git where the home folder is the project.

use std::path::PathBuf;
use std::process::Command;

use crate::sandbox::{KEY, Sandbox, list_files};

#[test]
fn git_takes_no_journal_of_a_home_folder_that_is_the_project() {
    let files = [("compose.yaml", "services:\n  api:\n    build: .\n    ports: ['4567:4567']\n")];
    for (variable, below) in [("HOME", ""), ("XDG_STATE_HOME", ""), ("XDG_STATE_HOME", "a/b")] {
        let sandbox = Sandbox::new(&files).with("HONEYCOMB_API_KEY", KEY);
        let folder = sandbox.path(below).display().to_string();
        let sandbox = sandbox.with(variable, &folder);
        let git = |arguments: &[&str]| {
            let run = Command::new("git").args(arguments).current_dir(sandbox.project()).output();
            String::from_utf8(run.unwrap().stdout).unwrap()
        };
        git(&["init", "--quiet"]);
        sandbox.run(&["init", "--yes", "--no-verify"]).expect(0);
        let entries = list_files(&sandbox.project());
        let is_entry = |path: &PathBuf| path.ends_with("change-000001.json");
        assert!(entries.iter().any(is_entry), "{variable}: {entries:?}");
        let taken = git(&["add", "--all", "--dry-run"]);
        assert!(taken.contains("compose.yaml"), "{variable}: {taken}");
        assert!(!taken.contains("change-"), "{variable}: {taken}");
        sandbox.run(&["undo", "--yes"]).expect(0);
    }
}
