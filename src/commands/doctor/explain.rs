//! `doctor --explain CODE`: a rule in words, with what it finds and what it does not.

use serde_json::json;

use crate::commands::Outcome;
use crate::error::{Error, ErrorCode, Result};
use crate::lint::{self, Example};
use crate::ui::{Role, Ui};

/// Shows one rule.
///
/// # Errors
/// `unknown-rule`, naming those there are.
pub(super) fn explain(code: &str, ui: &mut Ui) -> Result<Outcome> {
    let Some(rule) = lint::rule(code) else {
        let codes: Vec<&str> = lint::RULES.iter().map(|rule| rule.code).collect();
        return Err(Error::new(ErrorCode::UnknownRule, format!("there is no rule {code}"))
            .cause(format!("the rules are {}", codes.join(", ")))
            .hint("`cruddur-ops doctor --explain env-near-miss`"));
    };
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
    ui.document(&json!({
        "schema_version": 1,
        "code": rule.code,
        "severity": rule.severity,
        "why": rule.why,
        "explanation": rule.explanation,
        "failing": files(rule.failing),
        "passing": files(rule.passing),
    }))?;
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
