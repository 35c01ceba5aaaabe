//! The whole output of each command on a terminal of 80 columns without colour: a change of wording is a diff of a snapshot.

mod doctor;
mod help;
mod init;
mod instrument;
mod key;
mod listen;
mod ports;
mod query;
mod remove;
mod run;
mod screen;
mod stable;
mod status;
mod undo;
mod verify;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use regex_lite::Regex;

use crate::sandbox::{PLANTED, Run, Sandbox};

/// Commands and everything they print, as one text.
pub struct Transcript<'a> {
    sandbox: &'a Sandbox,
    text: String,
}

impl<'a> Transcript<'a> {
    pub fn of(sandbox: &'a Sandbox) -> Self {
        Self { sandbox, text: String::new() }
    }

    /// Runs the program with these arguments and nothing on standard input.
    #[must_use]
    pub fn run(self, arguments: &[&str]) -> Self {
        let command = self.sandbox.command(arguments);
        self.show(arguments, command, "")
    }

    /// Runs the program with this text on standard input.
    #[must_use]
    pub fn feed(self, arguments: &[&str], input: &str) -> Self {
        let mut command = self.sandbox.command(arguments);
        command.stdin(Stdio::piped());
        self.show(arguments, command, input)
    }

    fn show(mut self, arguments: &[&str], command: Command, input: &str) -> Self {
        let shown = screen::run(command, |child| {
            if let Some(mut stdin) = child.stdin.take() {
                // A program that refuses before it reads closes the pipe.
                let _ = stdin.write_all(input.as_bytes());
            }
        });
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        writeln!(self.text, "$ cruddur-ops {}", shell_words::join(arguments)).unwrap();
        self.text += &outcome(shown.status, &shown.stdout, &shown.stderr);
        self
    }

    /// Replaces by a word what this command prints differently each time.
    #[must_use]
    pub fn without(mut self, pattern: &Regex, word: &str) -> Self {
        self.text = pattern.replace_all(&self.text, word).into_owned();
        self
    }

    /// Compares everything with the snapshot of this name.
    #[track_caller]
    pub fn matches(self, name: &str) {
        let folders = [(self.sandbox.project(), "[PROJECT]"), (self.sandbox.home(), "[HOME]")];
        let mut text = self.text;
        for (folder, word) in folders {
            text = text.replace(&folder.display().to_string(), word);
        }
        matches(name, &text);
    }
}

impl Run {
    /// Compares the exit status and everything that was printed with the snapshot of this name.
    #[track_caller]
    pub fn shows(&self, name: &str) {
        matches(name, &outcome(self.status, &self.stdout, &self.stderr));
    }
}

fn outcome(status: i32, stdout: &str, stderr: &str) -> String {
    let mut text = format!("exit status {status}\n");
    for (name, stream) in [("stdout", stdout), ("stderr", stderr)] {
        if !stream.is_empty() {
            writeln!(text, "--- {name}\n{}", stream.trim_end_matches('\n')).unwrap();
        }
    }
    text
}

/// Compares a text with the snapshot of this name, with the parts replaced that differ between runs.
#[track_caller]
pub fn matches(name: &str, text: &str) {
    let text = stable::without_changing_parts(text);
    for secret in PLANTED {
        assert!(!text.contains(secret), "a secret is in the picture {name}");
        let part = &secret[6..secret.len() - 6];
        assert!(!text.contains(part), "a part of a secret is in the picture {name}");
    }
    assert!(!text.contains('\u{1b}'), "an escape sequence is in the picture {name}:\n{text}");
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Every snapshot is used by a test.
#[test]
fn no_snapshot_is_left_over() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite");
    let mut names = Vec::new();
    let code = code_below(&folder);
    for entry in std::fs::read_dir(folder.join("pictures/snapshots")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        names.extend(name.strip_suffix(".snap").map(str::to_owned));
    }
    assert!(names.len() > 20, "{names:?}");
    names.retain(|name| !name.starts_with("help") && !code.contains(&format!("\"{name}\"")));
    assert!(names.is_empty(), "no test compares {names:?}");
}

/// Returns the text of every Rust file in the folder.
fn code_below(folder: &Path) -> String {
    let mut code = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            code += &code_below(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            code += &std::fs::read_to_string(path).unwrap();
        }
    }
    code
}
