//! `requirement-pip-line`: a pip command in place of package names.

use crate::edit::patch::TextPatch;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "requirement-pip-line",
    severity: Severity::Error,
    why: "pip reads names from this file, not commands: it stops at this line and installs nothing",
    explanation: "Setup guides say `pip install opentelemetry-api …`; requirements.txt takes only the names, one per line.",
    failing: &[("requirements.txt", "flask\npip install rollbar blinker # <-\n")],
    passing: &[("requirements.txt", "flask\nrollbar\nblinker\npip\n")],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for file in &inspection.requirements {
        for pasted in file.read.pasted.iter().filter(|command| file.is_command(command)) {
            hits.push(
                RuleHit::new(
                    &file.file,
                    file.offset(pasted.line),
                    "a `pip install` command is among the names",
                    "keep the names, one to a line",
                )
                .fixed_by(vec![TextPatch::replace(
                    pasted.range.clone(),
                    pasted.requirements.join("\n"),
                )]),
            );
        }
    }
    hits
}
