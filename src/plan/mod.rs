//! Planned writes, as values: [`Plan`], [`FileChange`], and the unified diff.
//!
//! Writes nothing; [`crate::apply`] does.

pub(crate) mod addons;
pub(crate) mod agents;
pub(crate) mod collector;
pub(crate) mod compare;
pub(crate) mod compose_changes;
pub(crate) mod devcontainer;
pub mod diff;
pub(crate) mod gitpod;
pub mod instrument;
pub(crate) mod ports;
pub(crate) mod project_proof;
pub(crate) mod removal;
pub(crate) mod telemetry;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use foldhash::HashSet;

use crate::compose::{ComposeModel, ProjectTextFile};
use crate::edit::refusal::{EditRefusal, EditedText};
use crate::error::{Error, ErrorCode, Result};

use compose_changes::ComposeChanges;

/// Everything one command would write, with its notes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Changes, at most one per file; only files whose bytes change.
    pub changes: Vec<FileChange>,
    /// Notes for the user, shown before the confirmation.
    pub notes: Vec<Note>,
    /// Manual steps that are needed before this program can continue, one line each: a command, or a line and where
    /// it goes.
    pub steps: Vec<String>,
    /// The changes to the meaning of the compose project, to be checked on the whole project.
    pub compose: ComposeChanges,
}

/// A file before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The absolute path.
    pub path: PathBuf,
    /// The text as read; `None` if there was no file.
    pub before: Option<Arc<str>>,
    /// The planned text; `None` to delete the file.
    pub after: Option<Arc<str>>,
    /// The way the file is written.
    pub writing: WriteMethod,
}

/// The way a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMethod {
    /// Replace the file atomically; mode, owner and symlink target stay.
    Replace,
    /// Overwrite the contents in place, for files that are watched by inode (`.gitpod.yml`).
    InPlace,
}

/// A one-line note for the user, with its level.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Note {
    /// The level.
    pub level: NoteLevel,
    /// The text: lower case, without a full stop.
    pub text: String,
    /// A hint on what to do.
    pub hint: Option<String>,
}

/// The importance of a [`Note`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoteLevel {
    /// Evidence for a decision.
    Fact,
    /// Something the user would want to change.
    Warning,
}

impl Note {
    /// Returns a note with evidence for a decision.
    pub fn fact(text: impl Into<String>) -> Self {
        Self { level: NoteLevel::Fact, text: text.into(), hint: None }
    }

    /// Returns a note on something the user would want to change.
    pub fn warning(text: impl Into<String>) -> Self {
        Self { level: NoteLevel::Warning, text: text.into(), hint: None }
    }

    /// Adds a hint on what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Plan {
    /// Returns whether no file would change.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Adds a change, unless the bytes stay the same.
    pub fn change(&mut self, change: FileChange) {
        if change.before != change.after {
            self.changes.push(change);
        }
    }

    /// Adds an edit of the file at `path`, and the editor's warnings.
    pub fn edited(
        &mut self,
        path: &Path,
        before: Option<Arc<str>>,
        edit: EditedText,
        writing: WriteMethod,
    ) {
        for warning in edit.warnings {
            self.notes.push(Note::warning(format!(
                "{}:{}: {}",
                path.display(),
                warning.line,
                warning.text
            )));
        }
        self.compose.keep_tree(path, edit.tree);
        self.change(FileChange { path: path.to_owned(), before, after: Some(edit.text), writing });
    }

    /// Edits a compose file on top of earlier planned edits.
    ///
    /// # Errors
    /// `unsafe-edit` when `edit` refuses.
    pub fn amend(
        &mut self,
        model: &ComposeModel,
        path: &Path,
        edit: impl FnOnce(&str) -> std::result::Result<EditedText, EditRefusal>,
    ) -> Result<()> {
        let file = find_file(model, path)?;
        let edit = |text: &str| edit(text).map_err(|refusal| refusal.into_error(path));
        match self.changes.iter_mut().find(|change| change.path == path) {
            // The earlier edit already reported the warnings about existing contents.
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
                self.edited(path, Some(Arc::clone(&file.text)), edit, WriteMethod::Replace);
            }
        }
        Ok(())
    }

    /// Adds the changes and new notes of another plan.
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

/// Returns a file of the compose project.
///
/// # Errors
/// `internal` for any other file.
fn find_file<'m>(model: &'m ComposeModel, path: &Path) -> Result<&'m ProjectTextFile> {
    let file = model.files.iter().find(|file| file.path == path);
    file.ok_or_else(|| Error::new(ErrorCode::Internal, format!("{} was not read", path.display())))
}
