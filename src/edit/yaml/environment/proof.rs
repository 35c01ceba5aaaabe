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
    services.proven(draft, "environment", reason, |all, name, environments| {
        let wanted = name.and_then(|name| wanted.get(name).copied());
        has_variables(all, environments, wanted)
    })
}

/// Returns whether set variables have the right value and occur once, and unset ones are gone; fails if any other
/// variable changed.
fn has_variables(
    all: &mut TreeComparison<'_>,
    (was, is): ValuePair,
    wanted: Option<&Wanted>,
) -> Result<bool, ChangedNode> {
    let (before, after) = (all.before, all.after);
    let set = wanted.map_or(&[][..], |wanted| &wanted.set);
    let unset = wanted.map_or(&[][..], |wanted| &wanted.unset);
    let right = |(name, literal): &(String, String)| {
        is.is_some_and(|is| reads_once(after, is, name, literal))
    };
    let gone = |name: &String| is.is_none_or(|is| lacks(after, is, name));
    if !set.iter().all(right) || !unset.iter().all(gone) {
        return Ok(false);
    }
    let ours: Vec<&str> =
        set.iter().map(|(name, _)| name).chain(unset).map(String::as_str).collect();
    let (was, is) = match (was, is) {
        (Some(was), Some(is)) => (was, is),
        (Some(id), None) => return Ok(list_other_members(before, id, &ours).is_empty()),
        (None, Some(id)) => return Ok(list_other_members(after, id, &ours).is_empty()),
        (None, None) => return Ok(true),
    };
    let is_list =
        |tree: &YamlTree, id| matches!(tree.node(tree.resolve(id)).kind, YamlKind::Sequence(..));
    match (is_list(before, was), is_list(after, is)) {
        (true, true) => {
            let (was, is) =
                (list_other_members(before, was, &ours), list_other_members(after, is, &ours));
            if was.len() != is.len() {
                return Ok(false);
            }
            all.each(was.into_iter().zip(is))?;
        }
        (false, false) => {
            let pair = (before.resolve(was), after.resolve(is));
            let kept = all.members(pair, |name| ours.contains(&name))?;
            all.each(kept)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Returns the members of an environment other than `ours`: items of a list, values of a mapping.
fn list_other_members(tree: &YamlTree, value: NodeId, ours: &[&str]) -> Vec<NodeId> {
    let named = |name: Option<&str>| name.is_some_and(|name| ours.contains(&name));
    match &tree.node(tree.resolve(value)).kind {
        YamlKind::Sequence(items, _) => {
            let items = items.iter().copied();
            items.filter(|item| !named(item_name(tree, *item))).collect()
        }
        _ => {
            let entries = merge::effective(tree, value).into_iter();
            let kept = entries.filter(|(key, _)| !named(tree.scalar(*key)));
            kept.map(|(_, value)| value).collect()
        }
    }
}
