//! Foreign text in the output, and the checks on it: only our own sequences move the cursor or colour it, nothing is
//! invisible, and no secret appears in any form.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use cruddur_ops::error::Error;
use cruddur_ops::secret::{KnownSecrets, Redactor, Secret};
use cruddur_ops::ui::{Interactivity, OutputFormat, StreamLook, Ui, Verbosity};

/// The bytes that a [`Ui`] has written to either of its streams.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8(bytes.clone()).expect("no text is written")
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const PIPE: StreamLook =
    StreamLook { colour: false, unicode: false, links: false, width: 80, wraps: false };
const WIDE: StreamLook =
    StreamLook { colour: true, unicode: true, links: true, width: 120, wraps: true };
const NARROW: StreamLook =
    StreamLook { colour: true, unicode: false, links: false, width: 33, wraps: true };

/// The sequences that begin and end a role or a link.
const OURS: [&str; 11] = [
    "\u{1b}[0m",
    "\u{1b}[1m",
    "\u{1b}[2m",
    "\u{1b}[31m",
    "\u{1b}[32m",
    "\u{1b}[33m",
    "\u{1b}[34m",
    "\u{1b}[35m",
    "\u{1b}[36m",
    "\u{1b}]8;;",
    "\u{1b}\\",
];

/// A key that only its value identifies; seeds contain it.
pub const KEY: &str = "Zx0abcDEF45ghiJKL90mnp";

/// The screen of targets that plant no secret of their own: [`KEY`] is one.
pub static SCREEN: LazyLock<Screen> = LazyLock::new(|| Screen::without(&[KEY]));

/// A user interface, and the secrets that it may not show.
pub struct Screen {
    /// Knows the secrets.
    pub redactor: Redactor,
    secrets: KnownSecrets,
    pieces: Vec<&'static str>,
}

impl Screen {
    /// Returns a screen on which none of `secrets` may appear.
    pub fn without(secrets: &[&str]) -> Self {
        let redactor = Redactor::default();
        for secret in secrets {
            redactor.learn("KEY", &Secret::new(*secret));
        }
        Self { secrets: KnownSecrets::of(&redactor), redactor, pieces: Vec::new() }
    }

    /// Also forbids any ten characters of `word`, a secret that is planted whole or where its end is recognised.
    #[must_use]
    pub fn nor_piece_of(mut self, word: &'static str) -> Self {
        const PIECE: usize = 10;
        self.pieces.extend((PIECE..=word.len()).map(|end| &word[end - PIECE..end]));
        self
    }

    /// Returns whether `text` contains a forbidden piece of a word.
    pub fn holds_piece(&self, text: &str) -> bool {
        self.pieces.iter().any(|piece| text.contains(piece))
    }

    /// Checks what `show` writes to a pipe, to two kinds of screen, and as JSON.
    #[track_caller]
    pub fn shows(&self, show: impl Fn(&mut Ui)) {
        for (look, format) in [
            (PIPE, OutputFormat::Text),
            (WIDE, OutputFormat::Text),
            (NARROW, OutputFormat::Text),
            (PIPE, OutputFormat::Json),
        ] {
            let written = Written::default();
            let (out, err) = (Box::new(written.clone()), Box::new(written.clone()));
            let mut ui = Ui::new(out, err, self.redactor.clone(), Interactivity::Batch)
                .with_look(look, look)
                .with_voice(Verbosity::Verbose, format);
            show(&mut ui);
            let mut text = written.text();
            if look.colour {
                text = OURS.iter().fold(text, |text, ours| text.replace(ours, ""));
            }
            self.allows(&text.replace(['\n', '\t'], " "));
        }
    }

    /// Checks an error that is printed in full.
    #[track_caller]
    pub fn tells(&self, error: &Error) {
        self.shows(|ui| ui.end_with_error(error));
    }

    /// Checks a line before it is written.
    #[track_caller]
    pub fn allows(&self, line: &str) {
        let invisible = line.chars().find(|character| is_invisible(*character));
        assert_eq!(invisible, None, "in {line:?}");
        assert!(self.secrets.find(line.as_bytes()).is_empty(), "a secret in {line:?}");
        assert!(!self.holds_piece(line), "a piece of a secret in {line:?}");
    }
}

/// Returns whether a character is a control, a line separator, a direction mark or an annotation, or may be omitted
/// in the output, according to Unicode.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fff9}'..='\u{fffb}')
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        )
        || matches!(character, '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}')
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}')
        || matches!(character, '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}')
        || matches!(character, '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
