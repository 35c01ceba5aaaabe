//! The services of a compose file, and the proof that an edit changes one key of them and nothing else.

use std::collections::HashSet;
use std::sync::Arc;

use foldhash::HashMap;

use super::draft::Draft;
use super::meaning::{Changed, Comparison, Pair};
use super::tree::{Kind, NodeId, Tree};
use super::{Refusal, merge};

/// The services of a compose file, by name.
#[derive(Debug)]
pub(super) struct ServiceNodes {
    /// The mapping below `services`.
    pub(super) id: NodeId,
    /// Key and value of each, in the order they stand; the last of two with one name.
    pub(super) named: HashMap<String, (NodeId, NodeId)>,
}

/// The value of one key of a service in the text before and in the one after, its own or a merged one; `None` where it is null.
pub(super) type ValuePair = (Option<NodeId>, Option<NodeId>);

impl ServiceNodes {
    pub(super) fn find(draft: &Draft<'_>) -> Result<Self, Refusal> {
        let tree = draft.tree;
        let Some(root) = tree.root().filter(|root| !tree.is_null(*root)) else {
            return Err(draft.refuse(0, "there is nothing in this file"));
        };
        if !matches!(tree.node(root).kind, Kind::Mapping(..)) {
            return Err(
                draft.refuse_node(root, "a compose file is a mapping with a key `services`")
            );
        }
        let Some(id) = tree.get(root, "services") else {
            return Err(without_services(draft, root));
        };
        let id = tree.resolve(id);
        if !matches!(tree.node(id).kind, Kind::Mapping(..)) {
            return Err(draft.refuse_node(id, "`services` is no mapping"));
        }
        let entries = tree.entries(id).iter();
        let named = entries.filter_map(|(key, value)| {
            let name = tree.scalar(*key)?;
            Some((name.to_owned(), (*key, *value)))
        });
        Ok(Self { id, named: named.collect() })
    }

    /// Name and value of every service that is not among `wanted`, in the order they stand.
    pub(super) fn others(&self, wanted: &HashSet<&str>) -> Vec<(&str, NodeId)> {
        let mut others: Vec<_> = self.named.iter().collect();
        others.retain(|(name, _)| !wanted.contains(name.as_str()));
        others.sort_by_key(|(_, (key, _))| *key);
        others.into_iter().map(|(name, (_, value))| (name.as_str(), *value)).collect()
    }

    /// The tree of the new text, once it is proven: it means the old one, but for the value that each service has for `key`. Of
    /// that `judge` says whether it is right, by the service's name; it fails with a node whose meaning is not to change.
    pub(super) fn proven(
        &self,
        draft: &Draft<'_>,
        key: &str,
        reason: &str,
        judge: impl Fn(&mut Comparison<'_>, Option<&str>, ValuePair) -> Result<bool, Changed> + Sync,
    ) -> Result<Arc<Tree>, Refusal> {
        draft.proven(draft.tree.start(self.id), |after| {
            let all = Comparison::new(draft.tree, after);
            let mut comparison = ServiceComparison { all, key, judge: &judge };
            comparison.document().map_err(|Changed(id)| draft.refuse_node(id, reason))
        })
    }
}

/// A file of before 2016 names its services at the top.
fn without_services(draft: &Draft<'_>, root: NodeId) -> Refusal {
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

/// Two compose files that are compared, one key of each service by a rule of its own.
struct ServiceComparison<'c, J> {
    all: Comparison<'c>,
    key: &'c str,
    judge: &'c J,
}

impl<J> ServiceComparison<'_, J>
where
    J: Fn(&mut Comparison<'_>, Option<&str>, ValuePair) -> Result<bool, Changed>,
{
    fn document(&mut self) -> Result<(), Changed> {
        let (before, after) = (self.all.before, self.all.after);
        let Some(root) = before.root() else {
            return Ok(());
        };
        let lost = Changed(root);
        let roots = (root, after.root().ok_or(lost)?);
        if after.documents() != 1 {
            return Err(lost);
        }
        let others = self.all.members(roots, |key| key == "services")?;
        let services = (
            before.get(roots.0, "services").ok_or(lost)?,
            after.get(roots.1, "services").ok_or(lost)?,
        );
        let members = self.all.members(services, |_| false)?;
        for service in members.chunks_exact(2) {
            self.all.same(service[0])?;
            self.service(before.scalar(service[0].0), service[1])?;
        }
        self.all.each(others)
    }

    fn service(&mut self, name: Option<&str>, service: Pair) -> Result<(), Changed> {
        let (before, after) = (self.all.before, self.all.after);
        let resolved = (before.resolve(service.0), after.resolve(service.1));
        let is_mapping = |tree: &Tree, id| matches!(tree.node(id).kind, Kind::Mapping(..));
        if !is_mapping(before, resolved.0) || !is_mapping(after, resolved.1) {
            return self.all.same(service);
        }
        let own = self.key;
        let others = self.all.members(resolved, |key| key == own)?;
        self.all.each(others)?;
        let value = |tree: &Tree, service| {
            merge::get(tree, service, own).filter(|value| !tree.is_null(*value))
        };
        let values = (value(before, resolved.0), value(after, resolved.1));
        match (self.judge)(&mut self.all, name, values)? {
            true => Ok(()),
            false => Err(Changed(resolved.0)),
        }
    }
}
