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
    let mut all = TreeComparison::new(before, after);
    let Some(old) = all.others_of_list(root, "ports")? else { return Ok(false) };
    let new = after.items(ports);
    if new.len() < old.len() {
        return Ok(false);
    }
    for pair in old.iter().copied().zip(new.iter().copied()) {
        verify_port_item(&mut all, pair, wanted)?;
    }
    let entries = read::list_port_items(after, ports);
    Ok(wanted.iter().all(|wanted| {
        let entry = read::exact(&entries, wanted.port).or(read::ranged(&entries, wanted.port));
        entry.is_some_and(|entry| {
            let visibility = entry.configured.visibility;
            wanted.visibility.is_none_or(|wanted| wanted == visibility)
        })
    }))
}

/// Checks that an entry is unchanged, except for the visibility of a wanted port.
fn verify_port_item(
    all: &mut TreeComparison<'_>,
    (one, two): (NodeId, NodeId),
    wanted: &[PortEntry],
) -> Result<(), ChangedNode> {
    let (before, after) = (all.before, all.after);
    let said = merge::get(after, two, "visibility").and_then(|value| after.scalar(value));
    let port = merge::get(before, one, "port")
        .and_then(|value| before.scalar(value))
        .and_then(|port| port.parse::<u16>().ok());
    let asked =
        wanted.iter().find(|entry| Some(entry.port) == port).and_then(|entry| entry.visibility);
    if asked.is_none_or(|asked| said != Some(asked.as_str())) {
        return all.same((one, two));
    }
    let others =
        all.members((before.resolve(one), after.resolve(two)), |key| key == "visibility")?;
    all.each(others)
}
