//! Lines that are too long for a screen: broken or cut only once every secret in them is hidden, since what is left of one
//! is recognised no more.

use super::painted::Painted;
use super::text::{self, columns};
use super::{Look, Ui};

/// No screen is taken for narrower.
const NARROWEST: usize = 30;

impl Ui {
    /// A line of the result, on stdout, of which `text` is broken behind `head` on a person's screen, with `indent` columns
    /// before what follows.
    pub fn result_behind(&mut self, head: impl Into<Painted>, text: &str, indent: usize) {
        for line in self.broken(&self.result_look, head.into(), text, indent) {
            self.result(line);
        }
    }

    /// A line of talk, of which `text` is broken behind `head`, with `indent` columns before what follows.
    pub(super) fn put_behind(&mut self, head: impl Into<Painted>, text: &str, indent: usize) {
        for line in self.broken(&self.look, head.into(), text, indent) {
            self.put(line);
        }
    }

    /// `head` and `text` in lines for a person's screen; in one for whoever reads line by line.
    fn broken(&self, look: &Look, head: Painted, text: &str, indent: usize) -> Vec<Painted> {
        if !look.wraps {
            return vec![head + text];
        }
        let text = self.redactor.show(text);
        let width = look.width.saturating_sub(indent).max(NARROWEST);
        // The first line has room for less, by what stands before it beyond the indentation of the others.
        let taken = self.redactor.show_line(&head.text()).columns().saturating_sub(indent);
        let first = text::wrap(&text, 1).first().map_or(0, |word| columns(word));
        let below = |line: &String| Painted::from(format!("{}{line}", " ".repeat(indent)));
        if taken > 0 && taken + first > width {
            return [head].into_iter().chain(text::wrap(&text, width).iter().map(below)).collect();
        }
        let lines = text::wrap(&text.map(|text| format!("{}{text}", "-".repeat(taken))), width);
        let mut lines = lines.iter();
        let first = lines.next().map_or_else(String::new, |line| line[taken..].to_owned());
        [head + first].into_iter().chain(lines.map(below)).collect()
    }

    /// A line without any secret as it is shown, and what stands before the caret below `column`, of which 1 is the first.
    pub fn excerpt(&self, line: &str, column: usize) -> (String, String) {
        let before: String = line.chars().take(column.saturating_sub(1)).collect();
        let before = self.redactor.show_line(&before).as_str().chars().count();
        text::excerpt(&self.redactor.show_line(line), before + 1)
    }
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
