//! Keeps text of a project from being a command to the service that runs a CI job and reads its log.
//!
//! GitHub runs `::name::text` at the start of a line and `##[name]text` anywhere in it, Azure Pipelines
//! `##vso[name]text`, TeamCity `##teamcity[name]`: these hide findings, mask words, and set outputs of a job.

use std::borrow::Cow;

/// Returns printed lines with visible escapes in what would be a command.
pub(super) fn escape_log_commands(lines: &str) -> Cow<'_, str> {
    let escaped = escape_marks(lines, "\\u{23}");
    if !escaped.contains("::") {
        return escaped;
    }
    let is_command = |line: &str| {
        let rest = line.trim_start().strip_prefix("::");
        rest.is_some_and(|rest| rest.contains("::"))
    };
    if !escaped.split('\n').any(is_command) {
        return escaped;
    }
    let lines = escaped.split('\n').map(|line| {
        if is_command(line) { line.replacen(':', "\\u{3a}", 1) } else { line.to_owned() }
    });
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

/// Returns the same JSON document, with escapes in its strings for what would be a command.
pub(super) fn escape_json_log_commands(json: &str) -> Cow<'_, str> {
    escape_marks(json, "\\u0023")
}

/// Writes `escape` in place of the first character of each `##` that a name and a bracket follow.
fn escape_marks<'t>(text: &'t str, escape: &str) -> Cow<'t, str> {
    let mut out = String::new();
    let mut done = 0;
    for at in memchr::memchr_iter(b'#', text.as_bytes()) {
        let name = text[at + 1..].strip_prefix('#');
        let behind = name.map(|name| name.trim_start_matches(|c: char| c.is_ascii_alphabetic()));
        if behind.is_some_and(|behind| behind.starts_with('[')) {
            out.push_str(&text[done..at]);
            out.push_str(escape);
            done = at + 1;
        }
    }
    if done == 0 { Cow::Borrowed(text) } else { Cow::Owned(out + &text[done..]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_escaped() {
        for (text, shown) in [
            ("::add-mask::a", "\\u{3a}:add-mask::a"),
            (" a\n  ::error file=a::b\n c", " a\n  \\u{3a}:error file=a::b\n c"),
            ("    | A: b ##[add-mask]a", "    | A: b \\u{23}#[add-mask]a"),
            ("###[group]a##[error]b", "#\\u{23}#[group]a\\u{23}#[error]b"),
            ("##vso[task.setvariable a=b]c", "\\u{23}#vso[task.setvariable a=b]c"),
            ("##teamcity[buildStop]", "\\u{23}#teamcity[buildStop]"),
        ] {
            assert_eq!(escape_log_commands(text), shown);
            assert_eq!(escape_log_commands(shown), shown);
        }
    }

    #[test]
    fn other_text_stays() {
        for text in ["::1", "[::1]:80", "a::b::c", "## [a]", "# a", "std::fmt::Write", "##", "é::"]
        {
            assert!(matches!(escape_log_commands(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn json_says_the_same() {
        let value = serde_json::json!({"##[a]": ["###[b]", "##vso[c]", "::d::"]});
        let escaped = escape_json_log_commands(&value.to_string()).into_owned();
        assert!(!escaped.contains("##"), "{escaped}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
    }
}
