//! The services of a compose file, and the check that an edit changes only one key of them.

use std::collections::HashSet;
use std::sync::Arc;

use foldhash::HashMap;

use super::draft::YamlDraft;
use super::meaning::{ChangedNode, NodePair, TreeComparison};
use super::tree::{NodeId, YamlKind, YamlTree};
use super::{EditRefusal, merge};

/// The services of a compose file, by name.
#[derive(Debug)]
pub(super) struct ServiceNodes {
    /// The mapping below `services`.
    pub(super) id: NodeId,
    /// Key and value of each service in source order; the last one if a name repeats.
    pub(super) named: HashMap<String, (NodeId, NodeId)>,
}

/// The services' own lines in a parsed file, to look for one member after another.
#[derive(Debug)]
pub struct ServiceLines<'t> {
    pub(super) draft: YamlDraft<'t>,
    pub(super) services: ServiceNodes,
}

impl<'t> ServiceLines<'t> {
    /// Finds the services; `None` if the file has none.
    pub fn find(tree: &'t YamlTree) -> Option<Self> {
        let draft = YamlDraft::of(tree);
        let services = ServiceNodes::find(&draft).ok()?;
        Some(Self { draft, services })
    }
}

/// The value of one key of a service before and after the edit, its own or a merged one; `None` if it is null.
pub(super) type ValuePair = (Option<NodeId>, Option<NodeId>);

impl ServiceNodes {
    pub(super) fn find(draft: &YamlDraft<'_>) -> Result<Self, EditRefusal> {
        let tree = draft.tree;
        let Some(root) = tree.root().filter(|root| !tree.is_null(*root)) else {
            return Err(draft.refuse(0, "this file is empty"));
        };
        if !matches!(tree.node(root).kind, YamlKind::Mapping(..)) {
            return Err(
                draft.refuse_node(root, "a compose file must be a mapping with a key `services`")
            );
        }
        let Some(id) = tree.get(root, "services") else {
            return Err(without_services(draft, root));
        };
        let id = tree.resolve(id);
        if !matches!(tree.node(id).kind, YamlKind::Mapping(..)) {
            return Err(draft.refuse_node(id, "`services` is not a mapping"));
        }
        let entries = tree.entries(id).iter();
        let named = entries.filter_map(|(key, value)| {
            let name = tree.scalar(*key)?;
            Some((name.to_owned(), (*key, *value)))
        });
        Ok(Self { id, named: named.collect() })
    }

    /// Returns the name and value of every service that is not in `wanted`, in source order.
    pub(super) fn others(&self, wanted: &HashSet<&str>) -> Vec<(&str, NodeId)> {
        let mut others: Vec<_> = self.named.iter().collect();
        others.retain(|(name, _)| !wanted.contains(name.as_str()));
        others.sort_by_key(|(_, (key, _))| *key);
        others.into_iter().map(|(name, (_, value))| (name.as_str(), *value)).collect()
    }

    /// Returns the tree of the verified new text: only the value of `key` may differ in each service. `judge` decides
    /// by service name whether that value is right, and fails with a node that must not change.
    pub(super) fn proven(
        &self,
        draft: &YamlDraft<'_>,
        key: &str,
        reason: &str,
        judge: impl Fn(&mut TreeComparison<'_>, Option<&str>, ValuePair) -> Result<bool, ChangedNode>
        + Sync,
    ) -> Result<Arc<YamlTree>, EditRefusal> {
        draft.proven(draft.tree.start(self.id), |after| {
            let trees = TreeComparison::new(draft.tree, after);
            let mut comparison = ServiceComparison { comparison: trees, key, judge: &judge };
            comparison.document().map_err(|ChangedNode(id)| draft.refuse_node(id, reason))
        })
    }
}

/// Refuses a compose file of version 1, which has its services at the top level.
fn without_services(draft: &YamlDraft<'_>, root: NodeId) -> EditRefusal {
    let tree = draft.tree;
    let looks_like_one =
        |id: &NodeId| ["image", "build", "command"].iter().any(|key| tree.get(*id, key).is_some());
    let entries = tree.entries(root);
    let old = entries.iter().map(|(_, value)| *value).find(looks_like_one);
    match (old, entries.first()) {
        (Some(_), Some((key, _))) => {
            draft.refuse_node(*key, "this is a version 1 file: it has no key `services`").hint(
                "write `services:` as the first line and indent every line below it by two spaces",
            )
        }
        _ => draft.refuse_node(root, "there is no key `services`"),
    }
}

/// A comparison of two compose files, with a special rule for one key of each service.
struct ServiceComparison<'c, J> {
    comparison: TreeComparison<'c>,
    key: &'c str,
    judge: &'c J,
}

impl<J> ServiceComparison<'_, J>
where
    J: Fn(&mut TreeComparison<'_>, Option<&str>, ValuePair) -> Result<bool, ChangedNode>,
{
    fn document(&mut self) -> Result<(), ChangedNode> {
        let (before, after) = (self.comparison.before, self.comparison.after);
        let Some(root) = before.root() else {
            return Ok(());
        };
        let lost = ChangedNode(root);
        let roots = (root, after.root().ok_or(lost)?);
        if after.documents() != 1 {
            return Err(lost);
        }
        let others = self.comparison.members(roots, |key| key == "services")?;
        let services = (
            before.get(roots.0, "services").ok_or(lost)?,
            after.get(roots.1, "services").ok_or(lost)?,
        );
        let members = self.comparison.members(services, |_| false)?;
        for service in members.chunks_exact(2) {
            self.comparison.same(service[0])?;
            self.service(before.scalar(service[0].0), service[1])?;
        }
        self.comparison.each(others)
    }

    fn service(&mut self, name: Option<&str>, service: NodePair) -> Result<(), ChangedNode> {
        let (before, after) = (self.comparison.before, self.comparison.after);
        let resolved = (before.resolve(service.0), after.resolve(service.1));
        let is_mapping = |tree: &YamlTree, id| matches!(tree.node(id).kind, YamlKind::Mapping(..));
        if !is_mapping(before, resolved.0) || !is_mapping(after, resolved.1) {
            return self.comparison.same(service);
        }
        let own_key = self.key;
        let others = self.comparison.members(resolved, |key| key == own_key)?;
        self.comparison.each(others)?;
        let value = |tree: &YamlTree, service| {
            merge::get(tree, service, own_key).filter(|value| !tree.is_null(*value))
        };
        let values = (value(before, resolved.0), value(after, resolved.1));
        if (self.judge)(&mut self.comparison, name, values)? {
            Ok(())
        } else {
            Err(ChangedNode(resolved.0))
        }
    }
}
