//! Breaks or cuts lines that are too long for a screen, after hiding the secrets in them: part of a secret would not
//! be recognised.

use super::painted::PaintedLine;
use super::text::{self, count_columns};
use super::{StreamLook, TextRole, Ui};
use crate::error::FilePosition;
use crate::secret::{AssignmentSyntax, hide_assigned_secrets};

/// The fewest columns that text is broken to.
const MIN_COLUMNS: usize = 30;

/// The indentation of further lines where the usual one leaves too little room.
const NARROW_INDENT: usize = 4;

impl Ui {
    /// Prints a line of the result on stdout; on a terminal, `text` is wrapped after `head`, with further lines
    /// indented by `indent` columns.
    pub fn result_after(&mut self, head: impl Into<PaintedLine>, text: &str, indent: usize) {
        for line in self.broken(&self.result_look, head.into(), (text, TextRole::Plain), indent) {
            self.result(line);
        }
    }

    /// Prints a sentence of the result on stdout, wrapped on a terminal.
    pub fn result_text(&mut self, text: &str) {
        self.result_after("", text, 0);
    }

    /// Prints a line of the result on stdout; on a terminal, its last piece is wrapped, with further lines indented by
    /// `indent` columns. An indented line is not wrapped.
    pub(super) fn result_wrapped(&mut self, line: PaintedLine, indent: usize) {
        for line in self.broken_line(&self.result_look, line, indent) {
            self.result(line);
        }
    }

    /// Prints a message; `text` is wrapped after `head`, with further lines indented by `indent` columns.
    pub(super) fn put_behind(&mut self, head: impl Into<PaintedLine>, text: &str, indent: usize) {
        for line in self.broken(&self.look, head.into(), (text, TextRole::Plain), indent) {
            self.put(line);
        }
    }

    /// Breaks a line at the spaces of its last piece; an indented line is not broken.
    pub(super) fn broken_line(
        &self,
        look: &StreamLook,
        line: PaintedLine,
        indent: usize,
    ) -> Vec<PaintedLine> {
        if line.text().starts_with(' ') {
            return vec![line];
        }
        let (head, text, role) = line.split_text();
        self.broken(look, head, (&text, role), indent)
    }

    /// Returns `head` and `text` as wrapped lines for a terminal, or as one line for other programs.
    fn broken(
        &self,
        look: &StreamLook,
        head: PaintedLine,
        (text, role): (&str, TextRole),
        indent: usize,
    ) -> Vec<PaintedLine> {
        if !look.wraps || text.is_empty() {
            return vec![head + role.paint(text)];
        }
        let text = self.redactor.show(text);
        let is_narrow = look.width < indent + MIN_COLUMNS;
        let indent = if is_narrow { indent.min(NARROW_INDENT) } else { indent };
        let width = look.width.saturating_sub(indent).max(MIN_COLUMNS);
        // The first line has less room, because its head is longer than the indentation of the others.
        let taken = self.redactor.show_line(&head.text()).columns().saturating_sub(indent);
        let first = text::wrap_text(&text, 1).first().map_or(0, |word| count_columns(word));
        let below =
            |line: &String| PaintedLine::from(" ".repeat(indent)) + role.paint(line.as_str());
        if taken > 0 && taken + first > width {
            return [head]
                .into_iter()
                .chain(text::wrap_text(&text, width).iter().map(below))
                .collect();
        }
        let lines =
            text::wrap_text(&text.map(|text| format!("{}{text}", "-".repeat(taken))), width);
        let mut lines = lines.iter();
        let first = lines.next().map_or_else(String::new, |line| line[taken..].to_owned());
        [head + role.paint(first)].into_iter().chain(lines.map(below)).collect()
    }

    /// Returns the line of a position without its first `cut` characters and without secrets, and the text before the
    /// caret below its column.
    pub fn excerpt(&self, position: &FilePosition, cut: usize) -> (String, String) {
        let before = position.text.chars().take(position.column.saturating_sub(1)).collect();
        let before = FilePosition { text: before, ..position.clone() };
        let show = |position| self.redactor.show_line(&line_without_secrets(position));
        let column = show(&before).as_str().chars().count();
        let shown = show(position).map(|text| text.chars().skip(cut).collect());
        text::excerpt(&shown, column.saturating_sub(cut) + 1)
    }
}

/// Returns the line of a position without the secrets that it assigns.
pub(crate) fn line_without_secrets(position: &FilePosition) -> String {
    let syntax = AssignmentSyntax::of_file(&position.path);
    hide_assigned_secrets(&position.text, syntax).into_owned()
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
