//! One line that says what is being waited for, where somebody watches; it leaves no trace.

use std::io::Write;

use super::{Role, Ui, Verbosity};

impl Ui {
    /// Shows `line` in place of the last one.
    pub fn progress(&mut self, line: &str) {
        if self.interactive && self.verbosity > Verbosity::Quiet {
            let pen = self.pen();
            let shown = pen.cut(&self.redactor.show(line), self.look.width.saturating_sub(1));
            let shown = Role::Faint.paint(shown).render(&self.look, &self.redactor);
            // A terminal that went away is no failure of ours.
            let _ = write!(self.err, "\r\x1b[2K{shown}").and_then(|()| self.err.flush());
        }
    }

    /// Takes the line away.
    pub fn progress_done(&mut self) {
        if self.interactive && self.verbosity > Verbosity::Quiet {
            let _ = write!(self.err, "\r\x1b[2K").and_then(|()| self.err.flush());
        }
    }
}
