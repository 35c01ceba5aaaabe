//! Writes a single file of the user.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::attributes::{FileAccess, OWNER_ONLY};
use super::replacement::FileReplacement;
use crate::error::{Error, ErrorCode, Result};
use crate::plan::WriteMethod;
use crate::project::{ProjectBoundary, read_text_file};

/// Returns the file to write for `path`: the target of a link, so that the link is kept.
pub(super) fn resolve_write_target(path: &Path, boundary: &ProjectBoundary) -> Result<PathBuf> {
    let real = boundary.real(path)?;
    let is_link = path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
    Ok(if is_link { real } else { path.to_owned() })
}

/// Checks that the file can be written, or created if missing.
pub(super) fn check_writable(path: &Path, writing: WriteMethod) -> Result<()> {
    let metadata = path.metadata().ok();
    let is_there = metadata.is_some();
    if metadata.is_some_and(|metadata| metadata.permissions().readonly()) {
        return Err(Error::new(ErrorCode::ReadOnly, format!("{} is read-only", path.display()))
            .hint(format!("`chmod u+w {}`", path.display())));
    }
    let refused = |error| failed_write_error(path, error).hint("nothing was written");
    if is_there {
        check_write_access(path).map_err(refused)?;
    }
    let is_beside = !is_there || writing == WriteMethod::Replace;
    match path.ancestors().skip(1).find(|folder| folder.is_dir()) {
        Some(folder) if is_beside => check_write_access(folder).map_err(refused),
        _ => Ok(()),
    }
}

/// Checks that the current user can write here, which depends on the owner as well as the mode.
fn check_write_access(path: &Path) -> std::io::Result<()> {
    Ok(rustix::fs::access(path, rustix::fs::Access::WRITE_OK)?)
}

/// The prepared write of one file, which has no visible effect yet.
#[derive(Debug)]
pub(super) struct PendingWrite<'c> {
    path: &'c Path,
    before: Option<&'c str>,
    access: FileAccess,
    step: WriteStep<'c>,
}

#[derive(Debug)]
enum WriteStep<'c> {
    /// A complete new file on disk that replaces the old one atomically.
    Replace(FileReplacement<'c>, &'c str),
    /// The old file will be overwritten.
    Overwrite(&'c str),
    /// The old file will be removed.
    Remove,
}

impl<'c> PendingWrite<'c> {
    /// Prepares to change the content of `path` from `before` to `after`. Fails here if the disk is full.
    ///
    /// # Errors
    /// `write-failed`; nothing is written in that case.
    pub(super) fn new(
        path: &'c Path,
        (before, after): (Option<&'c str>, Option<&'c str>),
        writing: WriteMethod,
        access: FileAccess,
    ) -> Result<Self> {
        let step = match (after, writing) {
            (None, _) => Ok(WriteStep::Remove),
            (Some(text), WriteMethod::InPlace) if path.exists() => Ok(WriteStep::Overwrite(text)),
            (Some(text), _) => FileReplacement::stage(path, text, access)
                .map(|file| WriteStep::Replace(file, text)),
        };
        let step = step.map_err(|error| failed_write_error(path, error))?;
        Ok(Self { path, before, access, step })
    }

    pub(super) fn path(&self) -> &'c Path {
        self.path
    }

    /// Returns whether this write can still run out of disk space.
    pub(super) fn is_overwriting(&self) -> bool {
        matches!(self.step, WriteStep::Overwrite(_))
    }

    /// Finishes the write, unless the file changed in the meantime.
    ///
    /// # Errors
    /// `changed-since-read` if the file was changed, which is kept; `write-failed`.
    pub(super) fn finish(self) -> Result<()> {
        let Self { path, before, access, step } = self;
        let io = |error| failed_write_error(path, error);
        match step {
            WriteStep::Remove => {
                check_unchanged(path, before)?;
                fs_err::remove_file(path).map_err(io)
            }
            WriteStep::Overwrite(text) => {
                check_unchanged(path, before)?;
                overwrite_in_place(path, text, access).map_err(io)
            }
            WriteStep::Replace(mut file, text) => {
                file.prepare().map_err(io)?;
                // Only the system call that replaces the file follows this.
                check_unchanged(path, before)?;
                match file.take_place() {
                    // A single file mounted into a container cannot be replaced, only overwritten.
                    Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                        overwrite_in_place(path, text, access).map_err(io)
                    }
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                        Err(changed_file_error(path))
                    }
                    result => result.map_err(io),
                }
            }
        }
    }
}

/// Fails with `changed-since-read` unless `path` contains `text`.
pub(super) fn check_unchanged(path: &Path, text: Option<&str>) -> Result<()> {
    if read_text_file(path)?.as_deref() == text { Ok(()) } else { Err(changed_file_error(path)) }
}

fn changed_file_error(path: &Path) -> Error {
    let message = format!("{} changed since it was read", path.display());
    Error::new(ErrorCode::ChangedSinceRead, message)
        .hint("run the same command again to use its current contents")
}

fn failed_write_error(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorCode::WriteFailed, format!("{} could not be written", path.display()))
        .cause(error)
}

/// Writes a file that contains secrets, without recording it in the journal. It is never readable by anyone but its
/// owner.
///
/// # Errors
/// `changed-since-read`, `write-failed`; the file is unchanged in that case.
pub(crate) fn write_private(path: &Path, before: Option<&str>, after: &str) -> Result<()> {
    let access = FileAccess::OwnerOnly;
    let pending = PendingWrite::new(path, (before, Some(after)), WriteMethod::Replace, access)?;
    pending.finish().map_err(|error| {
        let is_torn =
            error.code != ErrorCode::ChangedSinceRead && check_unchanged(path, before).is_err();
        let back = || match before {
            Some(text) => overwrite_in_place(path, text, access),
            None => fs_err::remove_file(path),
        };
        match is_torn.then(back) {
            Some(Err(_)) => error.hint(format!("`cat {}` shows what was written", path.display())),
            _ => error,
        }
    })
}

/// Removes a file that has become empty.
///
/// # Errors
/// `changed-since-read` if it is not empty; `write-failed`.
pub(crate) fn remove_empty(path: &Path) -> Result<()> {
    check_unchanged(path, Some(""))?;
    fs_err::remove_file(path).map_err(|error| failed_write_error(path, error))
}

/// Overwrites the bytes from first to last, then truncates the file: so an interrupted write can be distinguished from
/// an edit with the help of the journal.
fn overwrite_in_place(path: &Path, text: &str, access: FileAccess) -> std::io::Result<()> {
    let mut file = fs_err::OpenOptions::new().write(true).open(path)?;
    if access == FileAccess::OwnerOnly {
        restrict_to_owner(file.file())?;
    }
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)?;
    file.sync_all()
}

/// Restricts a file to its owner.
fn restrict_to_owner(file: &std::fs::File) -> std::io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(OWNER_ONLY))
}
