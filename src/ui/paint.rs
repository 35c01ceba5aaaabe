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
}

impl Role {
    /// The colour of this role; none for ordinary text.
    pub(super) fn style(self) -> Option<Style> {
        Some(match self {
            Role::Plain => return None,
            Role::Strong => Style::new().bold(),
            Role::Faint => Style::new().dimmed(),
            Role::Good | Role::Added => AnsiColor::Green.on_default(),
            Role::Warning => AnsiColor::Yellow.on_default().bold(),
            Role::Error => AnsiColor::Red.on_default().bold(),
            Role::Hint => AnsiColor::Cyan.on_default(),
            Role::Removed => AnsiColor::Red.on_default(),
            Role::Hue(number) => HUES[number % HUES.len()].on_default(),
        })
    }
}
