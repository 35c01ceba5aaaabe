//! The one error type: a stable code, what happened, where, the cause, and a hint that can be pasted.
//!
//! Knows nothing of how an error is drawn; [`crate::ui`] does that.

mod code;

use std::path::PathBuf;

use serde::Serialize;

pub use code::ErrorCode;
pub(crate) use code::stable_codes;

/// What every fallible function of the house returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure a person can act on. Ends the process with exit status 2, or 130 for [`Error::interrupted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Error {
    /// Which failure it is.
    pub code: ErrorCode,
    /// One lowercase line without a full stop that names the path or address.
    pub message: String,
    /// What lay underneath, in the words of whoever said it.
    pub cause: Option<String>,
    /// Where in a file, if the failure has a place.
    pub place: Option<Place>,
    /// What to do about it; a command stands in backticks.
    pub hints: Vec<String>,
    /// Lines to paste by hand where an edit was refused.
    pub paste: Option<String>,
}

/// A position in a text file; `line` and `column` count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file as the user would name it.
    pub path: PathBuf,
    /// 1 for the first line.
    pub line: usize,
    /// 1 for the first character.
    pub column: usize,
    /// The line itself, without its ending.
    pub text: String,
}

impl Error {
    /// A failure with its stable code and one line that says what could not be done.
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

    /// The user pressed Ctrl-C, or ended the input at a prompt.
    pub fn interrupted() -> Self {
        Self::new(ErrorCode::Interrupted, "ended before it was done")
    }

    /// Names what lay underneath.
    #[cold]
    #[must_use]
    pub fn cause(mut self, cause: impl std::fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Adds what to do about it.
    #[cold]
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Says where in a file.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Adds lines the user can paste by hand.
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
