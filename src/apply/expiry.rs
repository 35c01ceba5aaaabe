//! Limits how long journals are kept, for all projects, because they contain lines of the user's files.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::entry_files::{LOCK_FILE, entry_numbers, entry_path, written_at};

/// Maximum age of an entry.
const MAX_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Maximum number of projects with entries.
const MAX_PROJECTS: usize = 100;

/// Maximum number of entries of a project.
const MAX_PROJECT_ENTRIES: usize = 20;

/// Returns whether the entry at `path` is too old to be undone.
pub(super) fn is_expired(path: &Path) -> bool {
    written_at(path).is_some_and(is_too_old)
}

/// Removes entries below `state` that are too old, and the oldest ones if there are too many: of a project, and of the
/// projects changed longest ago.
pub(super) fn remove_past(state: &Path) {
    let folders = std::fs::read_dir(state).into_iter().flatten().flatten();
    let mut projects: Vec<(Option<SystemTime>, PathBuf, Vec<u32>)> = folders
        .map(|folder| folder.path())
        .map(|folder| (folder.clone(), entry_numbers(&folder)))
        .filter(|(_, numbers)| !numbers.is_empty())
        .map(|(folder, numbers)| (written_at(&entry_path(&folder, numbers[0])), folder, numbers))
        .collect();
    projects.sort_unstable_by(|newer, older| older.cmp(newer));
    for (at, (_, folder, numbers)) in projects.iter().enumerate() {
        let kept_entries = if at < MAX_PROJECTS { MAX_PROJECT_ENTRIES } else { 0 };
        let entries = numbers.iter().map(|number| entry_path(folder, *number)).enumerate();
        let past: Vec<PathBuf> = entries
            .filter(|(at, path)| *at >= kept_entries || is_expired(path))
            .map(|(_, path)| path)
            .collect();
        if !past.is_empty() {
            remove_unless_in_use(folder, &past);
        }
    }
}

/// Removes entries, unless another run is writing to the project.
fn remove_unless_in_use(folder: &Path, entries: &[PathBuf]) {
    let lock = File::open(folder.join(LOCK_FILE));
    if lock.as_ref().is_ok_and(|lock| lock.try_lock().is_err()) {
        return;
    }
    for entry in entries {
        let _ = fs_err::remove_file(entry);
    }
}

/// Returns whether a time is too long ago; setting the clock back does not make an entry older.
fn is_too_old(written: SystemTime) -> bool {
    written.elapsed().is_ok_and(|age| age > MAX_AGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates an entry that was written `days` ago.
    fn entry(state: &Path, name: &str, number: u32, days: u32) -> PathBuf {
        std::fs::create_dir_all(state.join(name)).unwrap();
        std::fs::write(state.join(name).join(LOCK_FILE), "").unwrap();
        let path = entry_path(&state.join(name), number);
        let file = File::create(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(86_400) * days).unwrap();
        path
    }

    #[test]
    fn an_entry_ends_after_thirty_days() {
        let state = tempfile::tempdir().unwrap();
        let entries =
            [("a", 1, 31, false), ("b", 1, 29, true), ("c", 1, 400, false), ("d", 1, 0, true)];
        let of_one = [("e", 1, 31, false), ("e", 2, 30, false), ("e", 3, 1, true)];
        let entries: Vec<(PathBuf, bool)> = entries
            .iter()
            .chain(&of_one)
            .map(|(name, number, days, stays)| (entry(state.path(), name, *number, *days), *stays))
            .collect();
        assert!(is_expired(&entries[0].0));
        remove_past(state.path());
        for (path, stays) in entries {
            assert_eq!(path.exists(), stays, "{}", path.display());
        }
    }

    #[test]
    fn the_newest_hundred_projects_keep_their_newest_twenty() {
        let state = tempfile::tempdir().unwrap();
        let projects: Vec<PathBuf> = (0..103)
            .map(|at| entry(state.path(), &format!("p{at}"), 1, u32::from(at >= 3)))
            .collect();
        let changes: Vec<PathBuf> =
            (2..25).map(|number| entry(state.path(), "p0", number, 0)).collect();
        remove_past(state.path());
        let count = projects.iter().filter(|path| path.exists()).count();
        assert_eq!(count, MAX_PROJECTS - 1);
        assert!(projects[1].exists() && projects[2].exists() && !projects[0].exists());
        let kept: Vec<bool> = changes.iter().map(|path| path.exists()).collect();
        assert_eq!(kept.iter().filter(|exists| **exists).count(), MAX_PROJECT_ENTRIES);
        assert!(!kept[2] && kept[3]);
    }

    #[test]
    fn an_entry_that_a_run_is_writing_stays() {
        let state = tempfile::tempdir().unwrap();
        let path = entry(state.path(), "a", 1, 31);
        let lock = File::open(state.path().join("a").join(LOCK_FILE)).unwrap();
        lock.lock().unwrap();
        remove_past(state.path());
        assert!(path.exists());
        drop(lock);
        remove_past(state.path());
        assert!(!path.exists());
    }
}
