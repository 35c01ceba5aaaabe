//! Where texts come from, and places in them.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Place};

/// What a path turned out to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceText {
    /// The text, exactly as it lies there.
    Found(Arc<str>),
    /// Nothing lies there.
    Missing,
    /// Something lies there that cannot be used: a folder, no permission, not UTF-8.
    Unreadable(Error),
}

/// The files of a project. A path is read at most once, however often it is asked for.
pub trait Sources {
    /// The text at an absolute path.
    fn text(&self, path: &Path) -> SourceText;

    /// Whether a file or a folder lies at an absolute path.
    fn exists(&self, path: &Path) -> bool;
}

/// A file that took part in the model.
#[derive(Debug, Clone)]
pub struct File {
    /// Absolute.
    pub path: PathBuf,
    /// As read, byte order mark included.
    pub text: Arc<str>,
}

/// Which of a model's [`File`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub(super) usize);

/// Bytes of one of a model's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// Byte range in its text.
    pub range: Range<usize>,
}

impl File {
    /// Line, column and the line itself at a byte offset.
    pub fn place(&self, offset: usize) -> Place {
        let text: &str = &self.text;
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &text[..offset];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = &text[start..];
        let line = rest.lines().next().unwrap_or_default();
        Place {
            path: self.path.clone(),
            line: before.matches('\n').count() + 1,
            column: before[start..]
                .chars()
                .filter(|character| *character != '\u{feff}')
                .count()
                + 1,
            text: line.trim_start_matches('\u{feff}').to_owned(),
        }
    }
}

/// Something that docker compose would say or stumble over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub place: Place,
    /// Lowercase, without a full stop.
    pub text: String,
    /// What it means for docker compose.
    pub weight: Weight,
}

/// What a [`Warning`] means for docker compose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// It goes on.
    Remark,
    /// It refuses to load the project until this is mended.
    Refused,
}
