//! The providers and services that issue keys, and the variables that hold them, from `templates/keys.yaml`.
//!
//! A test ensures that the table covers every provider and addon of the catalogue.

use std::sync::LazyLock;

use serde::Deserialize;

/// An issuer of keys: the variables and headers that hold a key, and its format.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyOwner {
    /// Display name: `Honeycomb`.
    pub(super) owner: String,
    /// Variables whose value is its key.
    pub(super) variables: Vec<String>,
    /// Headers that contain only its key, in lower case.
    #[serde(default)]
    pub(super) headers: Vec<String>,
    /// Length of its shortest key in characters.
    #[serde(default)]
    length: Option<usize>,
    /// The formats that identify its keys anywhere.
    #[serde(default)]
    pub(super) shapes: Vec<KeyPattern>,
}

/// A format that identifies a key anywhere in a text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyPattern {
    /// Prefixes of a word, in any case.
    #[serde(default)]
    pub(super) begins: Vec<String>,
    /// Prefixes that may also occur inside a word, in any case.
    #[serde(default)]
    pub(super) anywhere: Vec<String>,
    /// The suffix of a word that begins with a hexadecimal digit.
    #[serde(default)]
    pub(super) ends: String,
    /// A regular expression for the complete key, from its beginning.
    pub(super) whole: String,
    /// Whether it matches a key's identifier, which is not secret.
    #[serde(default)]
    pub(super) identifier: bool,
}

/// Every issuer of keys.
pub(super) static OWNERS: LazyLock<Vec<KeyOwner>> = LazyLock::new(|| {
    let text = include_str!("../../templates/keys.yaml");
    serde_yaml::from_str(text).unwrap_or_default()
});

/// Returns the issuer of the key in the variable `name`, if that variable is known to hold one.
pub fn key_owner(name: &str) -> Option<&'static str> {
    let mut owners = OWNERS.iter();
    let owner = owners.find(|owner| owner.variables.iter().any(|variable| variable == name))?;
    Some(&owner.owner)
}

/// Returns whether `value` can be a key of `owner` rather than a placeholder such as `your-key-here`: long enough, with
/// letters and digits, without references and blanks.
pub fn is_written_out(value: &str, owner: &str) -> bool {
    const MIN_CHARS: usize = 12;
    const PLACEHOLDERS: [&str; 18] = [
        "your",
        "change",
        "xxx",
        "dummy",
        "test",
        "fake",
        "example",
        "local",
        "placeholder",
        "insert",
        "replace",
        "todo",
        "<",
        "...",
        "***",
        "minio",
        "sample",
        "redacted",
    ];
    let known = OWNERS.iter().find(|candidate| candidate.owner == owner);
    let shortest = known.and_then(|owner| owner.length).unwrap_or(MIN_CHARS);
    let is_mixed = value.contains(|c: char| c.is_ascii_digit())
        && value.contains(|c: char| c.is_ascii_alphabetic());
    let lower = value.to_ascii_lowercase();
    value.len() >= shortest
        && is_mixed
        && !value.contains(['$', ' '])
        && !PLACEHOLDERS.iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_says_whose_key_it_holds() {
        for (name, owner) in [
            ("HONEYCOMB_WRITEKEY", "Honeycomb"),
            ("DD_API_KEY", "Datadog"),
            ("UPTRACE_DSN", "Uptrace"),
            ("AWS_SECRET_ACCESS_KEY", "AWS"),
        ] {
            assert_eq!(key_owner(name), Some(owner), "{name}");
        }
        assert_eq!(key_owner("MY_KEY"), None);
    }

    #[test]
    fn a_placeholder_is_no_key() {
        assert!(is_written_out("abcdEFGH1234ijklMNOP56", "Honeycomb"));
        for value in
            ["your-key-123456", "${DD_API_KEY}", "abc1", "abcdefghijklmn", "a1 b2 c3 d4 e5"]
        {
            assert!(!is_written_out(value, "Datadog"), "{value}");
        }
        assert!(!is_written_out("abcd1234efgh5678", "AWS"), "AWS's have forty characters");
    }
}
