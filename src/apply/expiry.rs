//! How long the journals of all projects are kept, which hold lines that users wrote, and with them whatever stood there.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::journal::{ENTRY_FILE, LOCK_FILE};

/// How old an entry may become.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How many projects may have one.
const MOST: usize = 100;

/// Whether the entry at `path` is too old to be taken back.
pub(super) fn is_past(path: &Path) -> bool {
    written_at(path).is_some_and(is_too_old)
}

/// Removes the entries below `state` that are too old, and the oldest ones where there are too many.
pub(super) fn remove_past(state: &Path) {
    let folders = std::fs::read_dir(state).into_iter().flatten().flatten();
    let mut entries: Vec<(SystemTime, PathBuf)> = folders
        .map(|folder| folder.path())
        .filter_map(|folder| Some((written_at(&folder.join(ENTRY_FILE))?, folder)))
        .collect();
    entries.sort_unstable_by(|one, other| other.cmp(one));
    for (at, (written, folder)) in entries.iter().enumerate() {
        if at >= MOST || is_too_old(*written) {
            remove_unless_in_use(folder);
        }
    }
}

/// Leaves an entry alone that a run is writing.
fn remove_unless_in_use(folder: &Path) {
    let lock = File::open(folder.join(LOCK_FILE));
    if lock.as_ref().is_ok_and(|lock| lock.try_lock().is_err()) {
        return;
    }
    let _ = fs_err::remove_file(folder.join(ENTRY_FILE));
}

fn written_at(path: &Path) -> Option<SystemTime> {
    path.symlink_metadata().ok().filter(|about| about.is_file())?.modified().ok()
}

/// A clock that was set back makes an entry no older.
fn is_too_old(written: SystemTime) -> bool {
    written.elapsed().is_ok_and(|age| age > LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry that was written `days` ago.
    fn entry(state: &Path, name: &str, days: u32) {
        std::fs::create_dir_all(state.join(name)).unwrap();
        std::fs::write(state.join(name).join(LOCK_FILE), "").unwrap();
        let file = File::create(state.join(name).join(ENTRY_FILE)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(86_400) * days).unwrap();
    }

    fn count(state: &Path) -> usize {
        let folders = std::fs::read_dir(state).unwrap();
        folders.filter(|folder| folder.as_ref().unwrap().path().join(ENTRY_FILE).exists()).count()
    }

    #[test]
    fn an_entry_ends_after_thirty_days() {
        let state = tempfile::tempdir().unwrap();
        for (name, days) in [("a", 31), ("b", 29), ("c", 400), ("d", 0)] {
            entry(state.path(), name, days);
        }
        assert!(is_past(&state.path().join("a").join(ENTRY_FILE)));
        remove_past(state.path());
        for (name, stays) in [("a", false), ("b", true), ("c", false), ("d", true)] {
            assert_eq!(state.path().join(name).join(ENTRY_FILE).exists(), stays, "{name}");
        }
    }

    #[test]
    fn the_newest_hundred_stay() {
        let state = tempfile::tempdir().unwrap();
        for at in 0..103 {
            entry(state.path(), &format!("p{at}"), u32::from(at >= 3));
        }
        remove_past(state.path());
        assert_eq!(count(state.path()), MOST);
        for at in 0..3 {
            assert!(state.path().join(format!("p{at}")).join(ENTRY_FILE).exists());
        }
    }

    #[test]
    fn an_entry_that_a_run_is_writing_stays() {
        let state = tempfile::tempdir().unwrap();
        entry(state.path(), "a", 31);
        let lock = File::open(state.path().join("a").join(LOCK_FILE)).unwrap();
        lock.lock().unwrap();
        remove_past(state.path());
        assert_eq!(count(state.path()), 1);
        drop(lock);
        remove_past(state.path());
        assert_eq!(count(state.path()), 0);
    }
}
