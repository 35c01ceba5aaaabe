//! Reading and writing one of the user's files.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;

use crate::error::{Error, Result};
use crate::plan::Writing;

/// The file's text, or `None` where no file is.
pub(super) fn read(path: &Path) -> Result<Option<String>> {
    match fs_err::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|error| {
            Error::new("not-utf8", format!("{} is not UTF-8", path.display()))
                .cause(error.utf8_error())
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::new(
            "unreadable-file",
            format!("{} cannot be read", path.display()),
        )
        .cause(error)),
    }
}

/// Where `path` really lies, links followed; it must not lead out of the repository that holds `project`.
pub(super) fn target(path: &Path, project: &Path) -> Result<PathBuf> {
    let is_link = path
        .symlink_metadata()
        .is_ok_and(|metadata| metadata.is_symlink());
    if !is_link {
        return Ok(path.to_owned());
    }
    let refuse = |cause: String| {
        Error::new(
            "outside-project",
            format!("{} is a link that leads out of the project", path.display()),
        )
        .cause(cause)
        .hint("edit the file it leads to in its own project")
    };
    let real = fs_err::canonicalize(path).map_err(|error| refuse(error.to_string()))?;
    let project = fs_err::canonicalize(project).map_err(|error| refuse(error.to_string()))?;
    let boundary = project
        .ancestors()
        .find(|folder| folder.join(".git").exists())
        .unwrap_or(&project);
    if real.starts_with(boundary) {
        Ok(real)
    } else {
        Err(refuse(format!("it leads to {}", real.display())))
    }
}

/// The file, if it is there, may be written.
pub(super) fn writable(path: &Path) -> Result<()> {
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(_) => return Ok(()),
    };
    if metadata.permissions().readonly() {
        return Err(
            Error::new("read-only", format!("{} is read-only", path.display()))
                .hint(format!("`chmod u+w {}`", path.display())),
        );
    }
    Ok(())
}

/// Makes the file hold `text`, or takes it away.
pub(super) fn text(path: &Path, text: Option<&str>, writing: Writing) -> Result<()> {
    let result = match (text, writing) {
        (None, _) => fs_err::remove_file(path),
        (Some(text), Writing::Replace) => replace(path, text),
        (Some(text), Writing::InPlace) if path.exists() => overwrite(path, text),
        (Some(text), Writing::InPlace) => replace(path, text),
    };
    result.map_err(|error| {
        Error::new(
            "write-failed",
            format!("{} could not be written", path.display()),
        )
        .cause(error)
        .hint("every file is as it was before")
    })
}

/// A new file takes the old one's place at once, with its mode and owner.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let write = || -> std::io::Result<()> {
        let mut file = AtomicWriteFile::open(path)?;
        file.write_all(text.as_bytes())?;
        file.commit()
    };
    match write() {
        // A single file mounted into a container cannot be replaced, only overwritten.
        Err(error) if error.kind() == ErrorKind::ResourceBusy => overwrite(path, text),
        result => result,
    }
}

/// The bytes are overwritten from the first to the last, then the file is cut to length: whoever reads the journal can
/// tell a file that was cut short from one that somebody edited.
fn overwrite(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = fs_err::OpenOptions::new().write(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)?;
    file.sync_all()
}
