//! YAML files edited in place: bytes spliced where a tree says that they stand, then read again by two parsers.
//!
//! [`tree`] reads a text into nodes that know their byte ranges; [`environment`] and [`ports`] are the edits. An edit
//! whose result does not mean what was planned is a [`Refusal`], never a text. Knows nothing of files.

mod draft;
mod duplicates;
mod fresh;
mod layout;
mod materialise;
mod meaning;
mod merge;
mod scalar;
mod witness;

pub mod additions;
pub mod environment;
pub mod ports;
pub mod tree;

use std::path::{Path, PathBuf};

use crate::error::{Error, Place};
use tree::{SyntaxError, Tree};

/// A text after an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The whole text; equal to the one given where nothing had to change.
    pub text: String,
    /// What stands in the text and will give trouble, though not through this edit.
    pub warnings: Vec<Warning>,
}

/// Something that will give trouble, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// 1 for the first line, in the text before the edit.
    pub line: usize,
    /// Lowercase, without a full stop.
    pub text: String,
}

/// Why a text is not edited, where, and what to paste by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// One lowercase line without a full stop.
    pub reason: String,
    /// What to do about it, where pasting is not all.
    pub hint: Option<String>,
    /// 1 for the first line.
    pub line: usize,
    /// 1 for the first character.
    pub column: usize,
    /// The line itself, without its ending.
    pub text: String,
    /// Lines that do by hand what the edit was to do; empty where there are none.
    pub paste: String,
}

impl Refusal {
    /// The failure a person sees, for the file at `path`.
    pub fn into_error(self, path: &Path) -> Error {
        let message = format!("{} is not edited: {}", path.display(), self.reason);
        let mut error = Error::new("unsafe-edit", message).at(Place {
            path: PathBuf::from(path),
            line: self.line,
            column: self.column,
            text: self.text,
        });
        error.hints.extend(self.hint);
        if self.paste.is_empty() {
            return error;
        }
        error.paste(self.paste)
    }

    fn syntax(source: &str, error: &SyntaxError) -> Self {
        let text = source.lines().nth(error.line.saturating_sub(1));
        Self {
            reason: format!("this is no YAML: {}", error.message),
            hint: None,
            line: error.line,
            column: error.column,
            text: text.unwrap_or_default().to_owned(),
            paste: String::new(),
        }
    }

    #[must_use]
    fn paste(mut self, lines: String) -> Self {
        self.paste = lines;
        self
    }

    #[must_use]
    fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(hint.to_owned());
        self
    }
}

/// Whether `source` is YAML at all.
///
/// # Errors
/// The first syntax error with its line and column.
pub fn syntax(source: &str) -> Result<(), Refusal> {
    match Tree::parse(source) {
        Ok(_) => Ok(()),
        Err(error) => Err(Refusal::syntax(source, &error)),
    }
}
