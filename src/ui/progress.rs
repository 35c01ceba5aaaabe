//! A progress line that disappears when done; only on terminals.

use std::io::Write;

use super::{TextRole, Ui, Verbosity};

impl Ui {
    /// Shows `line`, replacing the previous one.
    pub fn progress(&mut self, line: &str) {
        if self.interactive() && self.verbosity > Verbosity::Quiet {
            let pen = self.pen();
            let cut = pen.cut(&self.redactor.show(line), self.look.width.saturating_sub(1));
            let shown = TextRole::Faint.paint(cut).render(&self.look, &self.redactor);
            // A closed terminal is not an error.
            let _ = write!(self.err, "\r\x1b[2K{shown}").and_then(|()| self.err.flush());
        }
    }

    /// Removes the line.
    pub fn progress_done(&mut self) {
        if self.interactive() && self.verbosity > Verbosity::Quiet {
            let _ = write!(self.err, "\r\x1b[2K").and_then(|()| self.err.flush());
        }
    }
}
