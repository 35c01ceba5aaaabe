//! One service: where its environment is written, and the route to one that has our variables.

use std::collections::HashSet;

use super::super::Refusal;
use super::super::draft::Draft;
use super::super::fresh::Fresh;
use super::super::materialise::{self, Anchors, Site};
use super::super::tree::{Kind, Layout, NodeId, Style};
use super::amend::{amend_list, amend_mapping, items_of, pairs, reads_once};
use super::{Services, Set};

type Planned = Result<(), Refusal>;

/// Where a service stands and what holds its environment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The service's key.
    pub(super) key: NodeId,
    /// The service as it is written.
    pub(super) value: NodeId,
    /// The service's mapping, an alias followed.
    pub(super) mapping: NodeId,
    /// Its own `environment`, key and value.
    pub(super) own: Option<(NodeId, NodeId)>,
    /// How `services` is written.
    parent: Layout,
    step: usize,
}

/// What an edit must know of nodes that others use as well.
pub(super) struct Sharing<'s> {
    pub(super) anchors: &'s Anchors,
    /// Services and environments that gain or lose something.
    pub(super) changing: &'s HashSet<NodeId>,
}

impl Place {
    pub(super) fn find(
        draft: &Draft<'_>,
        services: &Services,
        name: &str,
    ) -> Result<Self, Refusal> {
        let tree = draft.tree;
        let Some((key, value)) = services.named.get(name).copied() else {
            let at = tree.start(services.id);
            return Err(draft.refuse(at, format!("there is no service `{name}`")));
        };
        let mapping = tree.resolve(value);
        if !matches!(tree.node(mapping).kind, Kind::Mapping(..)) {
            return Err(draft.refuse_node(key, format!("service `{name}` is no mapping")));
        }
        let column = |id| draft.lines.column(tree.start(id));
        let first = tree.entries(mapping).first();
        let step = first.map_or(2, |(first, _)| column(*first).saturating_sub(column(key)));
        let own = match tree.node(value).kind {
            Kind::Alias(_) => None,
            _ => tree.entry(mapping, "environment"),
        };
        Ok(Self {
            key,
            value,
            mapping,
            own,
            parent: draft.layout(services.id),
            step: if (1..=8).contains(&step) { step } else { 2 },
        })
    }

    fn is_alias(&self, draft: &Draft<'_>) -> bool {
        matches!(draft.tree.node(self.value).kind, Kind::Alias(_))
    }

    /// The environment as it is written, its own or a merged one.
    pub(super) fn environment(&self, draft: &Draft<'_>) -> Option<NodeId> {
        super::environment(draft.tree, self.mapping)
    }

    /// Nodes others may share that gain something when this place is edited.
    pub(super) fn changes(&self, draft: &Draft<'_>) -> Vec<NodeId> {
        let own = self.own.map(|(_, value)| value);
        let own = own.filter(|value| !matches!(draft.tree.node(*value).kind, Kind::Alias(_)));
        let service = (!self.is_alias(draft)).then_some(self.mapping);
        own.into_iter().chain(service).collect()
    }

    /// Whether every variable reads as it should, and stands there once.
    pub(super) fn has_all(&self, draft: &Draft<'_>, set: &Set) -> bool {
        let Some(value) = self.environment(draft) else {
            return set.is_empty();
        };
        set.iter().all(|(name, literal)| reads_once(draft.tree, value, name, literal))
    }

    pub(super) fn edit(&self, draft: &mut Draft<'_>, set: &Set, sharing: &Sharing<'_>) -> Planned {
        let Some((key, value)) = self.own else {
            return self.add_block(draft, set, sharing);
        };
        let node = draft.tree.node(value);
        if node.tag.as_ref().is_some_and(|tag| tag.text == "!reset") {
            return Err(draft.refuse_node(value, "`environment` is taken away here by `!reset`"));
        }
        match &node.kind {
            Kind::Alias(_) => {
                let site = self.site(draft.tree.start(value), draft.layout(self.mapping), sharing);
                let fresh = whole(draft, Some(value), set, site, sharing)?;
                self.put(draft, (key, value), &fresh)
            }
            Kind::Mapping(entries, _) if entries.is_empty() => {
                let fresh = Fresh::Map(pairs(set, &|name| draft.key(self.mapping, name)));
                self.put(draft, (key, value), &fresh)
            }
            Kind::Sequence(items, _) if items.is_empty() => {
                let layout = draft.layout(self.mapping);
                self.put(draft, (key, value), &Fresh::List(items_of(set, Style::Plain, layout)))
            }
            Kind::Mapping(..) => amend_mapping(draft, value, set, self.step),
            Kind::Sequence(..) => amend_list(draft, value, set, self.step),
            Kind::Scalar(..) if draft.tree.is_null(value) => {
                let fresh = Fresh::Map(pairs(set, &|name| draft.key(self.mapping, name)));
                self.put(draft, (key, value), &fresh)
            }
            Kind::Scalar(..) => {
                Err(draft.refuse_node(value, "`environment` is neither a mapping nor a list"))
            }
        }
    }

    fn put(&self, draft: &mut Draft<'_>, entry: (NodeId, NodeId), fresh: &Fresh) -> Planned {
        draft.replace_value(entry, draft.layout(self.mapping), fresh, self.step)
    }

    /// Gives a service without an `environment` one that holds what it inherited and `set`.
    pub(super) fn add_block(
        &self,
        draft: &mut Draft<'_>,
        set: &Set,
        sharing: &Sharing<'_>,
    ) -> Planned {
        let inherited = self.environment(draft);
        if self.is_alias(draft) {
            let site = self.site(draft.tree.start(self.value), self.parent, sharing);
            let fresh = whole(draft, inherited, set, site, sharing)?;
            let alias = draft.tree.source[draft.tree.node(self.value).range.clone()].to_owned();
            let service =
                Fresh::Map(vec![("<<".into(), Fresh::Text(alias)), ("environment".into(), fresh)]);
            return draft.replace_value((self.key, self.value), self.parent, &service, self.step);
        }
        let site = self.site(draft.tree.end(self.mapping), draft.layout(self.mapping), sharing);
        let fresh = whole(draft, inherited, set, site, sharing)?;
        let key = draft.key(self.mapping, "environment");
        draft.add_entries(self.mapping, &[(key, fresh)], self.step)
    }

    /// Gives a service whose environment is an alias a copy of what the alias stands for.
    pub(super) fn detach(&self, draft: &mut Draft<'_>, sharing: &Sharing<'_>) -> Planned {
        let Some((key, value)) = self.own else {
            return Ok(());
        };
        let site = self.site(draft.tree.start(value), draft.layout(self.mapping), sharing);
        let fresh = whole(draft, Some(value), &[], site, sharing)?;
        self.put(draft, (key, value), &fresh)
    }

    fn site<'s>(&self, at: usize, layout: Layout, sharing: &Sharing<'s>) -> Site<'s> {
        Site { at, parent: self.mapping, layout, changing: sharing.changing }
    }
}

/// A whole environment: the inherited one and `set`.
fn whole(
    draft: &Draft<'_>,
    inherited: Option<NodeId>,
    set: &Set,
    site: Site<'_>,
    sharing: &Sharing<'_>,
) -> Result<Fresh, Refusal> {
    let own: HashSet<&str> = set.iter().map(|(name, _)| name.as_str()).collect();
    let copied = match inherited {
        None => Fresh::Map(Vec::new()),
        Some(value) => materialise::environment(draft, sharing.anchors, value, site, &own)?,
    };
    Ok(match copied {
        Fresh::Map(mut entries) => {
            entries.extend(pairs(set, &|name| draft.key(site.parent, name)));
            Fresh::Map(entries)
        }
        Fresh::List(mut items) => {
            items.extend(items_of(set, Style::Plain, site.layout));
            Fresh::List(items)
        }
        text @ Fresh::Text(_) => text,
    })
}
