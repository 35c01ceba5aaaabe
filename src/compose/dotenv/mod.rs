//! Parses `.env` and `env_file` files as docker compose does.
//!
//! Parsing and resolving are separate steps: references may resolve differently each time, while the text stays the
//! same.

mod scanner;

use std::collections::HashMap;
use std::ops::Range;

use super::interpolate::{InterpolatedText, InterpolationError, interpolate_template};

use scanner::DotenvScanner;

/// A `NAME=value` statement of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DotenvStatement {
    /// The name, without `export`.
    pub name: String,
    /// Byte range of the name.
    pub range: Range<usize>,
    /// The value.
    pub value: DotenvValue,
    /// Byte range of the value as written, quotes included.
    pub value_range: Range<usize>,
}

/// A value as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DotenvValue {
    /// A name without a value: inherited from the outside.
    Inherited,
    /// Single-quoted, or in a `raw` file: used verbatim.
    Literal(String),
    /// Contains variables to replace.
    Template(String),
}

/// A syntax error in a file of variables. Contains no text of the file, which may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DotenvError {
    /// Lowercase, without a full stop.
    pub message: String,
    /// Byte offset.
    pub offset: usize,
}

/// Parses a file in the usual format.
///
/// # Errors
/// The first statement that docker compose would reject.
pub fn parse_dotenv(text: &str) -> Result<Vec<DotenvStatement>, DotenvError> {
    let mut scanner = DotenvScanner::new(text);
    let mut statements = Vec::new();
    while scanner.seek_statement() {
        statements.push(scanner.statement()?);
    }
    Ok(statements)
}

/// Parses a file with `format: raw`: no quotes, no escapes, no variables.
///
/// # Errors
/// An empty name, or a name that contains a space.
pub fn parse_raw(text: &str) -> Result<Vec<DotenvStatement>, DotenvError> {
    let mut statements = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let offset = start;
        start += line.len();
        let line = line.trim_end_matches('\n').trim_end_matches('\r');
        let lead = line.trim_start_matches('\u{feff}').trim_start();
        if lead.is_empty() || lead.starts_with('#') {
            continue;
        }
        let begin = offset + line.len() - lead.len();
        let (name, value) =
            lead.split_once('=').map_or((lead, None), |(name, value)| (name, Some(value)));
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(DotenvError {
                message: "a variable's name is empty or has a space in it".to_owned(),
                offset: begin,
            });
        }
        let end = begin + lead.len();
        statements.push(DotenvStatement {
            name: name.to_owned(),
            range: begin..begin + name.len(),
            value: value
                .map_or(DotenvValue::Inherited, |value| DotenvValue::Literal(value.to_owned())),
            value_range: end - value.map_or(0, str::len)..end,
        });
    }
    Ok(statements)
}

impl DotenvStatement {
    /// Returns the unquoted value before variables are replaced; `None` for a name without a value.
    pub fn raw(&self) -> Option<&str> {
        match &self.value {
            DotenvValue::Inherited => None,
            DotenvValue::Literal(value) | DotenvValue::Template(value) => Some(value),
        }
    }

    /// Returns the byte range of the value without quotes, if `text`, the file's text, contains it verbatim.
    pub fn verbatim(&self, text: &str) -> Option<Range<usize>> {
        let value = self.raw()?;
        let whole = &self.value_range;
        // In a raw file, quotes are part of the value.
        let mut ranges =
            [0, 1].map(|quote| whole.start + quote..whole.start + quote + value.len()).into_iter();
        ranges.find(|inside| inside.end <= whole.end && text.get(inside.clone()) == Some(value))
    }
}

/// A statement and its resolved value.
#[derive(Debug)]
pub(super) struct ResolvedStatement<'a> {
    pub(super) statement: &'a DotenvStatement,
    pub(super) value: Result<InterpolatedText, InterpolationError>,
}

/// Resolves the value of every statement. Names are looked up in `outside` first, then among earlier statements.
///
/// A name without a value that is unset outside is omitted. If the values exceed `room` bytes, the last result is an
/// error; `room` is reduced by the values returned.
pub(super) fn resolve<'a>(
    statements: &'a [DotenvStatement],
    outside: &dyn Fn(&str) -> Option<String>,
    mut inside: HashMap<String, String>,
    room: &mut usize,
) -> Vec<ResolvedStatement<'a>> {
    let mut out = Vec::with_capacity(statements.len());
    for statement in statements {
        let value = match &statement.value {
            DotenvValue::Inherited => match outside(&statement.name) {
                Some(value) => Ok(without_references(value)),
                None => continue,
            },
            DotenvValue::Literal(value) => Ok(without_references(value.clone())),
            DotenvValue::Template(template) => interpolate_template(template, &|name| {
                outside(name).or_else(|| inside.get(name).cloned())
            }),
        };
        if let Ok(value) = &value {
            let Some(left) = room.checked_sub(value.text.len()) else {
                let value = Err(InterpolationError::ValuesTooLarge);
                out.push(ResolvedStatement { statement, value });
                return out;
            };
            *room = left;
            inside.insert(statement.name.clone(), value.text.clone());
        }
        out.push(ResolvedStatement { statement, value });
    }
    out
}

fn without_references(text: String) -> InterpolatedText {
    InterpolatedText { text, uses: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    fn values(text: &str) -> Vec<(String, String)> {
        let statements = parse_dotenv(text).unwrap();
        let outside = |name: &str| (name == "HOME").then(|| "/h".to_owned());
        resolve(&statements, &outside, HashMap::new(), &mut limits::VALUES_BYTES.clone())
            .into_iter()
            .map(|resolved| (resolved.statement.name.clone(), resolved.value.unwrap().text))
            .collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(values(text), [("A".to_owned(), expected.to_owned())], "{text}");
    }

    #[test]
    fn values_end_and_unquote_as_docker_compose_reads_them() {
        check("A=plain # comment\n", "plain");
        check("A=a#b", "a#b");
        check("A= #foo\n", "#foo");
        check("export A = spaced  \r\n", "spaced");
        check("A: yaml\n", "yaml");
        check("A=\"dq ${HOME} \\t \\$X $$Y \\x \\0101\" # c\n", "dq /h \t $X $Y \\x A");
        check("A='single ${HOME} \\n it\\'s'\n", "single ${HOME} \\n it's");
        check("A=\"multi\nline\"\n", "multi\nline");
        check("A=$$x $5 \\$HOME\n", "$x $5 \\/h");
        check("\u{feff}# first\n\nA=1", "1");
        check("A=\n", "");
    }

    #[test]
    fn a_value_may_refer_to_the_ones_before() {
        assert_eq!(
            values("A=1\nB=${A}${C:-2}\nHOME\nGONE\n"),
            [("A", "1"), ("B", "12"), ("HOME", "/h")].map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
    }

    #[test]
    fn spans_point_at_names_and_values() {
        let text = "# c\nexport A = 'x y' # d\n";
        let statement = &parse_dotenv(text).unwrap()[0];
        assert_eq!(&text[statement.range.clone()], "A");
        assert_eq!(&text[statement.value_range.clone()], "'x y'");
    }

    #[test]
    fn a_value_is_verbatim_where_the_file_has_it_letter_by_letter() {
        for (text, raw, is_verbatim) in [
            ("A=plain # c\n", Some("plain"), true),
            ("A='x y'\n", Some("x y"), true),
            ("A=\"x ${B}\"\n", Some("x ${B}"), true),
            ("A=\"x\\ty\"\n", Some("x\ty"), false),
            ("A=\n", Some(""), true),
            ("A\n", None, false),
        ] {
            let statement = &parse_dotenv(text).unwrap()[0];
            assert_eq!(statement.raw(), raw, "{text}");
            let verbatim = statement.verbatim(text).map(|range| &text[range]);
            assert_eq!(verbatim, raw.filter(|_| is_verbatim), "{text}");
        }
    }

    #[test]
    fn errors_have_a_position() {
        for (text, at) in [("A=1\nB C=2\n", 4), ("A='x\n", 2), ("A=1\nB%=2\n", 5), ("export ", 7)] {
            assert_eq!(parse_dotenv(text).unwrap_err().offset, at, "{text}");
        }
    }

    #[test]
    fn raw_files_are_taken_as_they_stand() {
        let statements = parse_raw("R1=\"kept\" # ${HOME}\n# c\n  R2= a \nR3\n").unwrap();
        let written: Vec<_> = statements
            .iter()
            .map(|statement| (statement.name.as_str(), statement.value.clone()))
            .collect();
        assert_eq!(
            written,
            [
                ("R1", DotenvValue::Literal("\"kept\" # ${HOME}".to_owned())),
                ("R2", DotenvValue::Literal(" a ".to_owned())),
                ("R3", DotenvValue::Inherited),
            ]
        );
    }
}
