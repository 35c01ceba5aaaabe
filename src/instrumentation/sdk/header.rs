//! A header of an export request, and common mistakes in its value.

use crate::secret::{Secret, is_secret_name};

/// A header of an export request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportHeader {
    /// The name in lower case.
    pub name: String,
    /// The value as sent.
    pub value: Secret,
}

/// Sets a header, replacing one with the same name.
pub(super) fn set_header(headers: &mut Vec<ExportHeader>, name: &str, value: &str) {
    let value = Secret::new(value);
    match headers.iter_mut().find(|header| header.name == name) {
        Some(header) => header.value = value,
        None => headers.push(ExportHeader { name: name.to_owned(), value }),
    }
}

/// Returns the kind of quotes that a value starts with.
pub(super) fn opening_quote(value: &str) -> Option<&'static str> {
    match value.chars().next()? {
        '"' | '\'' => Some("straight"),
        '\u{201c}' | '\u{201d}' | '\u{2018}' | '\u{2019}' => Some("curly"),
        _ => None,
    }
}

/// Returns the variable that a value names without referring to it: `$(NAME)`, `{$NAME}`, `$NAME`, `{{NAME}}`, or the
/// bare `NAME` of a secret.
pub fn unresolved_name(value: &str) -> Option<&str> {
    let is_mark = |character: char| "${}()%<> ".contains(character);
    let value = value.trim();
    let inner = value.trim_matches(is_mark);
    let name = inner.rsplit(' ').next().unwrap_or_default().trim_matches(is_mark);
    let is_upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let is_variable = name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.contains('_')
        && name.bytes().all(is_upper);
    let is_marked = value.rsplit(' ').next() != Some(name);
    (is_variable && (is_marked || is_secret_name(name))).then_some(name)
}

/// Returns true for a value in braces, brackets or angle brackets, which would be sent as part of it.
pub fn is_in_braces(value: &str) -> bool {
    let value = value.trim();
    let pairs = [('{', '}'), ('(', ')'), ('<', '>')];
    value.len() > 2
        && pairs.iter().any(|(open, close)| value.starts_with(*open) && value.ends_with(*close))
}

/// Returns true if a byte is allowed in the name of a header (RFC 9110, `tchar`).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_instead_of_a_value_is_found() {
        for text in [
            "$(HONEYCOMB_API_KEY)",
            "{$HONEYCOMB_API_KEY}",
            "HONEYCOMB_API_KEY",
            "$HONEYCOMB_API_KEY",
            "Bearer $(HONEYCOMB_API_KEY)",
            "{{ HONEYCOMB_API_KEY }}",
        ] {
            assert_eq!(unresolved_name(text), Some("HONEYCOMB_API_KEY"), "{text}");
        }
        for text in [
            "",
            "abc",
            "ABC",
            "A1B2C3D4E5",
            "hcaik_01abc",
            "Bearer abc_def",
            "a_b",
            "A_B",
            "Bearer A_B",
        ] {
            assert_eq!(unresolved_name(text), None, "{text}");
        }
    }
}
