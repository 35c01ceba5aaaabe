//! What a person and a program get to see of foreign text, and the promise about it: nothing but ours moves or colours a
//! screen, nothing is invisible, and no secret is there in any form.

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

/// The sequences with which a role begins and ends, and those of a link.
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

/// A key that nothing but its value gives away; seeds hold it.
pub const KEY: &str = "Zx0abcDEF45ghiJKL90mnp";

/// The screen of the targets that plant no secret: on it [`KEY`] is one.
pub static SCREEN: LazyLock<Screen> = LazyLock::new(|| Screen::without(&[KEY]));

/// What is shown to whom, with the secrets that nobody may see.
pub struct Screen {
    /// Knows the secrets.
    pub redactor: Redactor,
    secrets: KnownSecrets,
    pieces: Vec<&'static str>,
}

impl Screen {
    /// A screen on which none of `secrets` may appear.
    pub fn without(secrets: &[&str]) -> Self {
        let redactor = Redactor::default();
        for secret in secrets {
            redactor.learn("KEY", &Secret::new(*secret));
        }
        Self { secrets: KnownSecrets::of(&redactor), redactor, pieces: Vec::new() }
    }

    /// Nor may ten characters of `word` appear, a secret that is planted whole or where it is seen to be cut.
    #[must_use]
    pub fn nor_piece_of(mut self, word: &'static str) -> Self {
        const PIECE: usize = 10;
        self.pieces.extend((PIECE..=word.len()).map(|end| &word[end - PIECE..end]));
        self
    }

    /// Whether `text` holds a piece of a word whose pieces may not appear.
    pub fn holds_piece(&self, text: &str) -> bool {
        self.pieces.iter().any(|piece| text.contains(piece))
    }

    /// Fails where what `show` writes breaks the promise: to a pipe, to two sorts of screen, or as JSON.
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

    /// Fails where an error that is told in full breaks the promise.
    #[track_caller]
    pub fn tells(&self, error: &Error) {
        self.shows(|ui| ui.last_word(error));
    }

    /// Fails where a line that is about to be written breaks the promise.
    #[track_caller]
    pub fn allows(&self, line: &str) {
        let invisible = line.chars().find(|character| is_invisible(*character));
        assert_eq!(invisible, None, "in {line:?}");
        assert!(self.secrets.find(line.as_bytes()).is_empty(), "a secret in {line:?}");
        assert!(!self.holds_piece(line), "a piece of a secret in {line:?}");
    }
}

/// Controls, what separates lines, turns the writing around, annotates, or may be left out by whoever shows it, as
/// Unicode lists it.
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
