//! The text of a `.env` file as Docker Compose reads it: finding a variable and replacing its value in place.
//!
//! Pure. A line that does not assign the variable keeps every byte.

use std::ops::Range;

use crate::edit::patch::{self, Patch};
use crate::secret::Secret;

/// One assignment, by byte ranges in the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Assignment<'a> {
    pub(super) name: &'a str,
    /// From the first byte of its line to past its line ending.
    line: Range<usize>,
    /// The value with its quotes; empty and behind the name for a lone name.
    value: Range<usize>,
    separated: bool,
    /// The value, unless it refers to other variables or the quotes never close.
    pub(super) literal: Option<String>,
}

/// Every assignment in the order of the text; what is none of those is passed over.
pub(super) fn assignments(text: &str) -> Vec<Assignment<'_>> {
    let mut found = Vec::new();
    let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    while at < text.len() {
        let end_of_line = line_end(text, at);
        let assignment = assignment(text, at);
        at = assignment
            .as_ref()
            .map_or(end_of_line, |assignment| assignment.line.end);
        found.extend(assignment);
    }
    found
}

/// The value `name` has in the end: the last assignment counts.
pub(super) fn get(text: &str, name: &str) -> Option<String> {
    assignments(text)
        .into_iter()
        .rfind(|assignment| assignment.name == name)?
        .literal
}

/// `text` with `name` set to `value` wherever it is assigned, or in a new last line; `None` for a value that cannot
/// be written so that Compose reads the same.
pub(super) fn set(text: &str, name: &str, value: &str) -> Option<String> {
    let quoted = format!("'{}'", value.replace('\'', "\\'"));
    let mut patches: Vec<Patch> = assignments(text)
        .into_iter()
        .filter(|assignment| assignment.name == name)
        .map(|assignment| {
            let separator = if assignment.separated { "" } else { "=" };
            Patch::replace(assignment.value, format!("{separator}{quoted}"))
        })
        .collect();
    if patches.is_empty() {
        let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let before = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            ending
        };
        patches.push(Patch::insert(
            text.len(),
            format!("{before}{name}={quoted}{ending}"),
        ));
    }
    patch::apply(text, &patches).filter(|after| get(after, name).as_deref() == Some(value))
}

/// `text` without the lines that assign `name`.
pub(super) fn unset(text: &str, name: &str) -> Option<String> {
    let patches: Vec<Patch> = assignments(text)
        .into_iter()
        .filter(|assignment| assignment.name == name)
        .map(|assignment| Patch::replace(assignment.line, ""))
        .collect();
    patch::apply(text, &patches)
}

/// `text` with every value replaced by its variable's name, and that of `name` with the tail of its secret too.
pub(super) fn masked(text: &str, name: &str) -> String {
    let patches: Vec<Patch> = assignments(text)
        .into_iter()
        .filter(|assignment| !assignment.value.is_empty())
        .map(|assignment| {
            let shown = match assignment.literal {
                Some(value) if assignment.name == name => {
                    format!("'<{name} {}>'", Secret::new(value).masked())
                }
                _ => format!("<{}>", assignment.name),
            };
            Patch::replace(assignment.value, shown)
        })
        .collect();
    patch::apply(text, &patches).unwrap_or_default()
}

fn assignment(text: &str, start: usize) -> Option<Assignment<'_>> {
    let line = text.get(start..line_end(text, start))?;
    let body = line.trim_start_matches(blank);
    let body = body
        .strip_prefix("export ")
        .map_or(body, |rest| rest.trim_start_matches(blank));
    let name_at = start + (line.len() - body.len());
    let length = body
        .find(|c: char| !(c.is_alphanumeric() || "_.-[]".contains(c)))
        .unwrap_or(body.len());
    let name = body.get(..length).filter(|name| !name.is_empty())?;
    let rest = body.get(length..)?;
    let value = rest.trim_start_matches(blank);
    let Some(value) = value.strip_prefix(['=', ':']) else {
        let end = name_at + length;
        return value.trim().is_empty().then(|| Assignment {
            name,
            line: start..start + line.len(),
            value: end..end,
            separated: false,
            literal: None,
        });
    };
    let value = value.trim_start_matches(blank);
    let at = start + (line.len() - value.len());
    let (length, literal) = match value.chars().next() {
        Some(quote @ ('\'' | '"')) => quoted(text.get(at..)?, quote),
        _ => unquoted(value),
    };
    Some(Assignment {
        name,
        line: start..line_end(text, at + length),
        value: at..at + length,
        separated: true,
        literal,
    })
}

/// Length and meaning of a value without quotes, which ends with the line or before ` #`.
fn unquoted(line: &str) -> (usize, Option<String>) {
    let value = line
        .split_once(" #")
        .map_or(line, |(value, _)| value)
        .trim_end();
    (value.len(), without_references(value))
}

/// Length with both quotes and meaning of a quoted value, which may span lines.
fn quoted(text: &str, quote: char) -> (usize, Option<String>) {
    let mut meaning = String::new();
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        if escaped {
            if character != quote {
                meaning.push('\\');
            }
            meaning.push(character);
            escaped = false;
        } else if character == '\\' {
            escaped = true;
        } else if character == quote {
            let literal = if quote == '\'' {
                Some(meaning)
            } else {
                without_references(&meaning).filter(|meaning| !meaning.contains('\\'))
            };
            return (at + 1, literal);
        } else {
            meaning.push(character);
        }
    }
    (line_end(text, 0), None)
}

/// `$$` stands for a dollar; any other dollar makes the value depend on something else.
fn without_references(value: &str) -> Option<String> {
    let mut parts = value.split("$$");
    parts
        .clone()
        .all(|part| !part.contains('$'))
        .then(|| parts.by_ref().collect::<Vec<_>>().join("$"))
}

fn blank(character: char) -> bool {
    character == ' ' || character == '\t'
}

/// The byte after the line that `at` lies in.
fn line_end(text: &str, at: usize) -> usize {
    text.get(at..)
        .and_then(|rest| rest.find('\n'))
        .map_or(text.len(), |newline| at + newline + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_compose_reads_them() {
        for (text, value) in [
            ("KEY=abc\n", Some("abc")),
            ("KEY = abc # note\n", Some("abc")),
            ("KEY: abc\r\n", Some("abc")),
            ("export KEY='a b'\n", Some("a b")),
            ("KEY='it\\'s' # note\n", Some("it's")),
            ("KEY=\"a\nb\"\nX=1\n", Some("a\nb")),
            ("KEY=a$$b\n", Some("a$b")),
            ("KEY=${OTHER}\n", None),
            ("KEY='${OTHER}'\n", Some("${OTHER}")),
            ("KEY\n", None),
            ("#KEY=abc\n", None),
            ("KEY=1\nKEY=2", Some("2")),
            ("\u{feff}KEY=abc", Some("abc")),
            ("KEYS=abc", None),
            ("KEY='abc", None),
            ("X=\"\nKEY=abc\n\"", None),
        ] {
            assert_eq!(get(text, "KEY").as_deref(), value, "{text:?}");
        }
    }

    #[test]
    fn setting_replaces_in_place_and_keeps_every_other_byte() {
        for (before, after) in [
            ("", "KEY='v'\n"),
            ("A=1", "A=1\nKEY='v'\n"),
            ("A=1\r\n", "A=1\r\nKEY='v'\r\n"),
            (
                "# c\n export KEY = old # why\nB=2\n",
                "# c\n export KEY = 'v' # why\nB=2\n",
            ),
            ("KEY=\"a\nb\"\nB=2", "KEY='v'\nB=2"),
            ("KEY\nB=2\n", "KEY='v'\nB=2\n"),
            ("KEY=\nB=2\n", "KEY='v'\nB=2\n"),
            ("KEY=1\nKEY=2\n", "KEY='v'\nKEY='v'\n"),
        ] {
            assert_eq!(
                set(before, "KEY", "v").as_deref(),
                Some(after),
                "{before:?}"
            );
            assert_eq!(
                set(after, "KEY", "v").as_deref(),
                Some(after),
                "twice is once"
            );
        }
    }

    #[test]
    fn a_value_compose_would_read_differently_is_refused() {
        assert_eq!(set("", "KEY", "it's").as_deref(), Some("KEY='it\\'s'\n"));
        assert_eq!(set("", "KEY", "ends\\"), None);
        assert_eq!(set("", "KEY", "a\\'b"), None);
    }

    #[test]
    fn what_is_shown_holds_no_value() {
        assert_eq!(
            masked(
                "# c\nA=1 # one\nKEY='0123456789abcdef'\nB=\"x\ny\"\nC\n",
                "KEY"
            ),
            "# c\nA=<A> # one\nKEY='<KEY ····cdef>'\nB=<B>\nC\n"
        );
    }

    #[test]
    fn forgetting_takes_whole_lines() {
        assert_eq!(
            unset("A=1\nKEY='a\nb' # c\nB=2\nKEY=x", "KEY").as_deref(),
            Some("A=1\nB=2\n")
        );
    }
}
