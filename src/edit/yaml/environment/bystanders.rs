//! Keeps the variables of other services that inherit from a service that changes.

use std::collections::HashSet;

use super::super::EditRefusal;
use super::super::draft::YamlDraft;
use super::super::merge;
use super::super::service_value::{ServiceValue, is_affected};
use super::super::services::ServiceNodes;
use super::Wanted;
use super::place::{SharedNodes, find_environment, give_own};

/// Writes out the environment of every other service that would otherwise gain a variable.
pub(super) fn keep(
    draft: &mut YamlDraft<'_>,
    services: &ServiceNodes,
    wanted: &[Wanted],
    sharing: &SharedNodes<'_>,
) -> Result<(), EditRefusal> {
    if sharing.changing.is_empty() {
        return Ok(());
    }
    let wanted: HashSet<&str> = wanted.iter().map(|wanted| wanted.service.as_str()).collect();
    for (name, value) in services.others(&wanted) {
        refuse_extension(draft, services, name, &wanted, sharing)?;
        if is_affected(draft.tree, value, "environment", sharing.changing) {
            restore_bystanders(draft, &find_environment(draft, services, name)?, sharing)?;
        }
    }
    Ok(())
}

fn restore_bystanders(
    draft: &mut YamlDraft<'_>,
    place: &ServiceValue,
    sharing: &SharedNodes<'_>,
) -> Result<(), EditRefusal> {
    if place.in_place(draft.tree).is_some() {
        return Err(draft.refuse_node(
            place.service,
            "this service merges an environment that would change, and would change with it",
        ));
    }
    give_own(draft, place, &[], sharing)
}

/// Refuses the edit if a service gains variables by `extends`, which it cannot remove again.
fn refuse_extension(
    draft: &YamlDraft<'_>,
    services: &ServiceNodes,
    name: &str,
    wanted: &HashSet<&str>,
    sharing: &SharedNodes<'_>,
) -> Result<(), EditRefusal> {
    let tree = draft.tree;
    let mut next = name;
    for _ in 0..services.named.len() {
        let Some((_, value)) = services.named.get(next) else {
            return Ok(());
        };
        let Some(extends) = merge::get(tree, *value, "extends") else {
            return Ok(());
        };
        if tree.get(extends, "file").is_some() {
            return Ok(());
        }
        let named = tree.get(extends, "service").unwrap_or(extends);
        let Some(base) = tree.scalar(named) else {
            return Ok(());
        };
        let changes = services
            .named
            .get(base)
            .is_some_and(|(_, value)| sharing.changing.contains(&tree.resolve(*value)));
        if wanted.contains(base) && changes {
            let reason = format!(
                "service `{name}` extends `{base}` and would be renamed with it; name `{name}` as well"
            );
            return Err(draft.refuse_node(extends, reason));
        }
        next = base;
    }
    Ok(())
}
