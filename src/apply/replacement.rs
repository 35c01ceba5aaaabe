//! Replaces a file atomically, keeping its owner, mode and attributes.
//!
//! If the system supports it, the new file has no name until it is completely on disk, so that a killed run leaves
//! nothing behind.

use std::fs::{File, OpenOptions};
use std::io::{Result, Write};
use std::path::{Path, PathBuf};

use super::attributes::{self, FileAccess, OWNER_ONLY};
use super::temporary::{TemporaryFolder, sync_folder};

/// A file on disk that is not in its place yet.
#[derive(Debug)]
pub(super) struct FileReplacement<'p> {
    path: &'p Path,
    access: FileAccess,
    file: File,
    /// The folder of its temporary name; `None` while it has no name.
    folder: Option<TemporaryFolder>,
}

impl<'p> FileReplacement<'p> {
    /// Writes `text` to a file that will replace `path`, creating its folder if needed.
    ///
    /// # Errors
    /// The system's error; nothing is left behind.
    pub(super) fn stage(path: &'p Path, text: &str, access: FileAccess) -> Result<Self> {
        let parent = parent_folder(path);
        fs_err::create_dir_all(parent)?;
        let mode = match (access, path.exists()) {
            (FileAccess::AsBefore, false) => 0o666,
            _ => OWNER_ONLY,
        };
        let (file, folder) = match create_unnamed(parent, mode) {
            Some(file) => (file, None),
            None => {
                let folder = create_folder(parent, access)?;
                (options_for_writing(mode).create_new(true).open(folder.file())?, Some(folder))
            }
        };
        let mut staged = Self { path, access, file, folder };
        staged.file.write_all(text.as_bytes())?;
        attributes::copy(path, &staged.file, access)?;
        staged.file.sync_all()?;
        Ok(staged)
    }

    /// Does the steps that take time and may fail: to replace a file, the new one needs a name next to it.
    ///
    /// # Errors
    /// The system's error; nothing is left behind.
    pub(super) fn prepare(&mut self) -> Result<()> {
        if self.folder.is_none() && self.path.symlink_metadata().is_ok() {
            let folder = create_folder(parent_folder(self.path), self.access)?;
            link(&self.file, &folder.file())?;
            self.folder = Some(folder);
            // Some file systems write an unnamed file only when it gets a name.
            self.file.sync_data()?;
        }
        Ok(())
    }

    /// Moves the file to its place. A new file without a name fails with `AlreadyExists` if another one was created
    /// since.
    ///
    /// # Errors
    /// The system's error; the old file is unchanged.
    pub(super) fn take_place(self) -> Result<()> {
        match &self.folder {
            Some(folder) => std::fs::rename(folder.file(), self.path)?,
            None => {
                link(&self.file, self.path)?;
                self.file.sync_data()?;
            }
        }
        // The file is complete and in place; it counts as written even if its name is not on disk yet.
        let _ = sync_folder(parent_folder(self.path));
        Ok(())
    }
}

/// Replaces `path` with a file that only its owner may read, without waiting for the disk.
///
/// # Errors
/// The system's error; the old file is unchanged.
pub(super) fn replace_unsynced(path: &Path, text: &str) -> Result<()> {
    let new = path.with_extension("new");
    let mut file = options_for_writing(OWNER_ONLY).create(true).truncate(true).open(&new)?;
    file.write_all(text.as_bytes())?;
    std::fs::rename(&new, path)
}

/// Creates a folder next to the file; a secret is written there only if git certainly ignores it.
fn create_folder(parent: &Path, access: FileAccess) -> Result<TemporaryFolder> {
    let folder = TemporaryFolder::create(parent)?;
    if access == FileAccess::OwnerOnly {
        folder.sync()?;
    }
    Ok(folder)
}

fn parent_folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The folder of a process's open files by number, used to give an unnamed file a name.
#[cfg(target_os = "linux")]
const OPEN_FILES: &str = "/proc/self/fd";

#[cfg(target_os = "linux")]
fn create_unnamed(folder: &Path, mode: u32) -> Option<File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = open(folder, flags, Mode::from_raw_mode(mode)).ok()?;
    Path::new(OPEN_FILES).is_dir().then(|| File::from(file))
}

#[cfg(not(target_os = "linux"))]
fn create_unnamed(_: &Path, _: u32) -> Option<File> {
    None
}

#[cfg(target_os = "linux")]
fn link(file: &File, name: &Path) -> Result<()> {
    use rustix::fs::{AtFlags, CWD, linkat};
    use std::os::fd::AsRawFd;
    let open = PathBuf::from(OPEN_FILES).join(file.as_raw_fd().to_string());
    Ok(linkat(CWD, &open, CWD, name, AtFlags::SYMLINK_FOLLOW)?)
}

#[cfg(not(target_os = "linux"))]
fn link(_: &File, _: &Path) -> Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Returns options that open a file for writing; one that they create has this mode.
pub(super) fn options_for_writing(mode: u32) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    options
}
