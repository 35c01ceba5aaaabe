//! What a plan is to change in the meaning of a compose project, service by service.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::edit::yaml::additions::Addition;
use crate::edit::yaml::environment::Wanted;
use crate::edit::yaml::service_lists::WantedMember;
use crate::edit::yaml::tree::Tree;

/// What a plan is to change in the meaning of a compose project; everything else is to stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComposeChanges {
    /// By name of the service.
    pub services: BTreeMap<String, ServiceChanges>,
    /// Services that are added.
    pub added: BTreeSet<String>,
    /// Trees of planned texts, by path, which need not be read again.
    pub trees: BTreeMap<PathBuf, Arc<Tree>>,
}

/// What one service gains and loses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceChanges {
    /// Variables by name, with the literal value before docker compose replaces variables.
    pub set: Vec<(String, String)>,
    /// Variables it has no more, or an empty value of.
    pub unset: BTreeSet<String>,
    /// Items of lists, by the list's key: `extra_hosts`, `depends_on`, `volumes`; of these the name of the volume.
    pub items: BTreeMap<String, BTreeSet<String>>,
}

impl ServiceChanges {
    /// Adds variables; of two with one name the later counts.
    fn set(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        for (name, value) in variables {
            self.set.retain(|(known, _)| *known != name);
            self.set.push((name, value));
        }
    }
}

impl ComposeChanges {
    /// Nothing changes in what any service has.
    pub fn is_empty(&self) -> bool {
        self.services.is_empty() && self.added.is_empty()
    }

    /// Adds the variables of one service.
    pub fn want(&mut self, wanted: &Wanted) {
        let changes = self.services.entry(wanted.service.clone()).or_default();
        changes.set(wanted.set.iter().cloned());
        changes.unset.extend(wanted.unset.iter().cloned());
    }

    /// Adds a service, or an item of a service's list.
    pub fn add(&mut self, addition: &Addition) {
        match addition {
            Addition::Entry { path, key, .. } => {
                if path.as_slice() == ["services"] {
                    self.added.insert(key.clone());
                }
            }
            Addition::Item { path, entry, .. } => {
                if let [section, service, list] = path.as_slice()
                    && section == "services"
                {
                    let changes = self.services.entry(service.clone()).or_default();
                    changes.items.entry(list.clone()).or_default().insert(entry.0.clone());
                }
            }
        }
    }

    /// Adds a member of a service's list.
    pub fn add_member(&mut self, wanted: &WantedMember) {
        let changes = self.services.entry(wanted.service.clone()).or_default();
        let (list, name) = (wanted.member.key(), wanted.member.name());
        changes.items.entry(list.to_owned()).or_default().insert(name.to_owned());
    }

    /// Keeps the tree of a planned text, in the place of an earlier one of the same file.
    pub fn keep_tree(&mut self, path: &Path, tree: Option<Arc<Tree>>) {
        match tree {
            Some(tree) => drop(self.trees.insert(path.to_owned(), tree)),
            None => drop(self.trees.remove(path)),
        }
    }

    /// Adds everything of another.
    pub fn extend(&mut self, mut other: Self) {
        if self.services.is_empty() {
            self.services = std::mem::take(&mut other.services);
        }
        for (name, changes) in other.services {
            let own = self.services.entry(name).or_default();
            own.set(changes.set);
            own.unset.extend(changes.unset);
            for (list, items) in changes.items {
                own.items.entry(list).or_default().extend(items);
            }
        }
        self.added.extend(other.added);
        self.trees.extend(other.trees);
    }

    /// The variables as an edit takes them.
    pub fn wanted(&self, service: &str) -> Option<Wanted> {
        let changes = self.services.get(service)?;
        Some(Wanted {
            service: service.to_owned(),
            set: changes.set.clone(),
            unset: changes.unset.iter().cloned().collect(),
        })
    }
}
