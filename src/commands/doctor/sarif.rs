//! Writes findings in the Static Analysis Results Interchange Format 2.1.0, which GitHub code scanning reads:
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use std::path::{Component, Path};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::lint::{self, LintFinding, LintRule, Severity};
use crate::project::Project;
use crate::session::collect::repository_prefix;

/// Returns the log of one run, with paths relative to the repository's root.
pub(super) fn log(findings: &[LintFinding], project: &Project) -> Value {
    let prefix = repository_prefix(project);
    let results: Vec<Value> =
        findings.iter().map(|finding| sarif_result(finding, &prefix)).collect();
    let rules: Vec<Value> = lint::RULES.iter().map(|rule| rule_descriptor(rule)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": env!("CARGO_PKG_NAME"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The root of the repository."}}},
            "results": results,
        }],
    })
}

fn rule_descriptor(rule: &LintRule) -> Value {
    let help = format!(
        "{}\n\nWhy it matters: {}.\n\n`cruddur-ops doctor --explain {}` shows an example.",
        rule.explanation, rule.why, rule.code
    );
    let mut descriptor = json!({
        "id": rule.code,
        "shortDescription": {"text": capitalize_sentence(rule.why)},
        "fullDescription": {"text": rule.explanation},
        "help": {"text": help, "markdown": help},
        "defaultConfiguration": {"level": sarif_level(rule.severity)},
    });
    if let Some(link) = rule.link() {
        descriptor["helpUri"] = json!(link);
    }
    descriptor
}

fn sarif_result(finding: &LintFinding, prefix: &Path) -> Value {
    let position = &finding.place;
    let index = lint::RULES.iter().position(|rule| rule.code == finding.code);
    json!({
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": sarif_level(finding.severity),
        "message": {"text": format!("{}. {}.", capitalize_sentence(&finding.message).trim_end_matches('.'), capitalize_sentence(&finding.advice).trim_end_matches('.'))},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": relative_uri(&prefix.join(&position.path)), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": position.line.max(1), "startColumn": position.column.max(1)},
        }}],
    })
}

/// The characters that are percent-encoded: all but the unreserved ones of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns a path as a relative reference of RFC 3986.
fn relative_uri(path: &Path) -> String {
    let parts = path.components().filter_map(|component| match component {
        Component::Normal(name) => {
            Some(utf8_percent_encode(&name.to_string_lossy(), ENCODED).to_string())
        }
        Component::ParentDir => Some("..".to_owned()),
        _ => None,
    });
    parts.collect::<Vec<_>>().join("/")
}

fn sarif_level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "note",
    }
}

/// Returns the text with its first letter in upper case.
fn capitalize_sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_relative_reference() {
        for (path, uri) in [
            ("docker-compose.yml", "docker-compose.yml"),
            ("./api/.env", "api/.env"),
            ("my app/a#b?.yml", "my%20app/a%23b%3F.yml"),
            ("../über.yml", "../%C3%BCber.yml"),
        ] {
            assert_eq!(relative_uri(Path::new(path)), uri);
        }
    }
}
