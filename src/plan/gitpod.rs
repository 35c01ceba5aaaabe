//! `.gitpod.yml` as Gitpod reads its ports: lenient, the first of two entries wins, an exact entry beats a range.

use std::ops::RangeInclusive;

use serde::Deserialize;
use serde_yaml::Value;

use crate::edit::yaml::ports::Visibility;

/// An entry of `ports:` that Gitpod would heed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    /// One port, or a range.
    pub ports: RangeInclusive<u16>,
    /// `name`
    pub name: Option<String>,
    /// `visibility`; private where nothing is said.
    pub visibility: Visibility,
    /// `onOpen`
    pub on_open: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    port: Value,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    visibility: Option<String>,
    #[serde(default, rename = "onOpen")]
    on_open: Option<String>,
}

/// The entries of a `.gitpod.yml`; what Gitpod would skip is skipped, and a text that is no YAML has none.
pub fn configured(text: &str) -> Vec<Configured> {
    let document: Value =
        serde_yaml::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default();
    let Some(Value::Sequence(entries)) = document.get("ports").cloned() else {
        return Vec::new();
    };
    entries
        .into_iter()
        .filter_map(|entry| read(serde_yaml::from_value(entry).ok()?))
        .collect()
}

/// The entry that holds for `port`.
pub fn effective(entries: &[Configured], port: u16) -> Option<&Configured> {
    exact(entries, port).or_else(|| entries.iter().find(|entry| entry.ports.contains(&port)))
}

/// The first entry for `port` alone.
pub fn exact(entries: &[Configured], port: u16) -> Option<&Configured> {
    entries
        .iter()
        .find(|entry| *entry.ports.start() == port && *entry.ports.end() == port)
}

fn read(entry: Entry) -> Option<Configured> {
    let text = match &entry.port {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let ports = match text.split_once(['-', ':']) {
        None => text.parse().ok().map(|port| port..=port)?,
        Some((first, last)) => first.trim().parse().ok()?..=last.trim().parse().ok()?,
    };
    let is_range = text.contains(['-', ':']);
    if is_range && ports.start() >= ports.end() {
        return None;
    }
    Some(Configured {
        ports,
        name: entry.name,
        visibility: match entry.visibility.as_deref() {
            Some("public") => Visibility::Public,
            _ => Visibility::Private,
        },
        on_open: entry.on_open,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_entry_beats_a_range_and_the_first_of_two_wins() {
        let entries = configured(
            "ports:\n  - port: 3000-3010\n    visibility: public\n  - port: '3001'\n  - port: 3001\n    visibility: public\n  - command: x\n",
        );
        assert_eq!(
            effective(&entries, 3001).unwrap().visibility,
            Visibility::Private
        );
        assert_eq!(
            effective(&entries, 3002).unwrap().visibility,
            Visibility::Public
        );
        assert!(exact(&entries, 3002).is_none());
        assert_eq!(entries.len(), 3);
    }

    #[test]
    fn what_is_no_yaml_or_no_list_has_no_entries() {
        assert!(configured("ports: 3000").is_empty());
        assert!(configured("a: [").is_empty());
    }
}
