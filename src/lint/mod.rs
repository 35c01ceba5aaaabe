//! Doctor's rules: one file per rule in [`rules`], and the functions that run them over a project.
//!
//! Rules take an [`Inspection`] and read nothing themselves. They have no access to files, the network or secret
//! values; facts from the shell, the stores and git are passed in as [`OutsideFacts`].

mod finding;
pub(crate) mod inspection;
mod known;
pub(crate) mod packages;
pub(crate) mod rule;
pub(crate) mod rules;
pub(crate) mod scope;
mod silence;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

pub use finding::LintFinding;
pub use inspection::{
    CollectorFile, DotenvFile, InspectedCode, Inspection, KeyFileStatus, OutsideFacts,
    ProjectRefusal, ShellVariableStatus, UnreadFile, WorkspaceFile,
};
pub use known::find_intended_variable;
pub use packages::{PythonFile, RequirementsFile};
pub use rule::{FindingFix, LintRule, RuleExample, RuleHit, Severity};
pub use rules::RULES;
pub use silence::{RuleSilence, SILENCE_FILE, SilencedCounts, unknown_rule};

use crate::compose::ProjectTextFile;
use crate::edit::yaml::gitpod::GitpodFile;

/// Returns the rule with this code.
pub fn rule(code: &str) -> Option<&'static LintRule> {
    RULES.iter().copied().find(|rule| rule.code == code)
}

/// Runs every rule and returns the findings that no comment silences, ordered by file and line.
pub fn examine(inspection: &Inspection) -> Vec<LintFinding> {
    let own_files = inspection.files().into_iter().filter(|file| inspection.is_own(file));
    let files: HashMap<&Path, &ProjectTextFile> =
        own_files.map(|file| (file.path.as_path(), file)).collect();
    let hits =
        RULES.iter().flat_map(|rule| (rule.check)(inspection).into_iter().map(|hit| (*rule, hit)));
    let found = hits.filter_map(|(rule, hit)| {
        let file = files.get(hit.path.as_path())?;
        LintFinding::of(inspection, file, rule, hit)
    });
    let mut findings: Vec<LintFinding> = found.collect();
    findings.sort_by(|finding, other| finding.key().cmp(&other.key()));
    findings.dedup_by(|one, other| one.key() == other.key());
    findings
}

/// Returns every key that appears in the files as literal text, so that it can be redacted from quoted lines.
pub fn keys(inspection: &Inspection) -> Vec<String> {
    let found = rules::secret_literal::literals(inspection);
    found.into_iter().map(|found| found.value).collect()
}

/// Returns the files that contain a literal key, and files of variables that may; their git status decides whether that
/// is a problem.
pub fn files_with_keys(inspection: &Inspection) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = rules::dotenv_not_ignored::find_key_files(inspection)
        .into_iter()
        .map(|(file, _)| file.path.clone())
        .collect();
    let texts = inspection.texts.iter().filter(|file| has_key(file));
    paths.extend(texts.map(|file| file.path.clone()));
    let modules = inspection.python.iter().map(|file| &file.file).filter(|file| has_key(file));
    paths.extend(modules.map(|file| file.path.clone()));
    paths
}

/// Returns whether a file by itself can have findings: it contains a literal key, embeds one in a web page, or starts
/// a debugger in a production image.
pub fn is_judged(file: &ProjectTextFile) -> bool {
    has_key(file)
        || rules::secret_in_frontend::bundles_key(file)
        || rules::debug_in_production::starts_debugger(file)
}

/// Returns the paths that the tasks of a `.gitpod.yml` use and that do not exist: the byte of each line, and the path
/// from the repository's folder.
pub fn missing_task_paths(
    contents: &GitpodFile,
    is_there: impl Fn(&Path) -> bool,
) -> Vec<(usize, PathBuf)> {
    rules::task_path_missing::missing_paths(contents, is_there)
}

/// Returns whether an AWS access key ID belongs to a temporary key.
pub fn is_temporary_key(id: &str) -> bool {
    rules::xray_session_token::is_temporary_id(id)
}

fn has_key(file: &ProjectTextFile) -> bool {
    !rules::secret_literal::keys_by_shape(file).is_empty()
}

/// Returns the variables whose states [`OutsideFacts`] should contain: keys that the project refers to, and names that
/// services would share.
pub fn asked(inspection: &Inspection) -> Vec<String> {
    let mut names = rules::outside::keys_referred_to(inspection);
    names.extend(rules::name_in_shell::NAMES.map(str::to_owned));
    names
}

/// Returns whether a service sends traces or may send them, judging by the files; `None` if the compose project was not
/// read.
pub fn may_trace(inspection: &Inspection) -> Option<bool> {
    inspection.model.as_ref()?;
    let is_configured =
        inspection.scopes().iter().any(|scope| rules::telemetry::is_told(&scope.assignments));
    Some(is_configured || inspection.every_service().any(inspection::has_unread_settings))
}

#[cfg(test)]
mod tests;
