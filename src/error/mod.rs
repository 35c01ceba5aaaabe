//! The error type: a stable code, a message, a position, the cause, and hints with commands.
//!
//! Does not know how errors are displayed; [`crate::ui`] does that.

mod code;
mod similar;

use std::path::PathBuf;

use serde::Serialize;

pub use code::ErrorCode;
pub(crate) use code::stable_codes;
pub use similar::find_similar_name;

/// The result of every fallible function of the crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that the user can act on. Ends the process with exit code 2, or 130 for [`Error::interrupted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Error {
    /// The code.
    pub code: ErrorCode,
    /// One lowercase line without a full stop that names the path or address.
    pub message: String,
    /// The underlying error, in its original words.
    pub cause: Option<String>,
    /// The position in a file, if there is one.
    pub place: Option<FilePosition>,
    /// How to fix it; commands are in backticks.
    pub hints: Vec<String>,
    /// Lines to paste by hand instead of a refused edit.
    pub paste: Option<String>,
}

/// A position in a text file; `line` and `column` count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FilePosition {
    /// The file, as shown to the user.
    pub path: PathBuf,
    /// Line number, starting at 1.
    pub line: usize,
    /// Column in characters, starting at 1.
    pub column: usize,
    /// The line itself, without its ending.
    pub text: String,
}

impl Error {
    /// Creates an error with a code and one line that says what failed.
    #[cold]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            cause: None,
            place: None,
            hints: Vec::new(),
            paste: None,
        }
    }

    /// Creates the error for Ctrl-C, or for the end of the input at a prompt.
    pub fn interrupted() -> Self {
        Self::new(ErrorCode::Interrupted, "interrupted")
    }

    /// Sets the underlying error.
    #[cold]
    #[must_use]
    pub fn cause(mut self, cause: impl std::fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Adds a hint.
    #[cold]
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Sets the position.
    #[must_use]
    pub fn at(mut self, place: FilePosition) -> Self {
        self.place = Some(place);
        self
    }

    /// Sets lines to paste by hand.
    #[must_use]
    pub fn paste(mut self, lines: impl Into<String>) -> Self {
        self.paste = Some(lines.into());
        self
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "error[{}]: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}
