//! After the edit: two parsers read the new text, and it means the old one with the wanted members.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::Refusal;
use super::super::draft::Draft;
use super::super::environment::Services;
use super::super::meaning::{Changed, Comparison, Pair};
use super::super::merge;
use super::super::tree::{Kind, NodeId, Tree};
use super::place::STARTED;
use super::{ListMember, WantedMember};

/// The tree of the new text, once it is proven.
pub(super) fn proven(
    draft: &Draft<'_>,
    services: &Services,
    key: &'static str,
    wanted: &[&WantedMember],
) -> Result<Arc<Tree>, Refusal> {
    let wanted: HashMap<&str, &ListMember> =
        wanted.iter().map(|one| (one.service.as_str(), &one.member)).collect();
    draft.proven(draft.tree.start(services.id), |after| {
        let mut proof = ListProof { all: Comparison::new(draft.tree, after), key, wanted: &wanted };
        proof
            .document()
            .map_err(|Changed(id)| draft.refuse_node(id, "the edit would change more than it adds"))
    })
}

struct ListProof<'p> {
    all: Comparison<'p>,
    key: &'static str,
    wanted: &'p HashMap<&'p str, &'p ListMember>,
}

impl ListProof<'_> {
    fn document(&mut self) -> Result<(), Changed> {
        let (before, after) = (self.all.before, self.all.after);
        let Some(root) = before.root() else { return Ok(()) };
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
        let list = self.key;
        let others = self.all.members(resolved, |key| key == list)?;
        self.all.each(others)?;
        let is = |tree: &Tree, service| {
            let value = merge::get(tree, service, list);
            value.filter(|value| !tree.is_null(*value))
        };
        let lists = (is(before, resolved.0), is(after, resolved.1));
        let wanted = name.and_then(|name| self.wanted.get(name).copied());
        match list {
            "volumes" => self.items(resolved.0, lists, wanted),
            _ => self.dependencies(resolved.0, lists, wanted),
        }
    }

    /// Every item is there, in order, and behind them the wanted one unless it was among them.
    fn items(
        &mut self,
        service: NodeId,
        (was, is): (Option<NodeId>, Option<NodeId>),
        wanted: Option<&ListMember>,
    ) -> Result<(), Changed> {
        let (before, after) = (self.all.before, self.all.after);
        let old = was.map_or(&[][..], |was| before.items(was));
        let new = is.map_or(&[][..], |is| after.items(is));
        let (kept, more) = new.split_at_checked(old.len()).ok_or(Changed(service))?;
        self.all.each(old.iter().copied().zip(kept.iter().copied()))?;
        let text = |tree: &Tree, id: &NodeId| tree.scalar(*id).map(str::to_owned);
        let right = match (wanted, more) {
            (Some(ListMember::Volume(wanted)), [one]) => text(after, one).as_ref() == Some(wanted),
            (Some(ListMember::Volume(wanted)), []) => {
                old.iter().any(|one| text(before, one).as_ref() == Some(wanted))
            }
            (None, []) => true,
            _ => false,
        };
        right.then_some(()).ok_or(Changed(service))
    }

    /// Every service is waited for as before, and the wanted one.
    fn dependencies(
        &mut self,
        service: NodeId,
        (was, is): (Option<NodeId>, Option<NodeId>),
        wanted: Option<&ListMember>,
    ) -> Result<(), Changed> {
        let (before, after) = (self.all.before, self.all.after);
        let changed = Changed(service);
        let old = was.map_or_else(Vec::new, |was| waits(before, was));
        let had = |wanted: &str| old.iter().any(|(name, _)| *name == Some(wanted));
        let had = wanted.is_none_or(|wanted| had(wanted.name()));
        let mut new = is.map_or_else(Vec::new, |is| waits(after, is));
        for (name, value) in old {
            let at = new.iter().position(|(other, _)| *other == name).ok_or(changed)?;
            match (value, new.remove(at).1) {
                (Some(was), Some(is)) => self.all.same((was, is))?,
                (None, None) => {}
                (None, Some(is)) if has_only_condition(after, is, STARTED) => {}
                _ => return Err(changed),
            }
        }
        let right = match (wanted, new.as_slice()) {
            (Some(ListMember::Dependency { service, condition }), [(name, Some(is))]) => {
                *name == Some(service.as_str()) && has_only_condition(after, *is, condition)
            }
            (_, []) => had,
            _ => false,
        };
        right.then_some(()).ok_or(changed)
    }
}

/// The services that a value of `depends_on` names, and what each has to be where that is said.
fn waits(tree: &Tree, value: NodeId) -> Vec<(Option<&str>, Option<NodeId>)> {
    let items = tree.items(value).iter().map(|item| (tree.scalar(*item), None));
    let entries = merge::effective(tree, value).into_iter();
    let entries = entries.map(|(key, value)| (tree.scalar(key), Some(value)));
    items.chain(entries).collect()
}

fn has_only_condition(tree: &Tree, value: NodeId, condition: &str) -> bool {
    let entries = tree.entries(value);
    entries.len() == 1
        && tree.get(value, "condition").is_some_and(|value| tree.scalar(value) == Some(condition))
}
