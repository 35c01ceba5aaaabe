//! `devcontainer-syntax`: a devcontainer.json with a syntax error.

use crate::edit::jsonc::devcontainer;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "devcontainer-syntax",
    severity: Severity::Error,
    why: "a codespace whose devcontainer.json cannot be read starts in a recovery container, without its ports and secrets",
    explanation: "The file is JSON with comments and trailing commas: a missing comma, single quotes and bare words \
        are errors. The reported line is where parsing stopped, often one below the mistake.",
    failing: &[(
        ".devcontainer/devcontainer.json",
        "{\n  // ports\n  \"forwardPorts\": [3000 4567], # <-\n}\n",
    )],
    passing: &[(
        ".devcontainer/devcontainer.json",
        "{\n  // ports\n  \"forwardPorts\": [3000, 4567],\n}\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let broken = inspection.devcontainers.iter().filter_map(|file| {
        let refusal = devcontainer::read_devcontainer(&file.text).err()?;
        let at = file.offset(refusal.line, refusal.column);
        let advice = "fix the line, or compare it with the last commit";
        Some(RuleHit::new(file, at, refusal.reason, advice))
    });
    broken.collect()
}
