//! Finds or creates the environment of one service.

use std::collections::HashSet;

use super::super::EditRefusal;
use super::super::draft::YamlDraft;
use super::super::fresh::NewYamlValue;
use super::super::materialise::{self, CopyTarget, YamlAnchors};
use super::super::service_value::ServiceValue;
use super::super::services::ServiceNodes;
use super::super::tree::{NodeId, ScalarQuoting, YamlKind};
use super::Set;
use super::amend::{amend_list, amend_mapping, build_mapping_entries, items_of, reads_once};

type PlannedPlacement = Result<(), EditRefusal>;

/// Information about nodes that several services share.
pub(super) struct SharedNodes<'s> {
    pub(super) anchors: &'s YamlAnchors,
    /// Services and environments that change in this edit.
    pub(super) changing: &'s HashSet<NodeId>,
}

/// Finds where the environment of a service is written.
pub(super) fn find_environment(
    draft: &YamlDraft<'_>,
    services: &ServiceNodes,
    service: &str,
) -> Result<ServiceValue, EditRefusal> {
    ServiceValue::find(draft, services, service, "environment")
}

/// Returns whether every variable has the right value and occurs once.
pub(super) fn has_all(draft: &YamlDraft<'_>, place: &ServiceValue, set: &Set) -> bool {
    let Some(value) = place.effective(draft.tree) else {
        return set.is_empty();
    };
    set.iter().all(|(name, literal)| reads_once(draft.tree, value, name, literal))
}

/// Sets variables of a service.
pub(super) fn set_variables(
    draft: &mut YamlDraft<'_>,
    place: &ServiceValue,
    set: &Set,
    sharing: &SharedNodes<'_>,
) -> PlannedPlacement {
    let Some(value) = place.in_place(draft.tree) else {
        return give_own(draft, place, set, sharing);
    };
    place.refuse_reset(draft, value)?;
    let mapping = |draft: &YamlDraft<'_>| {
        NewYamlValue::Map(build_mapping_entries(set, &|name| draft.key(place.mapping, name)))
    };
    match &draft.tree.node(value).kind {
        YamlKind::Mapping(entries, _) if entries.is_empty() => place.put(draft, mapping(draft)),
        YamlKind::Sequence(items, _) if items.is_empty() => {
            let items = items_of(set, ScalarQuoting::Plain, place.layout(draft));
            place.put(draft, NewYamlValue::List(items))
        }
        YamlKind::Mapping(..) => amend_mapping(draft, value, set, place.step),
        YamlKind::Sequence(..) => amend_list(draft, value, set, place.step),
        YamlKind::Scalar(..) if draft.tree.is_null(value) => place.put(draft, mapping(draft)),
        YamlKind::Scalar(..) | YamlKind::Alias(_) => {
            Err(draft.refuse_node(value, "`environment` is neither a mapping nor a list"))
        }
    }
}

/// Writes an environment for a service that inherits one or has none: the inherited variables, and `set`.
pub(super) fn give_own(
    draft: &mut YamlDraft<'_>,
    place: &ServiceValue,
    set: &Set,
    sharing: &SharedNodes<'_>,
) -> PlannedPlacement {
    let target = CopyTarget {
        at: place.site(draft.tree),
        parent: place.mapping,
        layout: place.layout(draft),
        changing: sharing.changing,
    };
    let set_names: HashSet<&str> = set.iter().map(|(name, _)| name.as_str()).collect();
    let mut fresh = match place.effective(draft.tree) {
        None => NewYamlValue::Map(Vec::new()),
        Some(value) => materialise::environment(draft, sharing.anchors, value, target, &set_names)?,
    };
    match &mut fresh {
        NewYamlValue::Map(entries) => {
            entries.extend(build_mapping_entries(set, &|name| draft.key(target.parent, name)))
        }
        NewYamlValue::List(items) => {
            items.extend(items_of(set, ScalarQuoting::Plain, target.layout))
        }
        NewYamlValue::Text(_) => {}
    }
    place.put(draft, fresh)
}
