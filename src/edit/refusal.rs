//! What an edit of a file leaves: the new text, or the reason why there is none.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::yaml::tree::Tree;
use crate::error::{Error, ErrorCode, Place};

/// A text after an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The whole text; equal to the one given where nothing had to change.
    pub text: Arc<str>,
    /// Its tree, where the edit had to read it as YAML.
    pub tree: Option<Arc<Tree>>,
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
        let mut error = Error::new(ErrorCode::UnsafeEdit, message).at(Place {
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

    /// Moves it down by as many lines as stand before the text that it points into.
    #[must_use]
    pub(super) fn moved_down(mut self, lines: usize) -> Self {
        self.line += lines;
        self
    }

    /// Adds the lines to paste.
    #[must_use]
    pub(super) fn paste(mut self, lines: String) -> Self {
        self.paste = lines;
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub(super) fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(hint.to_owned());
        self
    }
}
