//! Parses the extent and the parts of a `${…}` reference.

use std::ops::Range;

use super::{InterpolationError, invalid_reference_error};

/// A reference `${…}`: its byte range, name, operator and argument.
pub(super) struct ParsedReference {
    pub(super) whole: Range<usize>,
    pub(super) name: Range<usize>,
    pub(super) operator: Option<(ReferenceOperator, Range<usize>)>,
}

/// `:-`, `-`, `:+`, `+`, `:?` or `?`.
#[derive(Clone, Copy)]
pub(super) struct ReferenceOperator {
    pub(super) sign: u8,
    pub(super) empty_counts_as_unset: bool,
}

/// Parses the reference that begins with the `$` at `at`.
///
/// An argument may contain braces. The reference ends where they balance, or otherwise at the last closing brace of the
/// line.
pub(super) fn read_reference(
    template: &str,
    at: usize,
    braces: &mut ClosingBraces<'_>,
) -> Result<ParsedReference, InterpolationError> {
    let refused = || invalid_reference_error(template[at..].lines().next().unwrap_or_default());
    let start = at + 2;
    let name = start..start + name_length(&template[start..]);
    if name.is_empty() {
        return Err(refused());
    }
    let after = &template.as_bytes()[name.end..];
    let (empty_counts_as_unset, sign) = match after {
        [b'}', ..] => {
            return Ok(ParsedReference { whole: at..name.end + 1, name, operator: None });
        }
        [b':', sign @ (b'-' | b'+' | b'?'), ..] => (true, *sign),
        [sign @ (b'-' | b'+' | b'?'), ..] => (false, *sign),
        _ => return Err(refused()),
    };
    let argument = name.end + 1 + usize::from(empty_counts_as_unset);
    let last = braces.last_of_line(argument).ok_or_else(refused)?;
    let close =
        find_closing_brace(&template.as_bytes()[at..=last]).map_or(last, |close| at + close);
    if close < argument {
        return Err(refused());
    }
    let operator = ReferenceOperator { sign, empty_counts_as_unset };
    Ok(ParsedReference { whole: at..close + 1, name, operator: Some((operator, argument..close)) })
}

pub(super) fn name_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    if !bytes.first().is_some_and(letter) {
        return 0;
    }
    bytes.iter().position(|byte| !letter(byte) && !byte.is_ascii_digit()).unwrap_or(bytes.len())
}

/// Returns the position where the braces opened in `text` balance; a character directly after an opening brace is
/// skipped.
fn find_closing_brace(text: &[u8]) -> Option<usize> {
    let mut open = 0usize;
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'}' => {
                open = open.saturating_sub(1);
                if open == 0 {
                    return Some(at);
                }
            }
            b'{' => {
                open += 1;
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The last closing brace of each line, found once per line.
pub(super) struct ClosingBraces<'a> {
    text: &'a str,
    line: Range<usize>,
    last: Option<usize>,
}

impl<'a> ClosingBraces<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, line: 0..0, last: None }
    }

    fn last_of_line(&mut self, at: usize) -> Option<usize> {
        if !self.line.contains(&at) {
            let end = self.text[at..].find('\n').map_or(self.text.len(), |end| at + end);
            self.line = at..end;
            self.last = self.text[at..end].rfind('}').map(|found| at + found);
        }
        self.last.filter(|last| *last >= at)
    }
}
