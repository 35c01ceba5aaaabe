//! A new file that takes an old one's place at once, with its owner, mode and attributes.
//!
//! Where the system can, the file has no name until it is whole and on the disk: a run that is killed leaves nothing.

use std::fs::{File, OpenOptions};
use std::io::{Result, Write};
use std::path::{Path, PathBuf};

use super::attributes;
use super::temporary::{TemporaryFolder, sync_folder};

/// Who may read the new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Whoever may read the old one.
    AsBefore,
    /// Its owner.
    OwnerOnly,
}

/// A file on the disk that is not in place yet.
#[derive(Debug)]
pub(super) struct Replacement<'p> {
    path: &'p Path,
    access: Access,
    file: File,
    /// Where its name is; `None` as long as it has none.
    folder: Option<TemporaryFolder>,
}

impl<'p> Replacement<'p> {
    /// Writes `text` to a file that is to become `path`, whose folder is made if it is missing.
    ///
    /// # Errors
    /// As the system says; nothing is left then.
    pub(super) fn stage(path: &'p Path, text: &str, access: Access) -> Result<Self> {
        let parent = parent(path);
        fs_err::create_dir_all(parent)?;
        let mode = match (access, path.exists()) {
            (Access::AsBefore, false) => 0o666,
            _ => 0o600,
        };
        let (file, folder) = match create_unnamed(parent, mode) {
            Some(file) => (file, None),
            None => {
                let folder = create_folder(parent, access)?;
                (create_named(&folder.file(), mode)?, Some(folder))
            }
        };
        let mut staged = Self { path, access, file, folder };
        staged.file.write_all(text.as_bytes())?;
        attributes::copy(path, &staged.file, access)?;
        staged.file.sync_all()?;
        Ok(staged)
    }

    /// Does what takes time and can still fail: if a file is to be replaced, the new one needs a name beside it.
    ///
    /// # Errors
    /// As the system says; nothing is left then.
    pub(super) fn prepare(&mut self) -> Result<()> {
        if self.folder.is_none() && self.path.symlink_metadata().is_ok() {
            let folder = create_folder(parent(self.path), self.access)?;
            link(&self.file, &folder.file())?;
            self.folder = Some(folder);
            // Some file systems write a file without a name only when it gets one.
            self.file.sync_data()?;
        }
        Ok(())
    }

    /// Takes the place. Where a file without a name was to be new, `AlreadyExists` says that another one is there since.
    ///
    /// # Errors
    /// As the system says; the old file is untouched then.
    pub(super) fn take_place(self) -> Result<()> {
        match &self.folder {
            Some(folder) => std::fs::rename(folder.file(), self.path)?,
            None => {
                link(&self.file, self.path)?;
                self.file.sync_data()?;
            }
        }
        // The file is in place and whole: that its name is not on the disk yet is no reason to call it unwritten.
        let _ = sync_folder(parent(self.path));
        Ok(())
    }
}

/// A folder beside the file; a secret is put there only when it is certain that git takes nothing of it.
fn create_folder(parent: &Path, access: Access) -> Result<TemporaryFolder> {
    let folder = TemporaryFolder::create(parent)?;
    if access == Access::OwnerOnly {
        folder.sync()?;
    }
    Ok(folder)
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Where a process finds its open files by number: what gives a file without a name one.
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

fn create_named(path: &Path, mode: u32) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    options.open(path)
}
