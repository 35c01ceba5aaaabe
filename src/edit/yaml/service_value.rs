//! Finds the value of one key of one service, determines which services share it, and gives the service its own value.

use std::collections::HashSet;

use super::draft::YamlDraft;
use super::fresh::NewYamlValue;
use super::services::ServiceNodes;
use super::tree::{CollectionLayout, NodeId, YamlKind, YamlTree};
use super::{EditRefusal, merge};

/// A service and the value of one of its keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServiceValue {
    /// The key: `environment`.
    pub(super) name: &'static str,
    /// The service's key.
    pub(super) service: NodeId,
    /// The service's value as written.
    written: NodeId,
    /// The service's mapping, with an alias resolved.
    pub(super) mapping: NodeId,
    /// The service's own entry, key and value.
    pub(super) entry: Option<(NodeId, NodeId)>,
    /// The layout of `services`.
    parent: CollectionLayout,
    /// The indentation of the service's entries below its key.
    pub(super) step: usize,
}

impl ServiceValue {
    pub(super) fn find(
        draft: &YamlDraft<'_>,
        services: &ServiceNodes,
        service: &str,
        name: &'static str,
    ) -> Result<Self, EditRefusal> {
        let tree = draft.tree;
        let Some((key, written)) = services.named.get(service).copied() else {
            let at = tree.start(services.id);
            return Err(draft.refuse(at, format!("there is no service `{service}`")));
        };
        let mapping = tree.resolve(written);
        if !matches!(tree.node(mapping).kind, YamlKind::Mapping(..)) {
            return Err(draft.refuse_node(key, format!("service `{service}` is not a mapping")));
        }
        let column = |id| draft.lines.column(tree.start(id));
        let first = tree.entries(mapping).first();
        let step = first.map_or(2, |(first, _)| column(*first).saturating_sub(column(key)));
        let entry = match tree.node(written).kind {
            YamlKind::Alias(_) => None,
            _ => tree.entry(mapping, name),
        };
        Ok(Self {
            name,
            service: key,
            written,
            mapping,
            entry,
            parent: draft.layout(services.id),
            step: if (1..=8).contains(&step) { step } else { 2 },
        })
    }

    fn is_alias(&self, tree: &YamlTree) -> bool {
        matches!(tree.node(self.written).kind, YamlKind::Alias(_))
    }

    /// Returns the value as written, the service's own or a merged one.
    pub(super) fn effective(&self, tree: &YamlTree) -> Option<NodeId> {
        merge::get(tree, self.mapping, self.name)
    }

    /// Returns the service's own value, unless that is an alias.
    pub(super) fn in_place(&self, tree: &YamlTree) -> Option<NodeId> {
        let own_value = self.entry.map(|(_, value)| value);
        own_value.filter(|value| !matches!(tree.node(*value).kind, YamlKind::Alias(_)))
    }

    /// Returns nodes, possibly shared, that change when this value is edited in place.
    pub(super) fn changes(&self, tree: &YamlTree) -> Vec<NodeId> {
        let service = (!self.is_alias(tree)).then_some(self.mapping);
        self.in_place(tree).into_iter().chain(service).collect()
    }

    /// Fails if a `!reset` tag removes the value.
    pub(super) fn refuse_reset(
        &self,
        draft: &YamlDraft<'_>,
        value: NodeId,
    ) -> Result<(), EditRefusal> {
        match &draft.tree.node(value).tag {
            Some(tag) if tag.text == "!reset" => {
                let reason = format!("`{}` is removed here by `!reset`", self.name);
                Err(draft.refuse_node(value, reason))
            }
            _ => Ok(()),
        }
    }

    /// Returns the byte at which [`Self::put`] writes.
    pub(super) fn site(&self, tree: &YamlTree) -> usize {
        match self.entry {
            Some((_, value)) => tree.start(value),
            None if self.is_alias(tree) => tree.start(self.written),
            None => tree.end(self.mapping),
        }
    }

    /// Returns the layout of the mapping that [`Self::put`] writes to.
    pub(super) fn layout(&self, draft: &YamlDraft<'_>) -> CollectionLayout {
        if self.is_alias(draft.tree) { self.parent } else { draft.layout(self.mapping) }
    }

    /// Gives the service its own value, replacing an alias, an absent value or an empty collection.
    pub(super) fn put(
        &self,
        draft: &mut YamlDraft<'_>,
        fresh: NewYamlValue,
    ) -> Result<(), EditRefusal> {
        let tree = draft.tree;
        let layout = self.layout(draft);
        if self.is_alias(tree) {
            let alias = tree.source[tree.node(self.written).range.clone()].to_owned();
            let entries = vec![("<<".into(), NewYamlValue::Text(alias)), (self.name.into(), fresh)];
            let entry = (self.service, self.written);
            return draft.replace_value(entry, layout, &NewYamlValue::Map(entries), self.step);
        }
        match self.entry {
            Some(entry) => draft.replace_value(entry, layout, &fresh, self.step),
            None => {
                let key = draft.key(self.mapping, self.name);
                draft.add_entries(self.mapping, &[(key, fresh)], self.step)
            }
        }
    }
}

/// Returns whether a change of the nodes `changing` also changes the service's value for the key `name`.
pub(super) fn is_affected(
    tree: &YamlTree,
    service: NodeId,
    name: &str,
    changing: &HashSet<NodeId>,
) -> bool {
    let changes = |id: &NodeId| changing.contains(id);
    let lineage = merge::list_entry_sources(tree, service);
    let from = lineage.iter().position(|id| tree.get(*id, name).is_some());
    let passed = from.map_or(lineage.as_slice(), |from| &lineage[..from]);
    passed.iter().any(changes)
        || merge::get(tree, service, name)
            .is_some_and(|value| merge::list_entry_sources(tree, value).iter().any(changes))
}
