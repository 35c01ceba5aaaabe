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
    #[cfg(unix)]
    settings: Option<rustix::termios::Termios>,
}

impl std::fmt::Debug for Saved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Saved")
    }
}

impl Saved {
    /// Remembers the settings of the terminal on stdin, if it is one.
    #[cfg(unix)]
    pub fn now() -> Self {
        Self { settings: rustix::termios::tcgetattr(rustix::stdio::stdin()).ok() }
    }

    /// Nothing has to be remembered here.
    #[cfg(not(unix))]
    pub fn now() -> Self {
        Self {}
    }

    /// Puts the settings and the cursor back and ends the process: status 130 for an interrupt, 2 for a fault.
    pub fn leave(&self, status: i32) {
        #[cfg(unix)]
        if let Some(settings) = &self.settings {
            let now = rustix::termios::OptionalActions::Now;
            let _ = rustix::termios::tcsetattr(rustix::stdio::stdin(), now, settings);
            let terminal = console::Term::stderr();
            drop(terminal.show_cursor().and_then(|()| terminal.write_line("")));
        }
        std::process::exit(status);
    }
}

/// Echo is off while this lives: what is typed or pasted before a hidden prompt begins to read stays hidden too.
pub(super) struct Hushed {
    #[cfg(unix)]
    settings: Option<rustix::termios::Termios>,
}

impl Hushed {
    /// Turns the echo of the terminal on stdin off.
    #[cfg(unix)]
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

    /// The console reads hidden lines by itself here.
    #[cfg(not(unix))]
    pub(super) fn now() -> Self {
        Self {}
    }
}

#[cfg(unix)]
impl Drop for Hushed {
    fn drop(&mut self) {
        if let Some(settings) = &self.settings {
            let now = rustix::termios::OptionalActions::Now;
            let _ = rustix::termios::tcsetattr(rustix::stdio::stdin(), now, settings);
        }
    }
}
