//! What git thinks of a `.env`: whether it is committed, whether it is ignored, and the line that ignores it.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::shell::Shell;

/// What git does with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is committed or staged.
    Tracked,
    /// It never will be.
    Ignored,
    /// It would be with the next `git add .`.
    Untracked,
    /// There is a repository and git cannot be asked.
    Unknown,
}

/// Asks git about `file`, a name in `folder`.
pub(super) fn standing(folder: &Path, file: &str, shell: &Shell) -> Standing {
    if !folder.ancestors().any(|above| above.join(".git").exists()) {
        return Standing::Untracked;
    }
    match ask(folder, &["ls-files", "--error-unmatch", "--", file], shell) {
        Some(0) => return Standing::Tracked,
        Some(1) => {}
        _ => return Standing::Unknown,
    }
    match ask(folder, &["check-ignore", "--quiet", "--", file], shell) {
        Some(0) => Standing::Ignored,
        Some(1) => Standing::Untracked,
        _ => Standing::Unknown,
    }
}

/// Git's exit status. A repository of another owner is read too: a container's user seldom owns what is mounted. Nothing
/// that its configuration names is run.
fn ask(folder: &Path, arguments: &[&str], shell: &Shell) -> Option<i32> {
    Command::new(shell.which("git")?)
        .args(["-c", "safe.directory=*"])
        .args(["-c", "core.fsmonitor=false"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(shell.variables())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .ok()?
        .code()
}

/// The text of `.gitignore` with a line for `file`; the same text if one is there already.
pub(super) fn ignoring(text: &str, file: &str) -> String {
    let rooted = format!("/{file}");
    if text.lines().map(str::trim_end).any(|line| line == file || line == rooted) {
        return text.to_owned();
    }
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let before = if text.is_empty() || text.ends_with('\n') { "" } else { ending };
    format!("{text}{before}{rooted}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_added_once() {
        for (before, after) in [
            ("", "/.env\n"),
            ("node_modules", "node_modules\n/.env\n"),
            ("a\r\n", "a\r\n/.env\r\n"),
            (".env\n", ".env\n"),
            ("# .env\n", "# .env\n/.env\n"),
        ] {
            assert_eq!(ignoring(before, ".env"), after, "{before:?}");
            assert_eq!(ignoring(after, ".env"), after);
        }
    }
}
