//! A rule, its severity, and the position of a hit.

use std::path::PathBuf;

use serde::Serialize;

use super::inspection::Inspection;
use crate::compose::ProjectTextFile;
use crate::edit::patch::TextPatch;

/// How likely something is broken for the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It works but could be improved.
    Advice,
    /// It is very likely a mistake.
    Warning,
    /// It is certainly broken, or exposes a secret.
    Error,
}

impl Severity {
    /// Returns the word that is printed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Advice => "advice",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A rule: its code, its explanation, examples, and the check.
pub struct LintRule {
    /// Stable, lowercase, dashed: `header-colon`.
    pub code: &'static str,
    /// The severity of its findings, unless a hit overrides it.
    pub severity: Severity,
    /// The reason why it matters: one sentence without a full stop.
    pub why: &'static str,
    /// The full explanation, for `--explain`.
    pub explanation: &'static str,
    /// Example project with the defect; the offending lines are marked.
    pub failing: RuleExample,
    /// Example project without the defect.
    pub passing: RuleExample,
    /// The function that finds the defect.
    pub check: fn(&Inspection) -> Vec<RuleHit>,
}

impl LintRule {
    /// Returns the address of its section in the manual; `None` if the package names no repository.
    pub fn link(&self) -> Option<String> {
        link_in(env!("CARGO_PKG_REPOSITORY"), self.code)
    }
}

/// Returns the address of a rule's section in the manual of a repository.
fn link_in(repository: &str, code: &str) -> Option<String> {
    let address = repository.trim_end_matches('/').trim_end_matches(".git");
    address.starts_with("https://").then(|| format!("{address}/blob/main/docs/rules.md#{code}"))
}

impl std::fmt::Debug for LintRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LintRule").field("code", &self.code).finish_non_exhaustive()
    }
}

/// Files of a small project: paths relative to its root, and their texts.
pub type RuleExample = &'static [(&'static str, &'static str)];

/// A position that a rule reports, before the rule and the line are added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleHit {
    /// Absolute path of the file.
    pub path: PathBuf,
    /// Byte offset.
    pub offset: usize,
    /// The problem: lowercase, without a full stop, without a secret.
    pub message: String,
    /// How to fix it.
    pub advice: String,
    /// A severity that overrides the rule's.
    pub severity: Option<Severity>,
    /// An edit that fixes it and changes nothing else.
    pub fix: Option<FindingFix>,
}

/// Edits of one file that fix a finding.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FindingFix {
    /// Absolute path of the file to edit, which may not exist yet.
    pub path: PathBuf,
    /// The edits.
    pub patches: Vec<TextPatch>,
}

impl RuleHit {
    /// Creates a hit at a byte of a file.
    pub fn new(
        file: &ProjectTextFile,
        offset: usize,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            path: file.path.clone(),
            offset,
            message: message.into(),
            advice: advice.into(),
            severity: None,
            fix: None,
        }
    }

    /// Overrides the rule's severity.
    #[must_use]
    pub fn as_severe_as(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// Adds edits of the same file that fix it.
    #[must_use]
    pub fn fixed_by(mut self, patches: Vec<TextPatch>) -> Self {
        self.fix = Some(FindingFix { path: self.path.clone(), patches });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_links_to_its_section_where_the_repository_is_known() {
        let expected = "https://host.example/me/ops/blob/main/docs/rules.md#header-colon";
        for repository in [
            "https://host.example/me/ops",
            "https://host.example/me/ops.git",
            "https://host.example/me/ops/",
        ] {
            assert_eq!(link_in(repository, "header-colon").as_deref(), Some(expected));
        }
        assert_eq!(link_in("", "header-colon"), None);
    }
}
