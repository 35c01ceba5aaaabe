//! Verifies the edit: two parsers read the new text, which must mean the old text with the wanted variables set and the
//! unwanted ones removed.

use std::sync::Arc;

use foldhash::HashMap;

use super::super::EditRefusal;
use super::super::draft::YamlDraft;
use super::super::meaning::{ChangedNode, TreeComparison};
use super::super::merge;
use super::super::services::{ServiceNodes, ValuePair};
use super::super::tree::{NodeId, YamlKind, YamlTree};
use super::amend::reads_once;
use super::{Wanted, item_name, lacks};

/// Returns the tree of the verified new text.
pub(super) fn proven(
    draft: &YamlDraft<'_>,
    services: &ServiceNodes,
    wanted: &[Wanted],
) -> Result<Arc<YamlTree>, EditRefusal> {
    let wanted: HashMap<&str, &Wanted> =
        wanted.iter().map(|wanted| (wanted.service.as_str(), wanted)).collect();
    let reason = "the edit would change more than the wanted variables";
    services.proven(draft, "environment", reason, |comparison, name, environments| {
        let wanted = name.and_then(|name| wanted.get(name).copied());
        has_variables(comparison, environments, wanted)
    })
}

/// Returns whether set variables have the right value and occur once, and unset ones are gone; fails if any other
/// variable changed.
fn has_variables(
    comparison: &mut TreeComparison<'_>,
    (old, new): ValuePair,
    wanted: Option<&Wanted>,
) -> Result<bool, ChangedNode> {
    let (before, after) = (comparison.before, comparison.after);
    let set = wanted.map_or(&[][..], |wanted| &wanted.set);
    let unset = wanted.map_or(&[][..], |wanted| &wanted.unset);
    let right = |(name, literal): &(String, String)| {
        new.is_some_and(|new| reads_once(after, new, name, literal))
    };
    let gone = |name: &String| new.is_none_or(|new| lacks(after, new, name));
    if !set.iter().all(right) || !unset.iter().all(gone) {
        return Ok(false);
    }
    let planned_names: Vec<&str> =
        set.iter().map(|(name, _)| name).chain(unset).map(String::as_str).collect();
    let (old, new) = match (old, new) {
        (Some(was), Some(is)) => (was, is),
        (Some(id), None) => return Ok(list_other_members(before, id, &planned_names).is_empty()),
        (None, Some(id)) => return Ok(list_other_members(after, id, &planned_names).is_empty()),
        (None, None) => return Ok(true),
    };
    let is_list =
        |tree: &YamlTree, id| matches!(tree.node(tree.resolve(id)).kind, YamlKind::Sequence(..));
    match (is_list(before, old), is_list(after, new)) {
        (true, true) => {
            let (old, new) = (
                list_other_members(before, old, &planned_names),
                list_other_members(after, new, &planned_names),
            );
            if old.len() != new.len() {
                return Ok(false);
            }
            comparison.each(old.into_iter().zip(new))?;
        }
        (false, false) => {
            let pair = (before.resolve(old), after.resolve(new));
            let other_members = comparison.members(pair, |name| planned_names.contains(&name))?;
            comparison.each(other_members)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Returns the members of an environment other than `planned_names`: items of a list, values of a mapping.
fn list_other_members(tree: &YamlTree, value: NodeId, planned_names: &[&str]) -> Vec<NodeId> {
    let named = |name: Option<&str>| name.is_some_and(|name| planned_names.contains(&name));
    match &tree.node(tree.resolve(value)).kind {
        YamlKind::Sequence(items, _) => {
            let items = items.iter().copied();
            items.filter(|item| !named(item_name(tree, *item))).collect()
        }
        _ => {
            let entries = merge::effective(tree, value).into_iter();
            let other_entries = entries.filter(|(key, _)| !named(tree.scalar(*key)));
            other_entries.map(|(_, value)| value).collect()
        }
    }
}
