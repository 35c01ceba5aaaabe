//! After the edit: two parsers read the new text, and it means the old one with the wanted variables set and
//! the unwanted ones gone.

use std::sync::Arc;

use foldhash::HashMap;

use super::super::Refusal;
use super::super::draft::Draft;
use super::super::meaning::{Changed, Comparison, Pair};
use super::super::merge;
use super::super::tree::{Kind, NodeId, Tree};
use super::amend::reads_once;
use super::{Services, Wanted, environment, item_name, lacks};

/// The tree of the new text, once it is proven.
pub(super) fn proven(
    draft: &Draft<'_>,
    services: &Services,
    wanted: &[Wanted],
) -> Result<Arc<Tree>, Refusal> {
    draft.proven(draft.tree.start(services.id), |after| {
        let mut proof = Proof {
            all: Comparison::new(draft.tree, after),
            wanted: wanted.iter().map(|wanted| (wanted.service.as_str(), wanted)).collect(),
        };
        proof.document().map_err(|Changed(id)| {
            draft.refuse_node(id, "the edit would change more than the wanted variables")
        })
    })
}

struct Proof<'p> {
    all: Comparison<'p>,
    wanted: HashMap<&'p str, &'p Wanted>,
}

type Proven = Result<(), Changed>;

impl Proof<'_> {
    fn document(&mut self) -> Proven {
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

    fn service(&mut self, name: Option<&str>, service: Pair) -> Proven {
        let (before, after) = (self.all.before, self.all.after);
        let resolved = (before.resolve(service.0), after.resolve(service.1));
        let is_mapping = |tree: &Tree, id| matches!(tree.node(id).kind, Kind::Mapping(..));
        if !is_mapping(before, resolved.0) || !is_mapping(after, resolved.1) {
            return self.all.same(service);
        }
        let others = self.all.members(resolved, |key| key == "environment")?;
        self.all.each(others)?;
        let wanted = name.and_then(|name| self.wanted.get(name).copied());
        self.environment(resolved, wanted)
    }

    /// The variables that are set read as they should and stand there once, those that are unset are gone; every other
    /// is as it was.
    fn environment(&mut self, service: Pair, wanted: Option<&Wanted>) -> Proven {
        let (before, after) = (self.all.before, self.all.after);
        let set = wanted.map_or(&[][..], |wanted| &wanted.set);
        let unset = wanted.map_or(&[][..], |wanted| &wanted.unset);
        let changed = Err(Changed(service.0));
        let was = environment(before, service.0).filter(|value| !before.is_null(*value));
        let is = environment(after, service.1).filter(|value| !after.is_null(*value));
        let right = |(name, literal): &(String, String)| {
            is.is_some_and(|is| reads_once(after, is, name, literal))
        };
        let gone = |name: &String| is.is_none_or(|is| lacks(after, is, name));
        if !set.iter().all(right) || !unset.iter().all(gone) {
            return changed;
        }
        let ours: Vec<&str> =
            set.iter().map(|(name, _)| name).chain(unset).map(String::as_str).collect();
        let is_list =
            |tree: &Tree, id| matches!(tree.node(tree.resolve(id)).kind, Kind::Sequence(..));
        let (was, is) = match (was, is) {
            (Some(was), Some(is)) => (was, is),
            (Some(id), None) if others(before, id, &ours).is_empty() => return Ok(()),
            (None, Some(id)) if others(after, id, &ours).is_empty() => return Ok(()),
            (None, None) => return Ok(()),
            _ => return changed,
        };
        match (is_list(before, was), is_list(after, is)) {
            (true, true) => {
                let (was, is) = (others(before, was, &ours), others(after, is, &ours));
                if was.len() != is.len() {
                    return changed;
                }
                self.all.each(was.into_iter().zip(is))
            }
            (false, false) => {
                let pair = (before.resolve(was), after.resolve(is));
                let kept = self.all.members(pair, |name| ours.contains(&name))?;
                self.all.each(kept)
            }
            _ => changed,
        }
    }
}

/// What an environment holds beside `ours`: items of a list, values of a mapping.
fn others(tree: &Tree, value: NodeId, ours: &[&str]) -> Vec<NodeId> {
    let named = |name: Option<&str>| name.is_some_and(|name| ours.contains(&name));
    match &tree.node(tree.resolve(value)).kind {
        Kind::Sequence(items, _) => {
            let items = items.iter().copied();
            items.filter(|item| !named(item_name(tree, *item))).collect()
        }
        _ => {
            let entries = merge::effective(tree, value).into_iter();
            let kept = entries.filter(|(key, _)| !named(tree.scalar(*key)));
            kept.map(|(_, value)| value).collect()
        }
    }
}
