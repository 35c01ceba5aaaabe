//! The terminal's own settings: its width, and how to leave it as it was found.

/// Columns of the terminal on stderr or stdout, if there is one.
pub fn width() -> Option<usize> {
    let (_, columns) = console::Term::stderr()
        .size_checked()
        .or_else(|| console::Term::stdout().size_checked())?;
    Some(usize::from(columns))
}

/// The terminal's settings at the start, put back when the process ends in the middle of something.
#[derive(Clone)]
pub struct Saved {
    settings: Option<rustix::termios::Termios>,
}

impl std::fmt::Debug for Saved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Saved")
    }
}

impl Saved {
    /// Remembers the settings of the terminal on stdin, if it is one.
    pub fn now() -> Self {
        Self { settings: rustix::termios::tcgetattr(rustix::stdio::stdin()).ok() }
    }

    /// Puts the settings and the cursor back, lets `say` begin on a line of its own, and ends the process.
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

/// Drops what was typed and not read yet: whoever typed it has not seen the question that comes now.
pub(super) fn drop_waiting_input() {
    let _ =
        rustix::termios::tcflush(rustix::stdio::stdin(), rustix::termios::QueueSelector::IFlush);
}

/// Echo is off while this lives: what is typed or pasted before a hidden prompt begins to read stays hidden too.
pub(super) struct Hushed {
    settings: Option<rustix::termios::Termios>,
}

impl Hushed {
    /// Turns the echo of the terminal on stdin off.
    pub(super) fn now() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcsetattr};
        let Saved { settings } = Saved::now();
        if let Some(settings) = &settings {
            let mut hushed = settings.clone();
            hushed.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &hushed);
        }
        Self { settings }
    }
}

impl Drop for Hushed {
    fn drop(&mut self) {
        if let Some(settings) = &self.settings {
            let now = rustix::termios::OptionalActions::Now;
            let _ = rustix::termios::tcsetattr(rustix::stdio::stdin(), now, settings);
        }
    }
}
