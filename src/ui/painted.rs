//! A line on its way to a stream: pieces of text, each with its role.
//!
//! The texts may be anybody's, so they never hold a colour themselves: only what is written here, at the very end, is one.

use std::ops::Add;

use super::{Look, Role};
use crate::secret::{Redactor, Shown};

/// A line of text with the role of each of its pieces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Painted(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    role: Role,
    text: String,
    is_link: bool,
}

impl Role {
    /// Returns `text` in this role.
    pub fn paint(self, text: impl Into<String>) -> Painted {
        Painted(vec![Piece { role: self, text: text.into(), is_link: false }])
    }
}

impl Painted {
    /// Returns an address that leads there where the terminal knows how.
    pub fn link(address: impl Into<String>) -> Self {
        Self(vec![Piece { role: Role::Plain, text: address.into(), is_link: true }])
    }

    /// The whole text, without its roles.
    pub fn text(&self) -> String {
        self.0.iter().map(|piece| piece.text.as_str()).collect()
    }

    /// Returns what is before the last piece, and the last piece's text where that has no role.
    pub(super) fn split_text(mut self) -> (Self, String) {
        match self.0.pop_if(|last| last.role == Role::Plain && !last.is_link) {
            Some(last) => (self, last.text),
            None => (self, String::new()),
        }
    }

    /// Returns the line as the bytes of a stream that can look like `look`: without any secret, printable, and coloured.
    pub(super) fn render(&self, look: &Look, redactor: &Redactor) -> String {
        if let [piece] = self.0.as_slice() {
            return piece.render(redactor.show_line(&piece.text), look);
        }
        let shown: Vec<Shown> =
            self.0.iter().map(|piece| redactor.show_line(&piece.text)).collect();
        if self.0.len() > 1 {
            // A secret that goes over from one piece to the next is seen in the whole only.
            let whole = redactor.show_line(&self.text());
            if shown.iter().map(Shown::as_str).collect::<String>() != whole.as_str() {
                return whole.into();
            }
        }
        let pieces = self.0.iter().zip(shown);
        pieces.map(|(piece, shown)| piece.render(shown, look)).collect()
    }
}

impl Piece {
    fn render(&self, shown: Shown, look: &Look) -> String {
        if self.is_link && look.links {
            return format!("\x1b]8;;{shown}\x1b\\{shown}\x1b]8;;\x1b\\");
        }
        match self.role.style().filter(|_| look.colour) {
            Some(style) => format!("{style}{shown}{style:#}"),
            None => shown.into(),
        }
    }
}

impl From<String> for Painted {
    fn from(text: String) -> Self {
        Role::Plain.paint(text)
    }
}

impl From<&String> for Painted {
    fn from(text: &String) -> Self {
        Role::Plain.paint(text)
    }
}

impl From<&str> for Painted {
    fn from(text: &str) -> Self {
        Role::Plain.paint(text)
    }
}

impl From<Shown> for Painted {
    fn from(text: Shown) -> Self {
        Role::Plain.paint(text)
    }
}

impl<T: Into<Painted>> Add<T> for Painted {
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

    const SCREEN: Look = Look { colour: true, links: true, unicode: true, width: 80, wraps: true };

    #[test]
    fn only_a_role_is_a_colour() {
        let redactor = Redactor::default();
        let forged = "\u{1b}[31mred\u{1b}[0m\u{1b}]8;;http://a\u{1b}\\b";
        for line in [Painted::from(forged), Role::Strong.paint(forged), Painted::link(forged)] {
            let written = line.render(&SCREEN, &redactor);
            let ours = ["\u{1b}[1m", "\u{1b}[0m", "\u{1b}]8;;", "\u{1b}\\"];
            let rest = ours.iter().fold(written.clone(), |text, one| text.replace(one, ""));
            assert!(!rest.contains(char::is_control), "{rest:?}");
            assert!(written.contains("\\u{1b}[31mred\\u{1b}[0m"), "{written:?}");
        }
        assert_eq!(
            Role::Error.paint("x").render(&SCREEN, &redactor),
            "\u{1b}[1m\u{1b}[31mx\u{1b}[0m"
        );
        assert_eq!(Role::Error.paint("x").render(&Look::plain(), &redactor), "x");
    }

    #[test]
    fn a_secret_in_two_pieces_is_hidden() {
        let redactor = Redactor::default();
        redactor.learn("KEY", &Secret::new("0123456789abcdef"));
        let line = Role::Good.paint("a 0123456") + "789abcdef b";
        assert_eq!(line.render(&SCREEN, &redactor), "a <KEY> b");
    }
}
