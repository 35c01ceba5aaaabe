//! Applies the safe edits to texts, one at a time, and keeps those that mend and break nothing.

use std::path::{Path, PathBuf};

use crate::edit::patch;
use crate::lint::{self, Finding, Fix, Role, Text};
use crate::plan::{Change, Writing};
use crate::session::collect::Collected;

/// The files after every edit that was kept.
#[derive(Debug)]
pub(super) struct Repaired {
    pub(super) after: Collected,
}

/// A project with more mistakes than this is mended in several runs.
const MOST: usize = 500;

/// Applies one edit after the other; each is followed by an examination of its own.
pub(super) fn repair(collected: &Collected) -> Repaired {
    let mut after = collected.clone();
    let mut findings = lint::examine(&after.subject());
    let mut tried: Vec<Fix> = Vec::new();
    for _ in 0..MOST {
        let next = findings
            .iter()
            .filter_map(|finding| finding.fix.as_ref())
            .find(|fix| !tried.contains(fix));
        let Some(fix) = next.cloned() else { break };
        if let Some(edited) = edited(&after, &fix) {
            let left = lint::examine(&edited.subject());
            if mends(&findings, &left) {
                after = edited;
                findings = left;
            }
        }
        tried.push(fix);
    }
    Repaired { after }
}

/// One finding fewer, and none of a kind that was not there before. That a variable is kept nowhere is left out: it was
/// so before its name was spelt right.
fn mends(before: &[Finding], after: &[Finding]) -> bool {
    let judged = |finding: &&Finding| finding.code != "variable-unstored";
    let known = |finding: &Finding| {
        let kin =
            |other: &&Finding| other.code == finding.code && other.place.path == finding.place.path;
        before.iter().any(|other| kin(&other))
    };
    let (before_it, after_it) = (before.iter().filter(judged), after.iter().filter(judged));
    after_it.clone().count() < before_it.count() && after_it.into_iter().all(known)
}

fn edited(collected: &Collected, fix: &Fix) -> Option<Collected> {
    let mut after = collected.clone();
    if !after.files.iter().any(|(_, file)| file.path == fix.path) {
        let role = lint::role(&fix.path)?;
        after.files.push((role, Text { path: fix.path.clone(), text: String::new() }));
    }
    let (role, file) = after.files.iter_mut().find(|(_, file)| file.path == fix.path)?;
    file.text = patch::apply(&file.text, &fix.patches)?;
    if *role == Role::Gitignore {
        let lines: Vec<String> = file.text.lines().map(str::to_owned).collect();
        if let Some(outside) = &mut after.outside {
            outside.unignored.retain(|path| !lines.contains(path));
        }
    }
    Some(after)
}

impl Repaired {
    /// The changed files, against what was read.
    pub(super) fn changes(&self, before: &Collected, root: &Path) -> Vec<Change> {
        let text = |path: &PathBuf| {
            before
                .files
                .iter()
                .find(|(_, file)| file.path == *path)
                .map(|(_, file)| file.text.as_str().into())
        };
        self.after
            .files
            .iter()
            .map(|(role, file)| Change {
                path: root.join(&file.path),
                before: text(&file.path),
                after: Some(file.text.as_str().into()),
                // Gitpod watches its file by inode.
                writing: if *role == Role::Gitpod { Writing::InPlace } else { Writing::Replace },
            })
            .filter(|change| change.before != change.after)
            .collect()
    }
}
