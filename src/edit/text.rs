//! Line endings and line boundaries of a text.

/// The line ending of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnding {
    /// `\n`
    Lf,
    /// `\r\n`
    CrLf,
}

impl LineEnding {
    /// Returns the most frequent line ending of `source`.
    pub fn of(source: &str) -> Self {
        let total = source.matches('\n').count();
        let crlf = source.matches("\r\n").count();
        if crlf * 2 > total { Self::CrLf } else { Self::Lf }
    }

    /// Returns the bytes of the line ending.
    pub fn text(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
        }
    }
}

/// Returns the start of the line that contains the byte `at`.
pub(crate) fn line_start(source: &str, at: usize) -> usize {
    source[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// Returns the end of the line that contains the byte `at`, including its line ending.
pub(crate) fn line_end(source: &str, at: usize) -> usize {
    source[at..].find('\n').map_or(source.len(), |newline| at + newline + 1)
}
