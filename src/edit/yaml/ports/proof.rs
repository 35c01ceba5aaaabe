//! Verifies the edit: two parsers read the new text, which must mean the old text with the wanted ports set.

use std::sync::Arc;

use super::super::draft::YamlDraft;
use super::super::meaning::{ChangedNode, TreeComparison};
use super::super::tree::{NodeId, YamlTree};
use super::super::{EditRefusal, merge};
use super::{PortEntry, read};

/// Returns the verified new text.
pub(super) fn proven(
    draft: &YamlDraft<'_>,
    wanted: &[PortEntry],
) -> Result<Arc<YamlTree>, EditRefusal> {
    let reason = "the edit would change more than the wanted ports";
    draft.proven_by(reason, |before, after| verify_wanted_ports(before, after, wanted))
}

/// Returns whether every wanted port is present; fails if anything else changed.
fn verify_wanted_ports(
    before: &YamlTree,
    after: &YamlTree,
    wanted: &[PortEntry],
) -> Result<bool, ChangedNode> {
    let Some(root) = after.root().filter(|_| after.documents() == 1) else {
        return Ok(false);
    };
    let Some(ports) = after.get(root, "ports") else {
        return Ok(false);
    };
    let mut comparison = TreeComparison::new(before, after);
    let Some(old) = comparison.others_of_list(root, "ports")? else { return Ok(false) };
    let new = after.items(ports);
    if new.len() < old.len() {
        return Ok(false);
    }
    for pair in old.iter().copied().zip(new.iter().copied()) {
        verify_port_item(&mut comparison, pair, wanted)?;
    }
    let entries = read::list_port_items(after, ports);
    Ok(wanted.iter().all(|wanted| {
        let entry = read::exact(&entries, wanted.port).or(read::ranged(&entries, wanted.port));
        entry.is_some_and(|entry| {
            let visibility = entry.configured.visibility;
            wanted.visibility.is_none_or(|requested| requested == visibility)
        })
    }))
}

/// Checks that an entry is unchanged, except for the visibility of a wanted port.
fn verify_port_item(
    comparison: &mut TreeComparison<'_>,
    (old, new): (NodeId, NodeId),
    wanted: &[PortEntry],
) -> Result<(), ChangedNode> {
    let (before, after) = (comparison.before, comparison.after);
    let written = merge::get(after, new, "visibility").and_then(|value| after.scalar(value));
    let port = merge::get(before, old, "port")
        .and_then(|value| before.scalar(value))
        .and_then(|port| port.parse::<u16>().ok());
    let requested =
        wanted.iter().find(|entry| Some(entry.port) == port).and_then(|entry| entry.visibility);
    if requested.is_none_or(|visibility| written != Some(visibility.as_str())) {
        return comparison.same((old, new));
    }
    let others =
        comparison.members((before.resolve(old), after.resolve(new)), |key| key == "visibility")?;
    comparison.each(others)
}
