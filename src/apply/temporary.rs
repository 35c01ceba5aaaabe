//! A temporary folder for files that are not in place yet. Git ignores its content, and the next run removes what a
//! killed one left.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::path::{Path, PathBuf};

/// The prefix of the folder's name, followed by eight hexadecimal digits.
const PREFIX: &str = ".cruddur-ops-";

/// The file that makes git ignore the folder, locked while the run is alive.
pub(super) const IGNORE_FILE: &str = ".gitignore";

/// The file that will replace another.
const NEW_FILE: &str = "new";

const IGNORE_TEXT: &str = "# Made by cruddur-ops while it writes, and removed again.\n*\n";

/// Number of attempts with names that are taken, or removed by another run at the same time.
const ATTEMPTS: usize = 8;

/// A folder next to the user's file for a single file; dropping it removes both.
#[derive(Debug)]
pub(super) struct TemporaryFolder {
    path: PathBuf,
    lock: Option<File>,
}

impl TemporaryFolder {
    /// Creates a folder in `parent`, readable only by its owner, and removes those of earlier runs.
    ///
    /// # Errors
    /// The system's error.
    pub(super) fn create(parent: &Path) -> Result<Self> {
        sweep_temporary_folders(parent);
        for _ in 0..ATTEMPTS {
            let path = parent.join(format!("{PREFIX}{:08x}", rand::random::<u32>()));
            match create_private_folder(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                made => made?,
            }
            let mut folder = Self { path, lock: None };
            match folder.hide() {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                hidden => hidden?,
            }
            if folder.hold() {
                return Ok(folder);
            }
        }
        Err(Error::new(ErrorKind::AlreadyExists, "no temporary folder can be created"))
    }

    /// Returns the path of the single file.
    pub(super) fn file(&self) -> PathBuf {
        self.path.join(NEW_FILE)
    }

    /// Syncs the folder and its ignore file to disk.
    ///
    /// # Errors
    /// The system's error.
    pub(super) fn sync(&self) -> Result<()> {
        self.lock.as_ref().map_or(Ok(()), File::sync_all)?;
        sync_folder(&self.path)
    }

    /// Makes git ignore the folder before it contains anything.
    fn hide(&mut self) -> Result<()> {
        let mut file =
            OpenOptions::new().write(true).create_new(true).open(self.path.join(IGNORE_FILE))?;
        file.write_all(IGNORE_TEXT.as_bytes())?;
        self.lock = Some(file);
        Ok(())
    }

    /// Locks the folder; returns `false` if another run has just taken it for an abandoned one.
    fn hold(&self) -> bool {
        let locked = self.lock.as_ref().map(File::try_lock);
        // On a file system without locks, no other run could take it.
        !matches!(locked, Some(Err(TryLockError::WouldBlock)))
            && self.path.join(IGNORE_FILE).exists()
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = fs_err::remove_file(self.file());
        let _ = fs_err::remove_file(self.path.join(IGNORE_FILE));
        self.lock = None;
        let _ = fs_err::remove_dir(&self.path);
    }
}

/// Removes the temporary folders that dead runs left in `parent`.
pub(super) fn sweep_temporary_folders(parent: &Path) {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let named = entries.filter(|entry| is_named(&entry.file_name().to_string_lossy()));
    named.filter_map(|entry| take_over(&entry.path())).for_each(drop);
}

fn is_named(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .is_some_and(|rest| rest.len() == 8 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Locks an abandoned folder; `None` if it is in use, or contains anything that a run would not put there.
fn take_over(path: &Path) -> Option<TemporaryFolder> {
    let metadata = path.symlink_metadata().ok()?;
    if !metadata.is_dir() || !is_own(&metadata) {
        return None;
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).ok()? {
        let entry = entry.ok()?;
        let metadata = entry.metadata().ok()?;
        if !metadata.is_file() || !is_own(&metadata) {
            return None;
        }
        names.push(entry.file_name());
    }
    let lock = if names.iter().any(|name| name == IGNORE_FILE) {
        Some(lock_ignore_file(&path.join(IGNORE_FILE))?)
    } else {
        None
    };
    let is_ours = match names.as_slice() {
        [] => true,
        [_] => lock.is_some(),
        [_, _] => lock.is_some() && names.iter().any(|name| name == NEW_FILE),
        _ => false,
    };
    is_ours.then(|| TemporaryFolder { path: path.to_owned(), lock })
}

/// Locks the ignore file if it contains our text, complete or not.
fn lock_ignore_file(path: &Path) -> Option<File> {
    let file = File::open(path).ok()?;
    file.try_lock().ok()?;
    let mut text = String::new();
    (&file).take(IGNORE_TEXT.len() as u64 + 1).read_to_string(&mut text).ok()?;
    IGNORE_TEXT.starts_with(&text).then_some(file)
}

fn create_private_folder(path: &Path) -> Result<()> {
    let mut builder = DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Syncs the names in a folder to disk.
pub(super) fn sync_folder(path: &Path) -> Result<()> {
    File::open(path)?.sync_all()
}

fn is_own(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.uid() == rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Returns the names in `folder` and its subfolders, without following links.
    fn all_names(folder: &Path) -> Vec<String> {
        let mut all = names(folder);
        for name in names(folder) {
            let inner = folder.join(&name);
            if !inner.is_symlink() && inner.is_dir() {
                all.extend(names(&inner).into_iter().map(|below| format!("{name}/{below}")));
            }
        }
        all
    }

    /// Creates a folder in `parent` with these files.
    fn folder(parent: &Path, name: &str, files: &[(&str, &str)]) {
        std::fs::create_dir(parent.join(name)).unwrap();
        for (file, text) in files {
            std::fs::write(parent.join(name).join(file), text).unwrap();
        }
    }

    #[test]
    fn dropping_removes_the_folder_and_its_content() {
        let parent = tempfile::tempdir().unwrap();
        let folder = TemporaryFolder::create(parent.path()).unwrap();
        std::fs::write(folder.file(), "x").unwrap();
        assert_eq!(names(parent.path()).len(), 1);
        drop(folder);
        assert!(names(parent.path()).is_empty());
    }

    #[test]
    fn leftovers_of_a_dead_run_are_removed_at_every_stage() {
        let parent = tempfile::tempdir().unwrap();
        let half = &IGNORE_TEXT[..9];
        for (at, files) in [
            &[][..],
            &[(IGNORE_FILE, "")],
            &[(IGNORE_FILE, half)],
            &[(IGNORE_FILE, IGNORE_TEXT)],
            &[(IGNORE_FILE, IGNORE_TEXT), (NEW_FILE, "key")],
        ]
        .into_iter()
        .enumerate()
        {
            folder(parent.path(), &format!("{PREFIX}0000000{at}"), files);
        }
        sweep_temporary_folders(parent.path());
        assert!(names(parent.path()).is_empty());
    }

    #[test]
    fn folders_in_use_and_foreign_folders_are_kept() {
        let parent = tempfile::tempdir().unwrap();
        let used = TemporaryFolder::create(parent.path()).unwrap();
        let mine = &[(IGNORE_FILE, IGNORE_TEXT), (NEW_FILE, "x")][..];
        for (name, files) in [
            (".cruddur-ops", mine),
            (".cruddur-ops-mine", mine),
            (".cruddur-ops-000000001", mine),
            (".cruddur-ops-00000001", &[(NEW_FILE, "x")]),
            (".cruddur-ops-00000002", &[(IGNORE_FILE, "*\n"), (NEW_FILE, "x")]),
            (".cruddur-ops-00000003", &[(IGNORE_FILE, IGNORE_TEXT), ("notes", "x")]),
            (".cruddur-ops-00000004", &[(IGNORE_FILE, IGNORE_TEXT), (NEW_FILE, "x"), ("b", "")]),
        ] {
            folder(parent.path(), name, files);
        }
        std::fs::write(parent.path().join(".cruddur-ops-00000005"), "x").unwrap();
        {
            let elsewhere = tempfile::tempdir().unwrap();
            folder(elsewhere.path(), "real", mine);
            let link = |at: &str, to: PathBuf| {
                std::os::unix::fs::symlink(to, parent.path().join(at)).unwrap();
            };
            link(".cruddur-ops-00000006", elsewhere.path().join("real"));
            folder(parent.path(), ".cruddur-ops-00000007", &[(NEW_FILE, "x")]);
            link(".cruddur-ops-00000007/.gitignore", elsewhere.path().join("real/.gitignore"));
            let before = all_names(parent.path());
            sweep_temporary_folders(parent.path());
            assert_eq!(all_names(parent.path()), before);
            assert_eq!(names(&elsewhere.path().join("real")), [IGNORE_FILE, NEW_FILE]);
        }
        let before = all_names(parent.path());
        sweep_temporary_folders(parent.path());
        assert_eq!(all_names(parent.path()), before);
        let before = names(parent.path());
        drop(used);
        assert_eq!(names(parent.path()).len(), before.len() - 1);
    }
}
