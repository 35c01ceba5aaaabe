//! Colour and width of a stream. Colour never carries meaning alone.

use anstyle::{AnsiColor, Style};

/// The capabilities of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamLook {
    /// Whether it shows ANSI colours.
    pub colour: bool,
    /// Whether it shows characters beyond ASCII.
    pub unicode: bool,
    /// Whether it shows terminal hyperlinks (OSC 8).
    pub links: bool,
    /// The width in columns.
    pub width: usize,
    /// Whether long text is wrapped: on a terminal, but not for other programs.
    pub wraps: bool,
}

/// The role of a piece of text, which determines its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextRole {
    /// Ordinary text.
    Plain,
    /// Names, headings.
    Strong,
    /// Evidence, timings.
    Faint,
    /// A success.
    Good,
    /// A warning.
    Warning,
    /// A failure.
    Error,
    /// A hint.
    Hint,
    /// An added line.
    Added,
    /// A removed line.
    Removed,
    /// One of several numbered colours, never that of a failure.
    Hue(usize),
}

const HUES: [AnsiColor; 5] =
    [AnsiColor::Cyan, AnsiColor::Magenta, AnsiColor::Blue, AnsiColor::Green, AnsiColor::Yellow];

impl StreamLook {
    /// Returns a look without colour: plain characters, 80 columns.
    pub fn plain() -> Self {
        Self { colour: false, unicode: false, links: false, width: 80, wraps: false }
    }
}

impl TextRole {
    /// Returns the colour of this role; none for ordinary text.
    pub(super) fn style(self) -> Option<Style> {
        Some(match self {
            TextRole::Plain => return None,
            TextRole::Strong => Style::new().bold(),
            TextRole::Faint => Style::new().dimmed(),
            TextRole::Good | TextRole::Added => AnsiColor::Green.on_default(),
            TextRole::Warning => AnsiColor::Yellow.on_default().bold(),
            TextRole::Error => AnsiColor::Red.on_default().bold(),
            TextRole::Hint => AnsiColor::Cyan.on_default(),
            TextRole::Removed => AnsiColor::Red.on_default(),
            TextRole::Hue(number) => HUES[number % HUES.len()].on_default(),
        })
    }
}
