//! One more member for lists of compose services, in place: a volume of `volumes`, a service of `depends_on`.
//!
//! `depends_on` as a list becomes a mapping, since only that has conditions. A service that takes its list from an alias or a merge
//! key gets one of its own; every other service that takes from there keeps what it has.

mod place;
mod proof;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use super::documents::DocumentParts;
use super::draft::Draft;
use super::environment::Services;
use super::tree::{NodeId, Tree};
use super::{Edit, Refusal, duplicates, merge};

use place::ListPlace;

/// A member that a list of one service is to have.
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
    /// Of `volumes`, in its short form: `data:/data:ro`.
    Volume(String),
    /// Of `depends_on`.
    Dependency {
        /// The service to wait for.
        service: String,
        /// What it has to be: `service_healthy`.
        condition: String,
    },
}

impl ListMember {
    /// The key of the list.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Volume(_) => "volumes",
            Self::Dependency { .. } => "depends_on",
        }
    }

    /// The name by which the project has to define it.
    pub fn name(&self) -> &str {
        match self {
            Self::Volume(text) => text.split(':').next().unwrap_or_default(),
            Self::Dependency { service, .. } => service,
        }
    }
}

/// Adds the members that are missing, at most one for each list of a service.
///
/// # Errors
/// A refusal that points at the place the edit cannot be done, with the lines to paste.
pub fn add(source: &str, wanted: &[WantedMember]) -> Result<Edit, Refusal> {
    let by_hand = |refusal: Refusal| refusal.paste(paste(wanted));
    let mut tree = Arc::new(super::parse(source).map_err(by_hand)?);
    for key in ["volumes", "depends_on"] {
        let own: Vec<&WantedMember> = wanted.iter().filter(|one| one.member.key() == key).collect();
        if let Some(after) = add_to_lists(&tree, key, &own).map_err(by_hand)? {
            tree = after;
        }
    }
    let warnings = duplicates::find(&Draft::of(&tree));
    Ok(Edit { text: Arc::clone(&tree.source), tree: Some(tree), warnings })
}

/// The lines that do by hand what [`add`] was to do.
pub fn paste(wanted: &[WantedMember]) -> String {
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

/// What an edit must know of lists that others use as well.
struct SharedLists<'s> {
    key: &'static str,
    /// Services and lists that gain something.
    changing: HashSet<NodeId>,
    services: &'s Services,
}

fn add_to_lists(
    tree: &Tree,
    key: &'static str,
    wanted: &[&WantedMember],
) -> Result<Option<Arc<Tree>>, Refusal> {
    if tree.documents() > 1 {
        let documents = DocumentParts::cut(tree)?;
        let last = wanted.iter().map(|one| documents.last_with(&one.service));
        let last = last.collect::<Result<Vec<usize>, Refusal>>()?;
        return documents.edit(|number, part| {
            let numbered = wanted.iter().zip(&last).filter(|(_, last)| **last == number);
            let share: Vec<&WantedMember> = numbered.map(|(one, _)| *one).collect();
            if share.is_empty() { Ok(None) } else { add_to_lists(part, key, &share) }
        });
    }
    let mut draft = Draft::open(tree)?;
    let services = Services::find(&draft)?;
    let mut due = Vec::new();
    for one in wanted {
        let place = ListPlace::find(&draft, &services, &one.service, key)?;
        if !place.has(tree, &one.member) {
            due.push((place, &one.member));
        }
    }
    if due.is_empty() {
        return Ok(None);
    }
    let changing = due.iter().flat_map(|(place, _)| place.changes(tree)).collect();
    let shared = SharedLists { key, changing, services: &services };
    for (place, member) in &due {
        place.add(&mut draft, member)?;
    }
    shared.keep_others(&mut draft, wanted)?;
    proof::proven(&draft, &services, key, wanted).map(Some)
}

impl SharedLists<'_> {
    /// Gives every service that is not wanted and would gain a member a list of its own.
    fn keep_others(&self, draft: &mut Draft<'_>, wanted: &[&WantedMember]) -> Result<(), Refusal> {
        let wanted: HashSet<&str> = wanted.iter().map(|one| one.service.as_str()).collect();
        let mut others: Vec<_> = self.services.named.iter().collect();
        others.retain(|(name, (_, value))| {
            !wanted.contains(name.as_str()) && self.reaches(draft.tree, *value)
        });
        others.sort_by_key(|(_, (key, _))| *key);
        for (name, _) in others {
            ListPlace::find(draft, self.services, name, self.key)?.keep(draft)?;
        }
        Ok(())
    }

    /// Whether the list of a service would change along with the nodes that change.
    fn reaches(&self, tree: &Tree, service: NodeId) -> bool {
        let changes = |id: &NodeId| self.changing.contains(id);
        let lineage = merge::lineage(tree, service);
        let from = lineage.iter().position(|id| tree.get(*id, self.key).is_some());
        let passed = from.map_or(lineage.as_slice(), |from| &lineage[..from]);
        passed.iter().any(changes)
            || merge::get(tree, service, self.key)
                .is_some_and(|value| merge::lineage(tree, value).iter().any(changes))
    }
}
