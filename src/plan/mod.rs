//! What a command would write, as a value: [`Plan`] and [`Change`], and its unified diff.
//!
//! Writes nothing; [`crate::apply`] does.

pub mod addons;
pub mod agents;
pub mod collector;
pub(crate) mod compare;
pub mod compose_changes;
pub mod devcontainer;
pub mod diff;
pub mod gitpod;
pub mod instrument;
pub mod ports;
pub mod project_proof;
pub mod telemetry;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use foldhash::HashSet;

use crate::compose::{File, Model};
use crate::edit::refusal::{Edit, Refusal};
use crate::error::{Error, ErrorCode, Result};

use compose_changes::ComposeChanges;

/// Everything one command would write, and what it has to say about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// One per file, no file twice; a file whose bytes stay is not here.
    pub changes: Vec<Change>,
    /// What the person should know before saying yes.
    pub notes: Vec<Note>,
    /// What the person does by hand before this program can go on, each on one line: a command, or a line and where it goes.
    pub steps: Vec<String>,
    /// What it changes in the meaning of the compose project, to be proven on the whole of it.
    pub compose: ComposeChanges,
}

/// One file before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Absolute path.
    pub path: PathBuf,
    /// The text as it was read; `None` where no file was.
    pub before: Option<Arc<str>>,
    /// The text as it will be; `None` where no file will be.
    pub after: Option<Arc<str>>,
    /// How the bytes get there.
    pub writing: Writing,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// A new file takes the old one's place at once; mode, owner and symlink target stay.
    Replace,
    /// The bytes are overwritten where they lie, for files somebody watches by inode (`.gitpod.yml`).
    InPlace,
}

/// One line for the person, with its weight.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Note {
    /// How much it matters.
    pub level: Level,
    /// Lowercase, without a full stop.
    pub text: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// How much a [`Note`] matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Evidence for a decision that was taken.
    Fact,
    /// Something the person would want to change.
    Warning,
}

impl Note {
    /// Evidence for a decision.
    pub fn fact(text: impl Into<String>) -> Self {
        Self { level: Level::Fact, text: text.into(), hint: None }
    }

    /// Something the person would want to change.
    pub fn warning(text: impl Into<String>) -> Self {
        Self { level: Level::Warning, text: text.into(), hint: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Plan {
    /// No file would change.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Adds a change, unless the bytes stay as they are.
    pub fn change(&mut self, change: Change) {
        if change.before != change.after {
            self.changes.push(change);
        }
    }

    /// Adds what an edit of the file at `path` changes, and what the editor has to say of the file.
    pub fn edited(&mut self, path: &Path, before: Option<Arc<str>>, edit: Edit, writing: Writing) {
        for warning in edit.warnings {
            self.notes.push(Note::warning(format!(
                "{}:{}: {}",
                path.display(),
                warning.line,
                warning.text
            )));
        }
        self.compose.keep_tree(path, edit.tree);
        self.change(Change { path: path.to_owned(), before, after: Some(edit.text), writing });
    }

    /// Edits a compose file on top of what is planned for it already.
    ///
    /// # Errors
    /// `unsafe-edit` where `edit` refuses.
    pub fn amend(
        &mut self,
        model: &Model,
        path: &Path,
        edit: impl FnOnce(&str) -> std::result::Result<Edit, Refusal>,
    ) -> Result<()> {
        let file = find_file(model, path)?;
        let edit = |text: &str| edit(text).map_err(|refusal| refusal.into_error(path));
        match self.changes.iter_mut().find(|change| change.path == path) {
            // What stands in the file was told of by the edit before.
            Some(change) => {
                let planned = change.after.as_deref().unwrap_or_default();
                let edit = edit(planned)?;
                if change.after.as_ref() != Some(&edit.text) {
                    self.compose.keep_tree(path, edit.tree);
                }
                change.after = Some(edit.text);
            }
            None => {
                let edit = edit(&file.text)?;
                self.edited(path, Some(Arc::clone(&file.text)), edit, Writing::Replace);
            }
        }
        Ok(())
    }

    /// Adds what another plan would write, and what it has to say and was not said already.
    pub fn extend(&mut self, other: Plan) {
        self.changes.extend(other.changes);
        let mut known: HashSet<&Note> = self.notes.iter().collect();
        let is_new: Vec<bool> = other.notes.iter().map(|note| known.insert(note)).collect();
        let notes = other.notes.into_iter().zip(is_new);
        self.notes.extend(notes.filter_map(|(note, is_new)| is_new.then_some(note)));
        self.steps.extend(other.steps);
        self.compose.extend(other.compose);
    }
}

/// Returns a file that the compose project was read from.
///
/// # Errors
/// `internal` for any other.
fn find_file<'m>(model: &'m Model, path: &Path) -> Result<&'m File> {
    let file = model.files.iter().find(|file| file.path == path);
    file.ok_or_else(|| Error::new(ErrorCode::Internal, format!("{} was not read", path.display())))
}
