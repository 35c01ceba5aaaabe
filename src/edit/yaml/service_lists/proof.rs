//! Verifies the edit: two parsers read the new text, which must mean the old text with the wanted members.

use std::sync::Arc;

use foldhash::HashMap;

use super::super::EditRefusal;
use super::super::draft::YamlDraft;
use super::super::meaning::{ChangedNode, TreeComparison};
use super::super::merge;
use super::super::services::{ServiceNodes, ValuePair};
use super::super::tree::{NodeId, YamlTree};
use super::place::{STARTED, has_only_condition};
use super::{ListMember, WantedMember};

/// Returns the tree of the verified new text.
pub(super) fn proven(
    draft: &YamlDraft<'_>,
    services: &ServiceNodes,
    key: &str,
    wanted: &[&WantedMember],
) -> Result<Arc<YamlTree>, EditRefusal> {
    let wanted: HashMap<&str, &ListMember> = wanted
        .iter()
        .map(|wanted_member| (wanted_member.service.as_str(), &wanted_member.member))
        .collect();
    let judge = match key {
        "volumes" => has_items,
        _ => has_dependencies,
    };
    let reason = "the edit would change more than it adds";
    services.proven(draft, key, reason, |comparison, name, lists| {
        judge(comparison, lists, name.and_then(|name| wanted.get(name).copied()))
    })
}

/// Returns the tree of the new text if every dependency is the same as before.
pub(super) fn proven_relisted(
    draft: &YamlDraft<'_>,
    services: &ServiceNodes,
) -> Result<Arc<YamlTree>, EditRefusal> {
    let reason = "the edit would change what a service waits for";
    services.proven(draft, "depends_on", reason, |comparison, _, (old, new)| {
        // A list is short for the mapping, so the comparison runs backwards, from the new list to the old mapping.
        let mut reversed = TreeComparison::new(comparison.after, comparison.before);
        has_dependencies(&mut reversed, (new, old), None)
            .map_err(|_| ChangedNode(draft.tree.resolve(services.id)))
    })
}

/// Returns whether every item is kept in order, followed by the wanted one unless it was present.
fn has_items(
    comparison: &mut TreeComparison<'_>,
    (old_value, new_value): ValuePair,
    wanted: Option<&ListMember>,
) -> Result<bool, ChangedNode> {
    let (before, after) = (comparison.before, comparison.after);
    let old = old_value.map_or(&[][..], |old| before.items(old));
    let new = new_value.map_or(&[][..], |new| after.items(new));
    let Some((existing, added)) = new.split_at_checked(old.len()) else {
        return Ok(false);
    };
    comparison.each(old.iter().copied().zip(existing.iter().copied()))?;
    Ok(match (wanted, added) {
        (Some(ListMember::Volume(wanted)), [one]) => after.scalar(*one) == Some(wanted),
        (Some(ListMember::Volume(wanted)), []) => {
            old.iter().any(|node| before.scalar(*node) == Some(wanted))
        }
        (None, []) => true,
        _ => false,
    })
}

/// Returns whether every dependency is kept, and the wanted one present.
fn has_dependencies(
    comparison: &mut TreeComparison<'_>,
    (old_value, new_value): ValuePair,
    wanted: Option<&ListMember>,
) -> Result<bool, ChangedNode> {
    let (before, after) = (comparison.before, comparison.after);
    let old = old_value.map_or_else(Vec::new, |old| list_dependencies(before, old));
    let had_wanted =
        wanted.is_none_or(|wanted| old.iter().any(|(name, _)| *name == Some(wanted.name())));
    let mut new = new_value.map_or_else(Vec::new, |new| list_dependencies(after, new));
    for (name, value) in old {
        let Some(at) = new.iter().position(|(other, _)| *other == name) else {
            return Ok(false);
        };
        match (value, new.remove(at).1) {
            (Some(old_value), Some(new_value)) => comparison.same((old_value, new_value))?,
            (None, None) => {}
            (None, Some(new_value)) if has_only_condition(after, new_value, STARTED) => {}
            _ => return Ok(false),
        }
    }
    Ok(match (wanted, new.as_slice()) {
        (Some(ListMember::Dependency { service, condition }), [(name, Some(is))]) => {
            *name == Some(service.as_str()) && has_only_condition(after, *is, condition)
        }
        (_, []) => had_wanted,
        _ => false,
    })
}

/// Returns the services of a `depends_on` value, each with its condition if given.
fn list_dependencies(tree: &YamlTree, value: NodeId) -> Vec<(Option<&str>, Option<NodeId>)> {
    let items = tree.items(value).iter().map(|item| (tree.scalar(*item), None));
    let entries = merge::effective(tree, value)
        .into_iter()
        .map(|(key, value)| (tree.scalar(key), Some(value)));
    items.chain(entries).collect()
}
