//! Plans the patches that give each wanted service its variables.

use std::collections::HashSet;

use super::super::EditRefusal;
use super::super::draft::YamlDraft;
use super::super::materialise::YamlAnchors;
use super::super::services::ServiceNodes;
use super::super::tree::NodeId;
use super::place::{SharedNodes, find_environment, has_all, set_variables};
use super::{Wanted, bystanders};

/// Plans every patch, for the wanted services and for services that share nodes with them.
pub(super) fn plan(
    draft: &mut YamlDraft<'_>,
    services: &ServiceNodes,
    wanted: &[Wanted],
) -> Result<(), EditRefusal> {
    let mut due = Vec::new();
    for wanted in wanted {
        let place = find_environment(draft, services, &wanted.service)?;
        if !has_all(draft, &place, &wanted.set) {
            due.push((place, wanted.set.as_slice()));
        }
    }
    let anchors = YamlAnchors::of(draft.tree);
    let changing: HashSet<NodeId> =
        due.iter().flat_map(|(place, _)| place.changes(draft.tree)).collect();
    let sharing = SharedNodes { anchors: &anchors, changing: &changing };
    for (place, set) in &due {
        set_variables(draft, place, set, &sharing)?;
    }
    bystanders::keep(draft, services, wanted, &sharing)
}
