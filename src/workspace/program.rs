//! Running another program with its output captured and an end to the waiting.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::waiting;
use crate::shell::Shell;

/// What a program left behind. Its output may hold secrets and is never shown as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Captured {
    /// Its exit status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// Everything it wrote on stdout.
    pub stdout: String,
    /// Everything it wrote on stderr.
    pub stderr: String,
}

impl std::fmt::Debug for Captured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Captured").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why a program left nothing.
#[derive(Debug)]
pub enum Failure {
    /// It could not be started.
    Start(std::io::Error),
    /// It did not end in time and was ended.
    TimedOut(Duration),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Start(error) => write!(f, "{error}"),
            Self::TimedOut(limit) => {
                write!(f, "no answer within {} seconds", limit.as_secs())
            }
        }
    }
}

/// A folder that is nobody's project, where a program starts that has no business in one.
const NEUTRAL_FOLDER: &str = std::path::MAIN_SEPARATOR_STR;

/// Runs `program` with the variables of `shell` to its end, or until `limit` has passed.
///
/// # Errors
/// When it cannot be started or does not end in time.
pub fn capture(
    program: &Path,
    arguments: &[impl AsRef<OsStr>],
    shell: &Shell,
    limit: Duration,
) -> Result<Captured, Failure> {
    feed(program, arguments, "", shell, limit)
}

/// As [`capture`], with `input` on its standard input.
///
/// # Errors
/// As [`capture`].
pub fn feed(
    program: &Path,
    arguments: &[impl AsRef<OsStr>],
    input: &str,
    shell: &Shell,
    limit: Duration,
) -> Result<Captured, Failure> {
    let mut command = std::process::Command::new(program);
    command.args(arguments).current_dir(NEUTRAL_FOLDER).env_clear().envs(shell.child_variables());
    capture_command(command, input, limit)
}

/// Runs a command as it is to its end, with `input` on its standard input.
///
/// # Errors
/// As [`capture`].
pub fn capture_command(
    command: std::process::Command,
    input: &str,
    limit: Duration,
) -> Result<Captured, Failure> {
    let stdin = match input {
        "" => Stdio::null(),
        _ => Stdio::piped(),
    };
    capture_with(command, stdin, input, limit)
}

/// As [`capture_command`], with `held` as its standard input: a lock on a file lasts as long as the program that holds it.
///
/// # Errors
/// As [`capture`].
pub fn capture_holding(
    command: std::process::Command,
    held: Stdio,
    limit: Duration,
) -> Result<Captured, Failure> {
    capture_with(command, held, "", limit)
}

fn capture_with(
    command: std::process::Command,
    stdin: Stdio,
    input: &str,
    limit: Duration,
) -> Result<Captured, Failure> {
    let called = called(&command);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Start)?;
    runtime.block_on(async {
        let mut child = tokio::process::Command::from(command)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(Failure::Start)?;
        let stdin = child.stdin.take();
        let work = async {
            if let Some(mut stdin) = stdin {
                // A program that ends before it has read everything closes the pipe; its status says the rest.
                let _ = stdin.write_all(input.as_bytes()).await;
            }
            child.wait_with_output().await
        };
        let ended = tokio::time::timeout(limit, work);
        tokio::pin!(ended);
        let ended = tokio::select! {
            ended = &mut ended => ended,
            () = tokio::time::sleep(waiting::PATIENCE) => {
                waiting::name(&called);
                ended.await
            }
        };
        let output = ended.map_err(|_| Failure::TimedOut(limit))?.map_err(Failure::Start)?;
        Ok(Captured {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    })
}

/// The program and what it is to do, `gp env`: nothing of what may be a value.
fn called(command: &std::process::Command) -> String {
    let name = Path::new(command.get_program()).file_stem().unwrap_or_default();
    let name = name.to_string_lossy();
    let word = command.get_args().next().and_then(OsStr::to_str);
    match word.filter(|word| word.chars().all(|c| c.is_ascii_lowercase())) {
        Some(word) => format!("{name} {word}"),
        None => name.into_owned(),
    }
}
