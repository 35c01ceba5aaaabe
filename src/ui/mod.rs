//! The terminal: results on stdout, messages on stderr, questions, colour.
//!
//! Decides nothing: callers say what to show and ask. Any text may come from anywhere: it becomes [`RedactedText`] before it
//! is cut or written, as one line, so that no text can change colours or start another line.

mod answer;
pub mod fault;
pub(crate) mod heatmap;
pub mod interrupt;
mod layout;
mod log_commands;
mod output;
pub(crate) mod paint;
pub(crate) mod painted;
pub(crate) mod progress;
pub(crate) mod prompt;
pub mod table;
pub mod terminal;
pub(crate) mod text;
mod theme;
pub(crate) mod verdict;
pub mod waterfall;

use std::borrow::Cow;
use std::io::Write;
use std::ops::Range;

use foldhash::{HashMap, HashMapExt};
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Error, ErrorCode, Result};
use crate::plan::diff::{DiffLine, DiffLineKind};
use crate::plan::{Note, NoteLevel};
use crate::secret::{Redactor, printable_json};

pub(crate) use layout::line_without_secrets;
pub use output::stdout_write_result;
use output::{OutputStream, write_line, write_text};
pub use paint::{StreamLook, TextRole};
pub use painted::PaintedLine;
pub use progress::ProgressLine;
pub use prompt::Interactivity;
pub use text::LineStyle;

/// The amount of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// Only results, warnings and errors.
    Quiet,
    /// The usual output.
    #[default]
    Normal,
    /// Evidence and timings as well.
    Verbose,
}

/// The format of the result on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// Text for people.
    Text,
    /// One JSON document.
    Json,
}

/// The user interface of a run.
pub struct Ui {
    out: OutputStream,
    err: Box<dyn Write + Send>,
    redactor: Redactor,
    /// The style of stderr.
    pub look: StreamLook,
    /// The style of stdout.
    pub result_look: StreamLook,
    verbosity: Verbosity,
    json: bool,
    documented: bool,
    interactivity: Interactivity,
    progress: ProgressLine,
}

impl std::fmt::Debug for Ui {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ui").field("interactivity", &self.interactivity).finish_non_exhaustive()
    }
}

impl Ui {
    /// Returns a user interface with plain streams.
    pub fn new(
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
        redactor: Redactor,
        interactivity: Interactivity,
    ) -> Self {
        Self {
            out: OutputStream::new(out),
            err,
            redactor,
            look: StreamLook::plain(),
            result_look: StreamLook::plain(),
            verbosity: Verbosity::Normal,
            json: false,
            documented: false,
            interactivity,
            progress: ProgressLine::default(),
        }
    }

    /// Sets the style of stdout and stderr.
    #[must_use]
    pub fn with_look(mut self, result: StreamLook, talk: StreamLook) -> Self {
        self.result_look = result;
        self.look = talk;
        self
    }

    /// Sets the amount of output, and the format of stdout.
    #[must_use]
    pub fn with_voice(mut self, verbosity: Verbosity, format: OutputFormat) -> Self {
        self.verbosity = verbosity;
        self.json = format == OutputFormat::Json;
        self
    }

    /// Returns the redactor for all output.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Returns whether questions can be answered.
    pub fn interactive(&self) -> bool {
        self.interactivity == Interactivity::Interactive
    }

    /// Returns whether a terminal shows stdout; otherwise another program or a file gets it.
    pub fn is_result_on_terminal(&self) -> bool {
        self.result_look.wraps
    }

    /// Returns whether stdout gets one JSON document instead of text.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Returns the amount of output.
    pub fn verbosity(&self) -> Verbosity {
        self.verbosity
    }

    /// Returns the pen for lines of the result.
    pub fn result_pen(&self) -> LineStyle {
        LineStyle::new(self.result_look, &self.redactor)
    }

    /// Returns the pen for messages.
    pub fn pen(&self) -> LineStyle {
        LineStyle::new(self.look, &self.redactor)
    }

    /// Prints a line of the result on stdout; nothing under `--json`.
    pub fn result(&mut self, line: impl Into<PaintedLine>) {
        if !self.json {
            let text = line.into().render(&self.result_look, &self.redactor);
            write_text(&mut self.out, &text);
        }
    }

    /// Switches this run to JSON output, as under `--json`.
    pub fn answer_as_json(&mut self) {
        self.json = true;
    }

    /// Prints the JSON document of this run on stdout; nothing without `--json`. Only `listen` prints several, one
    /// per line.
    ///
    /// # Errors
    /// When the document cannot be written as JSON.
    pub fn document(&mut self, document: &impl Serialize) -> Result<()> {
        if self.json {
            let mut document = serde_json::to_value(document).map_err(|error| {
                Error::new(ErrorCode::Internal, "the result cannot be written as JSON").cause(error)
            })?;
            redact_document(&mut document, &self.redactor);
            let text = document.to_string();
            let text = printable_json(&text);
            write_line(&mut self.out, &log_commands::escape_json_log_commands(&text));
            self.documented = true;
        }
        Ok(())
    }

    /// Prints the error that ends this run: on stderr, and as the JSON document unless one was printed.
    pub fn end_with_error(&mut self, error: &Error) {
        self.error(error);
        self.document_error(error);
    }

    /// Prints text on stdout that is formatted already, such as the help of a command; nothing under `--json`.
    pub fn formatted_result(&mut self, text: &str) {
        if !self.json {
            for line in text.lines() {
                write_line(&mut self.out, line);
            }
        }
    }

    /// Prints usage errors, in preformatted lines.
    pub fn usage(&mut self, text: &str) {
        for line in text.lines() {
            self.put(line);
        }
    }

    /// Prints the error as the JSON document unless one was printed.
    pub fn document_error(&mut self, error: &Error) {
        if !self.documented {
            let mut error = error.clone();
            if let Some(position) = &mut error.place {
                position.text = layout::line_without_secrets(position);
            }
            // A document of strings always serialises.
            let _ = self.document(&json!({"schema_version": 1, "error": error}));
        }
    }

    /// Prints a line as a result or, under `--json`, as a message: for text that accompanies a stream of documents.
    pub fn accompany(&mut self, line: impl Into<PaintedLine>) {
        if self.json {
            self.say(line);
        } else {
            self.result(line);
        }
    }

    /// Prints a message on stderr; nothing under `-q`. An indented line is not wrapped.
    pub fn say(&mut self, line: impl Into<PaintedLine>) {
        if self.verbosity > Verbosity::Quiet {
            for line in self.broken_line(&self.look, line.into(), 0) {
                self.put(line);
            }
        }
    }

    /// Prints a heading after an empty line.
    pub fn section(&mut self, heading: &str) {
        self.say("");
        self.say(TextRole::Strong.paint(heading));
    }

    /// Prints a message under `-v`.
    pub fn detail(&mut self, line: impl Into<String>) {
        if self.verbosity == Verbosity::Verbose {
            self.put(TextRole::Faint.paint(line));
        }
    }

    /// Prints a warning on stderr, also under `-q`.
    pub fn warn(&mut self, text: impl AsRef<str>, hint: Option<&str>) {
        self.put_behind(TextRole::Warning.paint("warning:") + " ", text.as_ref(), 2);
        if let Some(hint) = hint {
            self.hint(hint);
        }
    }

    /// Prints a note of a plan: warnings always, facts unless `-q`.
    pub fn note(&mut self, note: &Note) {
        match note.level {
            NoteLevel::Warning => self.warn(&note.text, note.hint.as_deref()),
            NoteLevel::Fact if self.verbosity > Verbosity::Quiet => {
                self.put_behind("  ", &note.text, 4);
                if let Some(hint) = &note.hint {
                    self.hint(hint);
                }
            }
            NoteLevel::Fact => {}
        }
    }

    fn hint(&mut self, hint: &str) {
        self.put_behind(PaintedLine::from("  ") + TextRole::Hint.paint("hint:") + " ", hint, 4);
    }

    /// Prints a diff before its confirmation on stderr, also under `-q`: nothing is confirmed unseen.
    pub fn diff(&mut self, lines: &[DiffLine]) {
        let look = self.look;
        if let Some(shown) = self.drawn(lines, &look) {
            write_text(&mut self.err, &shown);
        }
    }

    /// Prints a diff as the result on stdout; nothing under `--json`.
    pub fn diff_alone(&mut self, lines: &[DiffLine]) {
        let look = self.result_look;
        if let Some(shown) = self.drawn(lines, &look).filter(|_| !self.json) {
            write_text(&mut self.out, &shown);
        }
    }

    /// Renders a diff to one text for a single write; repeated lines, of which a diff of ten thousand services has
    /// many, are rendered once.
    fn drawn(&self, lines: &[DiffLine], look: &StreamLook) -> Option<String> {
        let mut shown = String::new();
        let mut known: HashMap<(DiffLineKind, &str), Range<usize>> = HashMap::new();
        for (number, line) in lines.iter().enumerate() {
            if number > 0 {
                shown.push('\n');
            }
            let start = shown.len();
            match known.get(&(line.kind, line.text.as_str())) {
                Some(alike) => shown.extend_from_within(alike.clone()),
                None => {
                    shown += &role_of(line.kind).paint(&line.text).render(look, &self.redactor);
                    known.insert((line.kind, &line.text), start..shown.len());
                }
            }
        }
        (!lines.is_empty()).then_some(shown)
    }

    /// Prints an error in full: code, message, place, cause, hints, lines to paste.
    pub fn error(&mut self, error: &Error) {
        let label = TextRole::Error.paint(format!("error[{}]:", error.code));
        self.put_behind(label + " ", &error.message, 2);
        if let Some(position) = &error.place {
            self.put(format!(
                "  --> {}:{}:{}",
                position.path.display(),
                position.line,
                position.column
            ));
            let gutter = position.line.to_string();
            let margin = " ".repeat(gutter.len());
            let (shown, before) = self.excerpt(position, 0);
            self.put(format!("   {gutter} | {shown}"));
            self.put(
                PaintedLine::from(format!("   {margin} | {before}")) + TextRole::Error.paint("^"),
            );
        }
        if let Some(cause) = &error.cause {
            self.put_behind(
                PaintedLine::from("  ") + TextRole::Strong.paint("cause:") + " ",
                cause,
                4,
            );
        }
        for hint in &error.hints {
            self.hint(hint);
        }
        if let Some(paste) = &error.paste {
            self.put("  paste this by hand:");
            self.put("");
            for line in paste.lines() {
                self.put(line);
            }
        }
    }

    fn put(&mut self, line: impl Into<PaintedLine>) {
        self.progress_done();
        let text = line.into().render(&self.look, &self.redactor);
        write_text(&mut self.err, &text);
    }
}

fn role_of(sort: DiffLineKind) -> TextRole {
    match sort {
        DiffLineKind::File => TextRole::Strong,
        DiffLineKind::Hunk => TextRole::Hint,
        DiffLineKind::Context => TextRole::Plain,
        DiffLineKind::Removed => TextRole::Removed,
        DiffLineKind::Added => TextRole::Added,
    }
}

/// Redacts every string of a document, keys included, before serialisation: escaping would hide secrets from the
/// redactor.
fn redact_document(document: &mut Value, redactor: &Redactor) {
    match document {
        Value::String(text) => *text = redactor.redact(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(|item| redact_document(item, redactor)),
        Value::Object(members) => {
            members.values_mut().for_each(|value| redact_document(value, redactor));
            if members.keys().any(|name| matches!(redactor.redact(name), Cow::Owned(_))) {
                let named = std::mem::take(members).into_iter();
                members.extend(
                    named.map(|(name, value)| (redactor.redact(&name).into_owned(), value)),
                );
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
