//! Finds or creates the environment of one service.

use std::collections::HashSet;

use super::super::Refusal;
use super::super::draft::Draft;
use super::super::fresh::Fresh;
use super::super::materialise::{self, Anchors, Site};
use super::super::service_value::ServiceValue;
use super::super::services::ServiceNodes;
use super::super::tree::{Kind, NodeId, Style};
use super::Set;
use super::amend::{amend_list, amend_mapping, items_of, pairs, reads_once};

type Planned = Result<(), Refusal>;

/// Information about nodes that several services share.
pub(super) struct Sharing<'s> {
    pub(super) anchors: &'s Anchors,
    /// Services and environments that change in this edit.
    pub(super) changing: &'s HashSet<NodeId>,
}

/// Finds where the environment of a service is written.
pub(super) fn find_environment(
    draft: &Draft<'_>,
    services: &ServiceNodes,
    service: &str,
) -> Result<ServiceValue, Refusal> {
    ServiceValue::find(draft, services, service, "environment")
}

/// Returns whether every variable has the right value and occurs once.
pub(super) fn has_all(draft: &Draft<'_>, place: &ServiceValue, set: &Set) -> bool {
    let Some(value) = place.effective(draft.tree) else {
        return set.is_empty();
    };
    set.iter().all(|(name, literal)| reads_once(draft.tree, value, name, literal))
}

/// Sets variables of a service.
pub(super) fn set_variables(
    draft: &mut Draft<'_>,
    place: &ServiceValue,
    set: &Set,
    sharing: &Sharing<'_>,
) -> Planned {
    let Some(value) = place.in_place(draft.tree) else {
        return give_own(draft, place, set, sharing);
    };
    place.refuse_reset(draft, value)?;
    let mapping =
        |draft: &Draft<'_>| Fresh::Map(pairs(set, &|name| draft.key(place.mapping, name)));
    match &draft.tree.node(value).kind {
        Kind::Mapping(entries, _) if entries.is_empty() => place.put(draft, mapping(draft)),
        Kind::Sequence(items, _) if items.is_empty() => {
            let items = items_of(set, Style::Plain, place.layout(draft));
            place.put(draft, Fresh::List(items))
        }
        Kind::Mapping(..) => amend_mapping(draft, value, set, place.step),
        Kind::Sequence(..) => amend_list(draft, value, set, place.step),
        Kind::Scalar(..) if draft.tree.is_null(value) => place.put(draft, mapping(draft)),
        Kind::Scalar(..) | Kind::Alias(_) => {
            Err(draft.refuse_node(value, "`environment` is neither a mapping nor a list"))
        }
    }
}

/// Writes an environment for a service that inherits one or has none: the inherited variables, and `set`.
pub(super) fn give_own(
    draft: &mut Draft<'_>,
    place: &ServiceValue,
    set: &Set,
    sharing: &Sharing<'_>,
) -> Planned {
    let site = Site {
        at: place.site(draft.tree),
        parent: place.mapping,
        layout: place.layout(draft),
        changing: sharing.changing,
    };
    let own: HashSet<&str> = set.iter().map(|(name, _)| name.as_str()).collect();
    let mut fresh = match place.effective(draft.tree) {
        None => Fresh::Map(Vec::new()),
        Some(value) => materialise::environment(draft, sharing.anchors, value, site, &own)?,
    };
    match &mut fresh {
        Fresh::Map(entries) => entries.extend(pairs(set, &|name| draft.key(site.parent, name))),
        Fresh::List(items) => items.extend(items_of(set, Style::Plain, site.layout)),
        Fresh::Text(_) => {}
    }
    place.put(draft, fresh)
}
