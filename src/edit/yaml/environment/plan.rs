//! Which bytes change so that each wanted service has its variables.

use std::collections::HashSet;

use super::super::Refusal;
use super::super::draft::Draft;
use super::super::materialise::Anchors;
use super::super::tree::NodeId;
use super::place::{Place, Sharing};
use super::{Services, Wanted, bystanders};

/// Plans every patch, for the wanted services and for those who share something with them.
pub(super) fn plan(
    draft: &mut Draft<'_>,
    services: &Services,
    wanted: &[Wanted],
) -> Result<(), Refusal> {
    let mut due = Vec::new();
    for wanted in wanted {
        let place = Place::find(draft, services, &wanted.service)?;
        if !place.has_all(draft, &wanted.set) {
            due.push((place, wanted.set.as_slice()));
        }
    }
    let anchors = Anchors::of(draft.tree);
    let changing: HashSet<NodeId> =
        due.iter().flat_map(|(place, _)| place.changes(draft)).collect();
    let sharing = Sharing { anchors: &anchors, changing: &changing };
    for (place, set) in &due {
        place.edit(draft, set, &sharing)?;
    }
    bystanders::keep(draft, services, wanted, &sharing)
}
