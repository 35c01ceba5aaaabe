//! After the edit: two parsers read the new text, and it means the old one with the wanted variables set.

use std::collections::{HashMap, HashSet};

use super::super::Refusal;
use super::super::draft::Draft;
use super::super::meaning::{Changed, Comparison, Pair};
use super::super::tree::{Kind, NodeId, Tree};
use super::super::{merge, witness};
use super::{Services, Wanted, environment, item_name, reads};

/// The new text, once it is proven.
pub(super) fn proven(
    draft: &Draft<'_>,
    services: &Services,
    wanted: &[Wanted],
) -> Result<String, Refusal> {
    let text = draft.finish()?;
    let after = Tree::parse(&text).map_err(|error| {
        draft.refuse_node(
            services.id,
            format!("the edit would break the file: {}", error.message),
        )
    })?;
    let mut proof = Proof {
        all: Comparison::new(&draft.tree, &after),
        wanted: wanted
            .iter()
            .map(|wanted| (wanted.service.as_str(), wanted.set.as_slice()))
            .collect(),
    };
    proof.document().map_err(|Changed(id)| {
        draft.refuse_node(id, "the edit would change more than the wanted variables")
    })?;
    witness::agrees(&after).map_err(|words| {
        draft.refuse_node(
            services.id,
            format!("two parsers read this file differently: {words}"),
        )
    })?;
    Ok(text)
}

struct Proof<'p> {
    all: Comparison<'p, 'p, 'p>,
    wanted: HashMap<&'p str, &'p [(String, String)]>,
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
        if after.documents != 1 {
            return Err(lost);
        }
        let others = self.all.members(roots, Some("services"))?;
        let services = (
            before.get(roots.0, "services").ok_or(lost)?,
            after.get(roots.1, "services").ok_or(lost)?,
        );
        let members = self.all.members(services, None)?;
        for service in members.chunks_exact(2) {
            self.all.same(service[0])?;
            self.service(before.scalar(service[0].0), service[1])?;
        }
        self.all.each(others)
    }

    fn service(&mut self, name: Option<&str>, service: Pair) -> Proven {
        let (before, after) = (self.all.before, self.all.after);
        let resolved = (before.resolve(service.0), after.resolve(service.1));
        let is_mapping = |tree: &Tree<'_>, id| matches!(tree.node(id).kind, Kind::Mapping(..));
        if !is_mapping(before, resolved.0) || !is_mapping(after, resolved.1) {
            return self.all.same(service);
        }
        let others = self.all.members(resolved, Some("environment"))?;
        self.all.each(others)?;
        let set = name.and_then(|name| self.wanted.get(name).copied());
        self.environment(resolved, set.unwrap_or_default())
    }

    /// The variables in `set` read as they should and stand there once; every other is as it was.
    fn environment(&mut self, service: Pair, set: &[(String, String)]) -> Proven {
        let (before, after) = (self.all.before, self.all.after);
        let changed = Changed(service.0);
        let was = Variables::of(before, environment(before, service.0)).ok_or(changed)?;
        let is = Variables::of(after, environment(after, service.1)).ok_or(changed)?;
        let ours: HashSet<&str> = set.iter().map(|(name, _)| name.as_str()).collect();
        let right = |(name, literal): &(String, String)| is.reads(after, name, literal);
        let form_kept = was.named.is_empty() || is.named.is_empty() || was.list == is.list;
        if !set.iter().all(right) || !form_kept {
            return Err(changed);
        }
        let kept = was.named.iter().filter(|(name, _)| !ours.contains(*name));
        let count = is.named.keys().filter(|name| !ours.contains(*name)).count();
        let mut pairs = Vec::new();
        for (name, (id, _)) in kept {
            pairs.push((*id, is.named.get(name).ok_or(changed)?.0));
        }
        if pairs.len() != count {
            return Err(changed);
        }
        self.all.each(pairs)
    }
}

/// The variables of an environment by name, with the node that says it and how often it stands there.
struct Variables<'t> {
    list: bool,
    named: HashMap<&'t str, (NodeId, usize)>,
}

impl<'t> Variables<'t> {
    /// `None` where an environment is a scalar.
    fn of(tree: &'t Tree<'_>, value: Option<NodeId>) -> Option<Self> {
        let mut variables = Self {
            list: false,
            named: HashMap::new(),
        };
        let Some(value) = value.filter(|value| !tree.is_null(*value)) else {
            return Some(variables);
        };
        match &tree.node(tree.resolve(value)).kind {
            Kind::Mapping(..) => {
                for (key, value) in merge::effective(tree, value) {
                    variables.add(tree.scalar(key).unwrap_or_default(), value);
                }
                for (key, _) in tree.entries(value) {
                    variables.add_time(tree.scalar(*key).unwrap_or_default());
                }
            }
            Kind::Sequence(items, _) => {
                variables.list = true;
                for item in items {
                    variables.add(item_name(tree, *item).unwrap_or_default(), *item);
                    variables.add_time(item_name(tree, *item).unwrap_or_default());
                }
            }
            _ => return None,
        }
        Some(variables)
    }

    fn add(&mut self, name: &'t str, id: NodeId) {
        let times = self.named.get(name).map_or(0, |(_, times)| *times);
        self.named.insert(name, (id, times));
    }

    fn add_time(&mut self, name: &'t str) {
        self.named.entry(name).and_modify(|(_, times)| *times += 1);
    }

    fn reads(&self, tree: &Tree<'_>, name: &str, literal: &str) -> bool {
        self.named.get(name).is_some_and(|(id, times)| {
            let right = match self.list {
                true => tree.scalar(*id) == Some(format!("{name}={literal}").as_str()),
                false => reads(tree, *id, literal),
            };
            right && *times <= 1
        })
    }
}
