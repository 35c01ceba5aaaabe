//! Applies the safe fixes to the texts in memory, one at a time, and keeps those that fix their finding and break
//! nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::edit::patch;
use crate::lint::{self, FileStanding, Finding, Fix, Inspection};
use crate::plan::{Change, Writing};
use crate::project::Project;
use crate::session::collect::inspect;

/// The project with every accepted fix.
#[derive(Debug)]
pub(super) struct Repaired {
    /// The inspection of the fixed files.
    pub(super) after: Inspection,
    texts: BTreeMap<PathBuf, Arc<str>>,
}

/// The most fixes in one run; a project with more mistakes needs several runs.
const MOST: usize = 500;

/// Applies the fixes one by one and inspects the project again after each.
pub(super) fn repair(project: &Project, inspection: Inspection) -> Repaired {
    let mut findings = lint::examine(&inspection);
    let mut repaired = Repaired { after: inspection, texts: BTreeMap::new() };
    let mut tried: Vec<Fix> = Vec::new();
    for _ in 0..MOST {
        let next = findings
            .iter()
            .filter_map(|finding| finding.fix.as_ref())
            .find(|fix| !tried.contains(fix));
        let Some(fix) = next.cloned() else { break };
        if let Some(edited) = repaired.edited(project, &fix) {
            let left = lint::examine(&edited.after);
            if mends(&fix, &findings, &left) {
                repaired = edited;
                findings = left;
            }
        }
        tried.push(fix);
    }
    repaired
}

/// Returns whether the fix leaves fewer findings of its kind in its file, and docker compose and the workspace can
/// read every file that they could read before. Other findings that it uncovers are left for the next run or the
/// user.
fn mends(fix: &Fix, before: &[Finding], after: &[Finding]) -> bool {
    const REFUSALS: [&str; 5] = [
        "compose-refused",
        "devcontainer-syntax",
        "requirement-pip-line",
        "yaml-duplicate-key",
        "yaml-syntax",
    ];
    let Some(wanted) = before.iter().find(|finding| finding.fix.as_ref() == Some(fix)) else {
        return false;
    };
    let count = |findings: &[Finding], code: &str, path: Option<&Path>| {
        let of_code = findings.iter().filter(|one| one.code == code);
        of_code.filter(|one| path.is_none_or(|path| one.place.path == path)).count()
    };
    let path = Some(wanted.place.path.as_path());
    let is_gone = count(after, wanted.code, path) < count(before, wanted.code, path);
    is_gone && REFUSALS.iter().all(|code| count(after, code, None) <= count(before, code, None))
}

impl Repaired {
    /// Returns the project with one more fix.
    fn edited(&self, project: &Project, fix: &Fix) -> Option<Self> {
        let known =
            || Some(project.source(&fix.path).ok()?.map_or_else(|| "".into(), |file| file.text));
        let before = self.texts.get(&fix.path).cloned().or_else(known)?;
        let text: Arc<str> = patch::apply(&before, &fix.patches)?.into();
        let mut texts = self.texts.clone();
        texts.insert(fix.path.clone(), Arc::clone(&text));
        let mut after = inspect(&project.with_texts(&texts)).ok()?;
        after.outside = self.after.outside.clone();
        after.git.clone_from(&self.after.git);
        if fix.path.ends_with(".gitignore") {
            let is_named = |path: &Path| text.lines().any(|line| Path::new(line) == path);
            after
                .git
                .retain(|path, standing| *standing == FileStanding::Tracked || !is_named(path));
        }
        Some(Self { after, texts })
    }

    /// Returns the changes between the files as read and as fixed.
    pub(super) fn changes(&self, project: &Project) -> Vec<Change> {
        let changes = self.texts.iter().map(|(path, text)| Change {
            path: path.clone(),
            before: project.source(path).ok().flatten().map(|file| file.text),
            after: Some(Arc::clone(text)),
            // Gitpod watches its file by inode, so it is rewritten in place.
            writing: match path.ends_with(".gitpod.yml") {
                true => Writing::InPlace,
                false => Writing::Replace,
            },
        });
        let mut changes: Vec<Change> =
            changes.filter(|change| change.before != change.after).collect();
        let files = self.after.files();
        changes.sort_by_key(|change| {
            let at = files.iter().position(|file| file.path == change.path);
            at.unwrap_or(files.len())
        });
        changes
    }
}
