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
    let wanted: HashMap<&str, &ListMember> =
        wanted.iter().map(|one| (one.service.as_str(), &one.member)).collect();
    let judge = match key {
        "volumes" => has_items,
        _ => has_dependencies,
    };
    let reason = "the edit would change more than it adds";
    services.proven(draft, key, reason, |all, name, lists| {
        judge(all, lists, name.and_then(|name| wanted.get(name).copied()))
    })
}

/// The tree of the new text, once it is proven that each service is waited for as before.
pub(super) fn proven_relisted(
    draft: &YamlDraft<'_>,
    services: &ServiceNodes,
) -> Result<Arc<YamlTree>, EditRefusal> {
    let reason = "the edit would change what a service waits for";
    services.proven(draft, "depends_on", reason, |all, _, (was, is)| {
        // A list stands for what the mapping says: the edit of the one into the other, backwards.
        let mut back = TreeComparison::new(all.after, all.before);
        has_dependencies(&mut back, (is, was), None)
            .map_err(|_| ChangedNode(draft.tree.resolve(services.id)))
    })
}

/// Returns whether every item is kept in order, followed by the wanted one unless it was present.
fn has_items(
    all: &mut TreeComparison<'_>,
    (was, is): ValuePair,
    wanted: Option<&ListMember>,
) -> Result<bool, ChangedNode> {
    let (before, after) = (all.before, all.after);
    let old = was.map_or(&[][..], |was| before.items(was));
    let new = is.map_or(&[][..], |is| after.items(is));
    let Some((kept, more)) = new.split_at_checked(old.len()) else {
        return Ok(false);
    };
    all.each(old.iter().copied().zip(kept.iter().copied()))?;
    Ok(match (wanted, more) {
        (Some(ListMember::Volume(wanted)), [one]) => after.scalar(*one) == Some(wanted),
        (Some(ListMember::Volume(wanted)), []) => {
            old.iter().any(|one| before.scalar(*one) == Some(wanted))
        }
        (None, []) => true,
        _ => false,
    })
}

/// Returns whether every dependency is kept, and the wanted one present.
fn has_dependencies(
    all: &mut TreeComparison<'_>,
    (was, is): ValuePair,
    wanted: Option<&ListMember>,
) -> Result<bool, ChangedNode> {
    let (before, after) = (all.before, all.after);
    let old = was.map_or_else(Vec::new, |was| list_dependencies(before, was));
    let had_wanted =
        wanted.is_none_or(|wanted| old.iter().any(|(name, _)| *name == Some(wanted.name())));
    let mut new = is.map_or_else(Vec::new, |is| list_dependencies(after, is));
    for (name, value) in old {
        let Some(at) = new.iter().position(|(other, _)| *other == name) else {
            return Ok(false);
        };
        match (value, new.remove(at).1) {
            (Some(was), Some(is)) => all.same((was, is))?,
            (None, None) => {}
            (None, Some(is)) if has_only_condition(after, is, STARTED) => {}
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
