//! Resolves the merge keys (`<<`) of a mapping.
//!
//! A mapping's own key takes precedence over a merged one; the first of several merged mappings over later ones; the
//! last of several `<<` over earlier ones.

use foldhash::{HashSet, HashSetExt};

use super::tree::{NodeId, YamlKind, YamlTree};

/// Lists the mappings that `mapping` merges, in order of precedence, without resolving aliases.
pub(super) fn list_merged_mappings(tree: &YamlTree, mapping: NodeId) -> Vec<NodeId> {
    let merges = tree.entries(mapping).iter().rev();
    merges
        .filter(|(key, _)| tree.is_merge_key(*key))
        .flat_map(|(_, value)| match &tree.node(tree.resolve(*value)).kind {
            YamlKind::Sequence(items, _) => items.to_vec(),
            _ => vec![*value],
        })
        .collect()
}

/// Lists every mapping that `mapping` gets entries from, itself first, each once, in order of precedence.
pub(super) fn list_entry_sources(tree: &YamlTree, mapping: NodeId) -> Vec<NodeId> {
    let mut seen = HashSet::new();
    let mut order = Vec::new();
    let mut stack = vec![tree.resolve(mapping)];
    while let Some(id) = stack.pop() {
        if !seen.insert(id) {
            continue;
        }
        order.push(id);
        let sources = list_merged_mappings(tree, id);
        stack.extend(sources.iter().rev().map(|source| tree.resolve(*source)));
    }
    order
}

/// Returns the value `mapping` has for `key`, its own or a merged one.
pub(super) fn get(tree: &YamlTree, mapping: NodeId, key: &str) -> Option<NodeId> {
    if let Some(value) = tree.get(mapping, key) {
        return Some(value);
    }
    if !tree.entries(mapping).iter().any(|(key, _)| tree.is_merge_key(*key)) {
        return None;
    }
    let lineage = list_entry_sources(tree, mapping);
    lineage.iter().skip(1).find_map(|id| tree.get(*id, key))
}

/// Returns every entry of `mapping`, its own first; if a key repeats, only the entry that takes precedence.
pub(super) fn effective(tree: &YamlTree, mapping: NodeId) -> Vec<(NodeId, NodeId)> {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut entries = Vec::new();
    for id in list_entry_sources(tree, mapping) {
        let start = entries.len();
        for entry in tree.entries(id).iter().rev() {
            let counts = match tree.scalar(entry.0) {
                _ if tree.is_merge_key(entry.0) => false,
                Some(name) => seen.insert(name),
                None => true,
            };
            if counts {
                entries.push(*entry);
            }
        }
        entries[start..].reverse();
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effective_of(text: &str) -> String {
        let tree = YamlTree::parse(text).unwrap();
        let last = tree.entries(tree.root().unwrap()).last().unwrap().1;
        effective(&tree, last)
            .iter()
            .map(|(key, value)| {
                format!("{}={} ", tree.scalar(*key).unwrap(), tree.scalar(*value).unwrap())
            })
            .collect()
    }

    #[test]
    fn own_keys_beat_merged_ones_and_the_first_source_beats_the_later() {
        let text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 3\n";
        assert_eq!(effective_of(text), "x=3 y=1 z=2 ");
    }

    #[test]
    fn merges_of_merges_are_followed_and_the_last_of_two_keys_counts() {
        let text = "a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b, z: 3, z: 4}\n";
        assert_eq!(effective_of(text), "z=4 y=2 x=1 ");
    }

    #[test]
    fn diamonds_and_cycles_terminate() {
        let mut text = String::from("a0: &a0 {x: 1}\n");
        for level in 1..60 {
            let below = level - 1;
            text += &format!("a{level}: &a{level} {{<<: [*a{below}, *a{below}]}}\n");
        }
        assert_eq!(effective_of(&text), "x=1 ");
        assert_eq!(effective_of("a: &a {<<: *a, x: 1}\n"), "x=1 ");
    }
}
