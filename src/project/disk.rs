//! Reads text files from disk, each once.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::HashMap;

use crate::compose::{ProjectSources, SourceText};
use crate::error::{Error, ErrorCode, Result};
use crate::limits;

use super::ProjectBoundary;

/// The disk, with a cache of what was read.
#[derive(Debug, Default)]
pub(super) struct CachedDisk {
    /// Texts by path as written: hashing a `Path` component by component takes several times as long.
    read: Mutex<HashMap<OsString, SourceText>>,
    /// Existence of paths: each service looks for the same files.
    existing: Mutex<HashMap<OsString, bool>>,
    /// The boundary of the project, once it is known.
    pub(super) boundary: Option<ProjectBoundary>,
}

impl ProjectSources for CachedDisk {
    fn text(&self, path: &Path) -> SourceText {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.get(path.as_os_str()) {
            return known.clone();
        }
        let found = read_source_text(path);
        read.insert(path.into(), found.clone());
        found
    }

    fn exists(&self, path: &Path) -> bool {
        let mut existing = self.existing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = existing.get(path.as_os_str()) {
            return *known;
        }
        // Many files are looked for in each folder: a missing folder has none of them.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        for path in folder.into_iter().chain([path]) {
            let known = existing.get(path.as_os_str()).copied();
            let found = known.unwrap_or_else(|| std::fs::metadata(path).is_ok());
            if known.is_none() {
                existing.insert(path.into(), found);
            }
            if !found {
                return false;
            }
        }
        true
    }

    fn is_foreign(&self, path: &Path) -> bool {
        let boundary = self.boundary.as_ref();
        boundary.is_some_and(|boundary| boundary.real(path).is_err())
    }
}

impl CachedDisk {
    /// Returns the disk with these texts instead of the files at their paths.
    pub(super) fn with_texts(&self, texts: &BTreeMap<PathBuf, Arc<str>>) -> Self {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut existing = self.existing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (path, text) in texts {
            read.insert(path.into(), SourceText::Found(Arc::clone(text)));
            existing.insert(path.into(), true);
        }
        Self {
            read: Mutex::new(read),
            existing: Mutex::new(existing),
            boundary: self.boundary.clone(),
        }
    }
}

/// Returns the subfolders down to `depth` levels, upper levels first, without those that hold installed packages; at most
/// a thousand.
pub(super) fn folders_below(folder: &Path, depth: usize) -> Vec<PathBuf> {
    const MAX_FOLDERS: usize = 1_000;
    const INSTALLED: [&str; 2] = ["node_modules", "vendor"];
    let mut level = vec![folder.to_owned()];
    let mut found = Vec::new();
    for _ in 0..depth {
        let below = level.iter().flat_map(|folder| folders_in(folder));
        let own = below.filter(|path| !INSTALLED.iter().any(|name| path.ends_with(name)));
        level = own.take(MAX_FOLDERS - found.len()).collect();
        found.extend_from_slice(&level);
    }
    found
}

/// Returns the direct subfolders of a folder, sorted by name, without hidden ones; empty if they cannot be listed.
fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let shown = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    let mut folders: Vec<PathBuf> =
        shown.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// Returns the YAML files of a folder that are named like compose files, sorted by name.
pub(super) fn compose_files_in(folder: &Path) -> Vec<PathBuf> {
    let is_one = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        is_yaml && name.contains("compose") && path.is_file()
    };
    list_folder(folder).into_iter().filter(is_one).collect()
}

fn read_source_text(path: &Path) -> SourceText {
    match read_text_file(path) {
        Ok(Some(text)) => SourceText::Found(text.into()),
        Ok(None) => SourceText::Missing,
        Err(error) => SourceText::Unreadable(error),
    }
}

/// Reads the text of a file; `None` if it does not exist.
///
/// # Errors
/// `unreadable-file`, `file-too-large`, `not-utf8`.
pub(crate) fn read_text_file(path: &Path) -> Result<Option<String>> {
    let Some(bytes) = read_bytes(path)? else {
        return Ok(None);
    };
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let message = format!("{} is not UTF-8 text", path.display());
            Err(Error::new(ErrorCode::NotUtf8, message)
                .cause(format!("byte {at} does not begin a character"))
                .hint(format!("`file {}` shows its encoding", path.display())))
        }
    }
}

/// Reads the bytes of a file; `None` if it does not exist.
///
/// # Errors
/// `unreadable-file`, `file-too-large`.
pub(super) fn read_bytes(path: &Path) -> Result<Option<Vec<u8>>> {
    let Some((file, _)) = open_regular_file(path)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    let read = file.take(limits::FILE_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| unreadable_file_error(path, error.to_string()))?;
    if bytes.len() > limits::FILE_BYTES {
        let most = limits::FILE_BYTES >> 20;
        let message = format!("{} is larger than {most} MiB", path.display());
        return Err(Error::new(ErrorCode::FileTooLarge, message)
            .cause("files that large are not written by hand")
            .hint(format!("`ls -l {}` shows its size", path.display())));
    }
    Ok(Some(bytes))
}

/// Opens a regular file and returns its length in bytes; `None` if it does not exist.
///
/// # Errors
/// `unreadable-file`.
pub(super) fn open_regular_file(path: &Path) -> Result<Option<(std::fs::File, u64)>> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(unreadable_file_error(path, error.to_string())),
    };
    if metadata.is_dir() {
        return Err(unreadable_file_error(path, "it is a folder".to_owned()));
    }
    // Reading a pipe or device might never end, or never begin.
    if !metadata.is_file() {
        return Err(unreadable_file_error(path, "it is not a regular file".to_owned()));
    }
    let file = std::fs::File::open(path)
        .map_err(|error| unreadable_file_error(path, error.to_string()))?;
    Ok(Some((file, metadata.len())))
}

fn unreadable_file_error(path: &Path, cause: String) -> Error {
    Error::new(ErrorCode::UnreadableFile, format!("cannot read {}", path.display()))
        .cause(cause)
        .hint(format!("`ls -ld {}` shows what is there", path.display()))
}

/// Returns the paths in a folder, sorted; empty if it cannot be read.
pub(super) fn list_folder(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Returns whether a folder may contain the project's own files. Excluded are names in `foreign`, hidden folders except
/// those in `hidden`, links and virtual environments.
pub(super) fn is_own_folder(folder: &Path, foreign: &[&str], hidden: &[&str]) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or(".");
    (!name.starts_with('.') || hidden.contains(&name))
        && !foreign.contains(&name)
        && !folder.is_symlink()
        && !folder.join("pyvenv.cfg").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &Path) -> Error {
        match CachedDisk::default().text(path) {
            SourceText::Unreadable(error) => error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_text_is_kept_to_the_byte_and_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "\u{feff}a\r\nb").unwrap();
        let disk = CachedDisk::default();
        let first = disk.text(&path);
        assert_eq!(first, SourceText::Found("\u{feff}a\r\nb".into()));
        std::fs::write(&path, "changed").unwrap();
        assert_eq!(disk.text(&path), first);
        assert_eq!(disk.text(&folder.path().join("gone")), SourceText::Missing);
        assert_eq!(disk.text(&path.join("below")), SourceText::Missing);
    }

    #[test]
    fn a_planned_text_exists_without_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/a");
        let disk = CachedDisk::default();
        assert!(!disk.exists(&path));
        let planned = disk.with_texts(&BTreeMap::from([(path.clone(), "a".into())]));
        assert!(planned.exists(&path));
        assert!(!planned.exists(&folder.path().join("new/b")));
    }

    #[test]
    fn what_is_no_text_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(refused(folder.path()).code, ErrorCode::UnreadableFile);
        let path = folder.path().join("latin");
        std::fs::write(&path, b"caf\xe9").unwrap();
        let error = refused(&path);
        assert_eq!(error.code, ErrorCode::NotUtf8);
        assert!(error.message.contains("latin"), "{}", error.message);
        let large = folder.path().join("large");
        let file = std::fs::File::create(&large).unwrap();
        file.set_len(limits::FILE_BYTES as u64 + 1).unwrap();
        assert_eq!(refused(&large).code, ErrorCode::FileTooLarge);
    }

    #[test]
    fn a_pipe_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        assert_eq!(refused(&pipe).code, ErrorCode::UnreadableFile);
    }
}
