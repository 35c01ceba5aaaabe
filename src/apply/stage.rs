//! Writes all files of a plan or none: each write is prepared before the first is finished, and undone if one fails.

use std::path::{Path, PathBuf};

use super::attributes::FileAccess;
use super::write::PendingWrite;
use crate::error::Result;
use crate::plan::{FileChange, WriteMethod};
use crate::project::read_text_file;

/// A file to be written.
#[derive(Debug)]
pub(super) struct WriteTarget<'a> {
    /// Path with links resolved.
    pub(super) path: &'a Path,
    pub(super) change: &'a FileChange,
    pub(super) writing: WriteMethod,
}

/// Prepares every write; files that are overwritten in place come first, because their disk space may still run out.
pub(super) fn stage_targets<'a>(targets: &[WriteTarget<'a>]) -> Result<Vec<PendingWrite<'a>>> {
    let writes = targets.iter().map(|&WriteTarget { path, change, writing }| {
        let texts = (change.before.as_deref(), change.after.as_deref());
        PendingWrite::new(path, texts, writing, FileAccess::AsBefore)
    });
    let mut pending: Vec<PendingWrite> = writes.collect::<Result<_>>()?;
    pending.sort_by_key(|write| !write.is_overwriting());
    Ok(pending)
}

/// Restores the `touched` files after a failed write, of which the last may be incomplete; returns whether that worked.
pub(super) fn restore_targets(targets: &[WriteTarget], touched: &[PathBuf]) -> bool {
    let mut whole = true;
    for target in targets.iter().filter(|target| touched.iter().any(|path| path == target.path)) {
        let (before, after) = (target.change.before.as_deref(), target.change.after.as_deref());
        let is_before = || read_text_file(target.path).is_ok_and(|now| now.as_deref() == before);
        let is_cut_short = touched.last().is_some_and(|path| path == target.path);
        whole &= is_before()
            || read_text_file(target.path).is_ok_and(|now| {
                // A line that was written in the meantime must not be lost.
                let is_ours = is_cut_short || now.as_deref() == after;
                let back = || {
                    let texts = (now.as_deref(), before);
                    let pending = PendingWrite::new(
                        target.path,
                        texts,
                        target.writing,
                        FileAccess::AsBefore,
                    )?;
                    pending.finish()
                };
                is_ours && (back().is_ok() || is_before())
            });
    }
    whole
}
