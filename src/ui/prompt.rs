//! Questions. Each names the flag that answers it, for when nobody is there to ask.

use std::io::Read;

use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use dialoguer::{Confirm, Input, MultiSelect, Password};
use zeroize::Zeroizing;

use super::Ui;
use super::terminal::Hushed;
use crate::error::{Error, Result};
use crate::secret::Secret;

impl Ui {
    /// Asks for a yes; `flag` is what answers it without a terminal.
    ///
    /// # Errors
    /// `answer-missing` without a terminal, `interrupted` when the input ends.
    pub fn confirm(&mut self, question: &str, flag: &str, default: bool) -> Result<bool> {
        self.require_terminal(question, flag)?;
        /// What stands around the question: a mark, the answers, the one that was given.
        const AROUND: usize = 16;
        let theme = self.theme();
        let mut question = self.redactor().redact(question).into_owned();
        // What is broken over lines would stay on the screen when the answer is drawn over it.
        if question.chars().count() + AROUND > self.look.width {
            self.put(&self.hanging(&question, 0, 0));
            question = "Yes or no?".to_owned();
        }
        Confirm::with_theme(&*theme)
            .with_prompt(question)
            .default(default)
            .wait_for_newline(true)
            .interact()
            .map_err(ended)
    }

    /// Asks for a line of text.
    ///
    /// # Errors
    /// As [`Ui::confirm`].
    pub fn ask(&mut self, question: &str, flag: &str, default: Option<&str>) -> Result<String> {
        self.require_terminal(question, flag)?;
        let theme = self.theme();
        let mut input =
            Input::<String>::with_theme(&*theme).with_prompt(question).allow_empty(true);
        if let Some(default) = default {
            input = input.default(default.to_owned());
        }
        Ok(strip_paste(&input.interact_text().map_err(ended)?))
    }

    /// Asks which of `items` are meant; `chosen` says which are from the start. Answers with their places.
    ///
    /// # Errors
    /// As [`Ui::confirm`].
    pub fn choose(
        &mut self,
        question: &str,
        flag: &str,
        items: &[String],
        chosen: &[bool],
    ) -> Result<Vec<usize>> {
        self.require_terminal(question, flag)?;
        let theme = self.theme();
        MultiSelect::with_theme(&*theme)
            .with_prompt(question)
            .items(items)
            .defaults(chosen)
            .report(false)
            .interact()
            .map_err(ended)
    }

    /// Asks for a secret without showing it.
    ///
    /// # Errors
    /// As [`Ui::confirm`].
    pub fn ask_secret(&mut self, question: &str, flag: &str) -> Result<Secret> {
        self.require_terminal(question, flag)?;
        let theme = self.theme();
        let _hushed = Hushed::now();
        let text = Password::with_theme(&*theme)
            .with_prompt(question)
            .allow_empty_password(true)
            .report(false)
            .interact()
            .map_err(ended)?;
        Ok(Secret::new(strip_paste(&text)))
    }

    /// Reads a secret from stdin to its end, without the line ending.
    ///
    /// # Errors
    /// `unreadable-stdin` when it cannot be read, is no text or is longer than any key.
    pub fn read_secret(&self) -> Result<Secret> {
        const LONGEST: u64 = 64 * 1024;
        let unreadable = || Error::new("unreadable-stdin", "no key could be read from stdin");
        let mut text = Zeroizing::new(String::new());
        let read = std::io::stdin()
            .lock()
            .take(LONGEST + 1)
            .read_to_string(&mut text)
            .map_err(|error| unreadable().cause(error))?;
        if read as u64 > LONGEST {
            return Err(unreadable().cause("there is more than 64 KiB"));
        }
        Ok(Secret::new(text.trim()))
    }

    fn require_terminal(&self, question: &str, flag: &str) -> Result<()> {
        if self.interactive() {
            return Ok(());
        }
        Err(Error::new("answer-missing", format!("nobody is there to answer: {question}"))
            .hint(format!("`{flag}` answers it")))
    }

    fn theme(&self) -> Box<dyn Theme> {
        if self.look.colour { Box::new(ColorfulTheme::default()) } else { Box::new(SimpleTheme) }
    }
}

/// A pasted line without the marks a terminal puts around it, nor the white space around those.
fn strip_paste(text: &str) -> String {
    text.replace("\u{1b}[200~", "").replace("\u{1b}[201~", "").trim().to_owned()
}

fn ended(error: dialoguer::Error) -> Error {
    let dialoguer::Error::IO(error) = error;
    // A menu that is left in the middle keeps the cursor hidden, a question the cursor behind it.
    let terminal = console::Term::stderr();
    drop(terminal.show_cursor().and_then(|()| terminal.write_line("")));
    match error.kind() {
        std::io::ErrorKind::Interrupted | std::io::ErrorKind::UnexpectedEof => Error::interrupted(),
        _ => Error::new("terminal", "the terminal could not be read").cause(error),
    }
}
