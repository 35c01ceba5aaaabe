//! `doctor --explain CODE`: describes one rule, with an example of what it reports and of what it does not. `doctor
//! --list`: lists all rules.

use serde_json::json;

use crate::commands::Outcome;
use crate::error::Result;
use crate::lint::{self, Example};
use crate::ui::{Painted, Role, Ui};

/// Shows one rule.
///
/// # Errors
/// `unknown-rule`, with the codes that exist.
pub(super) fn explain(code: &str, ui: &mut Ui) -> Result<Outcome> {
    let rule = lint::rule(code).ok_or_else(|| lint::unknown_rule(code))?;
    ui.result(Role::Strong.paint(format!("{} ({})", rule.code, rule.severity.word())));
    ui.result("");
    ui.result(rule.explanation);
    ui.result("");
    ui.result(format!("Why it matters: {}.", rule.why));
    for (title, example) in [("Found", rule.failing), ("Not found", rule.passing)] {
        ui.result("");
        ui.result(Role::Strong.paint(format!("{title}:")));
        show(example, ui);
    }
    if let Some(link) = rule.link() {
        ui.result("");
        ui.result(Painted::link(&link));
    }
    ui.document(&json!({
        "schema_version": 1,
        "code": rule.code,
        "severity": rule.severity,
        "why": rule.why,
        "explanation": rule.explanation,
        "failing": files(rule.failing),
        "passing": files(rule.passing),
        "link": rule.link(),
    }))?;
    Ok(Outcome::Yes)
}

/// Lists every rule, with its severity and why it matters.
///
/// # Errors
/// When the document cannot be written.
pub(super) fn list(ui: &mut Ui) -> Result<Outcome> {
    for rule in lint::RULES {
        let head = format!("{:<24} {:<8} ", rule.code, rule.severity.word());
        ui.result_behind(&head, rule.why, head.len());
    }
    let rules = lint::RULES
        .iter()
        .map(|rule| json!({"code": rule.code, "severity": rule.severity, "why": rule.why}));
    ui.document(&json!({"schema_version": 1, "rules": rules.collect::<Vec<_>>()}))?;
    Ok(Outcome::Yes)
}

fn show(example: Example, ui: &mut Ui) {
    for (path, text) in example {
        ui.result(format!("  {path}"));
        for line in text.lines() {
            ui.result(format!("    {line}"));
        }
    }
}

fn files(example: Example) -> Vec<serde_json::Value> {
    example.iter().map(|(path, text)| json!({"path": path, "text": text})).collect()
}
