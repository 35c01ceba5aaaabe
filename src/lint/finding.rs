//! A finding of a rule, with its position in a file.

use std::path::Path;

use super::inspection::Inspection;
use super::rule::{FindingFix, LintRule, RuleHit, Severity};
use crate::compose::ProjectTextFile;
use crate::error::FilePosition;

/// A rule's hit, with the rule and the position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintFinding {
    /// The rule's code.
    pub code: &'static str,
    /// How likely something is broken.
    pub severity: Severity,
    /// The position.
    pub place: FilePosition,
    /// The problem.
    pub message: String,
    /// The reason why it matters.
    pub why: &'static str,
    /// How to fix it.
    pub advice: String,
    /// An edit that fixes it.
    pub fix: Option<FindingFix>,
}

impl LintFinding {
    /// Adds the position in `file` to a hit; `None` if a comment silences it there.
    pub(super) fn of(
        inspection: &Inspection,
        file: &ProjectTextFile,
        rule: &LintRule,
        hit: RuleHit,
    ) -> Option<Self> {
        if is_silenced(file, hit.offset, rule.code) {
            return None;
        }
        let mut place = file.place(hit.offset);
        place.path = inspection.shown(&hit.path).to_owned();
        Some(Self {
            code: rule.code,
            severity: hit.severity.unwrap_or(rule.severity),
            place,
            message: hit.message,
            why: rule.why,
            advice: hit.advice,
            fix: hit.fix,
        })
    }

    /// Returns the sort key; two findings with the same key are duplicates.
    pub(super) fn key(&self) -> (&Path, usize, usize, &str) {
        (&self.place.path, self.place.line, self.place.column, self.code)
    }
}

/// Returns whether a comment silences a rule at a byte of a file.
pub(super) fn is_silenced(file: &ProjectTextFile, offset: usize, code: &str) -> bool {
    silenced_codes(file, file.place(offset).line).any(|silenced| silenced == code)
}

/// Returns the codes that a `cruddur-ops: ignore CODE` comment silences, on the line itself or alone on the line above.
fn silenced_codes(file: &ProjectTextFile, line: usize) -> impl Iterator<Item = &str> {
    let above = line
        .checked_sub(1)
        .and_then(|above| file.line(above))
        .filter(|(_, line)| line.trim_start().starts_with(['#', '/']));
    let comments = file.line(line).into_iter().chain(above);
    comments
        .filter_map(|(_, line)| line.split_once("cruddur-ops: ignore ").map(|(_, codes)| codes))
        .flat_map(|codes| codes.split([' ', ',']))
        .map(str::trim)
        .filter(|code| !code.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::FileSyntax;

    #[test]
    fn a_comment_silences_its_own_line_and_the_one_below() {
        let file =
            |text: &str| ProjectTextFile::new("/p/a.yml".into(), text.into(), FileSyntax::Other);
        let two = file("a: 1 # cruddur-ops: ignore one, two\n# cruddur-ops: ignore three\nb: 2\n");
        let codes = |file: &ProjectTextFile, line| -> Vec<String> {
            silenced_codes(file, line).map(str::to_owned).collect()
        };
        assert_eq!(codes(&two, 1), ["one", "two"]);
        assert_eq!(codes(&two, 3), ["three"]);
        let source_file = file("a: 1 # cruddur-ops: ignore one\nb: 2\n");
        assert!(codes(&source_file, 2).is_empty());
    }
}
