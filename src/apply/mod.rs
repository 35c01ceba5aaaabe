//! The only writer of the user's files, and the journal that undoes changes.
//!
//! Writes all files of a plan or none: the journal is written first, each file is always completely old or new, and an
//! interrupted run can be finished or undone. Secrets are stored after the last file. Decides nothing and shows
//! nothing.

mod attributes;
mod entry;
mod entry_files;
mod expiry;
mod hunk;
mod journal_folder;
mod replacement;
mod stage;
mod take_back;
mod temporary;
mod write;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorCode, Result};
use crate::plan::{FileChange, Plan, WriteMethod};
use crate::project::{ProjectBoundary, read_text_file};
use crate::secret::Redactor;
use crate::shell::Shell;

use entry_files::{entry_numbers, entry_path};
use stage::{WriteTarget, restore_targets, stage_targets};
use write::PendingWrite;

pub use entry::{EntryDirection, EntryFileState};
pub(crate) use entry::{EntryPhase, FileEntry, JournalEntry, PortChangeEntry};
pub(crate) use write::{remove_empty, write_private};

/// The journal of a project's changes, in the user's state folder.
#[derive(Debug, Clone)]
pub struct Journal {
    folder: PathBuf,
    project: PathBuf,
    boundary: ProjectBoundary,
    redactor: Redactor,
}

/// Returns the folder of all journals: `$XDG_STATE_HOME`, else `~/.local/state`; the local data folder on Windows.
///
/// # Errors
/// `no-home` if the shell has no home folder.
pub fn state_folder(shell: &Shell) -> Result<PathBuf> {
    if let Some(folder) =
        shell.var("XDG_STATE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute())
    {
        return Ok(folder.join("cruddur-ops"));
    }
    let home = shell.home().ok_or_else(|| {
        Error::new(ErrorCode::NoHome, "no home folder to keep the undo journal in")
            .hint("`export HOME=/path/to/home`")
    })?;
    Ok(home.join(".local/state/cruddur-ops"))
}

/// Message after everything was undone.
const UNCHANGED: &str = "no file was changed";

impl Journal {
    /// Opens the journal of the project at `project` (absolute) with its `boundary`, stored below `state`.
    pub fn open(
        state: &Path,
        project: &Path,
        boundary: &ProjectBoundary,
        redactor: &Redactor,
    ) -> Self {
        let name: String =
            digest_sha256(project.as_os_str().as_encoded_bytes()).chars().take(24).collect();
        Self {
            folder: state.join(name),
            project: project.to_owned(),
            boundary: boundary.clone(),
            redactor: redactor.clone(),
        }
    }

    /// Removes temporary files of earlier runs, and expired entries.
    pub fn tidy(&self) {
        if let Some(state) = self.folder.parent() {
            expiry::remove_past(state);
        }
        let entries = self.entries().unwrap_or_default();
        let files = entries.iter().flat_map(|entry| &entry.files);
        let mut folders: Vec<&Path> = files.filter_map(|file| file.path.parent()).collect();
        folders.extend([&*self.project, &*self.folder]);
        folders.sort_unstable();
        folders.dedup();
        folders.into_iter().for_each(temporary::sweep_temporary_folders);
    }

    /// Writes every change of `plan`, or none, and records it as the last change of `command`.
    ///
    /// # Errors
    /// As [`Journal::apply_then`].
    pub fn apply(&self, plan: &Plan, command: &str) -> Result<()> {
        self.apply_then(plan, command, &[], || Ok(()))
    }

    /// Writes every change of `plan`, then calls `store` to store the secrets; undoes all of it if any step fails.
    /// `hidden` are the variables whose secrets are then in a file that the plan adds to `.gitignore`.
    ///
    /// # Errors
    /// Before anything is written: `changed-since-read`, and as [`Journal::check`]. After undoing what was written:
    /// `write-failed`, and as `store`. After everything was written: `journal-unwritable`.
    pub fn apply_then(
        &self,
        plan: &Plan,
        command: &str,
        hidden: &[&str],
        store: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        if plan.is_empty() {
            return store();
        }
        let _lock = self.lock()?;
        let files: Vec<FileEntry> =
            plan.changes.iter().map(|change| self.prepare(change)).collect::<Result<_>>()?;
        let mut entry = self.entry(command, files);
        entry.secrets = hidden.iter().map(|&name| name.to_owned()).collect();
        let files = entry.files.iter().zip(&plan.changes);
        let targets: Vec<WriteTarget> = files
            .map(|(file, change)| WriteTarget { path: &file.path, change, writing: file.writing })
            .collect();
        self.write(&targets, &entry, None, store)?;
        drop(targets);
        entry.finish();
        self.save(&entry)
            .map_err(|error| error.hint("every file was written; `cruddur-ops undo` reverts them"))
    }

    /// Writes all files and calls `then`, or undoes everything; `entry` is in the journal before the first write.
    fn write(
        &self,
        targets: &[WriteTarget],
        entry: &JournalEntry,
        earlier: Option<&JournalEntry>,
        then: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let pending = stage_targets(targets).map_err(|error| error.hint(UNCHANGED))?;
        self.save(entry).inspect_err(|_| self.put_back(entry, earlier))?;
        let mut touched = Vec::new();
        let mut finish = |write: PendingWrite| {
            let path = write.path().to_owned();
            let result = write.finish();
            if !result.as_ref().is_err_and(|error| error.code == ErrorCode::ChangedSinceRead) {
                touched.push(path);
            }
            result
        };
        let written = pending.into_iter().try_for_each(&mut finish);
        // Whether a failed store kept anything is up to its own error.
        written.and_then(|()| then()).map_err(|error| {
            if restore_targets(targets, &touched) {
                self.put_back(entry, earlier);
                error.hint(UNCHANGED)
            } else {
                error.hint("`cruddur-ops undo` reverts what was written")
            }
        })
    }

    /// Restores the previous entry in the journal. If that fails, the entry of a change that did not happen merely
    /// causes a question in the next run.
    fn put_back(&self, entry: &JournalEntry, earlier: Option<&JournalEntry>) {
        let _ = match earlier {
            Some(earlier) => self.save(earlier),
            None => self.forget(entry),
        };
    }

    /// Checks a plan without reading the texts: the location of the files, and the permission to write them.
    ///
    /// # Errors
    /// `outside-project`, `read-only`, `unreadable-file`, `write-failed`.
    pub fn check(&self, plan: &Plan) -> Result<()> {
        for change in &plan.changes {
            let target = write::resolve_write_target(&change.path, &self.boundary)?;
            write::check_writable(&target, change.writing)?;
        }
        Ok(())
    }

    /// Checks a change completely before the first byte is written.
    fn prepare(&self, change: &FileChange) -> Result<FileEntry> {
        let path = write::resolve_write_target(&change.path, &self.boundary)?;
        write::check_unchanged(&path, change.before.as_deref())?;
        write::check_writable(&path, change.writing)?;
        // A file that is overwritten in place can be left incomplete, so both texts are kept until it is complete. A
        // file with a secret is replaced instead, because the journal must not contain the secret.
        let secret = |text: Option<&str>| {
            text.is_some_and(|text| !self.redactor.conceal(text).secrets.is_empty())
        };
        let writing = match change.writing {
            WriteMethod::InPlace
                if secret(change.before.as_deref()) || secret(change.after.as_deref()) =>
            {
                WriteMethod::Replace
            }
            writing => writing,
        };
        Ok(FileEntry::new(path, change, writing, &self.redactor))
    }

    /// Returns the entries that are not undone, complete or not, newest first. Older entries that cannot be read are
    /// skipped.
    ///
    /// # Errors
    /// `journal-unreadable` if the newest cannot be read.
    pub fn entries(&self) -> Result<Vec<JournalEntry>> {
        let older = entry_numbers(&self.folder)
            .into_iter()
            .skip(1)
            .filter_map(|number| journal_folder::load(&self.folder, number).ok()?);
        Ok(self.last()?.into_iter().chain(older).collect())
    }

    /// Returns the last entry, complete or not.
    ///
    /// # Errors
    /// `journal-unreadable`.
    pub fn last(&self) -> Result<Option<JournalEntry>> {
        let newest = entry_numbers(&self.folder).first().copied();
        newest.map_or(Ok(None), |number| journal_folder::load(&self.folder, number))
    }

    /// Returns the entry of an interrupted run.
    ///
    /// # Errors
    /// `journal-unreadable`.
    pub fn interrupted(&self) -> Result<Option<JournalEntry>> {
        Ok(self.entries()?.into_iter().find(|entry| entry.phase == EntryPhase::Applying))
    }

    /// Creates the next entry, for a command that begins.
    fn entry(&self, command: &str, files: Vec<FileEntry>) -> JournalEntry {
        let newest = entry_numbers(&self.folder).first().copied();
        JournalEntry::new(newest.unwrap_or(0).saturating_add(1), command, &self.project, files)
    }

    /// Returns the current state of each file of `entry`.
    ///
    /// # Errors
    /// Fails if a file cannot be read.
    pub fn file_states(&self, entry: &JournalEntry) -> Result<Vec<EntryFileState>> {
        entry
            .files
            .iter()
            .map(|file| Ok(file.state(read_text_file(&file.path)?.as_deref())))
            .collect()
    }

    /// Plans the changes that bring every file of `entry` to one side.
    ///
    /// # Errors
    /// `edited-since` if the same lines of a file were changed since; `secret-not-kept` if a replaced line contained a
    /// secret that is no longer known.
    pub fn settle(&self, entry: &JournalEntry, direction: EntryDirection) -> Result<Plan> {
        let mut plan = Plan::default();
        for file in &entry.files {
            let now = read_text_file(&file.path)?;
            let text = file.text(now.as_deref(), direction, &self.redactor)?;
            plan.change(FileChange {
                path: file.path.clone(),
                before: now.map(Into::into),
                after: text.map(Into::into),
                writing: file.writing,
            });
        }
        Ok(plan)
    }

    /// Applies a plan made by [`Journal::settle`]; then marks `entry` as finished, or removes it if it was undone. For
    /// files that the caller removed from the plan, the entry is kept.
    ///
    /// The entry on disk is unchanged until the last file is written, so that this can be interrupted as well.
    ///
    /// # Errors
    /// As [`Journal::apply`].
    pub fn settled(
        &self,
        entry: &JournalEntry,
        plan: &Plan,
        direction: EntryDirection,
    ) -> Result<()> {
        let _lock = self.lock()?;
        for change in &plan.changes {
            self.prepare(change)?;
        }
        let changes = plan.changes.iter();
        let targets: Vec<WriteTarget> = changes
            .map(|change| WriteTarget { path: &change.path, change, writing: change.writing })
            .collect();
        let mut applying = entry.clone();
        applying.phase = EntryPhase::Applying;
        applying.keep_whole(plan, direction);
        self.write(&targets, &applying, Some(entry), || Ok(()))?;
        applying.finish();
        if direction == EntryDirection::Back {
            applying.keep_left_out(plan, &self.file_states(&applying)?);
            if applying.files.is_empty() {
                return self.forget(&applying);
            }
        }
        self.save(&applying)
    }

    /// Records the previous visibility of live ports in the entry of `command`, or in a new one.
    ///
    /// # Errors
    /// `journal-unreadable`, `journal-unwritable`.
    pub fn remember_ports(&self, command: &str, ports: Vec<PortChangeEntry>) -> Result<()> {
        let mut entry = self
            .last()?
            .filter(|entry| entry.command == command)
            .unwrap_or_else(|| self.entry(command, Vec::new()));
        entry.finish();
        entry.add_ports(ports);
        self.save(&entry)
    }

    /// Records live ports only, for a command that wrote no file.
    ///
    /// # Errors
    /// `journal-unwritable`.
    pub fn keep_ports(&self, command: &str, ports: Vec<PortChangeEntry>) -> Result<()> {
        let mut entry = self.entry(command, Vec::new());
        entry.finish();
        entry.add_ports(ports);
        self.save(&entry)
    }

    /// Removes an entry.
    ///
    /// # Errors
    /// `journal-unwritable`.
    pub fn forget(&self, entry: &JournalEntry) -> Result<()> {
        journal_folder::remove(&entry_path(&self.folder, entry.number))
    }

    /// Writes a text of the program itself next to the entries, replacing one with the same name.
    ///
    /// # Errors
    /// `journal-unwritable`.
    pub fn write_note(&self, name: &str, text: &str) -> Result<()> {
        journal_folder::write_unsynced_text(&self.folder.join(name), text)
    }

    /// Returns the text with this name next to the entries; `None` if it cannot be read.
    pub fn read_note(&self, name: &str) -> Option<String> {
        read_text_file(&self.folder.join(name)).ok()?
    }

    fn save(&self, entry: &JournalEntry) -> Result<()> {
        journal_folder::save(&self.folder, entry)
    }

    fn lock(&self) -> Result<journal_folder::WriteLock> {
        journal_folder::lock(&self.folder)
    }
}

/// Returns the SHA-256 in lower-case hexadecimal.
fn digest_sha256(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|half| DIGITS[usize::from(half)]);
    Sha256::digest(bytes).iter().flat_map(digits).collect()
}

#[cfg(test)]
mod tests;
