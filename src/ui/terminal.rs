//! Terminal settings: the width, and restoring the initial state.

/// Returns the width of the terminal on stderr or stdout, if there is one.
pub fn width() -> Option<usize> {
    let (_, columns) = console::Term::stderr()
        .size_checked()
        .or_else(|| console::Term::stdout().size_checked())?;
    Some(usize::from(columns))
}

/// The initial terminal settings, restored when the process ends abruptly.
#[derive(Clone)]
pub struct SavedTerminal {
    settings: Option<rustix::termios::Termios>,
}

impl std::fmt::Debug for SavedTerminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Saved")
    }
}

impl SavedTerminal {
    /// Saves the settings of the terminal on stdin, if it is one.
    pub fn now() -> Self {
        Self { settings: rustix::termios::tcgetattr(rustix::stdio::stdin()).ok() }
    }

    /// Restores settings and cursor, calls `say` at the start of a line, and ends the process.
    pub fn leave(&self, status: u8, say: impl FnOnce()) -> ! {
        self.put_back();
        say();
        std::process::exit(status.into())
    }

    fn put_back(&self) {
        if let Some(settings) = &self.settings {
            let now = rustix::termios::OptionalActions::Now;
            let _ = rustix::termios::tcsetattr(rustix::stdio::stdin(), now, settings);
        }
        let terminal = console::Term::stderr();
        if terminal.is_term() {
            drop(terminal.show_cursor().and_then(|()| terminal.write_line("")));
        }
    }
}

/// Discards unread input: it was typed before the next question was shown.
pub(super) fn drop_waiting_input() {
    let _ =
        rustix::termios::tcflush(rustix::stdio::stdin(), rustix::termios::QueueSelector::IFlush);
}

/// Disables echo while it lives, so that input typed or pasted before a hidden prompt is hidden too.
pub(super) struct EchoGuard {
    settings: Option<rustix::termios::Termios>,
}

impl EchoGuard {
    /// Disables the echo of the terminal on stdin.
    pub(super) fn now() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcsetattr};
        let SavedTerminal { settings } = SavedTerminal::now();
        if let Some(settings) = &settings {
            let mut hushed = settings.clone();
            hushed.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &hushed);
        }
        Self { settings }
    }
}

impl Drop for EchoGuard {
    fn drop(&mut self) {
        if let Some(settings) = &self.settings {
            let now = rustix::termios::OptionalActions::Now;
            let _ = rustix::termios::tcsetattr(rustix::stdio::stdin(), now, settings);
        }
    }
}
