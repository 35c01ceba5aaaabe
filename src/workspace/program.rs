//! Runs other programs with captured output and a time limit.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::waiting;
use crate::shell::Shell;

/// The output of a program. It may contain secrets and is never shown unchanged.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ProgramOutput {
    /// The exit status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// The contents of stdout.
    pub stdout: String,
    /// The contents of stderr.
    pub stderr: String,
}

impl std::fmt::Debug for ProgramOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProgramOutput").field("status", &self.status).finish_non_exhaustive()
    }
}

/// The reason why a program produced no output.
#[derive(Debug)]
pub(crate) enum ProgramFailure {
    /// It could not be started.
    Start(std::io::Error),
    /// It timed out and was killed.
    TimedOut(Duration),
}

impl std::fmt::Display for ProgramFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Start(error) => write!(f, "{error}"),
            Self::TimedOut(limit) => {
                write!(f, "no answer within {} seconds", limit.as_secs())
            }
        }
    }
}

/// A folder outside any project, for programs that do not need one.
const NEUTRAL_FOLDER: &str = std::path::MAIN_SEPARATOR_STR;

/// Runs `program` with the variables of `shell` until it ends or `limit` has passed.
///
/// # Errors
/// When it cannot be started or times out.
pub(crate) fn capture(
    program: &Path,
    arguments: &[impl AsRef<OsStr>],
    shell: &Shell,
    limit: Duration,
) -> Result<ProgramOutput, ProgramFailure> {
    capture_with_input(program, arguments, "", shell, limit)
}

/// Does the same as [`capture`] with `input` on stdin.
///
/// # Errors
/// As [`capture`].
pub(crate) fn capture_with_input(
    program: &Path,
    arguments: &[impl AsRef<OsStr>],
    input: &str,
    shell: &Shell,
    limit: Duration,
) -> Result<ProgramOutput, ProgramFailure> {
    let mut command = std::process::Command::new(program);
    command.args(arguments).current_dir(NEUTRAL_FOLDER).env_clear().envs(shell.child_variables());
    capture_command(command, input, limit)
}

/// Runs a prepared command with `input` on stdin.
///
/// # Errors
/// As [`capture`].
pub(crate) fn capture_command(
    command: std::process::Command,
    input: &str,
    limit: Duration,
) -> Result<ProgramOutput, ProgramFailure> {
    let stdin = match input {
        "" => Stdio::null(),
        _ => Stdio::piped(),
    };
    capture_with(command, stdin, input, limit)
}

/// Does the same as [`capture_command`] with `held` as stdin: a file lock lasts as long as the program that holds it.
///
/// # Errors
/// As [`capture`].
pub(crate) fn capture_holding(
    command: std::process::Command,
    held: Stdio,
    limit: Duration,
) -> Result<ProgramOutput, ProgramFailure> {
    capture_with(command, held, "", limit)
}

fn capture_with(
    command: std::process::Command,
    stdin: Stdio,
    input: &str,
    limit: Duration,
) -> Result<ProgramOutput, ProgramFailure> {
    let called = command_summary(&command);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ProgramFailure::Start)?;
    runtime.block_on(async {
        let mut child = tokio::process::Command::from(command)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(ProgramFailure::Start)?;
        let stdin = child.stdin.take();
        let work = async {
            if let Some(mut stdin) = stdin {
                // A program that ends before it has read everything closes the pipe; its exit status says the rest.
                let _ = stdin.write_all(input.as_bytes()).await;
            }
            child.wait_with_output().await
        };
        let ended = tokio::time::timeout(limit, work);
        tokio::pin!(ended);
        let ended = tokio::select! {
            ended = &mut ended => ended,
            () = tokio::time::sleep(waiting::PATIENCE) => {
                waiting::report_slow(&called);
                ended.await
            }
        };
        let output =
            ended.map_err(|_| ProgramFailure::TimedOut(limit))?.map_err(ProgramFailure::Start)?;
        Ok(ProgramOutput {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    })
}

/// Returns the program and its subcommand, `gp env`, without arguments that may be values.
fn command_summary(command: &std::process::Command) -> String {
    let name = Path::new(command.get_program()).file_stem().unwrap_or_default().to_string_lossy();
    let word = command.get_args().next().and_then(OsStr::to_str);
    match word.filter(|word| word.chars().all(|c| c.is_ascii_lowercase())) {
        Some(word) => format!("{name} {word}"),
        None => name.into_owned(),
    }
}
