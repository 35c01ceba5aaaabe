//! Reads and writes the entries in a journal's folder, which only its owner may read.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use super::attributes::{FileAccess, OWNER_ONLY};
use super::entry::JournalEntry;
use super::entry_files::{LOCK_FILE, entry_path, written_at};
use super::expiry::is_expired;
use super::replacement::{FileReplacement, options_for_writing, replace_unsynced};
use super::temporary::IGNORE_FILE;
use crate::error::{Error, ErrorCode, Result};
use crate::project::read_text_file;

/// A lock that prevents another run from writing at the same time.
#[derive(Debug)]
pub(super) struct WriteLock {
    _file: File,
}

/// How long to wait for another run, which writes for milliseconds.
const LOCK_TIME_LIMIT: Duration = Duration::from_secs(1);

const PAUSE: Duration = Duration::from_millis(20);

/// Locks the folder for a write, after waiting for another run that writes.
pub(super) fn lock(folder: &Path) -> Result<WriteLock> {
    create_folder(folder)?;
    let path = folder.join(LOCK_FILE);
    // Opening a pipe would wait for its reader.
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        let error = std::io::Error::other("it is not a regular file");
        return Err(journal_write_error(&path, &error));
    }
    let mut options = options_for_writing(OWNER_ONLY);
    let file = options.create(true).truncate(false).open(&path);
    let file = file.map_err(|error| journal_write_error(&path, &error))?;
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
    if is_expired(&path) {
        return Ok(None);
    }
    let read =
        read_text_file(&path).map_err(|error| unreadable(&error.cause.unwrap_or_default()))?;
    let Some(text) = read else { return Ok(None) };
    let mut entry: JournalEntry =
        serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
    entry.number = number;
    entry.written = written_at(&path);
    Ok(Some(entry))
}

/// Writes an entry, replacing the one with its number.
pub(super) fn save(folder: &Path, entry: &JournalEntry) -> Result<()> {
    let path = entry_path(folder, entry.number);
    let text =
        serde_json::to_string(entry).map_err(|error| journal_write_error(&path, &error.into()))?;
    write_text(&path, &text)
}

/// Writes a text readable only by its owner, creating the folder if needed.
fn write_text(path: &Path, text: &str) -> Result<()> {
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
    replace_unsynced(path, text).map_err(|error| journal_write_error(path, &error))
}

/// Removes a file; a missing one is no error.
pub(super) fn remove(path: &Path) -> Result<()> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(journal_write_error(path, &error)),
        _ => Ok(()),
    }
}

/// Creates the folder, readable only by its owner. Git ignores its content, also where the home folder is a repository.
fn create_folder(folder: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder).map_err(|error| journal_write_error(folder, &error))?;
    let ignore_file = folder.join(IGNORE_FILE);
    if ignore_file.exists() {
        return Ok(());
    }
    // Replaced as a whole: a killed run leaves no empty one, which would ignore nothing.
    replace_unsynced(&ignore_file, "*\n").map_err(|error| journal_write_error(&ignore_file, &error))
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
