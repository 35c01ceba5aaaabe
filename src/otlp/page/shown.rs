//! Prepares texts of spans for the page: redacted, printable, and cut to the length that a page needs.

use std::cell::RefCell;

use foldhash::{HashMap, HashMapExt};
use serde_json::Value as Json;

use crate::limits;
use crate::secret::Redactor;

/// Bytes after the shown part that are searched for the end of a secret that begins in it.
const SECRET_END_BYTES: usize = 16 << 10;

/// Prepares texts of spans for the page; caches names, because most of them repeat.
pub(super) struct PageText<'r> {
    redactor: &'r Redactor,
    names: RefCell<HashMap<String, String>>,
}

impl<'r> PageText<'r> {
    pub(super) fn new(redactor: &'r Redactor) -> Self {
        Self { redactor, names: RefCell::new(HashMap::new()) }
    }

    /// Returns the start of a name, on one line.
    pub(super) fn name(&self, name: &str) -> String {
        if let Some(known) = self.names.borrow().get(name) {
            return known.clone();
        }
        let shown = cut(name, limits::PAGE_NAME_CHARS, |seen| self.redactor.show(seen).into());
        if name.len() <= limits::PAGE_NAME_CHARS {
            self.names.borrow_mut().insert(name.to_owned(), shown.clone());
        }
        shown
    }

    /// Returns a value, which may be long and have several lines.
    pub(super) fn value(&self, value: &str) -> String {
        cut(value, limits::PAGE_VALUE_CHARS, |seen| {
            // A secret may span several lines.
            let hidden = self.redactor.redact(seen);
            let lines = hidden.split('\n').map(|line| String::from(self.redactor.show_line(line)));
            lines.collect::<Vec<_>>().join("\n")
        })
    }

    /// Returns the value of a column.
    pub(super) fn json(&self, value: &Json) -> Json {
        match value {
            Json::String(text) => self.name(text).into(),
            Json::Array(_) | Json::Object(_) => self.name(&value.to_string()).into(),
            plain => plain.clone(),
        }
    }
}

/// Returns the first `most` characters. Secrets are hidden before the text is cut: `show` gets far more of it.
fn cut(text: &str, most: usize, show: impl FnOnce(&str) -> String) -> String {
    let seen = &text[..text.floor_char_boundary(4 * most + SECRET_END_BYTES)];
    let shown = show(seen);
    match shown.char_indices().nth(most) {
        None if seen.len() == text.len() => shown,
        None => shown + &ending(text),
        Some((end, _)) => format!("{}{}", &shown[..end], ending(text)),
    }
}

fn ending(text: &str) -> String {
    format!("\u{2026} ({} bytes)", text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_secret_is_hidden_wherever_the_text_is_cut() {
        let redactor = Redactor::default();
        redactor.learn("KEY", &Secret::new("0123456789abcdefghij"));
        let text = PageText::new(&redactor);
        for before in 0..(limits::PAGE_NAME_CHARS + 5) {
            let name = format!("{}0123456789abcdefghij{}", "x".repeat(before), "y".repeat(100_000));
            assert!(!text.name(&name).contains("0123456"), "{before}");
        }
    }

    #[test]
    fn long_texts_are_cut_and_say_so_and_short_ones_are_whole() {
        let redactor = Redactor::default();
        let text = PageText::new(&redactor);
        assert_eq!(text.name("GET /"), "GET /");
        let long = "\u{e4}".repeat(1 << 20);
        let shown = text.value(&long);
        assert!(shown.ends_with("\u{2026} (2097152 bytes)"), "{}", &shown[shown.len() - 40..]);
        assert!(shown.chars().count() < limits::PAGE_VALUE_CHARS + 40);
        assert_eq!(text.name("a\u{202e}b\nc"), "a\\u{202e}b\\nc");
        assert_eq!(text.value("a\u{202e}b\r\n\tc"), "a\\u{202e}b\\r\n\tc");
    }
}
