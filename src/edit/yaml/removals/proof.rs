//! After the edit: two parsers read the new text, and it means the old one without the members that were to go.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::EditRefusal;
use super::super::draft::YamlDraft;
use super::super::meaning::{ChangedNode, NodePair, TreeComparison};
use super::super::tree::{YamlKind, YamlTree};
use super::Positions;

/// Returns the tree of the new text if it lacks only the removed members.
pub(super) fn proven(
    draft: &YamlDraft<'_>,
    removed: &Positions,
) -> Result<Arc<YamlTree>, EditRefusal> {
    let at = draft.begin();
    let message = "the edit would change more than it removes";
    draft.proven(at, |after| {
        let roots = draft.tree.root().zip(after.root());
        let Some(roots) = roots.filter(|_| after.documents() <= 1) else {
            // The document had no other members.
            let entry_count = draft.tree.root().map_or(0, |root| draft.tree.entries(root).len());
            let is_all =
                removed.get(&Vec::new()).is_some_and(|members| members.len() == entry_count);
            return if is_all { Ok(()) } else { Err(draft.refuse(at, message)) };
        };
        let mut comparison = TreeComparison::new(draft.tree, after);
        compare(&mut comparison, roots, &mut Vec::new(), removed)
            .map_err(|ChangedNode(id)| draft.refuse_node(id, message))
    })
}

fn compare(
    comparison: &mut TreeComparison<'_>,
    (old, new): NodePair,
    path: &mut Vec<String>,
    removed: &Positions,
) -> Result<(), ChangedNode> {
    let below: Vec<&Vec<String>> = removed
        .range(path.clone()..)
        .map(|(other, _)| other)
        .take_while(|other| other.starts_with(path))
        .collect();
    if below.is_empty() {
        return comparison.same((old, new));
    }
    let (before, after) = (comparison.before, comparison.after);
    let positions = removed.get(path);
    let is_gone = |at: usize| positions.is_some_and(|positions| positions.contains(&at));
    if let YamlKind::Sequence(items, _) = &before.node(old).kind {
        let remaining: Vec<_> = items
            .iter()
            .enumerate()
            .filter(|(at, _)| !is_gone(*at))
            .map(|(_, item)| *item)
            .collect();
        let new_items = after.items(new);
        return if remaining.len() == new_items.len() {
            comparison.each(remaining.into_iter().zip(new_items.iter().copied()))
        } else {
            Err(ChangedNode(old))
        };
    }
    let entries = before.entries(old).iter().enumerate();
    let taken: BTreeSet<&str> = entries
        .filter(|(at, _)| is_gone(*at))
        .filter_map(|(_, (key, _))| before.scalar(*key))
        .collect();
    let is_emptied =
        positions.is_some_and(|positions| positions.len() == before.entries(old).len());
    if is_emptied && (after.is_null(new) || after.entries(new).is_empty()) {
        return Ok(());
    }
    let next: BTreeSet<&str> =
        below.iter().filter_map(|other| other.get(path.len())).map(String::as_str).collect();
    let others =
        comparison.members((old, new), |key| taken.contains(&key) || next.contains(&key))?;
    comparison.each(others)?;
    if taken.iter().any(|key| after.get(new, key).is_some()) {
        return Err(ChangedNode(old));
    }
    for key in next.into_iter().filter(|key| !taken.contains(key)) {
        let pair = before.get(old, key).zip(after.get(new, key)).ok_or(ChangedNode(old))?;
        path.push(key.to_owned());
        compare(comparison, pair, path, removed)?;
        path.pop();
    }
    Ok(())
}
