//! The only writer of the user's files, and the journal that takes a change back.
//!
//! All files of a plan or none: the journal is written first, each file is old or new at every instant, and a run that
//! was killed can be finished or taken back. Secrets are stored after the last file. Decides nothing and shows nothing.

mod attributes;
mod expiry;
mod hunk;
mod journal;
mod replacement;
mod stage;
mod temporary;
mod write;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorCode, Result};
use crate::plan::{Change, Plan, Writing};
use crate::project::{Boundary, read};
use crate::secret::Redactor;
use crate::shell::Shell;

use stage::{Target, restore, stage};
use write::Pending;

pub use journal::{Entry, FileEntry, Phase, PortEntry};
pub use write::{remove_empty, write_private};

/// What commands did to one project, in the user's state folder.
#[derive(Debug, Clone)]
pub struct Journal {
    folder: PathBuf,
    project: PathBuf,
    boundary: Boundary,
    redactor: Redactor,
}

/// Which way an interrupted or finished entry goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To what the command planned.
    Forward,
    /// To what was there before.
    Back,
}

/// What a file of an entry looks like now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// As before the command.
    Old,
    /// As the command left it.
    New,
    /// Overwritten in place and cut short.
    Torn,
    /// Neither: somebody else wrote it.
    Edited,
}

/// The folder journals lie in: `$XDG_STATE_HOME`, else `~/.local/state`; the local data folder on Windows.
///
/// # Errors
/// `no-home` when the shell names no home folder.
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

/// What is true after everything was taken back.
const AS_BEFORE: &str = "every file is as it was before";

/// What is true after a store failed and everything else was taken back.
const OTHERS_AS_BEFORE: &str = "every other file is as it was before";

impl Journal {
    /// The journal of the project at `project` (absolute), which reaches as far as `boundary`, kept below `state`.
    pub fn open(state: &Path, project: &Path, boundary: &Boundary, redactor: &Redactor) -> Self {
        let name: String =
            digest(project.as_os_str().as_encoded_bytes()).chars().take(24).collect();
        Self {
            folder: state.join(name),
            project: project.to_owned(),
            boundary: boundary.clone(),
            redactor: redactor.clone(),
        }
    }

    /// Removes what earlier runs left: their temporary files, and entries that are past their time.
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
        folders.into_iter().for_each(temporary::sweep);
    }

    /// Writes every change of `plan`, or none, and remembers it as the last thing `command` did.
    ///
    /// # Errors
    /// As [`Journal::apply_then`].
    pub fn apply(&self, plan: &Plan, command: &str) -> Result<()> {
        self.apply_then(plan, command, &[], || Ok(()))
    }

    /// Writes every change of `plan`, then calls `store` for what comes last, the secrets: all of it or nothing.
    /// `hidden` are the variables whose secrets are then in a file that the plan hides from git.
    ///
    /// # Errors
    /// `changed-since-read`, and as [`Journal::check`], before anything is written; `write-failed`, and as `store`,
    /// after what was written is taken back; `journal-unwritable` at last, when everything is written.
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
        let targets: Vec<Target> = files
            .map(|(file, change)| Target { path: &file.path, change, writing: file.writing })
            .collect();
        self.write(&targets, &entry, None, store)?;
        drop(targets);
        entry.finish();
        self.save(&entry).map_err(|error| {
            error.hint("every file was written; `cruddur-ops undo` takes them back")
        })
    }

    /// Writes all files and calls `then`, or brings everything back; `entry` stands in the journal from the first one on.
    fn write(
        &self,
        targets: &[Target],
        entry: &Entry,
        earlier: Option<&Entry>,
        then: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let pending = stage(targets).map_err(|error| error.hint(AS_BEFORE))?;
        self.save(entry).inspect_err(|_| self.put_back(entry, earlier))?;
        let mut touched = Vec::new();
        let mut finish = |write: Pending| {
            let path = write.path().to_owned();
            let result = write.finish();
            if !result.as_ref().is_err_and(|error| error.code == ErrorCode::ChangedSinceRead) {
                touched.push(path);
            }
            result
        };
        let written = pending.into_iter().try_for_each(&mut finish);
        let written = written.map_err(|error| (error, AS_BEFORE));
        // What a store does when it fails is its own to say.
        let stored = written.and_then(|()| then().map_err(|error| (error, OTHERS_AS_BEFORE)));
        stored.map_err(|(error, hint)| match restore(targets, &touched) {
            true => {
                self.put_back(entry, earlier);
                error.hint(hint)
            }
            false => error.hint("`cruddur-ops undo` takes back what was written"),
        })
    }

    /// Puts back what stood in the place of an entry before. Where that fails, the entry of a change that did not happen
    /// only costs a question at the next run.
    fn put_back(&self, entry: &Entry, earlier: Option<&Entry>) {
        let _ = match earlier {
            Some(earlier) => self.save(earlier),
            None => self.forget(entry),
        };
    }

    /// Says what can be said against a plan without looking at the texts: whose files they are, and who may write them.
    ///
    /// # Errors
    /// `outside-project`, `read-only`, `unreadable-file`, `write-failed`.
    pub fn check(&self, plan: &Plan) -> Result<()> {
        for change in &plan.changes {
            let target = write::target(&change.path, &self.boundary)?;
            write::writable(&target, change.writing)?;
        }
        Ok(())
    }

    /// Everything that can be said against a change before the first byte is written.
    fn prepare(&self, change: &Change) -> Result<FileEntry> {
        let path = write::target(&change.path, &self.boundary)?;
        write::check_unchanged(&path, change.before.as_deref())?;
        write::writable(&path, change.writing)?;
        // A file that is overwritten in place can be cut short, so both its texts are kept until it is whole; one
        // that holds a secret is replaced instead, since the journal must not hold it.
        let secret =
            |text: Option<&str>| text.is_some_and(|text| self.redactor.conceal(text) != text);
        let writing = match change.writing {
            Writing::InPlace
                if secret(change.before.as_deref()) || secret(change.after.as_deref()) =>
            {
                Writing::Replace
            }
            writing => writing,
        };
        Ok(FileEntry::new(path, change, writing, &self.redactor))
    }

    /// What commands did here and was not taken back, finished or not, the newest first. Older entries that cannot be read
    /// are left out.
    ///
    /// # Errors
    /// `journal-unreadable` when the newest cannot be read.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let older = journal::entry_numbers(&self.folder).into_iter().skip(1);
        let older = older.filter_map(|number| journal::load(&self.folder, number).ok()?);
        Ok(self.last()?.into_iter().chain(older).collect())
    }

    /// The last thing a command did here, finished or not.
    ///
    /// # Errors
    /// `journal-unreadable`.
    pub fn last(&self) -> Result<Option<Entry>> {
        let newest = journal::entry_numbers(&self.folder).first().copied();
        newest.map_or(Ok(None), |number| journal::load(&self.folder, number))
    }

    /// The entry of a run that was cut short.
    ///
    /// # Errors
    /// `journal-unreadable`.
    pub fn interrupted(&self) -> Result<Option<Entry>> {
        Ok(self.entries()?.into_iter().find(|entry| entry.phase == Phase::Applying))
    }

    /// The next entry, of a command that begins.
    fn entry(&self, command: &str, files: Vec<FileEntry>) -> Entry {
        let newest = journal::entry_numbers(&self.folder).first().copied();
        Entry::new(newest.unwrap_or(0).saturating_add(1), command, &self.project, files)
    }

    /// What each file of `entry` looks like now.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn standing(&self, entry: &Entry) -> Result<Vec<Standing>> {
        entry.files.iter().map(|file| Ok(file.standing(read(&file.path)?.as_deref()))).collect()
    }

    /// What it takes to bring every file of `entry` to one side, as a plan that can be shown.
    ///
    /// # Errors
    /// `edited-since` when somebody else changed the same lines of one of the files; `secret-not-kept` when a replaced line held a secret
    /// that is known nowhere any more.
    pub fn settle(&self, entry: &Entry, direction: Direction) -> Result<Plan> {
        let mut plan = Plan::default();
        for file in &entry.files {
            let now = read(&file.path)?;
            let text = file.text(now.as_deref(), direction, &self.redactor)?;
            plan.change(Change {
                path: file.path.clone(),
                before: now.map(Into::into),
                after: text.map(Into::into),
                writing: file.writing,
            });
        }
        Ok(plan)
    }

    /// Writes a plan made by [`Journal::settle`]; afterwards `entry` is finished, or forgotten if it was taken back. Of a
    /// file that the caller took out of the plan, the entry stays.
    ///
    /// The entry on disk stays as it is until the last file is written, so that this can be cut short too.
    ///
    /// # Errors
    /// As [`Journal::apply`].
    pub fn settled(&self, entry: &Entry, plan: &Plan, direction: Direction) -> Result<()> {
        let _lock = self.lock()?;
        for change in &plan.changes {
            self.prepare(change)?;
        }
        let changes = plan.changes.iter();
        let targets: Vec<Target> = changes
            .map(|change| Target { path: &change.path, change, writing: change.writing })
            .collect();
        let mut applying = entry.clone();
        applying.phase = Phase::Applying;
        applying.keep_whole(plan, direction);
        self.write(&targets, &applying, Some(entry), || Ok(()))?;
        applying.finish();
        if direction == Direction::Back {
            applying.keep_left_out(plan, &self.standing(&applying)?);
            if applying.files.is_empty() {
                return self.forget(&applying);
            }
        }
        self.save(&applying)
    }

    /// Adds to the entry of `command`, or to a new one, what ports were before it changed them live.
    ///
    /// # Errors
    /// `journal-unreadable`, `journal-unwritable`.
    pub fn remember_ports(&self, command: &str, ports: Vec<PortEntry>) -> Result<()> {
        let entry = self.last()?.filter(|entry| entry.command == command);
        let mut entry = entry.unwrap_or_else(|| self.entry(command, Vec::new()));
        entry.finish();
        entry.add_ports(ports);
        self.save(&entry)
    }

    /// Remembers live ports alone, of a command that wrote no file.
    ///
    /// # Errors
    /// `journal-unwritable`.
    pub fn keep_ports(&self, command: &str, ports: Vec<PortEntry>) -> Result<()> {
        let mut entry = self.entry(command, Vec::new());
        entry.finish();
        entry.add_ports(ports);
        self.save(&entry)
    }

    /// Forgets an entry.
    ///
    /// # Errors
    /// `journal-unwritable`.
    pub fn forget(&self, entry: &Entry) -> Result<()> {
        journal::remove(&journal::entry_path(&self.folder, entry.number))
    }

    /// Keeps a text of this program's own beside the entries, in place of the one with that name.
    ///
    /// # Errors
    /// `journal-unwritable`.
    pub fn keep_beside(&self, name: &str, text: &str) -> Result<()> {
        journal::write_text(&self.folder.join(name), text)
    }

    /// The text with that name beside the entries; `None` where there is none that can be read.
    pub fn read_beside(&self, name: &str) -> Option<String> {
        read(&self.folder.join(name)).ok()?
    }

    fn save(&self, entry: &Entry) -> Result<()> {
        journal::save(&self.folder, entry)
    }

    fn lock(&self) -> Result<journal::Lock> {
        journal::lock(&self.folder)
    }
}

/// SHA-256 in lower-case hex.
fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut out, byte| {
        out.push_str(&format!("{byte:02x}"));
        out
    })
}

#[cfg(test)]
mod tests;
