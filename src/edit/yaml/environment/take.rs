//! Removes variables from a service.
//!
//! Works in two verified steps: an inherited variable is first overridden with an empty value; then lines that override
//! nothing are deleted.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::EditRefusal;
use super::super::draft::YamlDraft;
use super::super::materialise::YamlAnchors;
use super::super::merge;
use super::super::service_value::ServiceValue;
use super::super::services::ServiceNodes;
use super::super::tree::{NodeId, YamlTree};
use super::place::{SharedNodes, find_environment};
use super::{Wanted, bystanders, item_name, proof};

/// Returns the variables to override before deleting lines: an empty value for each inherited name.
pub(super) fn covered(
    draft: &YamlDraft<'_>,
    services: &ServiceNodes,
    wanted: &[Wanted],
) -> Result<Vec<Wanted>, EditRefusal> {
    let cover = |wanted: &Wanted| {
        let mut set = wanted.set.clone();
        if !wanted.unset.is_empty() {
            let place = find_environment(draft, services, &wanted.service)?;
            let shared = wanted.unset.iter().filter(|name| is_shared(draft, &place, name));
            set.extend(shared.map(|name| (name.clone(), String::new())));
        }
        Ok(Wanted { service: wanted.service.clone(), set, unset: Vec::new() })
    };
    wanted.iter().map(cover).collect()
}

/// Deletes the services' own lines; `None` if there are none.
pub(super) fn away(
    tree: &YamlTree,
    wanted: &[Wanted],
) -> Result<Option<Arc<YamlTree>>, EditRefusal> {
    if wanted.iter().all(|wanted| wanted.unset.is_empty()) {
        return Ok(None);
    }
    let mut draft = YamlDraft::open(tree)?;
    let services = ServiceNodes::find(&draft)?;
    let mut due = Vec::new();
    for wanted in wanted {
        let place = find_environment(&draft, &services, &wanted.service)?;
        let names: Vec<&str> = wanted
            .unset
            .iter()
            .map(String::as_str)
            .filter(|name| !is_shared(&draft, &place, name))
            .collect();
        if let Some((_, value)) = place.entry
            && !find_named_members(draft.tree, value, &names).is_empty()
        {
            due.push((place, value, names));
        }
    }
    if due.is_empty() {
        return Ok(None);
    }
    let anchors = YamlAnchors::of(draft.tree);
    let changing: HashSet<NodeId> =
        due.iter().flat_map(|(place, ..)| place.changes(draft.tree)).collect();
    for (_, value, names) in &due {
        take_members(&mut draft, *value, names)?;
    }
    let sharing = SharedNodes { anchors: &anchors, changing: &changing };
    bystanders::keep(&mut draft, &services, wanted, &sharing)?;
    proof::proven(&draft, &services, wanted).map(Some)
}

/// Returns whether a service would still inherit `name` once its line is deleted.
fn is_shared(draft: &YamlDraft<'_>, place: &ServiceValue, name: &str) -> bool {
    let tree = draft.tree;
    match (place.in_place(tree), place.effective(tree)) {
        (Some(value), _) => merge::list_merged_mappings(tree, value)
            .into_iter()
            .any(|source| merge::get(tree, source, name).is_some()),
        (None, Some(value)) => {
            merge::get(tree, value, name).is_some()
                || !find_named_members(tree, value, &[name]).is_empty()
        }
        (None, None) => false,
    }
}

/// Returns the indexes of the members of an environment with one of `names`.
pub(super) fn find_named_members(
    tree: &YamlTree,
    environment: NodeId,
    names: &[&str],
) -> Vec<usize> {
    let is_meant = |name: Option<&str>| name.is_some_and(|name| names.contains(&name));
    let entries = tree.entries(environment).iter().map(|(key, _)| is_meant(tree.scalar(*key)));
    let items = tree.items(environment).iter().map(|item| is_meant(item_name(tree, *item)));
    let meant = entries.chain(items).enumerate();
    meant.filter_map(|(index, meant)| meant.then_some(index)).collect()
}

/// Removes the members with these names; a member that cannot be removed gets an empty value.
fn take_members(
    draft: &mut YamlDraft<'_>,
    environment: NodeId,
    names: &[&str],
) -> Result<(), EditRefusal> {
    let removed = find_named_members(draft.tree, environment, names);
    if draft.remove_members(environment, &removed) {
        return Ok(());
    }
    let layout = draft.layout(environment);
    for index in removed {
        if let Some(entry) = draft.tree.entries(environment).get(index).copied() {
            draft.set_scalar(entry, layout, "")?;
        } else if let Some(item) = draft.tree.items(environment).get(index).copied() {
            let name = item_name(draft.tree, item).unwrap_or_default();
            let literal = format!("{name}=");
            draft.set_item(item, layout, &literal)?;
        }
    }
    Ok(())
}
