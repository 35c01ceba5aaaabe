//! The files in a journal's folder: their names, and when they were written.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

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

/// Returns when a file was written.
pub(super) fn written_at(path: &Path) -> Option<SystemTime> {
    path.symlink_metadata().ok().filter(|metadata| metadata.is_file())?.modified().ok()
}
