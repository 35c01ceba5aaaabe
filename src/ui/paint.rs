//! Colour and width: what a stream may look like. Colour never carries meaning alone.

use anstyle::{AnsiColor, Style};

/// What a stream can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// ANSI colours.
    pub colour: bool,
    /// Characters beyond ASCII.
    pub unicode: bool,
    /// Terminal hyperlinks (OSC 8).
    pub links: bool,
    /// Columns.
    pub width: usize,
    /// A screen, on which long text is broken at its width; whoever reads line by line gets it whole.
    pub wraps: bool,
}

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Ordinary text.
    Plain,
    /// Names, headings.
    Strong,
    /// Evidence, timings.
    Faint,
    /// What went well.
    Good,
    /// What should be changed.
    Warning,
    /// What failed.
    Error,
    /// What to do.
    Hint,
    /// A line that comes.
    Added,
    /// A line that goes.
    Removed,
    /// One of several, told apart by its number: never the colour of a failure.
    Hue(usize),
}

const HUES: [AnsiColor; 5] =
    [AnsiColor::Cyan, AnsiColor::Magenta, AnsiColor::Blue, AnsiColor::Green, AnsiColor::Yellow];

impl Look {
    /// No colour, plain characters, 80 columns.
    pub fn plain() -> Self {
        Self { colour: false, unicode: false, links: false, width: 80, wraps: false }
    }

    /// `text` as `role`, where colour is allowed.
    pub fn paint(&self, role: Role, text: &str) -> String {
        if !self.colour || role == Role::Plain {
            return text.to_owned();
        }
        let style = match role {
            Role::Plain => Style::new(),
            Role::Strong => Style::new().bold(),
            Role::Faint => Style::new().dimmed(),
            Role::Good | Role::Added => AnsiColor::Green.on_default(),
            Role::Warning => AnsiColor::Yellow.on_default().bold(),
            Role::Error => AnsiColor::Red.on_default().bold(),
            Role::Hint => AnsiColor::Cyan.on_default(),
            Role::Removed => AnsiColor::Red.on_default(),
            Role::Hue(number) => HUES[number % HUES.len()].on_default(),
        };
        format!("{style}{text}{style:#}")
    }

    /// `text` that leads to `url` where the terminal knows how.
    pub fn link(&self, url: &str, text: &str) -> String {
        if self.links {
            format!("\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\")
        } else {
            text.to_owned()
        }
    }
}
