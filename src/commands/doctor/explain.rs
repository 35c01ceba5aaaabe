//! `doctor --explain CODE`: describes one rule, with an example of what it reports and of what it does not. `doctor
//! --list`: lists all rules.

use serde_json::json;

use crate::commands::RunOutcome;
use crate::error::Result;
use crate::lint::{self, RuleExample};
use crate::ui::{PaintedLine, TextRole, Ui};

/// Shows one rule.
///
/// # Errors
/// `unknown-rule`, with the codes that exist.
pub(super) fn explain(code: &str, ui: &mut Ui) -> Result<RunOutcome> {
    let rule = lint::rule(code).ok_or_else(|| lint::unknown_rule(code))?;
    ui.result(TextRole::Strong.paint(format!("{} ({})", rule.code, rule.severity.word())));
    ui.result("");
    ui.result_text(rule.explanation);
    ui.result("");
    ui.result_after("Why it matters: ", &format!("{}.", rule.why), 0);
    for (title, example) in [("Found", rule.failing), ("Not found", rule.passing)] {
        ui.result("");
        ui.result(TextRole::Strong.paint(format!("{title}:")));
        show_example(example, ui);
    }
    if let Some(link) = rule.link() {
        ui.result("");
        ui.result(PaintedLine::link(&link));
    }
    ui.document(&json!({
        "schema_version": 1,
        "code": rule.code,
        "severity": rule.severity,
        "why": rule.why,
        "explanation": rule.explanation,
        "failing": example_files(rule.failing),
        "passing": example_files(rule.passing),
        "link": rule.link(),
    }))?;
    Ok(RunOutcome::Yes)
}

/// Lists every rule, with its severity and why it matters.
///
/// # Errors
/// When the document cannot be written.
pub(super) fn list(ui: &mut Ui) -> Result<RunOutcome> {
    for rule in lint::RULES {
        let head = format!("{:<24} {:<8} ", rule.code, rule.severity.word());
        ui.result_after(&head, rule.why, head.len());
    }
    let rules = lint::RULES
        .iter()
        .map(|rule| json!({"code": rule.code, "severity": rule.severity, "why": rule.why}));
    ui.document(&json!({"schema_version": 1, "rules": rules.collect::<Vec<_>>()}))?;
    Ok(RunOutcome::Yes)
}

fn show_example(example: RuleExample, ui: &mut Ui) {
    for (path, text) in example {
        ui.result(format!("  {path}"));
        for line in text.lines() {
            ui.result(format!("    {line}"));
        }
    }
}

fn example_files(example: RuleExample) -> Vec<serde_json::Value> {
    example.iter().map(|(path, text)| json!({"path": path, "text": text})).collect()
}
