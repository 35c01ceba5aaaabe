//! Edits the text of a `.env` file: finds a variable and replaces its value in place.
//!
//! Pure. Lines that do not assign the variable stay unchanged.

use std::ops::Range;

use crate::compose::{
    DotenvError, DotenvStatement, DotenvValue, has_pasted_dollar, interpolate_template,
    parse_dotenv,
};
use crate::edit::patch::{self, TextPatch};
use crate::secret::Secret;

/// Returns the effective value of `name`: that of the last assignment. A value that refers to other variables counts
/// as none.
///
/// # Errors
/// When docker compose could not read the file either.
pub fn find_dotenv_value(text: &str, name: &str) -> Result<Option<String>, DotenvError> {
    let statements = parse_dotenv(text)?;
    let last = statements.iter().rfind(|statement| statement.name == name);
    Ok(last.and_then(literal_value))
}

/// Returns the name and value of each assignment that does not refer to other variables.
///
/// # Errors
/// When docker compose could not read the file either.
pub fn literal_values(text: &str) -> Result<Vec<(String, String)>, DotenvError> {
    let statements = parse_dotenv(text)?;
    let values = statements.iter();
    Ok(values
        .filter_map(|statement| Some((statement.name.to_string(), literal_value(statement)?)))
        .collect())
}

/// Returns the line number of the last assignment of `name` if docker compose expands a `$` within its text, starting
/// at 1.
///
/// # Errors
/// As [`find_dotenv_value`].
pub fn expanded_line(text: &str, name: &str) -> Result<Option<usize>, DotenvError> {
    let statements = parse_dotenv(text)?;
    let last = statements.iter().rfind(|statement| statement.name == name);
    let is_expanded = |statement: &&DotenvStatement| match &statement.value {
        DotenvValue::Template(template) => has_pasted_dollar(template),
        DotenvValue::Inherited | DotenvValue::Literal(_) => false,
    };
    let line =
        |statement: &DotenvStatement| text[..statement.range.start].matches('\n').count() + 1;
    Ok(last.filter(is_expanded).map(line))
}

/// Returns `text` with `name` set to `value` wherever it is assigned, or in a new last line; `None` for a value that
/// docker compose would read differently.
///
/// # Errors
/// As [`find_dotenv_value`].
pub fn set(text: &str, name: &str, value: &str) -> Result<Option<String>, DotenvError> {
    let quoted = format!("'{}'", value.replace('\'', "\\'"));
    let mut patches: Vec<TextPatch> = parse_dotenv(text)?
        .iter()
        .filter(|statement| statement.name == name)
        .map(|statement| match statement.value {
            DotenvValue::Inherited => TextPatch::insert(statement.range.end, format!("={quoted}")),
            DotenvValue::Literal(_) | DotenvValue::Template(_) => {
                TextPatch::replace(value_range(text, statement), quoted.clone())
            }
        })
        .collect();
    if patches.is_empty() {
        patches.push(TextPatch::append_lines(text, &[format!("{name}={quoted}")]));
    }
    let Some(after) = patch::apply(text, &patches) else {
        return Ok(None);
    };
    let reads_same =
        find_dotenv_value(&after, name).is_ok_and(|read| read.as_deref() == Some(value));
    Ok(reads_same.then_some(after))
}

/// Returns `text` without the lines that assign `name`.
///
/// # Errors
/// As [`find_dotenv_value`].
pub fn unset(text: &str, name: &str) -> Result<Option<String>, DotenvError> {
    let statements = parse_dotenv(text)?;
    let patches: Vec<TextPatch> = statements
        .iter()
        .filter(|statement| statement.name == name)
        .map(|statement| TextPatch::replace(statement_lines(text, statement, &statements), ""))
        .collect();
    Ok(patch::apply(text, &patches))
}

/// Returns `text` with every value replaced by its variable's name, and for `names` also the last characters of their
/// secrets. Empty if the file cannot be parsed, as no part is then safe to show.
pub(super) fn masked(text: &str, names: &[&str]) -> String {
    let Ok(statements) = parse_dotenv(text) else {
        return String::new();
    };
    let patches: Vec<TextPatch> = statements
        .iter()
        .filter(|statement| !statement.value_range.is_empty())
        .map(|statement| {
            let shown = match literal_value(statement) {
                Some(value) if names.contains(&statement.name.as_str()) => {
                    format!("'<{} {}>'", statement.name, Secret::new(value).masked())
                }
                _ => format!("<{}>", statement.name),
            };
            TextPatch::replace(value_range(text, statement), shown)
        })
        .collect();
    patch::apply(text, &patches).unwrap_or_default()
}

/// Returns the value, unless it depends on other variables.
fn literal_value(statement: &DotenvStatement) -> Option<String> {
    match &statement.value {
        DotenvValue::Inherited => None,
        DotenvValue::Literal(value) => Some(value.clone()),
        DotenvValue::Template(template) => {
            let value = interpolate_template(template, &|_| None).ok()?;
            value.uses.is_empty().then_some(value.text)
        }
    }
}

/// Returns the range of the value with its quotes, without a trailing comment.
fn value_range(text: &str, statement: &DotenvStatement) -> Range<usize> {
    let range = statement.value_range.clone();
    let written = text.get(range.clone()).unwrap_or_default();
    if written.starts_with(['"', '\'']) {
        return range;
    }
    let value = written.split(" #").next().unwrap_or_default().trim_end();
    range.start..range.start + value.len()
}

/// Returns the full lines of a statement, or only the statement if it shares them with others.
fn statement_lines(
    text: &str,
    statement: &DotenvStatement,
    all: &[DotenvStatement],
) -> Range<usize> {
    let before = text.get(..statement.range.start).unwrap_or_default();
    let after = text.get(statement.value_range.end..).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let end = after.find('\n').map_or(after.len(), |newline| newline + 1);
    let whole = start..statement.value_range.end + end;
    let others = all.iter().filter(|other| other.range != statement.range);
    let shared = others
        .map(|statement| statement.range.start..statement.value_range.end)
        .any(|range| range.start < whole.end && whole.start < range.end);
    if !shared {
        return whole;
    }
    let exported = before[start..].trim_end().strip_suffix("export");
    let first = exported.map_or(statement.range.start, |left| start + left.len());
    first..statement.value_range.end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dollar_within_a_value_is_not_a_reference() {
        for (text, line) in [
            ("A=1\nK=ab12$cd34ef\n", Some(2)),
            ("K=\"ab$cd.ef\"\n", Some(1)),
            ("K=\"ab${cd}ef\"\n", None),
            ("K=ab\nK=x$y\n", Some(2)),
            ("K='ab12$cd34ef'\n", None),
            ("K=${OTHER}\n", None),
            ("K=$OTHER\n", None),
            ("K=ab\\$cd\n", None),
            ("K=x$y\nK=ab\n", None),
            ("K\n", None),
        ] {
            assert_eq!(expanded_line(text, "K").unwrap(), line, "{text}");
        }
    }

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
            ("X=\"\nKEY=abc\n\"", None),
        ] {
            assert_eq!(find_dotenv_value(text, "KEY").unwrap().as_deref(), value, "{text:?}");
        }
    }

    #[test]
    fn setting_replaces_in_place_and_keeps_every_other_byte() {
        for (before, after) in [
            ("", "KEY='v'\n"),
            ("A=1", "A=1\nKEY='v'\n"),
            ("A=1\r\n", "A=1\r\nKEY='v'\r\n"),
            ("# c\n export KEY = old # why\nB=2\n", "# c\n export KEY = 'v' # why\nB=2\n"),
            ("KEY=\"a\nb\"\nB=2", "KEY='v'\nB=2"),
            ("KEY\nB=2\n", "KEY='v'\nB=2\n"),
            ("KEY=\nB=2\n", "KEY='v'\nB=2\n"),
            ("KEY=1\nKEY=2\n", "KEY='v'\nKEY='v'\n"),
        ] {
            assert_eq!(set(before, "KEY", "v").unwrap().as_deref(), Some(after), "{before:?}");
            assert_eq!(set(after, "KEY", "v").unwrap().as_deref(), Some(after), "twice is once");
        }
    }

    #[test]
    fn a_value_compose_would_read_differently_is_refused() {
        assert_eq!(set("", "KEY", "it's").unwrap().as_deref(), Some("KEY='it\\'s'\n"));
        assert_eq!(set("", "KEY", "ends\\"), Ok(None));
        assert_eq!(set("", "KEY", "a\\'b"), Ok(None));
    }

    #[test]
    fn shown_text_contains_no_value() {
        assert_eq!(
            masked("# c\nA=1 # one\nKEY='0123456789abcdef'\nB=\"x\ny\"\nC\n", &["KEY"]),
            "# c\nA=<A> # one\nKEY='<KEY ****cdef>'\nB=<B>\nC\n"
        );
    }

    #[test]
    fn a_file_that_compose_cannot_read_is_unchanged() {
        assert!(set("A B=1\n", "KEY", "v").is_err());
        assert_eq!(masked("A='never closed\n", &["KEY"]), "");
    }

    #[test]
    fn forgetting_takes_whole_lines() {
        assert_eq!(
            unset("A=1\nKEY='a\nb' # c\nB=2\nKEY=x", "KEY").unwrap().as_deref(),
            Some("A=1\nB=2\n")
        );
    }

    #[test]
    fn forgetting_keeps_other_text_on_the_line() {
        for (before, after) in [
            ("A='1' export KEY='x'\nB=2\n", "A='1' \nB=2\n"),
            ("A=export\nKEY='x' B\n", "A=export\n B\n"),
        ] {
            assert_eq!(unset(before, "KEY").unwrap().as_deref(), Some(after));
        }
    }
}
