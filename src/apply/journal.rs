//! A journal entry as a file: what a command changed, as hunks and digests, without known secrets.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use super::expiry;
use super::hunk::{self, TextHunk};
use super::replacement::{self, FileAccess, FileReplacement};
use super::{EntryDirection, EntryFileState, digest_sha256};
use crate::error::{Error, ErrorCode, Result};
use crate::plan::{FileChange, Plan, WriteMethod};
use crate::secret::Redactor;

/// The changes of one command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    version: u32,
    /// The number of the change in the project, in increasing order.
    #[serde(skip)]
    pub(super) number: u32,
    /// The time it was written, if the file system has one.
    #[serde(skip)]
    pub written: Option<SystemTime>,
    /// The name of the command: `init`.
    pub command: String,
    /// The project's folder.
    pub project: PathBuf,
    /// Whether every file was written.
    pub phase: EntryPhase,
    /// The changed files.
    pub files: Vec<FileEntry>,
    /// Ports that the command changed live.
    #[serde(default)]
    pub ports: Vec<PortChangeEntry>,
    /// Variables whose secrets are in a `.env` that the command added to `.gitignore`: that line stays until they are
    /// removed.
    #[serde(default)]
    pub secrets: Vec<String>,
}

/// The progress of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryPhase {
    /// Files are being written.
    Applying,
    /// Every file was written.
    Done,
}

/// A file before and after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Absolute path, with links resolved.
    pub path: PathBuf,
    #[serde(with = "WritingName")]
    pub(super) writing: WriteMethod,
    /// SHA-256 of the bytes; `None` if the file did not exist.
    before: Option<String>,
    after: Option<String>,
    hunks: Vec<TextHunk>,
    /// Both texts of a file that is overwritten in place, until that is complete.
    whole: Option<WholeFileEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct WholeFileEntry {
    before: String,
    after: String,
}

impl WholeFileEntry {
    fn new(before: &str, after: &str) -> Self {
        Self { before: before.to_owned(), after: after.to_owned() }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "WriteMethod", rename_all = "kebab-case")]
enum WritingName {
    Replace,
    InPlace,
}

/// The visibility of a live port before and after a change, as the workspace spells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortChangeEntry {
    /// The port.
    pub port: u16,
    /// The visibility before.
    pub before: String,
    /// The visibility after.
    pub after: String,
}

impl JournalEntry {
    pub(super) fn new(number: u32, command: &str, project: &Path, files: Vec<FileEntry>) -> Self {
        Self {
            version: 1,
            number,
            written: None,
            command: command.to_owned(),
            project: project.to_owned(),
            phase: EntryPhase::Applying,
            files,
            ports: Vec::new(),
            secrets: Vec::new(),
        }
    }

    /// Marks every file as complete and drops what was kept for an interruption.
    pub(super) fn finish(&mut self) {
        self.phase = EntryPhase::Done;
        for file in &mut self.files {
            file.whole = None;
        }
    }

    /// Adds changed live ports; for a port that changed twice, the first `before` is kept.
    pub(super) fn add_ports(&mut self, ports: Vec<PortChangeEntry>) {
        for port in ports {
            match self.ports.iter_mut().find(|recorded| recorded.port == port.port) {
                Some(recorded) => recorded.after = port.after,
                None => self.ports.push(port),
            }
        }
    }

    /// Keeps only files that are still as the command left them, although the plan reverted others.
    pub(super) fn keep_left_out(&mut self, plan: &Plan, states: &[EntryFileState]) {
        let mut states = states.iter();
        self.files.retain(|file| {
            let is_planned = plan.changes.iter().any(|change| change.path == file.path);
            states.next().is_some_and(|state| *state != EntryFileState::Old) && !is_planned
        });
        self.ports.clear();
    }

    /// Keeps both texts of files that will be overwritten in place.
    pub(super) fn keep_whole(&mut self, plan: &Plan, direction: EntryDirection) {
        for file in self.files.iter_mut().filter(|file| file.writing == WriteMethod::InPlace) {
            let change = plan.changes.iter().find(|change| change.path == file.path);
            if let Some((old, new)) = change
                .and_then(|change| Some((change.before.as_deref()?, change.after.as_deref()?)))
            {
                file.whole = Some(match direction {
                    EntryDirection::Forward => WholeFileEntry::new(old, new),
                    EntryDirection::Back => WholeFileEntry::new(new, old),
                });
            }
        }
    }
}

impl FileEntry {
    pub(super) fn new(
        path: PathBuf,
        change: &FileChange,
        writing: WriteMethod,
        redactor: &Redactor,
    ) -> Self {
        let old = change.before.as_deref().unwrap_or_default();
        let new = change.after.as_deref().unwrap_or_default();
        let mut hunks = hunk::between(old, new);
        for hunk in &mut hunks {
            hunk.conceal(redactor);
        }
        let whole = match (writing, &change.before, &change.after) {
            (WriteMethod::InPlace, Some(before), Some(after)) => {
                Some(WholeFileEntry::new(before, after))
            }
            _ => None,
        };
        Self {
            path,
            writing,
            before: change.before.as_deref().map(|text| digest_sha256(text.as_bytes())),
            after: change.after.as_deref().map(|text| digest_sha256(text.as_bytes())),
            hunks,
            whole,
        }
    }

    pub(super) fn standing(&self, now: Option<&str>) -> EntryFileState {
        let print = now.map(|text| digest_sha256(text.as_bytes()));
        if print == self.after {
            EntryFileState::New
        } else if print == self.before {
            EntryFileState::Old
        } else if self.whole.as_ref().is_some_and(|whole| whole.is_torn(now.unwrap_or_default())) {
            EntryFileState::Torn
        } else {
            EntryFileState::Edited
        }
    }

    /// Returns the text of the file before or after the change, computed from the current text `now`.
    pub(super) fn text(
        &self,
        now: Option<&str>,
        direction: EntryDirection,
        redactor: &Redactor,
    ) -> Result<Option<String>> {
        let (goal, goal_state) = match direction {
            EntryDirection::Forward => (&self.after, EntryFileState::New),
            EntryDirection::Back => (&self.before, EntryFileState::Old),
        };
        let state = self.standing(now);
        if state == goal_state {
            return Ok(now.map(str::to_owned));
        }
        if state == EntryFileState::Edited {
            let edited = now.filter(|_| direction == EntryDirection::Back && self.whole.is_none());
            if let Some(text) = edited.and_then(|now| hunk::take_out(now, &self.hunks, redactor)) {
                let is_gone = self.before.is_none() && text.trim().is_empty();
                return Ok((!is_gone).then_some(text));
            }
            return Err(Error::new(
                ErrorCode::EditedSince,
                format!("{} was edited since", self.path.display()),
            )
            .cause("that edit changed the same lines and would be lost, so nothing was changed")
            .hint("revert the lines by hand, or restore the file with `git checkout` if git tracks it"));
        }
        let Some(goal) = goal else { return Ok(None) };
        let text = match (&self.whole, direction) {
            (Some(whole), EntryDirection::Forward) => Some(whole.after.clone()),
            (Some(whole), EntryDirection::Back) => Some(whole.before.clone()),
            (None, EntryDirection::Forward) => hunk::forward(now.unwrap_or_default(), &self.hunks),
            (None, EntryDirection::Back) => {
                hunk::back(now.unwrap_or_default(), &self.hunks, redactor)
            }
        };
        let text = text.filter(|text| digest_sha256(text.as_bytes()) == *goal);
        text.map(Some).ok_or_else(|| {
            Error::new(
                ErrorCode::SecretNotKept,
                format!("{} held a secret in a line that was replaced", self.path.display()),
            )
            .cause(
                "the journal keeps no secrets, and this one is no longer in any store or variable",
            )
            .hint("set its variable, such as `export HONEYCOMB_API_KEY=…`, and undo again")
        })
    }
}

impl WholeFileEntry {
    /// Returns whether the text is the new one up to some byte and the old one from there: an interrupted overwrite.
    fn is_torn(&self, now: &str) -> bool {
        let (now, before, after) = (now.as_bytes(), self.before.as_bytes(), self.after.as_bytes());
        let new = now.iter().zip(after).take_while(|(recorded, want)| recorded == want).count();
        (0..=new).any(|cut| now.get(cut..) == Some(before.get(cut..).unwrap_or_default()))
    }
}

/// Prevents another run from writing at the same time.
#[derive(Debug)]
pub(super) struct WriteLock {
    _file: File,
}

/// The prefix and suffix of an entry's file name, around its number.
const ENTRY_NAME: (&str, &str) = ("change-", ".json");

/// Returns the path of the entry with this number.
pub(super) fn entry_path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{}{number:06}{}", ENTRY_NAME.0, ENTRY_NAME.1))
}

/// Returns the numbers of the entries in a folder, the newest first.
pub(super) fn entry_numbers(folder: &Path) -> Vec<u32> {
    let number = |name: &str| {
        name.strip_prefix(ENTRY_NAME.0)?.strip_suffix(ENTRY_NAME.1)?.parse::<u32>().ok()
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut numbers: Vec<u32> =
        entries.filter_map(|entry| number(entry.file_name().to_str()?)).collect();
    numbers.sort_unstable_by(|left, right| right.cmp(left));
    numbers
}

/// The name of the file that is locked during a write.
pub(super) const LOCK_FILE: &str = "lock";

/// How long to wait for another run, which writes for milliseconds.
const LOCK_TIME_LIMIT: Duration = Duration::from_secs(1);

const PAUSE: Duration = Duration::from_millis(20);

pub(super) fn lock(folder: &Path) -> Result<WriteLock> {
    create_folder(folder)?;
    let path = folder.join(LOCK_FILE);
    let file = create_private_file(&path).map_err(|error| journal_write_error(&path, &error))?;
    let began = Instant::now();
    let locked = loop {
        let attempt = file.try_lock();
        let is_taken = matches!(attempt, Err(TryLockError::WouldBlock));
        if !is_taken || began.elapsed() > LOCK_TIME_LIMIT {
            break attempt;
        }
        std::thread::sleep(PAUSE);
    };
    locked.map_err(|error| match error {
        TryLockError::WouldBlock => {
            Error::new(ErrorCode::Busy, "another run of cruddur-ops is writing to this project")
                .hint("try again when it has finished")
        }
        TryLockError::Error(error) => journal_write_error(&path, &error),
    })?;
    Ok(WriteLock { _file: file })
}

/// Reads the entry with this number; `None` if it is missing or expired.
pub(super) fn load(folder: &Path, number: u32) -> Result<Option<JournalEntry>> {
    let path = entry_path(folder, number);
    let unreadable = |error: &dyn std::fmt::Display| {
        Error::new(
            ErrorCode::JournalUnreadable,
            format!("the undo journal {} cannot be read", path.display()),
        )
        .cause(error)
        .hint(format!("`rm {}` deletes it", path.display()))
    };
    if expiry::is_expired(&path) {
        return Ok(None);
    }
    let bytes = match fs_err::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(unreadable(&error)),
    };
    let entry: JournalEntry = serde_json::from_slice(&bytes).map_err(|error| unreadable(&error))?;
    Ok(Some(JournalEntry { number, written: expiry::written_at(&path), ..entry }))
}

pub(super) fn save(folder: &Path, entry: &JournalEntry) -> Result<()> {
    let path = entry_path(folder, entry.number);
    let text =
        serde_json::to_string(entry).map_err(|error| journal_write_error(&path, &error.into()))?;
    write_text(&path, &text)
}

/// Writes a text readable only by its owner, creating the folder if needed.
pub(super) fn write_text(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    let write = || -> std::io::Result<()> {
        let mut file = FileReplacement::stage(path, text, FileAccess::OwnerOnly)?;
        file.prepare()?;
        file.take_place()
    };
    write().map_err(|error| journal_write_error(path, &error))
}

/// Writes a text readable only by its owner that a crash of the machine may lose: nothing waits for the disk.
pub(super) fn write_unsynced_text(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    replacement::replace_unsynced(path, text).map_err(|error| journal_write_error(path, &error))
}

pub(super) fn remove(path: &Path) -> Result<()> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(journal_write_error(path, &error)),
        _ => Ok(()),
    }
}

fn create_folder(folder: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder).map_err(|error| journal_write_error(folder, &error))
}

fn create_private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn journal_write_error(path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        ErrorCode::JournalUnwritable,
        format!("the undo journal {} cannot be written", path.display()),
    )
    .cause(error)
    .hint("`export XDG_STATE_HOME=/a/folder/you/can/write` moves it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_overwrite_is_recognised() {
        for (before, after, now, is_torn) in [
            ("old text\n", "new words\n", "old text\n", true),
            ("old text\n", "new words\n", "new text\n", true),
            ("old text\n", "new words\n", "new words", true),
            ("old text\n", "new words\n", "new words\n", true),
            ("a\n", "abc\nd\n", "abc\n", true),
            ("a long old text\n", "new\n", "newong old text\n", true),
            ("a long old text\n", "new\n", "new\nng old text\n", true),
            ("old text\n", "new words\n", "old words\n", false),
            ("old text\n", "new words\n", "new text\nmore\n", false),
            ("old text\n", "new words\n", "new words\nx", false),
            ("old text\n", "new words\n", "new x", false),
            ("old text\n", "new words\n", "x", false),
            ("a long old text\n", "new\n", "new\n", false),
            ("a long old text\n", "new\n", "new\nold text\n", false),
        ] {
            assert_eq!(WholeFileEntry::new(before, after).is_torn(now), is_torn, "{now:?}");
        }
    }

    #[test]
    fn a_second_run_waits_for_the_first_only_so_long() {
        let folder = tempfile::tempdir().unwrap();
        let held = lock(folder.path()).unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        let wait = |sender: std::sync::mpsc::Sender<_>| {
            let path = folder.path().to_owned();
            std::thread::spawn(move || sender.send(lock(&path).map(drop)));
        };
        wait(sender.clone());
        let busy =
            receiver.recv_timeout(30 * LOCK_TIME_LIMIT).expect("it waits for ever").unwrap_err();
        assert_eq!(busy.code, ErrorCode::Busy);
        wait(sender);
        drop(held);
        receiver.recv_timeout(30 * LOCK_TIME_LIMIT).expect("it waits for ever").unwrap();
    }
}
