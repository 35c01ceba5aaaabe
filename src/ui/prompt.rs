//! Questions. Each names the flag that answers it without a terminal.

use std::io::Read;

use dialoguer::theme::Theme;
use dialoguer::{Confirm, Input, MultiSelect, Password};
use zeroize::Zeroizing;

use super::Ui;
use super::interrupt;
use super::terminal::{Hushed, drop_waiting_input};
use super::theme::question_theme;
use crate::error::{Error, ErrorCode, Result};
use crate::secret::{Secret, Shown};

/// One answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// The word to type; its first letter, which is unique, is enough.
    pub word: &'static str,
    /// The meaning, if the word alone does not say it.
    pub meaning: Option<&'static str>,
}

impl Ui {
    /// Asks for confirmation; `flag` answers it without a terminal. Input from before the question is
    /// discarded.
    ///
    /// # Errors
    /// `answer-missing` without a terminal, `interrupted` when the input ends.
    pub fn confirm(&mut self, question: &str, flag: &str, default: bool) -> Result<bool> {
        self.require_terminal(question, flag)?;
        /// The space around the question: a mark, the answers, and the chosen one.
        const AROUND: usize = 16;
        let theme = self.theme();
        drop_waiting_input();
        let question = self.short(question, AROUND, "Yes or no?");
        Confirm::with_theme(&*theme)
            .with_prompt(question)
            .default(default)
            .wait_for_newline(true)
            .interact()
            .map_err(ended)
    }

    /// Asks for one of `choices`, by default the first; returns its index. `flag` and earlier input are treated as in
    /// [`Ui::confirm`].
    ///
    /// # Errors
    /// As [`Ui::confirm`].
    pub fn pick(&mut self, question: &str, flag: &str, choices: &[Choice]) -> Result<usize> {
        self.require_terminal(question, flag)?;
        let letters: Vec<String> = choices.iter().map(Choice::shown).collect();
        let around = letters.join("/");
        let theme = self.theme();
        drop_waiting_input();
        let question = self.short(question, around.len() + 8, "Your answer?");
        let asked = Input::<String>::with_theme(&*theme)
            .with_prompt(format!("{question} ({around})"))
            .allow_empty(true)
            .validate_with(|typed: &String| match picked(typed, choices) {
                Some(_) => Ok(()),
                None => Err(format!("one of {around} is needed")),
            })
            .interact_text();
        Ok(picked(&asked.map_err(ended)?, choices).unwrap_or_default())
    }

    /// Returns the question if it leaves `around` columns free; else prints it in full and returns `instead`, because
    /// a wrapped line would stay on the screen when the answer is drawn over it.
    fn short(&mut self, question: &str, around: usize, instead: &str) -> String {
        let shown = self.redactor().show(question);
        if shown.columns() + around <= self.look.width {
            return shown.into();
        }
        self.put_behind("", question, 0);
        instead.to_owned()
    }

    /// Asks for a line of text.
    ///
    /// # Errors
    /// As [`Ui::confirm`].
    pub fn ask(&mut self, question: &str, flag: &str, default: Option<&str>) -> Result<String> {
        self.require_terminal(question, flag)?;
        let theme = self.theme();
        let mut input = Input::<String>::with_theme(&*theme)
            .with_prompt(self.redactor().show(question))
            .allow_empty(true);
        if let Some(default) = default {
            input = input.default(default.to_owned());
        }
        Ok(strip_paste(&input.interact_text().map_err(ended)?))
    }

    /// Asks which of `items` to choose; `chosen` are the initial ones. Returns the indexes.
    ///
    /// # Errors
    /// As [`Ui::confirm`].
    pub fn choose(
        &mut self,
        question: &str,
        flag: &str,
        items: &[Shown],
        chosen: &[bool],
    ) -> Result<Vec<usize>> {
        self.require_terminal(question, flag)?;
        let theme = self.theme();
        drop_waiting_input();
        MultiSelect::with_theme(&*theme)
            .with_prompt(self.redactor().show(question))
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
            .with_prompt(self.redactor().show(question))
            .allow_empty_password(true)
            .report(false)
            .interact()
            .map_err(ended)?;
        Ok(Secret::new(strip_paste(&text)))
    }

    /// Reads a secret from stdin to its end, without the trailing newline.
    ///
    /// # Errors
    /// `unreadable-stdin` when it cannot be read, is not text, or is longer than any key.
    pub fn read_secret(&self) -> Result<Secret> {
        const LONGEST: u64 = 64 * 1024;
        let unreadable =
            || Error::new(ErrorCode::UnreadableStdin, "no key could be read from stdin");
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
        Err(Error::new(
            ErrorCode::AnswerMissing,
            format!("there is no terminal to answer: {question}"),
        )
        .hint(format!("`{flag}` answers it")))
    }

    fn theme(&self) -> Box<dyn Theme> {
        question_theme(&self.look)
    }
}

/// Removes from a pasted line the marks a terminal adds around it, and the white space around those.
fn strip_paste(text: &str) -> String {
    text.replace("\u{1b}[200~", "").replace("\u{1b}[201~", "").trim().to_owned()
}

impl Choice {
    /// Returns the answer as shown: `y`, or `w: without the code`.
    fn shown(&self) -> String {
        let letter = &self.word[..1];
        self.meaning.map_or_else(|| letter.to_owned(), |meaning| format!("{letter}: {meaning}"))
    }
}

/// Returns the choice that was typed: by its word, or its first letter.
fn picked(typed: &str, choices: &[Choice]) -> Option<usize> {
    let typed = strip_paste(typed).to_lowercase();
    if typed.is_empty() {
        return Some(0);
    }
    choices.iter().position(|one| one.word == typed || one.word[..1] == typed)
}

fn ended(error: dialoguer::Error) -> Error {
    let dialoguer::Error::IO(error) = error;
    if error.kind() == std::io::ErrorKind::Interrupted {
        interrupt::give_way();
    }
    // Restore the cursor that an interrupted menu hides or an interrupted question leaves in its line.
    let terminal = console::Term::stderr();
    drop(terminal.show_cursor().and_then(|()| terminal.write_line("")));
    match error.kind() {
        std::io::ErrorKind::Interrupted | std::io::ErrorKind::UnexpectedEof => Error::interrupted(),
        _ => Error::new(ErrorCode::Terminal, "the terminal could not be read").cause(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_typed_only_as_its_letter_or_its_word() {
        let choice = |word, meaning| Choice { word, meaning };
        let choices = [choice("yes", None), choice("no", None), choice("without", Some("code"))];
        for (typed, place) in [
            ("", Some(0)),
            ("y", Some(0)),
            (" N ", Some(1)),
            ("no", Some(1)),
            ("W", Some(2)),
            ("without", Some(2)),
            ("nn", None),
            ("yw", None),
            ("1", None),
        ] {
            assert_eq!(picked(typed, &choices), place, "{typed:?}");
        }
        assert_eq!(choices[2].shown(), "w: code");
    }
}
