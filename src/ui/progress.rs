//! A progress line that disappears when done; only on terminals.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{TextRole, Ui, Verbosity};

/// The progress line of a terminal: whether it is shown. Shared by all user interfaces of that terminal, so that each
/// removes it before it prints a message.
#[derive(Debug, Clone, Default)]
pub struct ProgressLine(Arc<AtomicBool>);

impl Ui {
    /// Shares the progress line of another user interface on the same terminal.
    #[must_use]
    pub fn with_progress(mut self, line: &ProgressLine) -> Self {
        self.progress = line.clone();
        self
    }

    /// Shows `line`, replacing the previous one.
    pub fn progress(&mut self, line: &str) {
        if self.interactive() && self.verbosity > Verbosity::Quiet {
            let pen = self.pen();
            let cut = pen.cut(&self.redactor.show(line), self.look.width.saturating_sub(1));
            let shown = TextRole::Faint.paint(cut).render(&self.look, &self.redactor);
            self.progress.0.store(true, Ordering::SeqCst);
            // A closed terminal is not an error.
            let _ = write!(self.err, "\r\x1b[2K{shown}").and_then(|()| self.err.flush());
        }
    }

    /// Removes the line, if there is one.
    pub fn progress_done(&mut self) {
        if self.progress.0.swap(false, Ordering::SeqCst) {
            let _ = write!(self.err, "\r\x1b[2K").and_then(|()| self.err.flush());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Redactor;
    use crate::ui::Interactivity;

    #[test]
    fn a_message_of_any_thread_removes_the_line_before_it() {
        let screen = tempfile::NamedTempFile::new().unwrap();
        let line = ProgressLine::default();
        let ui = |interactivity| {
            let file = Box::new(screen.reopen().unwrap());
            let append =
                Box::new(std::fs::File::options().append(true).open(screen.path()).unwrap());
            Ui::new(file, append, Redactor::default(), interactivity).with_progress(&line)
        };
        let (mut working, mut noticing) =
            (ui(Interactivity::Interactive), ui(Interactivity::Batch));
        working.progress("starting a container");
        noticing.say("asking docker");
        noticing.say("asking again");
        working.progress_done();
        working.progress("removing it");
        working.warn("it stays", None);
        let shown = std::fs::read_to_string(screen.path()).unwrap();
        let erased = "\r\x1b[2K";
        assert_eq!(
            shown,
            format!(
                "{erased}starting a container{erased}asking docker\nasking again\n{erased}removing it{erased}warning: it stays\n"
            )
        );
    }
}
