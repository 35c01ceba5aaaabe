//! `-v` and `-q` do on every command what help says of them: evidence and timings, and results, warnings and errors alone.

use crate::fixtures::cruddur;
use crate::sandbox::{KEY, Sandbox};

const COMMANDS: [&[&str]; 12] = [
    &["doctor"],
    &["doctor", "--list"],
    &["init", "--yes", "--store", "env", "--no-verify", "--no-instrument"],
    &["init", "--dry-run", "--store", "env", "--no-verify"],
    &["instrument", "--dry-run"],
    &["key", "status"],
    &["ports"],
    &["ports", "--public", "--dry-run"],
    &["query", "traces"],
    &["status"],
    &["undo", "--list"],
    &["verify", "--local"],
];

#[test]
fn every_command_says_more_when_asked_to_and_less_when_asked_to() {
    for command in COMMANDS {
        let [normal, verbose, quiet] = [&[][..], &["-v"], &["-q"]].map(|more| {
            let sandbox = Sandbox::new(&cruddur()).with("HONEYCOMB_API_KEY", KEY);
            if command[0] != "init" {
                let wire = ["init", "--yes", "--store", "env", "--no-verify", "--no-instrument"];
                sandbox.run(&wire).expect(0);
            }
            sandbox.run(&[command, more].concat())
        });
        assert_eq!((verbose.status, quiet.status), (normal.status, normal.status), "{command:?}");
        for part in ["docker-compose.yml", " ms"] {
            assert!(verbose.stderr.contains(part), "{command:?}: {}", verbose.stderr);
        }
        assert!(verbose.stderr.len() > normal.stderr.len(), "{command:?}: {}", verbose.stderr);
        // Warnings and errors, and the hint or the rest of a sentence below them.
        let is_kept =
            |line: &str| ["warning:", "error[", " "].iter().any(|start| line.starts_with(start));
        assert!(quiet.stderr.lines().all(is_kept), "{command:?}: {}", quiet.stderr);
        assert!(quiet.stderr.len() <= normal.stderr.len(), "{command:?}");
    }
}
