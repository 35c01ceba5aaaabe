//! The stream of results, which records failed writes: an unwritten result is not a success.

use std::io::{self, ErrorKind, Write};

use super::log_commands::escape_log_commands;
use super::{PaintedLine, Ui};
use crate::error::{Error, ErrorCode, Result};

/// A stream and the first failure to write to it.
pub(super) struct OutputStream {
    stream: Box<dyn Write + Send>,
    failure: Option<Error>,
}

impl OutputStream {
    pub(super) fn new(stream: Box<dyn Write + Send>) -> Self {
        Self { stream, failure: None }
    }

    fn remember<T>(&mut self, done: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &done
            && self.failure.is_none()
        {
            self.failure = stdout_write_result(error).err();
        }
        done
    }
}

impl Write for OutputStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let done = self.stream.write(bytes);
        self.remember(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.stream.flush();
        self.remember(done)
    }
}

impl Ui {
    /// Prints a command to the CI service that reads stdout; nothing under `--json`.
    pub fn log_command(&mut self, command: &str) {
        if !self.json {
            let text = PaintedLine::from(command).render(&self.result_look, &self.redactor);
            write_line(&mut self.out, &text);
        }
    }

    /// Returns an error if any result or document could not be written.
    ///
    /// # Errors
    /// `unwritable-stdout`.
    pub fn written(&self) -> Result<()> {
        self.out.failure.clone().map_or(Ok(()), Err)
    }
}

/// Returns the result for a failed write to stdout: a closed pipe (`| head`) or an interrupt is not an error.
///
/// # Errors
/// `unwritable-stdout`.
pub fn stdout_write_result(error: &io::Error) -> Result<()> {
    match error.kind() {
        ErrorKind::BrokenPipe | ErrorKind::Interrupted => Ok(()),
        _ => Err(Error::new(
            ErrorCode::UnwritableStdout,
            "the result could not be written to stdout",
        )
        .cause(error)
        .hint("everything else the command did is done; only its result is missing")),
    }
}

/// Writes lines of text that no CI service takes for commands.
pub(super) fn write_text(stream: &mut dyn Write, lines: &str) {
    write_line(stream, &escape_log_commands(lines));
}

/// Writes a line; a closed pipe (`| head`) is not an error.
pub(super) fn write_line(stream: &mut dyn Write, line: &str) {
    let _ = writeln!(stream, "{line}").and_then(|()| stream.flush());
}
