//! Services that were not asked for, but take something from one that changes: they keep what they had.

use std::collections::HashSet;

use super::super::Refusal;
use super::super::draft::Draft;
use super::super::merge;
use super::super::tree::{Kind, NodeId};
use super::place::{Place, Sharing};
use super::{Services, Wanted, environment};

/// Gives every service that is not wanted and would gain a variable an environment of its own.
pub(super) fn keep(
    draft: &mut Draft<'_>,
    services: &Services,
    wanted: &[Wanted],
    sharing: &Sharing<'_>,
) -> Result<(), Refusal> {
    if sharing.changing.is_empty() {
        return Ok(());
    }
    let wanted: HashSet<&str> = wanted.iter().map(|wanted| wanted.service.as_str()).collect();
    let mut others: Vec<_> = services.named.iter().collect();
    others.retain(|(name, _)| !wanted.contains(name.as_str()));
    others.sort_by_key(|(_, (key, _))| *key);
    for (name, (key, value)) in others {
        refuse_extension(draft, services, name, &wanted, sharing)?;
        if is_affected(draft, *value, sharing) {
            let place = Place::find(draft, services, name)?;
            restore(draft, place, *key, sharing)?;
        }
    }
    Ok(())
}

/// Whether the environment of a service would change along with the nodes that change.
fn is_affected(draft: &Draft<'_>, service: NodeId, sharing: &Sharing<'_>) -> bool {
    let tree = draft.tree;
    let changes = |id: &NodeId| sharing.changing.contains(id);
    let lineage = merge::lineage(tree, service);
    let from = lineage.iter().position(|id| tree.get(*id, "environment").is_some());
    let passed = from.map_or(lineage.as_slice(), |from| &lineage[..from]);
    if passed.iter().any(changes) {
        return true;
    }
    environment(tree, service).is_some_and(|value| merge::lineage(tree, value).iter().any(changes))
}

fn restore(
    draft: &mut Draft<'_>,
    place: Place,
    key: NodeId,
    sharing: &Sharing<'_>,
) -> Result<(), Refusal> {
    let shares_alias =
        place.own.is_some_and(|(_, value)| matches!(draft.tree.node(value).kind, Kind::Alias(_)));
    match place.own {
        None => place.add_block(draft, &[], sharing),
        Some(_) if shares_alias => place.detach(draft, sharing),
        Some(_) => Err(draft.refuse_node(
            key,
            "this service merges an environment that is to change, and would change with it",
        )),
    }
}

/// `extends` copies variables that no line of the extending service can take away again.
fn refuse_extension(
    draft: &Draft<'_>,
    services: &Services,
    name: &str,
    wanted: &HashSet<&str>,
    sharing: &Sharing<'_>,
) -> Result<(), Refusal> {
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
