//! Adds a member to a list of a compose service, in place: a volume to `volumes`, a service to `depends_on`.
//!
//! A `depends_on` list becomes a mapping, because only a mapping has conditions. A service that gets its list from an
//! alias or a merge key gets its own copy; every other service that uses the same source is unaffected.

mod place;
mod proof;
mod relist;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use super::documents::DocumentParts;
use super::draft::YamlDraft;
use super::service_value::{ServiceValue, is_affected};
use super::services::{ServiceLines, ServiceNodes};
use super::tree::{NodeId, YamlTree};
use super::{EditRefusal, EditedText, duplicates};

use place::{add_member, has_member, is_own_member, keep_members};

pub(crate) use relist::relist;

/// A member to add to a list of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedMember {
    /// The service's key below `services`.
    pub service: String,
    /// The member.
    pub member: ListMember,
}

/// A member of a list of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListMember {
    /// An item of `volumes` in short form: `data:/data:ro`.
    Volume(String),
    /// An entry of `depends_on`.
    Dependency {
        /// The service to wait for.
        service: String,
        /// The condition to wait for: `service_healthy`.
        condition: String,
    },
}

impl ListMember {
    /// Returns the key of the list.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Volume(_) => "volumes",
            Self::Dependency { .. } => "depends_on",
        }
    }

    /// Returns the item of a list, or the key of a mapping, that stands for the member.
    pub fn text(&self) -> &str {
        match self {
            Self::Volume(text) => text,
            Self::Dependency { service, .. } => service,
        }
    }

    /// Returns the name under which the project must define it.
    pub fn name(&self) -> &str {
        match self {
            Self::Volume(text) => text.split(':').next().unwrap_or_default(),
            Self::Dependency { service, .. } => service,
        }
    }
}

/// Adds the missing members, at most one for each list of a service.
///
/// # Errors
/// Returns a refusal that points at the place where the edit fails, with the lines to paste.
pub(crate) fn add(source: &str, wanted: &[WantedMember]) -> Result<EditedText, EditRefusal> {
    let by_hand = |refusal: EditRefusal| refusal.paste(paste(wanted));
    let mut tree = Arc::new(super::parse_yaml_tree(source).map_err(by_hand)?);
    for key in ["volumes", "depends_on"] {
        let of_key: Vec<&WantedMember> =
            wanted.iter().filter(|wanted_member| wanted_member.member.key() == key).collect();
        if let Some(after) = add_to_lists(&tree, key, &of_key).map_err(by_hand)? {
            tree = after;
        }
    }
    let warnings = duplicates::find(&YamlDraft::of(&tree));
    Ok(EditedText { text: Arc::clone(&tree.source), tree: Some(tree), warnings })
}

impl ServiceLines<'_> {
    /// Returns whether a list of the service's own has the member as [`add`] writes it.
    pub fn has_member(&self, wanted: &WantedMember) -> bool {
        let Self { draft, services } = self;
        let list = ServiceValue::find(draft, services, &wanted.service, wanted.member.key());
        list.is_ok_and(|list| is_own_member(draft.tree, &list, &wanted.member))
    }
}

/// Returns the lines to paste by hand where [`add`] refuses.
pub(crate) fn paste(wanted: &[WantedMember]) -> String {
    let mut lines = String::from("services:\n");
    let mut before = None;
    for WantedMember { service, member } in wanted {
        if before.replace(service) != Some(service) {
            lines += &format!("  {service}:\n");
        }
        lines += &match member {
            ListMember::Volume(text) => format!("    volumes:\n      - {text}\n"),
            ListMember::Dependency { service, condition } => {
                format!("    depends_on:\n      {service}:\n        condition: {condition}\n")
            }
        };
    }
    lines
}

fn add_to_lists(
    tree: &YamlTree,
    key: &'static str,
    wanted: &[&WantedMember],
) -> Result<Option<Arc<YamlTree>>, EditRefusal> {
    if tree.documents() > 1 {
        let documents = DocumentParts::cut(tree)?;
        let last = wanted
            .iter()
            .map(|wanted_member| documents.last_with(&wanted_member.service))
            .collect::<Result<Vec<usize>, EditRefusal>>()?;
        return documents.edit(|number, part| {
            let numbered = wanted.iter().zip(&last).filter(|(_, last)| **last == number);
            let share: Vec<&WantedMember> =
                numbered.map(|(wanted_member, _)| *wanted_member).collect();
            if share.is_empty() { Ok(None) } else { add_to_lists(part, key, &share) }
        });
    }
    let mut draft = YamlDraft::open(tree)?;
    let services = ServiceNodes::find(&draft)?;
    let mut due = Vec::new();
    for wanted_member in wanted {
        let list = ServiceValue::find(&draft, &services, &wanted_member.service, key)?;
        if !has_member(tree, &list, &wanted_member.member) {
            due.push((list, &wanted_member.member));
        }
    }
    if due.is_empty() {
        return Ok(None);
    }
    let changing: HashSet<NodeId> = due.iter().flat_map(|(list, _)| list.changes(tree)).collect();
    for (list, member) in &due {
        add_member(&mut draft, list, member)?;
    }
    // Every other service that would gain a member gets its own list.
    let named: HashSet<&str> =
        wanted.iter().map(|wanted_member| wanted_member.service.as_str()).collect();
    for (name, service) in services.others(&named) {
        if is_affected(tree, service, key, &changing) {
            let list = ServiceValue::find(&draft, &services, name, key)?;
            keep_members(&mut draft, &list)?;
        }
    }
    proof::proven(&draft, &services, key, wanted).map(Some)
}
