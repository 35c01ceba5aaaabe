//! Applies the safe fixes to the texts in memory, and keeps those that fix their finding and break nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::edit::patch::{self, TextPatch};
use crate::lint::{self, FindingFix, Inspection, KeyFileStatus, LintFinding};
use crate::plan::{FileChange, WriteMethod};
use crate::project::Project;
use crate::session::collect::inspect_project;

/// The project with every accepted fix.
#[derive(Debug)]
pub(super) struct RepairedProject {
    /// The inspection of the fixed files.
    pub(super) after: Inspection,
    /// The findings in them.
    pub(super) findings: Vec<LintFinding>,
    texts: BTreeMap<PathBuf, Arc<str>>,
}

/// The most fixes in one run; a project with more mistakes needs several runs.
const MAX_FIXES: usize = 500;

/// Applies the fixes of an inspection's findings, all at once if that fixes every one of their findings, else one by
/// one, and inspects the project again after each step.
pub(super) fn repair(
    project: &Project,
    inspection: Inspection,
    findings: Vec<LintFinding>,
) -> RepairedProject {
    let mut repaired = RepairedProject { after: inspection, texts: BTreeMap::new(), findings };
    let mut tried: HashSet<FindingFix> = HashSet::new();
    let mut is_joint = true;
    while tried.len() < MAX_FIXES {
        let mut seen: HashSet<&FindingFix> = HashSet::new();
        let fixes = repaired
            .findings
            .iter()
            .filter_map(|finding| finding.fix.as_ref())
            .filter(|fix| !tried.contains(*fix) && seen.insert(fix));
        let mut open: Vec<FindingFix> = fixes.cloned().collect();
        is_joint &= open.len() > 1 && are_apart(&open);
        if !is_joint {
            open.truncate(1);
        }
        if open.is_empty() {
            break;
        }
        match repaired.edited(project, &open) {
            Some(edited) if fixes_finding(&open, &repaired.findings, &edited.findings) => {
                repaired = edited
            }
            // One of them may be the cause.
            _ if is_joint => {
                is_joint = false;
                continue;
            }
            _ => {}
        }
        tried.extend(open);
    }
    repaired
}

/// Returns the findings, each with its fix only if it is no longer found once all fixes are made.
pub(super) fn keep_planned_fixes(
    mut findings: Vec<LintFinding>,
    after: &[LintFinding],
) -> Vec<LintFinding> {
    let left: HashSet<_> = after.iter().map(identify).collect();
    for finding in &mut findings {
        if left.contains(&identify(finding)) {
            finding.fix = None;
        }
    }
    findings
}

/// Returns the parts of a finding that an edit elsewhere in its file does not change.
fn identify(finding: &LintFinding) -> (&str, &Path, &str) {
    (finding.code, &finding.place.path, &finding.message)
}

/// Returns whether no two fixes begin an edit at the same byte of a file, where the order would matter.
fn are_apart(fixes: &[FindingFix]) -> bool {
    let mut starts = BTreeSet::new();
    let mut all = fixes.iter().flat_map(|fix| fix.patches.iter().map(move |patch| (fix, patch)));
    all.all(|(fix, patch)| starts.insert((&fix.path, patch.range.start)))
}

/// Returns whether each finding of these fixes is gone, counted by kind and file, and docker compose and the
/// workspace can read every file that they could read before. Other findings that they uncover are left for the next
/// step or the user.
fn fixes_finding(fixes: &[FindingFix], before: &[LintFinding], after: &[LintFinding]) -> bool {
    const REFUSALS: [&str; 5] = [
        "compose-refused",
        "devcontainer-syntax",
        "requirement-pip-line",
        "yaml-duplicate-key",
        "yaml-syntax",
    ];
    let count = |findings: &[LintFinding], code: &str, path: Option<&Path>| {
        let of_code = findings.iter().filter(|finding| finding.code == code);
        of_code.filter(|finding| path.is_none_or(|path| finding.place.path == path)).count()
    };
    // Of several findings with one fix, the first one counts.
    let fixed: HashMap<&FindingFix, &LintFinding> =
        before.iter().rev().filter_map(|finding| Some((finding.fix.as_ref()?, finding))).collect();
    let mut wanted: BTreeMap<(&str, &Path), BTreeSet<usize>> = BTreeMap::new();
    for (number, fix) in fixes.iter().enumerate() {
        let Some(finding) = fixed.get(fix) else { return false };
        wanted.entry((finding.code, &finding.place.path)).or_default().insert(number);
    }
    let are_gone = wanted.iter().all(|((code, path), numbers)| {
        count(after, code, Some(path)) + numbers.len() <= count(before, code, Some(path))
    });
    are_gone && REFUSALS.iter().all(|code| count(after, code, None) <= count(before, code, None))
}

impl RepairedProject {
    /// Returns the project with these fixes too.
    fn edited(&self, project: &Project, fixes: &[FindingFix]) -> Option<Self> {
        let mut patches: BTreeMap<&PathBuf, Vec<TextPatch>> = BTreeMap::new();
        for fix in fixes {
            patches.entry(&fix.path).or_default().extend(fix.patches.clone());
        }
        let mut texts = self.texts.clone();
        for (path, patches) in &patches {
            let known =
                || Some(project.source(path).ok()?.map_or_else(|| "".into(), |file| file.text));
            let before = texts.get(*path).cloned().or_else(known)?;
            texts.insert((*path).clone(), patch::apply(&before, patches)?.into());
        }
        let mut after = inspect_project(&project.with_texts(&texts)).ok()?;
        after.outside = self.after.outside.clone();
        after.git.clone_from(&self.after.git);
        for path in patches.keys().filter(|path| path.ends_with(".gitignore")) {
            let text = texts.get(*path)?;
            let is_named = |path: &Path| text.lines().any(|line| Path::new(line) == path);
            after.git.retain(|path, status| *status == KeyFileStatus::Tracked || !is_named(path));
        }
        let findings = lint::examine(&after);
        Some(Self { after, texts, findings })
    }

    /// Returns the changes between the files as read and as fixed.
    pub(super) fn changes(&self, project: &Project) -> Vec<FileChange> {
        let mut changes: Vec<FileChange> = self
            .texts
            .iter()
            .map(|(path, text)| FileChange {
                path: path.clone(),
                before: project.source(path).ok().flatten().map(|file| file.text),
                after: Some(Arc::clone(text)),
                // Gitpod watches its file by inode, so it is rewritten in place.
                writing: if path.ends_with(".gitpod.yml") {
                    WriteMethod::InPlace
                } else {
                    WriteMethod::Replace
                },
            })
            .filter(|change| change.before != change.after)
            .collect();
        let files = self.after.files();
        changes.sort_by_key(|change| {
            let at = files.iter().position(|file| file.path == change.path);
            at.unwrap_or(files.len())
        });
        changes
    }
}
