//! Finds the entry of `.gitpod.yml` that applies to a port: an exact entry before a range, then the first one.

use crate::edit::yaml::ports;

pub(crate) use crate::edit::yaml::ports::GitpodPortEntry;

/// Returns the entries of a `.gitpod.yml` that Gitpod would apply; none for invalid YAML.
pub(crate) fn configured(text: &str) -> Vec<GitpodPortEntry> {
    ports::read_gitpod_ports(text).unwrap_or_default()
}

/// Returns the entry that applies to `port`.
pub(crate) fn entry_in_force(entries: &[GitpodPortEntry], port: u16) -> Option<&GitpodPortEntry> {
    entry_for_port(entries, port).or_else(|| entries.iter().find(|entry| entry.covers(port)))
}

/// Returns the first entry for exactly `port`.
pub(crate) fn entry_for_port(entries: &[GitpodPortEntry], port: u16) -> Option<&GitpodPortEntry> {
    entries.iter().find(|entry| entry.first == port && entry.last == port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::yaml::ports::Visibility;

    #[test]
    fn an_exact_entry_beats_a_range_and_the_first_of_two_wins() {
        let entries = configured(
            "ports:\n  - port: 3000-3010\n    visibility: public\n  - port: '3001'\n  - port: 3001\n    visibility: public\n  - command: x\n",
        );
        assert_eq!(entry_in_force(&entries, 3001).unwrap().visibility, Visibility::Private);
        assert_eq!(entry_in_force(&entries, 3002).unwrap().visibility, Visibility::Public);
        assert!(entry_for_port(&entries, 3002).is_none());
        assert_eq!(entries.len(), 3);
    }

    #[test]
    fn invalid_yaml_and_non_lists_have_no_entries() {
        assert!(configured("ports: 3000").is_empty());
        assert!(configured("a: [").is_empty());
    }
}
