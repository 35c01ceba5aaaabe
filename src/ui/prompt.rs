//! Questions. Each names the flag that answers it without a terminal.

use std::io::Read;

use dialoguer::MultiSelect;
use dialoguer::theme::Theme;
use zeroize::Zeroizing;

use super::Ui;
use super::answer::{escape_error, read_choice, read_hidden_line, read_line};
use super::interrupt;
use super::terminal::drop_waiting_input;
use super::text::{LineStyle, count_columns, wrap_text};
use super::theme::question_theme;
use crate::error::{Error, ErrorCode, Result};
use crate::secret::{RedactedText, Secret};

/// The answer to a confirmation if the user only presses Enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultAnswer {
    /// The user agrees.
    Yes,
    /// The user declines.
    No,
}

/// The use of questions and progress lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interactivity {
    /// A terminal shows questions and progress lines, and the user can answer.
    Interactive,
    /// Questions are errors.
    Batch,
}

/// One answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromptChoice {
    /// The answer; its first letter, which is unique, chooses it.
    pub word: &'static str,
    /// The meaning, if the word alone does not say it.
    pub meaning: Option<&'static str>,
}

impl Ui {
    /// Asks for confirmation; `flag` answers it without a terminal. Input from before the question is
    /// discarded.
    ///
    /// # Errors
    /// `answer-missing` without a terminal, `interrupted` after Escape and when the input ends.
    pub fn confirm(&mut self, question: &str, flag: &str, default: DefaultAnswer) -> Result<bool> {
        let first = usize::from(default == DefaultAnswer::No);
        let picked = self.read_pick(question, flag, ("Yes or no?", &YES_OR_NO), first)?;
        Ok(picked == 0)
    }

    /// Asks for one of `choices`, by default the first; returns its index. `flag` and earlier input are treated as in
    /// [`Ui::confirm`].
    ///
    /// # Errors
    /// As [`Ui::confirm`].
    pub fn pick(&mut self, question: &str, flag: &str, choices: &[PromptChoice]) -> Result<usize> {
        self.read_pick(question, flag, ("Your answer?", choices), 0)
    }

    fn read_pick(
        &mut self,
        question: &str,
        flag: &str,
        (short_question, choices): (&str, &[PromptChoice]),
        first: usize,
    ) -> Result<usize> {
        self.require_terminal(question, flag)?;
        /// The mark before the question, and the characters between it and the answers.
        const MARGIN: usize = 9;
        let widest = choices.iter().map(|choice| choice.word.len()).max().unwrap_or_default();
        let reserved = list_choices(choices).len() + widest + MARGIN;
        let theme = self.theme();
        drop_waiting_input();
        let question = self.short(question, reserved, short_question);
        read_choice(&*theme, &question, choices, first).map_err(prompt_error)
    }

    /// Returns the question if it leaves `around` columns free; else prints it in full and returns `instead`, because
    /// a wrapped line would stay on the screen when the answer is drawn over it.
    fn short(&mut self, question: &str, reserved: usize, instead: &str) -> String {
        let shown = self.redactor().show(question);
        if shown.columns() + reserved <= self.look.width {
            return shown.into();
        }
        self.put_behind("", question, 0);
        instead.to_owned()
    }

    /// Asks for a line of text.
    ///
    /// # Errors
    /// As [`Ui::confirm`].
    pub fn ask(&mut self, question: &str, flag: &str) -> Result<String> {
        self.require_terminal(question, flag)?;
        let question = self.redactor().show(question);
        read_line(&*self.theme(), question.as_str(), strip_paste).map_err(prompt_error)
    }

    /// Asks which of `items` to choose; `chosen` are the initial ones. Returns the indexes.
    ///
    /// # Errors
    /// As [`Ui::confirm`].
    pub fn choose(
        &mut self,
        question: &str,
        flag: &str,
        items: &[RedactedText],
        chosen: &[bool],
    ) -> Result<Vec<usize>> {
        self.require_terminal(question, flag)?;
        /// The mark before the question and the one behind it.
        const MARGIN: usize = 5;
        let theme = self.theme();
        drop_waiting_input();
        let question = self.short(question, MARGIN, "Which ones?");
        MultiSelect::with_theme(&*theme)
            .with_prompt(question)
            .items(items)
            .defaults(chosen)
            .report(false)
            .interact_opt()
            .map_err(|dialoguer::Error::IO(error)| prompt_error(error))?
            .ok_or_else(|| prompt_error(escape_error()))
    }

    /// Returns the entries of a list, broken into lines if the screen has room for all of them, else cut to one line
    /// each. Also returns which are complete.
    pub fn fit_entries(&self, entries: &[RedactedText]) -> (Vec<RedactedText>, Vec<bool>) {
        let rows = usize::from(console::Term::stderr().size().0);
        fit_entries(entries, rows, &self.pen())
    }

    /// Asks for a secret without showing it.
    ///
    /// # Errors
    /// As [`Ui::confirm`].
    pub fn ask_secret(&mut self, question: &str, flag: &str) -> Result<Secret> {
        self.require_terminal(question, flag)?;
        let question = self.redactor().show(question);
        let text = read_hidden_line(&*self.theme(), question.as_str()).map_err(prompt_error)?;
        // A hidden line is read whole: Escape is in it.
        if *text == "\u{1b}" {
            return Err(prompt_error(escape_error()));
        }
        Ok(Secret::new(strip_paste(&text)))
    }

    /// Reads a secret from stdin to its end, without the trailing newline.
    ///
    /// # Errors
    /// `unreadable-stdin` when it cannot be read, is not text, or is longer than any key.
    pub fn read_secret(&self) -> Result<Secret> {
        const MAX_SECRET_BYTES: u64 = 64 * 1024;
        let unreadable =
            || Error::new(ErrorCode::UnreadableStdin, "no key could be read from stdin");
        let mut text = Zeroizing::new(String::new());
        let read = std::io::stdin()
            .lock()
            .take(MAX_SECRET_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(|error| unreadable().cause(error))?;
        if read as u64 > MAX_SECRET_BYTES {
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

const YES_OR_NO: [PromptChoice; 2] =
    [PromptChoice { word: "yes", meaning: None }, PromptChoice { word: "no", meaning: None }];

/// Returns the keys of the choices: `y/n`, or `y/n/w: without the code`.
pub(super) fn list_choices(choices: &[PromptChoice]) -> String {
    let keys = choices.iter().map(|choice| {
        let letter = &choice.word[..1];
        choice.meaning.map_or_else(|| letter.to_owned(), |meaning| format!("{letter}: {meaning}"))
    });
    keys.collect::<Vec<_>>().join("/")
}

/// The width of the widest mark before a list entry: `> [x] `.
const MARK_COLUMNS: usize = 6;

/// The rows of a list that are not entries.
const AROUND_ENTRIES: usize = 3;

fn fit_entries(
    entries: &[RedactedText],
    rows: usize,
    pen: &LineStyle,
) -> (Vec<RedactedText>, Vec<bool>) {
    // One column stays free, because a full line moves the cursor of some terminals to the next one.
    let columns = pen.look.width.saturating_sub(MARK_COLUMNS + 1);
    let broken: Vec<Vec<String>> = entries.iter().map(|entry| wrap_text(entry, columns)).collect();
    let lines = broken.iter().map(Vec::len).sum::<usize>();
    // The terminal would break a longer line, and leave remains of it when the list is redrawn.
    let is_narrow = broken.iter().flatten().all(|line| count_columns(line) <= columns);
    if is_narrow && lines + AROUND_ENTRIES <= rows {
        let margin = format!("\n{}", " ".repeat(MARK_COLUMNS));
        let whole =
            entries.iter().zip(broken).map(|(entry, lines)| entry.map(|_| lines.join(&margin)));
        return (whole.collect(), vec![true; entries.len()]);
    }
    let cut = entries.iter().map(|entry| pen.cut(entry, columns));
    (cut.collect(), entries.iter().map(|entry| entry.columns() <= columns).collect())
}

fn prompt_error(error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::Interrupted {
        interrupt::yield_to_interrupt();
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
    use crate::secret::Redactor;
    use crate::ui::StreamLook;

    #[test]
    fn an_entry_keeps_its_reason_on_a_narrow_screen_with_room_below() {
        let reason = "web  built here from ./web, a browser frontend: react in package.json, which is public";
        let entries = ["api  Flask in requirements.txt", reason].map(RedactedText::from);
        for (width, rows, whole) in
            [(60, 24, true), (80, 24, true), (120, 24, true), (60, 5, false)]
        {
            let look = StreamLook { width, ..StreamLook::plain() };
            let (shown, complete) =
                fit_entries(&entries, rows, &LineStyle::new(look, &Redactor::default()));
            assert_eq!(complete, [true, whole], "{width} {rows}");
            let lines = shown.iter().flat_map(|entry| entry.as_str().lines());
            assert!(lines.clone().all(|line| count_columns(line) < width), "{shown:?}");
            assert!(lines.count() + AROUND_ENTRIES <= rows, "{shown:?}");
            let words = shown[1].as_str().split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(words == reason.replace("  ", " "), whole, "{words}");
        }
    }

    #[test]
    fn an_entry_is_broken_only_if_its_line_is_too_long() {
        let look = StreamLook { width: 80, ..StreamLook::plain() };
        let pen = LineStyle::new(look, &Redactor::default());
        for (length, lines) in [(73, 1), (74, 2)] {
            let entry = Redactor::default().show(&format!("api  {}", "x".repeat(length - 5)));
            let (shown, _) = fit_entries(&[entry], 24, &pen);
            assert_eq!(shown[0].as_str().lines().count(), lines, "{shown:?}");
        }
    }
}
