//! Writing one of the user's files.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;

use crate::error::{Error, Result};
use crate::plan::Writing;
use crate::project::Boundary;

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
        return Err(Error::new("read-only", format!("{} is read-only", path.display()))
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
#[cfg(unix)]
fn allowed(path: &Path) -> std::io::Result<()> {
    Ok(rustix::fs::access(path, rustix::fs::Access::WRITE_OK)?)
}

/// Only an attempt tells.
#[cfg(not(unix))]
fn allowed(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// One file's write, as far along as it can be before anybody sees anything of it.
#[derive(Debug)]
pub(super) struct Pending<'t> {
    path: &'t Path,
    step: Step<'t>,
}

#[derive(Debug)]
enum Step<'t> {
    /// A new file is on the disk and takes the old one's place at once, with its mode and owner.
    Replace(AtomicWriteFile, &'t str),
    /// The old file is overwritten.
    Overwrite(&'t str),
    /// The old file goes.
    Remove,
}

impl<'t> Pending<'t> {
    /// Prepares `path` to hold `text`, or to be taken away. What there is no room for fails here.
    pub(super) fn new(path: &'t Path, text: Option<&'t str>, writing: Writing) -> Result<Self> {
        let step = match (text, writing) {
            (None, _) => Ok(Step::Remove),
            (Some(text), Writing::InPlace) if path.exists() => Ok(Step::Overwrite(text)),
            (Some(text), _) => stage(path, text).map(|file| Step::Replace(file, text)),
        };
        let step = step.map_err(|error| failed(path, error))?;
        Ok(Self { path, step })
    }

    /// Whether this write can still run out of room.
    pub(super) fn is_overwriting(&self) -> bool {
        matches!(self.step, Step::Overwrite(_))
    }

    /// Writes it.
    pub(super) fn finish(self) -> Result<()> {
        let path = self.path;
        let result = match self.step {
            Step::Remove => fs_err::remove_file(path),
            Step::Overwrite(text) => overwrite(path, text),
            Step::Replace(file, text) => match commit(file, path) {
                // A single file mounted into a container cannot be replaced, only overwritten.
                Err(error) if error.kind() == ErrorKind::ResourceBusy => overwrite(path, text),
                result => result,
            },
        };
        result.map_err(|error| failed(path, error))
    }
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    Error::new("write-failed", format!("{} could not be written", path.display())).cause(error)
}

/// A new file beside `path`.
fn stage(path: &Path, text: &str) -> std::io::Result<AtomicWriteFile> {
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let mut file = AtomicWriteFile::open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(file)
}

/// Lets `file` take the place of `path`. Where that fails, nothing of it is left beside.
///
/// # Errors
/// As the system says.
pub(crate) fn commit(file: AtomicWriteFile, path: &Path) -> std::io::Result<()> {
    let staged = identity(&file.as_file().metadata()?);
    file.commit().inspect_err(|_| sweep(path, staged))
}

/// Takes away the name beside `path` that a file of ours was given in vain.
fn sweep(path: &Path, staged: Option<(u64, u64)>) {
    let folder = path.parent().map(std::fs::read_dir);
    for entry in folder.into_iter().flatten().flatten().flatten() {
        let about = entry.metadata().ok();
        if staged.is_some() && about.as_ref().and_then(identity) == staged && entry.path() != path {
            let _ = fs_err::remove_file(entry.path());
        }
    }
}

/// What tells one file from another on this machine.
#[cfg(unix)]
fn identity(about: &std::fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((about.dev(), about.ino()))
}

/// Here a file that found no place has its temporary name taken by whoever gave it.
#[cfg(not(unix))]
fn identity(_: &std::fs::Metadata) -> Option<(u64, u64)> {
    None
}

/// The bytes are overwritten from the first to the last, then the file is cut to length: whoever reads the journal can
/// tell a file that was cut short from one that somebody edited.
fn overwrite(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = fs_err::OpenOptions::new().write(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)?;
    file.sync_all()
}
