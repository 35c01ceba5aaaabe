//! The planned changes to the meaning of a compose project, service by service.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::edit::yaml::additions::Addition;
use crate::edit::yaml::environment::Wanted;
use crate::edit::yaml::rename::Renames;
use crate::edit::yaml::service_lists::WantedMember;
use crate::edit::yaml::tree::YamlTree;

/// The planned changes to the meaning of a compose project; everything else must stay the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComposeChanges {
    /// Changes by the service's name.
    pub services: BTreeMap<String, ServiceChanges>,
    /// Added services.
    pub added: BTreeSet<String>,
    /// Volumes and images under new names.
    pub renamed: Renames,
    /// Parsed trees of planned texts, by path, to avoid parsing them again.
    pub trees: BTreeMap<PathBuf, Arc<YamlTree>>,
}

/// The planned changes to one service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceChanges {
    /// Variables by name, with the literal value before docker compose interpolates it.
    pub set: Vec<(String, String)>,
    /// Variables that are removed, or set to an empty value.
    pub unset: BTreeSet<String>,
    /// Items of lists, by the list's key: `extra_hosts`, `depends_on`, `volumes` (by the volume's name).
    pub items: BTreeMap<String, BTreeSet<String>>,
}

impl ServiceChanges {
    /// Returns whether a variable is among those that are set.
    pub fn sets(&self, name: &str) -> bool {
        self.set.iter().any(|(set_name, _)| set_name == name)
    }

    /// Adds variables; a later one replaces an earlier one of the same name.
    fn set(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        for (name, value) in variables {
            self.set.retain(|(known, _)| *known != name);
            self.set.push((name, value));
        }
    }
}

impl ComposeChanges {
    /// Returns whether no service changes.
    pub fn is_empty(&self) -> bool {
        self.services.is_empty() && self.added.is_empty() && self.renamed.is_empty()
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

    /// Adds an item of a service's list.
    pub fn add_member(&mut self, wanted: &WantedMember) {
        let changes = self.services.entry(wanted.service.clone()).or_default();
        let (list, name) = (wanted.member.key(), wanted.member.name());
        changes.items.entry(list.to_owned()).or_default().insert(name.to_owned());
    }

    /// Keeps the tree of a planned text, replacing an earlier one of the same file.
    pub fn keep_tree(&mut self, path: &Path, tree: Option<Arc<YamlTree>>) {
        match tree {
            Some(tree) => drop(self.trees.insert(path.to_owned(), tree)),
            None => drop(self.trees.remove(path)),
        }
    }

    /// Adds all changes of another set.
    pub fn extend(&mut self, mut other: Self) {
        if self.services.is_empty() {
            self.services = std::mem::take(&mut other.services);
        }
        for (name, changes) in other.services {
            let service_changes = self.services.entry(name).or_default();
            service_changes.set(changes.set);
            service_changes.unset.extend(changes.unset);
            for (list, items) in changes.items {
                service_changes.items.entry(list).or_default().extend(items);
            }
        }
        self.added.extend(other.added);
        self.renamed.extend(other.renamed);
        self.trees.extend(other.trees);
    }

    /// Returns the variables in the form an edit takes.
    pub fn wanted(&self, service: &str) -> Option<Wanted> {
        let changes = self.services.get(service)?;
        Some(Wanted {
            service: service.to_owned(),
            set: changes.set.clone(),
            unset: changes.unset.iter().cloned().collect(),
        })
    }
}
