//! Verifies an addition: two parsers read the new text, which must mean the old text plus the addition.

use std::sync::Arc;

use super::super::EditRefusal;
use super::super::draft::YamlDraft;
use super::super::meaning::{ChangedNode, NodePair, TreeComparison};
use super::super::tree::{NodeId, YamlKind, YamlTree};
use super::Addition;

/// Returns whether a value has the same meaning as a body.
pub(super) fn has_same_meaning(tree: &YamlTree, value: NodeId, body: &str) -> bool {
    let Ok(wanted) = YamlTree::parse(body) else {
        return false;
    };
    match wanted.root() {
        None => tree.is_null(value),
        Some(root) => TreeComparison::new(tree, &wanted).same((value, root)).is_ok(),
    }
}

/// Returns the verified new text.
pub(super) fn proven(
    draft: &YamlDraft<'_>,
    addition: &Addition,
) -> Result<Arc<YamlTree>, EditRefusal> {
    let reason = "the edit would change more than it adds";
    draft.proven_by(reason, |before, after| verify_addition(before, after, addition))
}

/// Returns whether the addition is present; fails if anything else changed.
fn verify_addition(
    before: &YamlTree,
    after: &YamlTree,
    addition: &Addition,
) -> Result<bool, ChangedNode> {
    let Some(mut new) = after.root().filter(|_| after.documents() == 1) else {
        return Ok(false);
    };
    let (path, added) = match addition {
        Addition::Entry { path, key, .. } => (path, Some(key)),
        Addition::Item { path, .. } => (path, None),
    };
    let mut old = before.root().filter(|root| !before.is_null(*root));
    let mut comparison = TreeComparison::new(before, after);
    for key in path.iter().chain(added) {
        if !verify_entries_kept(&mut comparison, old, new, key)? {
            return Ok(false);
        }
        let Some(value) = after.get(new, key) else {
            return Ok(false);
        };
        new = value;
        let below = old.and_then(|old| before.get(old, key));
        old = below.filter(|value| !before.is_null(*value));
    }
    match addition {
        Addition::Entry { body, .. } => Ok(old.is_none() && has_same_meaning(after, new, body)),
        Addition::Item { item, entry, .. } => {
            verify_member_added(&mut comparison, old, new, (item, &entry.0))
        }
    }
}

/// Returns whether a mapping kept its entries, ignoring `key`.
fn verify_entries_kept(
    comparison: &mut TreeComparison<'_>,
    old: Option<NodeId>,
    new: NodeId,
    key: &str,
) -> Result<bool, ChangedNode> {
    let entries = comparison.after.entries(new);
    match old {
        None => Ok(entries.len() == 1),
        Some(old) => {
            let others = comparison.members((old, new), |other| other == key)?;
            comparison.each(others)?;
            Ok(true)
        }
    }
}

/// Returns whether a list or mapping kept its members, followed by the added item or entry.
fn verify_member_added(
    comparison: &mut TreeComparison<'_>,
    old: Option<NodeId>,
    new: NodeId,
    (item, key): (&str, &str),
) -> Result<bool, ChangedNode> {
    let after = comparison.after;
    if let YamlKind::Mapping(..) = after.node(new).kind {
        return Ok(after.get(new, key).is_some() && verify_entries_kept(comparison, old, new, key)?);
    }
    let old_value = old.map_or(&[][..], |old| comparison.before.items(old));
    let new_value = after.items(new);
    let pairs: Vec<NodePair> = old_value.iter().copied().zip(new_value.iter().copied()).collect();
    comparison.each(pairs)?;
    let last = new_value.last().and_then(|last| after.scalar(*last));
    Ok(new_value.len() == old_value.len() + 1 && last == Some(item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(addition: &Addition, cases: &[(&str, &str, Option<bool>)]) {
        for (before, after, expected) in cases {
            let (before, after) =
                (YamlTree::parse(*before).unwrap(), YamlTree::parse(*after).unwrap());
            let found = verify_addition(&before, &after, addition);
            assert_eq!(found.ok(), *expected, "{:?} {:?}", before.source, after.source);
        }
    }

    #[test]
    fn an_entry_is_verified_if_it_is_new_and_as_requested() {
        let path = || vec!["s".to_owned()];
        let entry =
            Addition::Entry { path: path(), key: "n".to_owned(), body: "x: 1\n".to_owned() };
        let cases = [
            ("s: {a: 1}", "s: {a: 1, n: {x: 1}}", Some(true)),
            ("s: {a: 1, n: }", "s: {a: 1, n: {x: 1}}", Some(true)),
            ("s:", "s: {n: {x: 1}}", Some(true)),
            ("s: {a: 1}", "s: {a: 1, n: {x: 2}}", Some(false)),
            ("s: {a: 1}", "s: {a: 1}", Some(false)),
            ("s: {n: {x: 1}}", "s: {n: {x: 1}}", Some(false)),
            ("s: {n: {x: 2}}", "s: {n: {x: 1}}", Some(false)),
            ("s: {a: 1}", "s: {a: 2, n: {x: 1}}", None),
            ("s: {a: 1}\nt: 1", "s: {a: 1, n: {x: 1}}\nt: 2", None),
        ];
        check(&entry, &cases);
    }

    #[test]
    fn an_item_is_verified_if_it_is_last_and_the_only_new_one() {
        let item = Addition::Item {
            path: vec!["l".to_owned()],
            item: "n".to_owned(),
            entry: ("n".to_owned(), "1".to_owned()),
        };
        let cases = [
            ("l: [a]", "l: [a, n]", Some(true)),
            ("l:", "l: [n]", Some(true)),
            ("l: {a: 1}", "l: {a: 1, n: 1}", Some(true)),
            ("l: [a]", "l: [a, m]", Some(false)),
            ("l: [a]", "l: [a, m, n]", Some(false)),
            ("l: [a]", "l: [b, n]", None),
            ("l: {a: 1}", "l: {a: 2, n: 1}", None),
        ];
        check(&item, &cases);
    }
}
