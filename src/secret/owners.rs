//! Who gives out keys, and what holds each of them: `templates/keys.yaml`.
//!
//! A test of the catalogue of providers holds the table to every provider and addon there.

use std::sync::LazyLock;

use serde::Deserialize;

/// A giver of keys: the variables and headers that hold one, and what it looks like.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyOwner {
    /// For people: `Honeycomb`.
    pub(super) owner: String,
    /// Variables whose value is its key.
    pub(super) variables: Vec<String>,
    /// Headers that carry its key alone, in lower case.
    #[serde(default)]
    pub(super) headers: Vec<String>,
    /// Characters of its shortest key.
    #[serde(default)]
    length: Option<usize>,
    /// Its keys' own looks.
    #[serde(default)]
    pub(super) shapes: Vec<KeyPattern>,
}

/// What a key looks like wherever it stands.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyPattern {
    /// A word that begins with one of these, in whatever case.
    #[serde(default)]
    pub(super) begins: Vec<String>,
    /// One of these, in whatever case, inside a word too.
    #[serde(default)]
    pub(super) anywhere: Vec<String>,
    /// A word that begins with a hexadecimal digit and ends with this.
    #[serde(default)]
    pub(super) ends: String,
    /// A regular expression for the whole of it, from its beginning.
    pub(super) whole: String,
    /// It names a key, and is none.
    #[serde(default)]
    pub(super) identifier: bool,
}

/// Every giver of keys.
pub(super) static OWNERS: LazyLock<Vec<KeyOwner>> = LazyLock::new(|| {
    let text = include_str!("../../templates/keys.yaml");
    serde_yaml::from_str(text).unwrap_or_default()
});

/// Returns whose key the variable `name` holds, if it is known for holding one.
pub fn key_owner(name: &str) -> Option<&'static str> {
    let mut owners = OWNERS.iter();
    let owner = owners.find(|one| one.variables.iter().any(|variable| variable == name))?;
    Some(&owner.owner)
}

/// Returns whether `value` can be a key of `owner`, and no placeholder such as `your-key-here`: long enough, with letters
/// and digits, without references and blanks.
pub fn is_written_out(value: &str, owner: &str) -> bool {
    const SHORTEST: usize = 12;
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
    let known = OWNERS.iter().find(|one| one.owner == owner);
    let shortest = known.and_then(|one| one.length).unwrap_or(SHORTEST);
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
