//! Reverts an entry in part: each file separately, unless the same lines were edited since.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{EntryDirection, Journal, JournalEntry};
use crate::plan::{FileChange, Plan};
use crate::project::read_text_file;

impl Journal {
    /// Reverts each file of `entry` on top of its planned change. A file whose same lines were changed since, or that
    /// held a secret that no store has any more, stays; the paths of those are returned.
    /// Files at the paths of `except` are left out.
    pub fn take_back(
        &self,
        entry: &JournalEntry,
        plan: &mut Plan,
        except: &BTreeSet<PathBuf>,
    ) -> Vec<PathBuf> {
        let mut stays = Vec::new();
        for file in entry.files.iter().filter(|file| !except.contains(&file.path)) {
            let known = plan.changes.iter().position(|change| change.path == file.path);
            let now = match known {
                Some(at) => plan.changes[at].after.clone(),
                None => read_text_file(&file.path).ok().flatten().map(Into::into),
            };
            let Ok(text) = file.text(now.as_deref(), EntryDirection::Back, &self.redactor) else {
                stays.push(file.path.clone());
                continue;
            };
            let after = text.map(Into::into);
            match known {
                Some(at) => plan.changes[at].after = after,
                None => plan.changes.push(FileChange {
                    path: file.path.clone(),
                    before: now,
                    after,
                    writing: file.writing,
                }),
            }
        }
        stays
    }
}
