//! Reads statements one at a time: names, quotes, escapes, comments.

use std::borrow::Cow;

use super::{DotenvError, DotenvStatement, DotenvValue};

/// A text and the current position in it.
pub(super) struct DotenvScanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> DotenvScanner<'a> {
    /// Starts after an optional byte order mark.
    pub(super) fn new(text: &'a str) -> Self {
        let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        let at = text.len() - rest.len();
        Self { text, at }
    }

    /// Skips blank lines and comments to the next statement; returns `false` at the end.
    pub(super) fn seek_statement(&mut self) -> bool {
        loop {
            let rest = &self.text[self.at..];
            self.at += rest.len() - rest.trim_start().len();
            let rest = &self.text[self.at..];
            if !rest.starts_with('#') {
                return !rest.is_empty();
            }
            match rest.find('\n') {
                Some(end) => self.at += end,
                None => return false,
            }
        }
    }

    pub(super) fn statement(&mut self) -> Result<DotenvStatement, DotenvError> {
        let rest = &self.text[self.at..];
        if let Some(after) = rest.strip_prefix("export")
            && after.starts_with(|c: char| c.is_whitespace())
        {
            self.at += "export".len() + count_blanks(after);
        }
        let start = self.at;
        let (name, ended) = self.name()?;
        let range = start..start + name.len();
        if ended == StatementEnd::Alone {
            return Ok(DotenvStatement {
                name,
                value: DotenvValue::Inherited,
                value_range: range.end..range.end,
                range,
            });
        }
        self.at += count_blanks(&self.text[self.at..]);
        let value_start = self.at;
        let value = self.value()?;
        let value_end =
            value_start + self.text[value_start..self.at].trim_end_matches(['\n', '\r']).len();
        Ok(DotenvStatement { name, range, value, value_range: value_start..value_end })
    }

    /// Reads a name and the character that ends it.
    fn name(&mut self) -> Result<(String, StatementEnd), DotenvError> {
        let rest = &self.text[self.at..];
        if rest.is_empty() {
            return Err(DotenvError {
                message: "no name follows `export`".to_owned(),
                offset: self.at,
            });
        }
        for (index, character) in rest.char_indices() {
            if is_blank(character) {
                continue;
            }
            let ended = match character {
                '=' | ':' => StatementEnd::Value,
                '\n' => StatementEnd::Alone,
                '_' | '.' | '-' | '[' | ']' => continue,
                other if other.is_alphanumeric() => continue,
                other => {
                    return Err(DotenvError {
                        message: format!("unexpected character `{other}` in a variable name"),
                        offset: self.at + index,
                    });
                }
            };
            let name = rest[..index].trim_end();
            if name.contains(' ') {
                return Err(DotenvError {
                    message: "a variable's name has a space in it".to_owned(),
                    offset: self.at,
                });
            }
            let name = name.to_owned();
            self.at += index + 1;
            return Ok((name, ended));
        }
        // Docker compose ignores a name at the very end that has no value and no line ending.
        self.at = self.text.len();
        Ok((String::new(), StatementEnd::Alone))
    }

    fn value(&mut self) -> Result<DotenvValue, DotenvError> {
        let rest = &self.text[self.at..];
        let Some(quote @ ('"' | '\'')) = rest.chars().next() else {
            let line = rest.find('\n').map_or(rest, |end| &rest[..end]);
            self.at += (line.len() + 1).min(rest.len());
            let value = line.split(" #").next().unwrap_or_default().trim_end();
            return Ok(DotenvValue::Template(value.to_owned()));
        };
        let mut value = String::new();
        let mut escaped = false;
        for (index, character) in rest.char_indices().skip(1) {
            match character {
                _ if escaped => {
                    if character != quote {
                        value.push('\\');
                    }
                    value.push(character);
                    escaped = false;
                }
                '\\' => escaped = true,
                _ if character == quote => {
                    self.at += index + 1;
                    return Ok(if quote == '"' {
                        DotenvValue::Template(unescape_double_quoted(&value).into_owned())
                    } else {
                        DotenvValue::Literal(value)
                    });
                }
                _ => value.push(character),
            }
        }
        Err(DotenvError { message: "the quoted value is not closed".to_owned(), offset: self.at })
    }
}

#[derive(PartialEq, Eq)]
enum StatementEnd {
    Value,
    Alone,
}

/// Replaces the escapes of a double-quoted value; `\$` becomes the template escape `$$`.
fn unescape_double_quoted(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let octal = decode_octal(after);
        let (replacement, taken) = match after.as_bytes().first() {
            Some(b'a') => ("\u{7}", 1),
            Some(b'b') => ("\u{8}", 1),
            Some(b'f') => ("\u{c}", 1),
            Some(b'n') => ("\n", 1),
            Some(b'r') => ("\r", 1),
            Some(b't') => ("\t", 1),
            Some(b'v') => ("\u{b}", 1),
            Some(b'\\') => ("\\", 1),
            Some(b'"') => ("\"", 1),
            Some(b'$') => ("$$", 1),
            _ => match &octal {
                Some(character) => (character.as_str(), 4),
                None => ("\\", 0),
            },
        };
        out.push_str(replacement);
        rest = &after[taken..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Decodes `0ddd`, a zero followed by three octal digits.
fn decode_octal(text: &str) -> Option<String> {
    let digits = text.strip_prefix('0')?.get(..3)?;
    let value = u32::from_str_radix(digits, 8).ok()?;
    (value <= 0xff).then(|| char::from_u32(value).map(String::from))?
}

fn count_blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches(is_blank).len()
}

fn is_blank(character: char) -> bool {
    matches!(character, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}
