//! Writing one of the user's files.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::replacement::{Access, Replacement};
use crate::error::{Error, ErrorCode, Result};
use crate::plan::Writing;
use crate::project::{Boundary, read};

/// The file to write for `path`: what a link leads to, so that the link stays one.
pub(super) fn target(path: &Path, boundary: &Boundary) -> Result<PathBuf> {
    let real = boundary.real(path)?;
    let is_link = path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
    Ok(if is_link { real } else { path.to_owned() })
}

/// The file may be written, or made where there is none.
pub(super) fn writable(path: &Path, writing: Writing) -> Result<()> {
    let metadata = path.metadata().ok();
    let is_there = metadata.is_some();
    if metadata.is_some_and(|metadata| metadata.permissions().readonly()) {
        return Err(Error::new(ErrorCode::ReadOnly, format!("{} is read-only", path.display()))
            .hint(format!("`chmod u+w {}`", path.display())));
    }
    let refused = |error| failed(path, error).hint("nothing was written");
    if is_there {
        allowed(path).map_err(refused)?;
    }
    let is_beside = !is_there || writing == Writing::Replace;
    match path.ancestors().skip(1).find(|folder| folder.is_dir()) {
        Some(folder) if is_beside => allowed(folder).map_err(refused),
        _ => Ok(()),
    }
}

/// Whether this user may write here: the mode alone does not tell whose file it is.
fn allowed(path: &Path) -> std::io::Result<()> {
    Ok(rustix::fs::access(path, rustix::fs::Access::WRITE_OK)?)
}

/// One file's write, as far along as it can be before anybody sees anything of it.
#[derive(Debug)]
pub(super) struct Pending<'c> {
    path: &'c Path,
    before: Option<&'c str>,
    access: Access,
    step: Step<'c>,
}

#[derive(Debug)]
enum Step<'c> {
    /// A new file is on the disk and takes the old one's place at once.
    Replace(Replacement<'c>, &'c str),
    /// The old file is overwritten.
    Overwrite(&'c str),
    /// The old file goes.
    Remove,
}

impl<'c> Pending<'c> {
    /// Prepares `path`, which holds `before`, to hold `after`. Whatever there is no room for fails here.
    ///
    /// # Errors
    /// `write-failed`; nothing is written then.
    pub(super) fn new(
        path: &'c Path,
        (before, after): (Option<&'c str>, Option<&'c str>),
        writing: Writing,
        access: Access,
    ) -> Result<Self> {
        let step = match (after, writing) {
            (None, _) => Ok(Step::Remove),
            (Some(text), Writing::InPlace) if path.exists() => Ok(Step::Overwrite(text)),
            (Some(text), _) => {
                Replacement::stage(path, text, access).map(|file| Step::Replace(file, text))
            }
        };
        let step = step.map_err(|error| failed(path, error))?;
        Ok(Self { path, before, access, step })
    }

    pub(super) fn path(&self) -> &'c Path {
        self.path
    }

    /// Whether this write can still run out of room.
    pub(super) fn is_overwriting(&self) -> bool {
        matches!(self.step, Step::Overwrite(_))
    }

    /// Writes it, unless the file changed in the meantime.
    ///
    /// # Errors
    /// `changed-since-read` for a file that somebody else wrote, which stays as it is; `write-failed`.
    pub(super) fn finish(self) -> Result<()> {
        let Self { path, before, access, step } = self;
        let io = |error| failed(path, error);
        match step {
            Step::Remove => {
                check_unchanged(path, before)?;
                fs_err::remove_file(path).map_err(io)
            }
            Step::Overwrite(text) => {
                check_unchanged(path, before)?;
                overwrite(path, text, access).map_err(io)
            }
            Step::Replace(mut file, text) => {
                file.prepare().map_err(io)?;
                // Nothing but the system call that replaces the file comes after this.
                check_unchanged(path, before)?;
                match file.take_place() {
                    // A single file mounted into a container cannot be replaced, only overwritten.
                    Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                        overwrite(path, text, access).map_err(io)
                    }
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(changed(path)),
                    result => result.map_err(io),
                }
            }
        }
    }
}

/// Fails with `changed-since-read` unless `path` holds `text`.
pub(super) fn check_unchanged(path: &Path, text: Option<&str>) -> Result<()> {
    if read(path)?.as_deref() == text { Ok(()) } else { Err(changed(path)) }
}

fn changed(path: &Path) -> Error {
    let message = format!("{} changed since it was read", path.display());
    Error::new(ErrorCode::ChangedSinceRead, message)
        .hint("run the same command again to plan from what is there now")
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorCode::WriteFailed, format!("{} could not be written", path.display()))
        .cause(error)
}

/// Writes a file that holds secrets, which the journal does not remember. At no moment can anyone but its owner read it.
///
/// # Errors
/// `changed-since-read`, `write-failed`; the file is as it was before then.
pub fn write_private(path: &Path, before: Option<&str>, after: &str) -> Result<()> {
    let access = Access::OwnerOnly;
    let pending = Pending::new(path, (before, Some(after)), Writing::Replace, access)?;
    pending.finish().map_err(|error| {
        let is_torn =
            error.code != ErrorCode::ChangedSinceRead && check_unchanged(path, before).is_err();
        let back = || match before {
            Some(text) => overwrite(path, text, access),
            None => fs_err::remove_file(path),
        };
        match is_torn.then(back) {
            Some(Err(_)) => error.hint(format!("`cat {}` shows how far it came", path.display())),
            _ => error,
        }
    })
}

/// Removes a file in which nothing is left.
///
/// # Errors
/// `changed-since-read` if it is not empty; `write-failed`.
pub fn remove_empty(path: &Path) -> Result<()> {
    check_unchanged(path, Some(""))?;
    fs_err::remove_file(path).map_err(|error| failed(path, error))
}

/// The bytes are overwritten from the first to the last, then the file is cut to length: whoever reads the journal can
/// tell a file that was cut short from one that somebody edited.
fn overwrite(path: &Path, text: &str, access: Access) -> std::io::Result<()> {
    let mut file = fs_err::OpenOptions::new().write(true).open(path)?;
    if access == Access::OwnerOnly {
        close(file.file())?;
    }
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)?;
    file.sync_all()
}

/// Leaves a file to its owner.
fn close(file: &std::fs::File) -> std::io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
}
