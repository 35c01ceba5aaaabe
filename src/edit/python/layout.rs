//! Checks lines, indentation and brackets as Python's tokenizer does, more strictly than the tree-sitter grammar.

use std::ops::Range;

use super::source::PythonFault;
use crate::limits;

/// Checks every line outside of `strings`, which are sorted and do not overlap.
///
/// # Errors
/// The first position at which the tokenizer or the indentation rules fail.
pub(super) fn check_layout(text: &str, strings: &[Range<usize>]) -> Result<(), PythonFault> {
    PythonLines {
        text: text.as_bytes(),
        strings,
        at: if text.starts_with('\u{feff}') { 3 } else { 0 },
        blocks: vec![(0, 0)],
        brackets: Vec::new(),
        last: 0,
        opens_block: false,
    }
    .check()
}

struct PythonLines<'t> {
    text: &'t [u8],
    strings: &'t [Range<usize>],
    at: usize,
    /// Columns of the open blocks, counting a tab as eight and as one.
    blocks: Vec<(usize, usize)>,
    /// Closing brackets still expected, and the position of each opening bracket.
    brackets: Vec<(u8, usize)>,
    /// The last byte of the logical line that is not blank and not part of a comment.
    last: u8,
    /// The last logical line ended with a colon.
    opens_block: bool,
}

impl PythonLines<'_> {
    fn check(mut self) -> Result<(), PythonFault> {
        while self.at < self.text.len() {
            if !self.indented()? {
                continue;
            }
            self.last = 0;
            self.logical_line()?;
            self.opens_block = self.last == b':';
        }
        match self.brackets.last() {
            Some((_, at)) => Err((*at, "this bracket is never closed")),
            None if self.opens_block => {
                Err((self.text.len(), "an indented block is expected here"))
            }
            None => Ok(()),
        }
    }

    /// Compares the indentation of a line with the open blocks; returns false for a blank line, after skipping it.
    fn indented(&mut self) -> Result<bool, PythonFault> {
        let (mut column, mut narrow) = (0, 0);
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b' ' => (column, narrow) = (column + 1, narrow + 1),
                b'\t' => (column, narrow) = ((column / 8 + 1) * 8, narrow + 1),
                b'\x0c' => (column, narrow) = (0, 0),
                _ => break,
            }
            self.at += 1;
        }
        if matches!(self.text.get(self.at), None | Some(b'\n' | b'\r' | b'#')) {
            self.skip_line();
            return Ok(false);
        }
        let (open, open_narrow) = *self.blocks.last().unwrap_or(&(0, 0));
        if self.opens_block && column <= open {
            return Err((self.at, "an indented block is expected here"));
        }
        if column > open {
            if !self.opens_block {
                return Err((self.at, "this line is indented and nothing opens a block"));
            }
            if self.blocks.len() > limits::PYTHON_BLOCKS {
                return Err((self.at, "too many levels of indentation"));
            }
            self.blocks.push((column, narrow));
            return if narrow > open_narrow { Ok(true) } else { Err((self.at, TABS)) };
        }
        while self.blocks.last().is_some_and(|(open, _)| *open > column) {
            self.blocks.pop();
        }
        match self.blocks.last() {
            Some((open, _)) if *open != column => {
                Err((self.at, "this indentation matches no block around it"))
            }
            Some((_, open_narrow)) if *open_narrow != narrow => Err((self.at, TABS)),
            _ => Ok(true),
        }
    }

    /// Advances to the next line.
    fn skip_line(&mut self) {
        let rest = &self.text[self.at..];
        let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
        self.at += end;
        self.skip_line_break();
    }

    /// Skips `\n`, `\r\n` or `\r`; returns whether there was one.
    fn skip_line_break(&mut self) -> bool {
        let length = match self.text.get(self.at..).unwrap_or_default() {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => 0,
        };
        self.at += length;
        length > 0
    }

    /// Advances to the end of a logical line, including what brackets and backslashes join to it.
    fn logical_line(&mut self) -> Result<(), PythonFault> {
        while let Some(byte) = self.text.get(self.at).copied() {
            while self.strings.first().is_some_and(|string| string.end <= self.at) {
                self.strings = &self.strings[1..];
            }
            if let Some(string) = self.strings.first().filter(|string| string.start <= self.at) {
                self.at = string.end;
                self.last = b'"';
                continue;
            }
            match byte {
                b'\n' | b'\r' => {
                    self.skip_line_break();
                    if self.brackets.is_empty() {
                        return Ok(());
                    }
                    continue;
                }
                b'#' => {
                    let rest = &self.text[self.at..];
                    let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                    self.at += end.unwrap_or(rest.len());
                    continue;
                }
                b'\\' => {
                    self.at += 1;
                    if !self.skip_line_break() || self.at >= self.text.len() {
                        return Err((
                            self.at.min(self.text.len()),
                            "nothing may follow a backslash on its line",
                        ));
                    }
                    continue;
                }
                b' ' | b'\t' | b'\x0c' => {}
                0 | b'`' | b'$' | b'?' => {
                    return Err((self.at, "Python does not allow this character here"));
                }
                _ => {
                    self.bracket(byte)?;
                    self.last = byte;
                }
            }
            self.at += 1;
        }
        Ok(())
    }

    fn bracket(&mut self, byte: u8) -> Result<(), PythonFault> {
        let closing = match byte {
            b'(' => b')',
            b'[' => b']',
            b'{' => b'}',
            b')' | b']' | b'}' => {
                return match self.brackets.pop() {
                    Some((expected, _)) if expected == byte => Ok(()),
                    _ => Err((self.at, "this bracket closes nothing")),
                };
            }
            _ => return Ok(()),
        };
        if self.brackets.len() >= limits::PYTHON_BRACKETS {
            return Err((self.at, "brackets are nested too deeply here"));
        }
        self.brackets.push((closing, self.at));
        Ok(())
    }
}

const TABS: &str =
    "tabs and spaces are mixed, so that the indentation depends on the width of a tab";
