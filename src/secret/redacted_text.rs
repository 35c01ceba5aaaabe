//! [`RedactedText`]: text of a file, a server or a program that may be truncated, padded and printed.
//!
//! Contains no colours: those are added when a line is written, by role and never by text.

use std::borrow::Cow;
use std::fmt::Write;

use super::Redactor;

/// Text without secrets and without invisible characters. Only a [`Redactor`] creates it from foreign text, always from
/// the whole text, so that secrets are found before anything is truncated; literals of the program can be converted
/// directly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedactedText(String);

impl Redactor {
    /// Returns `text` redacted and printable, on one line: invisible characters are escaped as `\n`, `\t` or
    /// `\u{202e}`.
    pub fn show(&self, text: &str) -> RedactedText {
        RedactedText(escape_invisible(&self.redact(text), TabHandling::Escape).into_owned())
    }

    /// Returns a line of a file like [`Redactor::show`], but keeps its tabs.
    pub fn show_line(&self, text: &str) -> RedactedText {
        RedactedText(escape_invisible(&self.redact(text), TabHandling::Keep).into_owned())
    }
}

impl RedactedText {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Applies `change`, which may only leave out or repeat parts of the text.
    #[must_use]
    pub(crate) fn map(&self, change: impl FnOnce(&str) -> String) -> Self {
        Self(change(&self.0))
    }

    /// Returns the text for a terminal that shows ASCII only, with `?` for every other character.
    #[must_use]
    pub fn in_ascii(self) -> Self {
        if self.0.is_ascii() {
            self
        } else {
            Self(
                self.0
                    .chars()
                    .map(|character| if character.is_ascii() { character } else { '?' })
                    .collect(),
            )
        }
    }
}

impl From<&'static str> for RedactedText {
    fn from(text: &'static str) -> Self {
        Self(text.to_owned())
    }
}

impl From<RedactedText> for String {
    fn from(shown: RedactedText) -> Self {
        shown.0
    }
}

impl std::fmt::Display for RedactedText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// Returns whether a character affects the display without being visible: it moves the cursor, ends the line, changes
/// the writing direction, or has no width.
pub(crate) fn is_invisible(character: char) -> bool {
    match character {
        ' '..='~' => false,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{feff}' | '\u{110bd}'
        | '\u{110cd}' => true,
        '\u{115f}'..='\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{17b4}'..='\u{17b5}' => true,
        '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{fff0}'..='\u{fffb}' => true,
        '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' => true,
        '\u{e0000}'..='\u{e0fff}' => true,
        _ => character.is_control(),
    }
}

/// The treatment of tabs among invisible characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TabHandling {
    Escape,
    Keep,
}

/// Returns `text` with a visible escape for every invisible character, except tabs if they are kept.
fn escape_invisible(text: &str, tabs: TabHandling) -> Cow<'_, str> {
    let keeps_tabs = tabs == TabHandling::Keep;
    let hidden = |character: char| is_invisible(character) && !(keeps_tabs && character == '\t');
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            character if !hidden(character) => out.push(character),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Writing to a string cannot fail.
            _ => drop(write!(out, "\\u{{{:x}}}", u32::from(character))),
        }
    }
    Cow::Owned(out)
}

/// Returns JSON with invisible characters in its strings escaped: the same document, but printable.
pub(crate) fn printable_json(json: &str) -> Cow<'_, str> {
    if json.is_ascii() && !json.contains('\u{7f}') || !json.contains(is_invisible) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if !is_invisible(character) {
            out.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        let redactor = Redactor::default();
        for (text, shown) in [
            ("a\n  \u{2713} accepted", "a\\n  \u{2713} accepted"),
            ("\u{1b}[2J\u{9b}31m\r\u{7f}", "\\u{1b}[2J\\u{9b}31m\\r\\u{7f}"),
            (
                "a\u{202e}b\u{200b}c\u{e0041}\u{feff}\u{2028}",
                "a\\u{202e}b\\u{200b}c\\u{e0041}\\u{feff}\\u{2028}",
            ),
            ("caf\u{e9} \u{65e5}\u{672c} \u{5e9}", "caf\u{e9} \u{65e5}\u{672c} \u{5e9}"),
            ("a\tb", "a\\tb"),
        ] {
            assert_eq!(redactor.show(text).as_str(), shown);
            assert_eq!(redactor.show(shown).as_str(), shown, "shown twice");
        }
        assert_eq!(redactor.show_line("\tb\r").as_str(), "\tb\\r");
        assert_eq!(redactor.show("caf\u{e9}").in_ascii().as_str(), "caf?");
    }

    #[test]
    fn json_is_printable_and_says_the_same() {
        let value = serde_json::json!({"a\u{202e}": ["\u{e0041}\u{7f}\u{85}\n\u{e9}"]});
        let text = value.to_string();
        let shown = printable_json(&text);
        assert!(!shown.contains(is_invisible), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}
