//! Filters findings: drops those of ignored rules, from the arguments or the project's file, and those below the
//! minimum severity.

use toml_edit::{Document, Item};

use super::{LintFinding, Severity, rule};
use crate::error::{Error, ErrorCode, Result, find_similar_name};

/// The file at the project's root that ignores rules.
pub const SILENCE_FILE: &str = ".cruddur-ops.toml";

/// Rules that a project's file cannot ignore, in addition to those about secrets, to protect people who clone the
/// project.
const ALWAYS_SHOWN: [&str; 10] = [
    "dotenv-not-ignored",
    "endpoint-path",
    "endpoint-unreachable",
    "key-unencrypted",
    "port-database-public",
    "port-page-public",
    "port-xray-public",
    "provider-mismatch",
    "region-mismatch",
    "traces-endpoint-path",
];

/// The findings that a run does not report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSilence {
    /// Ignored rules from the arguments.
    arguments: Vec<String>,
    /// Ignored rules from the project's file.
    file: Vec<String>,
    /// The minimum severity.
    least: Severity,
}

/// The number of findings that are not reported, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SilencedCounts {
    /// By the arguments.
    pub by_arguments: usize,
    /// By the project's file.
    pub by_file: usize,
    /// By the minimum severity.
    pub by_severity: usize,
}

impl RuleSilence {
    /// Reads the ignored rules from the arguments and the text of the project's file.
    ///
    /// # Errors
    /// `unknown-rule`; `config-invalid` if the file contains anything else.
    pub fn read(arguments: &[String], file: Option<&str>, least: Severity) -> Result<Self> {
        let file = file.map(read_codes).transpose()?.unwrap_or_default();
        if let Some(code) = arguments.iter().find(|code| rule(code).is_none()) {
            return Err(unknown_rule(code));
        }
        Ok(Self { arguments: arguments.to_vec(), file, least })
    }

    /// Removes the findings that are ignored.
    pub fn apply(&self, findings: Vec<LintFinding>) -> (Vec<LintFinding>, SilencedCounts) {
        let mut counts = SilencedCounts::default();
        let shown = findings.into_iter().filter(|finding| {
            let is_named = |codes: &[String]| codes.iter().any(|code| code == finding.code);
            match () {
                () if is_named(&self.arguments) => counts.by_arguments += 1,
                () if is_named(&self.file) => counts.by_file += 1,
                () if finding.severity < self.least => counts.by_severity += 1,
                () => return true,
            }
            false
        });
        (shown.collect(), counts)
    }
}

/// Returns the error for a code that no rule has.
pub fn unknown_rule(code: &str) -> Error {
    let error = Error::new(ErrorCode::UnknownRule, format!("there is no rule `{code}`"))
        .hint("`cruddur-ops doctor --list` lists them");
    match find_similar_name(super::RULES.iter().map(|rule| rule.code), code) {
        Some(known) => error.hint(format!(
            "`cruddur-ops doctor --explain {known}` explains the one with the most similar name"
        )),
        None => error,
    }
}

/// Reads the codes under `ignore` in the table `doctor`.
fn read_codes(text: &str) -> Result<Vec<String>> {
    let document: Document<&str> = Document::parse(text)
        .map_err(|error| invalid_rule_error("it is not valid TOML").cause(error.message()))?;
    let mut codes = Vec::new();
    for (table, item) in document.iter() {
        let Some(table) = item.as_table_like().filter(|_| table == "doctor") else {
            return Err(invalid_rule_error(&format!("`{table}` is unknown")));
        };
        for (key, item) in table.iter() {
            if key != "ignore" {
                return Err(invalid_rule_error(&format!("`doctor.{key}` is unknown")));
            }
            codes.extend(read_list(item)?);
        }
    }
    Ok(codes)
}

fn read_list(item: &Item) -> Result<Vec<String>> {
    let list = item.as_array().ok_or_else(|| invalid_rule_error("`ignore` must be a list"))?;
    let codes = list.iter().map(|value| {
        let code = value.as_str().ok_or_else(|| invalid_rule_error("a code must be a string"))?;
        match rule(code) {
            None => Err(unknown_rule(code)),
            Some(_) if is_always_shown(code) => {
                Err(invalid_rule_error(&format!("`{code}` cannot be ignored in a file"))
                    .hint(format!("`cruddur-ops doctor --ignore {code}` ignores it for one run")))
            }
            Some(_) => Ok(code.to_owned()),
        }
    });
    codes.collect()
}

/// Returns whether a rule is about a secret, the destination of telemetry, or public access.
fn is_always_shown(code: &str) -> bool {
    code.starts_with("secret-") || ALWAYS_SHOWN.contains(&code)
}

fn invalid_rule_error(reason: &str) -> Error {
    Error::new(ErrorCode::ConfigInvalid, format!("{SILENCE_FILE} cannot be used: {reason}"))
        .hint("it may only have the table `[doctor]` with `ignore = [\"CODE\"]`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_silences_rules_by_their_codes() {
        for text in [
            "[doctor]\nignore = [\"name-missing\", \"port-not-configured\"]\n",
            "doctor = { ignore = [\"name-missing\", \"port-not-configured\"] }\n",
            "# ours\ndoctor.ignore = [\n  \"name-missing\",\n  \"port-not-configured\",\n]\n",
        ] {
            let silence = RuleSilence::read(&[], Some(text), Severity::Advice).unwrap();
            assert_eq!(silence.file, ["name-missing", "port-not-configured"], "{text}");
        }
    }

    #[test]
    fn a_file_that_says_anything_else_is_refused() {
        for (text, code) in [
            ("[doctor]\nignore = [\"secret-literal\"]\n", ErrorCode::ConfigInvalid),
            ("[doctor]\nignore = [\"port-database-public\"]\n", ErrorCode::ConfigInvalid),
            ("[doctor]\nignore = [\"endpoint-unreachable\"]\n", ErrorCode::ConfigInvalid),
            ("[doctor]\nignore = [\"name-mising\"]\n", ErrorCode::UnknownRule),
            ("[doctor]\nignore = \"name-missing\"\n", ErrorCode::ConfigInvalid),
            ("[doctor]\nignore = [1]\n", ErrorCode::ConfigInvalid),
            ("[doctor]\ncommand = \"rm\"\n", ErrorCode::ConfigInvalid),
            ("ignore = [\"name-missing\"]\n", ErrorCode::ConfigInvalid),
            ("[verify]\nignore = []\n", ErrorCode::ConfigInvalid),
            ("[doctor\n", ErrorCode::ConfigInvalid),
        ] {
            let error = RuleSilence::read(&[], Some(text), Severity::Advice).unwrap_err();
            assert_eq!(error.code, code, "{text}");
        }
    }

    #[test]
    fn every_always_shown_code_is_a_rule() {
        assert!(ALWAYS_SHOWN.iter().all(|code| rule(code).is_some()));
    }
}
