//! What a text's lines end with, and where they begin.

/// How the lines of a text end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// `\n`
    Lf,
    /// `\r\n`
    CrLf,
}

impl Ending {
    /// The ending most lines of `source` have.
    pub fn of(source: &str) -> Self {
        let all = source.matches('\n').count();
        let crlf = source.matches("\r\n").count();
        if crlf * 2 > all { Self::CrLf } else { Self::Lf }
    }

    /// The bytes themselves.
    pub fn text(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
        }
    }
}

/// Where the line that holds the byte `at` begins.
pub fn line_start(source: &str, at: usize) -> usize {
    source[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// Where the line that holds the byte `at` ends, its ending included.
pub fn line_end(source: &str, at: usize) -> usize {
    source[at..].find('\n').map_or(source.len(), |newline| at + newline + 1)
}
