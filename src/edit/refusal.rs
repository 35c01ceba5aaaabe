//! The result of an edit: the new text, or the reason for refusing it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::yaml::tree::YamlTree;
use crate::error::{Error, ErrorCode, FilePosition};

/// The text after an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditedText {
    /// The complete text; equal to the input if nothing had to change.
    pub text: Arc<str>,
    /// Its syntax tree, if the edit parsed it as YAML.
    pub tree: Option<Arc<YamlTree>>,
    /// Existing problems in the text that the edit did not cause.
    pub warnings: Vec<EditWarning>,
}

/// A problem in the text, and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditWarning {
    /// Line number in the text before the edit, starting at 1.
    pub line: usize,
    /// Lowercase, without a full stop.
    pub text: String,
}

/// The reason why an edit is refused, its position, and the lines to paste by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditRefusal {
    /// One lowercase line without a full stop.
    pub reason: String,
    /// Advice if pasting the lines is not enough.
    pub hint: Option<String>,
    /// Line number, starting at 1.
    pub line: usize,
    /// Column in characters, starting at 1.
    pub column: usize,
    /// The line itself, without its ending.
    pub text: String,
    /// Lines to paste by hand instead of the edit; empty if there are none.
    pub paste: String,
}

impl EditRefusal {
    /// Converts the refusal into the error shown to the user, for the file at `path`.
    pub fn into_error(self, path: &Path) -> Error {
        let message = format!("{} is not edited: {}", path.display(), self.reason);
        let mut error = Error::new(ErrorCode::UnsafeEdit, message).at(FilePosition {
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

    /// Moves the position down by `lines`, for an edit of a part of a larger text.
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

    /// Adds advice.
    #[must_use]
    pub(super) fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(hint.to_owned());
        self
    }
}
