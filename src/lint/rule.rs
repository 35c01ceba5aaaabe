//! A rule, its severity, and a place it points at.

use std::path::PathBuf;

use serde::Serialize;

use super::inspection::Inspection;
use crate::compose::File;
use crate::edit::patch::Patch;

/// How sure it is that something is broken for the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Works, and could be better.
    Advice,
    /// Very likely not what was meant.
    Warning,
    /// Certainly broken, or a secret in the open.
    Error,
}

impl Severity {
    /// As it is printed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Advice => "advice",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One rule: what it is called, why it matters, how it looks, and how it is found.
pub struct Rule {
    /// Stable, lowercase, dashed: `header-colon`.
    pub code: &'static str,
    /// What its findings are, unless one says otherwise.
    pub severity: Severity,
    /// One sentence without a full stop: why it matters.
    pub why: &'static str,
    /// The whole story, for `--explain`.
    pub explanation: &'static str,
    /// A project that has the defect, and the lines that show it.
    pub failing: Example,
    /// A project that does not.
    pub passing: Example,
    /// Looks for it.
    pub check: fn(&Inspection) -> Vec<Hit>,
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rule").field("code", &self.code).finish_non_exhaustive()
    }
}

/// Files of a small project: paths below its root, and texts.
pub type Example = &'static [(&'static str, &'static str)];

/// A place a rule points at, before it is known by its rule and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Which of the files that were read. Absolute.
    pub path: PathBuf,
    /// The byte it is about.
    pub offset: usize,
    /// What is wrong here: lowercase, without a full stop, without a secret.
    pub message: String,
    /// What to do about it.
    pub advice: String,
    /// Another severity than the rule's.
    pub severity: Option<Severity>,
    /// An edit that mends it and changes nothing else.
    pub fix: Option<Fix>,
}

/// Edits of one file that mend a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The file to edit, absolute; it may not exist yet.
    pub path: PathBuf,
    /// The edits.
    pub patches: Vec<Patch>,
}

impl Hit {
    /// Something wrong at a byte of a file.
    pub fn new(
        file: &File,
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

    /// With another severity than the rule's.
    #[must_use]
    pub fn as_severe_as(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// With edits of the same file that mend it.
    #[must_use]
    pub fn mended_by(mut self, patches: Vec<Patch>) -> Self {
        self.fix = Some(Fix { path: self.path.clone(), patches });
        self
    }
}
