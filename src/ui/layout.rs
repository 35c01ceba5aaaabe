//! Lines that are too long for a screen: broken or cut only once every secret in them is hidden, since what is left of one
//! is recognised no more.

use super::text::{self, columns};
use super::{Look, Ui};

/// No screen is taken for narrower.
const NARROWEST: usize = 30;

impl Ui {
    /// A line of the result, on stdout, of which `text` is broken behind `head` on a person's screen, with `indent` columns
    /// before what follows.
    pub fn result_behind(&mut self, head: &str, text: &str, indent: usize) {
        let text = self.broken(&self.result_look, text, columns(head), indent);
        self.result(format!("{head}{text}"));
    }

    /// `text` of talk behind `before` columns, with `indent` columns before what follows.
    pub(super) fn hanging(&self, text: &str, before: usize, indent: usize) -> String {
        self.broken(&self.look, text, before, indent)
    }

    /// `text` broken for a person's screen; whole for whoever reads line by line.
    fn broken(&self, look: &Look, text: &str, before: usize, indent: usize) -> String {
        if !look.wraps {
            return text.to_owned();
        }
        let text = self.redactor.redact(text);
        let width = look.width.saturating_sub(indent).max(NARROWEST);
        // The first line has room for less, by what stands before it beyond the indentation of the others.
        let taken = before.saturating_sub(indent);
        let below = format!("\n{}", " ".repeat(indent));
        let first = text::wrap(&text, 1).first().map_or(0, |word| columns(word));
        if taken > 0 && taken + first > width {
            return format!("{below}{}", text::wrap(&text, width).join(&below));
        }
        let lines = text::wrap(&format!("{}{text}", "-".repeat(taken)), width);
        lines.join(&below)[taken..].to_owned()
    }

    /// A line without any secret as it is shown, and what stands before the caret below `column`, of which 1 is the first.
    pub fn excerpt(&self, line: &str, column: usize) -> (String, String) {
        let before: String = line.chars().take(column.saturating_sub(1)).collect();
        let before = self.redactor.redact(&before).chars().count();
        text::excerpt(&self.redactor.redact(line), before + 1)
    }
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
