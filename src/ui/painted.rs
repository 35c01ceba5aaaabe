//! A line of output as pieces of text with roles.
//!
//! Pieces may contain any text, so colour codes are added only here, when a line is rendered.

use std::ops::Add;

use super::{StreamLook, TextRole};
use crate::secret::{RedactedText, Redactor};

/// A line of text with a role for each piece.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaintedLine(Vec<PaintedPiece>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct PaintedPiece {
    role: TextRole,
    text: String,
    is_link: bool,
}

impl TextRole {
    /// Returns `text` in this role.
    pub fn paint(self, text: impl Into<String>) -> PaintedLine {
        PaintedLine(vec![PaintedPiece { role: self, text: text.into(), is_link: false }])
    }
}

impl PaintedLine {
    /// Returns a URL that is a hyperlink on terminals that support it.
    pub fn link(address: impl Into<String>) -> Self {
        Self(vec![PaintedPiece { role: TextRole::Plain, text: address.into(), is_link: true }])
    }

    /// Returns the whole text, without roles.
    pub fn text(&self) -> String {
        self.0.iter().map(|piece| piece.text.as_str()).collect()
    }

    /// Splits off the text of the last piece, with its role, if it is no link.
    pub(super) fn split_text(mut self) -> (Self, String, TextRole) {
        match self.0.pop_if(|last| !last.is_link) {
            Some(last) => (self, last.text, last.role),
            None => (self, String::new(), TextRole::Plain),
        }
    }

    /// Renders the line for a stream that looks like `look`: redacted, printable and coloured.
    pub(super) fn render(&self, look: &StreamLook, redactor: &Redactor) -> String {
        if let [piece] = self.0.as_slice() {
            return piece.render(redactor.show_line(&piece.text), look);
        }
        let shown: Vec<RedactedText> =
            self.0.iter().map(|piece| redactor.show_line(&piece.text)).collect();
        if self.0.len() > 1 {
            // A secret that spans several pieces is only found in the whole line.
            let whole = redactor.show_line(&self.text());
            if shown.iter().map(RedactedText::as_str).collect::<String>() != whole.as_str() {
                return whole.into();
            }
        }
        let pieces = self.0.iter().zip(shown);
        pieces.map(|(piece, shown)| piece.render(shown, look)).collect()
    }
}

impl PaintedPiece {
    fn render(&self, shown: RedactedText, look: &StreamLook) -> String {
        if self.is_link && look.links {
            return format!("\x1b]8;;{shown}\x1b\\{shown}\x1b]8;;\x1b\\");
        }
        match self.role.style().filter(|_| look.colour) {
            Some(style) => format!("{style}{shown}{style:#}"),
            None => shown.into(),
        }
    }
}

impl From<String> for PaintedLine {
    fn from(text: String) -> Self {
        TextRole::Plain.paint(text)
    }
}

impl From<&String> for PaintedLine {
    fn from(text: &String) -> Self {
        TextRole::Plain.paint(text)
    }
}

impl From<&str> for PaintedLine {
    fn from(text: &str) -> Self {
        TextRole::Plain.paint(text)
    }
}

impl From<RedactedText> for PaintedLine {
    fn from(text: RedactedText) -> Self {
        TextRole::Plain.paint(text)
    }
}

impl<T: Into<PaintedLine>> Add<T> for PaintedLine {
    type Output = Self;

    fn add(mut self, more: T) -> Self {
        self.0.extend(more.into().0);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    const SCREEN: StreamLook =
        StreamLook { colour: true, links: true, unicode: true, width: 80, wraps: true };

    #[test]
    fn only_a_role_is_a_colour() {
        let redactor = Redactor::default();
        let forged = "\u{1b}[31mred\u{1b}[0m\u{1b}]8;;http://a\u{1b}\\b";
        for line in
            [PaintedLine::from(forged), TextRole::Strong.paint(forged), PaintedLine::link(forged)]
        {
            let written = line.render(&SCREEN, &redactor);
            let sequences = ["\u{1b}[1m", "\u{1b}[0m", "\u{1b}]8;;", "\u{1b}\\"];
            let rest =
                sequences.iter().fold(written.clone(), |text, sequence| text.replace(sequence, ""));
            assert!(!rest.contains(char::is_control), "{rest:?}");
            assert!(written.contains("\\u{1b}[31mred\\u{1b}[0m"), "{written:?}");
        }
        assert_eq!(
            TextRole::Error.paint("x").render(&SCREEN, &redactor),
            "\u{1b}[1m\u{1b}[31mx\u{1b}[0m"
        );
        assert_eq!(TextRole::Error.paint("x").render(&StreamLook::plain(), &redactor), "x");
    }

    #[test]
    fn a_secret_in_two_pieces_is_hidden() {
        let redactor = Redactor::default();
        redactor.learn("KEY", &Secret::new("0123456789abcdef"));
        let line = TextRole::Good.paint("a 0123456") + "789abcdef b";
        assert_eq!(line.render(&SCREEN, &redactor), "a <KEY> b");
    }
}
