//! The terminal: results to stdout, talk to stderr, questions, colour. Every byte passes the redactor.
//!
//! Decides nothing: it is told what to show and what to ask.

pub mod fault;
pub mod heatmap;
pub mod interrupt;
mod layout;
mod output;
pub mod paint;
pub mod progress;
pub mod prompt;
pub mod table;
pub mod terminal;
pub mod text;
pub mod verdict;
pub mod waterfall;

use std::borrow::Cow;
use std::io::Write;

use serde::Serialize;
use serde_json::json;

use crate::error::{Error, Result};
use crate::plan::diff::{Line, Sort};
use crate::plan::{Level, Note};
use crate::secret::Redactor;

use output::Output;
pub use output::unwritten;
pub use paint::{Look, Role};

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// Results, warnings and errors only.
    Quiet,
    /// What a person needs.
    #[default]
    Normal,
    /// Evidence and timings too.
    Verbose,
}

/// The way to the person.
pub struct Ui {
    out: Output,
    err: Box<dyn Write + Send>,
    redactor: Redactor,
    /// How text may look on stderr.
    pub look: Look,
    /// How text may look on stdout.
    pub result_look: Look,
    verbosity: Verbosity,
    json: bool,
    documented: bool,
    interactive: bool,
}

impl std::fmt::Debug for Ui {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ui").field("interactive", &self.interactive).finish_non_exhaustive()
    }
}

impl Ui {
    /// A way to a person; `interactive` says that somebody can answer questions.
    pub fn new(
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
        redactor: Redactor,
        interactive: bool,
    ) -> Self {
        Self {
            out: Output::new(out),
            err,
            redactor,
            look: Look::plain(),
            result_look: Look::plain(),
            verbosity: Verbosity::Normal,
            json: false,
            documented: false,
            interactive,
        }
    }

    /// Sets how text may look on stdout and on stderr.
    #[must_use]
    pub fn with_look(mut self, result: Look, talk: Look) -> Self {
        self.result_look = result;
        self.look = talk;
        self
    }

    /// Sets how much is said, and whether stdout carries one JSON document instead of text.
    #[must_use]
    pub fn with_voice(mut self, verbosity: Verbosity, json: bool) -> Self {
        self.verbosity = verbosity;
        self.json = json;
        self
    }

    /// The redactor that stands on every way out.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Somebody can answer questions.
    pub fn interactive(&self) -> bool {
        self.interactive
    }

    /// stdout carries one JSON document instead of text.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// How much is said.
    pub fn verbosity(&self) -> Verbosity {
        self.verbosity
    }

    /// One line of the result, on stdout; nothing under `--json`.
    pub fn result(&mut self, line: impl AsRef<str>) {
        if !self.json {
            let text = self.redactor.redact(line.as_ref()).into_owned();
            write_line(&mut self.out, &text, &self.result_look);
        }
    }

    /// The one JSON document of this run, on stdout; nothing without `--json`. Only `listen` prints several, one per
    /// line.
    ///
    /// # Errors
    /// When the document cannot be written as JSON.
    pub fn document(&mut self, document: &impl Serialize) -> Result<()> {
        if self.json {
            let text = serde_json::to_string(document)
                .map_err(|error| Error::new("internal", "the result is no JSON").cause(error))?;
            let text = self.redactor.redact(&text).into_owned();
            write_line(&mut self.out, &text, &self.result_look);
            self.documented = true;
        }
        Ok(())
    }

    /// The failure that ends this run: in full on stderr, and as the document where there is none yet.
    pub fn last_word(&mut self, error: &Error) {
        self.error(error);
        self.undocumented(error);
    }

    /// What is wrong with the arguments, in lines that are set already.
    pub fn usage(&mut self, text: &str) {
        self.put(text);
    }

    /// A failure that was told already, as the document where there is none yet.
    pub fn undocumented(&mut self, error: &Error) {
        if !self.documented {
            // What is made of texts alone is always JSON.
            let _ = self.document(&json!({"schema_version": 1, "error": error}));
        }
    }

    /// One line of the result where results are text, else of talk: for what stands beside a stream of documents.
    pub fn beside(&mut self, line: impl AsRef<str>) {
        if self.json {
            self.say(line);
        } else {
            self.result(line);
        }
    }

    /// One line of talk, on stderr; nothing under `-q`. One that is indented is set as it is.
    pub fn say(&mut self, line: impl AsRef<str>) {
        if self.verbosity > Verbosity::Quiet {
            let line = line.as_ref();
            match line.starts_with(' ') {
                true => self.put(line),
                false => self.put(&self.hanging(line, 0, 0)),
            }
        }
    }

    /// One line of talk under `-v`.
    pub fn detail(&mut self, line: impl AsRef<str>) {
        if self.verbosity == Verbosity::Verbose {
            let line = self.look.paint(Role::Faint, line.as_ref());
            self.put(&line);
        }
    }

    /// A warning, on stderr, also under `-q`.
    pub fn warn(&mut self, text: impl AsRef<str>, hint: Option<&str>) {
        let label = self.look.paint(Role::Warning, "warning:");
        let text = self.hanging(&still(text.as_ref()), 9, 2);
        self.put(&format!("{label} {text}"));
        if let Some(hint) = hint {
            self.hint(hint);
        }
    }

    /// A note of a plan: warnings always, facts unless `-q`.
    pub fn note(&mut self, note: &Note) {
        match note.level {
            Level::Warning => self.warn(&note.text, note.hint.as_deref()),
            Level::Fact => {
                let text = self.hanging(&still(&note.text), 4, 4);
                self.say(format!("  {text}"));
                if let Some(hint) = &note.hint
                    && self.verbosity > Verbosity::Quiet
                {
                    self.hint(hint);
                }
            }
        }
    }

    fn hint(&mut self, hint: &str) {
        let label = self.look.paint(Role::Hint, "hint:");
        let hint = self.hanging(hint, 8, 4);
        self.put(&format!("  {label} {hint}"));
    }

    /// A diff that a yes is asked to, on stderr, also under `-q`: nobody says yes to what was not shown.
    pub fn diff(&mut self, lines: &[Line]) {
        let look = self.look;
        if let Some(shown) = self.drawn(lines, &look) {
            write_line(&mut self.err, &shown, &look);
        }
    }

    /// A diff that is all there is, on stdout; nothing under `--json`.
    pub fn diff_alone(&mut self, lines: &[Line]) {
        let look = self.result_look;
        if let Some(shown) = self.drawn(lines, &look).filter(|_| !self.json) {
            write_line(&mut self.out, &shown, &look);
        }
    }

    /// One text for one write: a diff of ten thousand services has many times as many lines.
    fn drawn(&self, lines: &[Line], look: &Look) -> Option<String> {
        let shown = lines.iter().map(|line| {
            let role = match line.sort {
                Sort::File => Role::Strong,
                Sort::Hunk => Role::Hint,
                Sort::Context => Role::Plain,
                Sort::Removed => Role::Removed,
                Sort::Added => Role::Added,
            };
            let text = look.paint(role, &still(&line.text));
            self.redactor.redact(&text).into_owned()
        });
        let shown: Vec<String> = shown.collect();
        (!shown.is_empty()).then(|| shown.join("\n"))
    }

    /// A failure in full: code, message, place, cause, hints, lines to paste.
    pub fn error(&mut self, error: &Error) {
        let label = self.look.paint(Role::Error, &format!("error[{}]:", error.code));
        let before = "error[]: ".len() + error.code.len();
        let message = self.hanging(&still(&error.message), before, 2);
        self.put(&format!("{label} {message}"));
        if let Some(place) = &error.place {
            self.put(&format!("  --> {}:{}:{}", place.path.display(), place.line, place.column));
            let gutter = place.line.to_string();
            let margin = " ".repeat(gutter.len());
            let (shown, before) = self.excerpt(&place.text, place.column);
            let caret = self.look.paint(Role::Error, "^");
            self.put(&format!("   {gutter} | {}", still(&shown)));
            self.put(&format!("   {margin} | {before}{caret}"));
        }
        if let Some(cause) = &error.cause {
            let label = self.look.paint(Role::Strong, "cause:");
            let cause = self.hanging(&still(cause), 9, 4);
            self.put(&format!("  {label} {cause}"));
        }
        for hint in &error.hints {
            self.hint(hint);
        }
        if let Some(paste) = &error.paste {
            self.put("  paste this by hand:");
            self.put("");
            for line in paste.lines() {
                self.put(&still(line));
            }
        }
    }

    fn put(&mut self, line: &str) {
        let text = self.redactor.redact(line).into_owned();
        write_line(&mut self.err, &text, &self.look);
    }
}

/// Text of somebody else's file or server, without what could move the cursor or colour the screen.
fn still(text: &str) -> Cow<'_, str> {
    let moves = |character: char| character.is_control() && character != '\t';
    if text.contains(moves) { Cow::Owned(text.replace(moves, "?")) } else { Cow::Borrowed(text) }
}

/// A reader that went away (`| head`) is no failure of ours.
fn write_line(stream: &mut dyn Write, line: &str, look: &Look) {
    let line = text::tamed(line, look);
    let _ = writeln!(stream, "{line}").and_then(|()| stream.flush());
}
