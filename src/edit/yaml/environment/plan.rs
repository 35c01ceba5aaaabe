//! Which bytes change so that each wanted service has its variables.

use std::collections::HashSet;

use super::super::Refusal;
use super::super::draft::Draft;
use super::super::fresh::Fresh;
use super::super::materialise::{self, Anchors, Site};
use super::super::merge;
use super::super::scalar::{double, is_plain_string, styled};
use super::super::tree::{Kind, Layout, NodeId, Style};
use super::bystanders;
use super::{Services, Wanted, item_name, reads};

type Planned = Result<(), Refusal>;
type Set = [(String, String)];

/// Plans every patch, for the wanted services and for those who share something with them.
pub(super) fn plan(draft: &mut Draft<'_>, services: &Services, wanted: &[Wanted]) -> Planned {
    let names = wanted.iter().flat_map(|wanted| &wanted.set);
    let names: HashSet<&str> = names.map(|(name, _)| name.as_str()).collect();
    let mut due = Vec::new();
    for wanted in wanted {
        let place = Place::find(draft, services, &wanted.service)?;
        if !place.has_all(draft, &wanted.set) {
            due.push((place, wanted.set.as_slice()));
        }
    }
    let anchors = Anchors::of(&draft.tree);
    let changing: HashSet<NodeId> = due
        .iter()
        .flat_map(|(place, _)| place.changes(draft))
        .collect();
    let sharing = Sharing {
        anchors: &anchors,
        without: &names,
        changing: &changing,
    };
    for (place, set) in &due {
        place.edit(draft, set, &sharing)?;
    }
    bystanders::keep(draft, services, wanted, &sharing)
}

/// What an edit must know of nodes that others use as well.
pub(super) struct Sharing<'s> {
    pub(super) anchors: &'s Anchors,
    /// Every name that is set somewhere.
    pub(super) without: &'s HashSet<&'s str>,
    /// Services and environments that gain something.
    pub(super) changing: &'s HashSet<NodeId>,
}

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

impl Place {
    pub(super) fn find(
        draft: &Draft<'_>,
        services: &Services,
        name: &str,
    ) -> Result<Self, Refusal> {
        let tree = &draft.tree;
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
        super::environment(&draft.tree, self.mapping)
    }

    /// Nodes others may share that gain something when this place is edited.
    fn changes(&self, draft: &Draft<'_>) -> Vec<NodeId> {
        let own = self.own.map(|(_, value)| value);
        let own = own.filter(|value| !matches!(draft.tree.node(*value).kind, Kind::Alias(_)));
        let service = (!self.is_alias(draft)).then_some(self.mapping);
        own.into_iter().chain(service).collect()
    }

    /// Whether every variable reads as it should, and stands there once.
    fn has_all(&self, draft: &Draft<'_>, set: &Set) -> bool {
        let Some(value) = self.environment(draft) else {
            return set.is_empty();
        };
        set.iter()
            .all(|(name, literal)| match_once(draft, value, name, literal))
    }

    fn edit(&self, draft: &mut Draft<'_>, set: &Set, sharing: &Sharing<'_>) -> Planned {
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
                self.put(
                    draft,
                    (key, value),
                    &Fresh::List(items_of(set, Style::Plain, layout)),
                )
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
            let service = Fresh::Map(vec![
                ("<<".into(), Fresh::Text(alias)),
                ("environment".into(), fresh),
            ]);
            return draft.replace_value((self.key, self.value), self.parent, &service, self.step);
        }
        let site = self.site(
            draft.tree.end(self.mapping),
            draft.layout(self.mapping),
            sharing,
        );
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
        Site {
            at,
            parent: self.mapping,
            layout,
            without: sharing.without,
            changing: sharing.changing,
        }
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
    let site = Site {
        without: &own,
        ..site
    };
    let copied = match inherited {
        None => Fresh::Map(Vec::new()),
        Some(value) => materialise::environment(draft, sharing.anchors, value, site)?,
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

fn pairs(set: &Set, key: &dyn Fn(&str) -> String) -> Vec<(String, Fresh)> {
    set.iter()
        .map(|(name, literal)| (key(name), Fresh::Text(double(literal))))
        .collect()
}

fn items_of(set: &Set, style: Style, layout: Layout) -> Vec<Fresh> {
    let items = set
        .iter()
        .map(|(name, literal)| format!("{name}={literal}"));
    items
        .map(|item| Fresh::Text(styled(&item, style, layout)))
        .collect()
}

/// Whether `name` reads as `literal` in an environment, and stands in its own lines once at most.
fn match_once(draft: &Draft<'_>, value: NodeId, name: &str, literal: &str) -> bool {
    let tree = &draft.tree;
    match &tree.node(tree.resolve(value)).kind {
        Kind::Mapping(entries, _) => {
            let own = entries
                .iter()
                .filter(|(key, _)| tree.scalar(*key) == Some(name));
            let found = merge::get(tree, value, name);
            own.count() <= 1 && found.is_some_and(|found| reads(tree, found, literal))
        }
        Kind::Sequence(items, _) => {
            let mut own = items
                .iter()
                .filter(|item| item_name(tree, **item) == Some(name));
            let found = own.next().and_then(|item| tree.scalar(*item));
            own.next().is_none() && found == Some(format!("{name}={literal}").as_str())
        }
        _ => false,
    }
}

fn amend_mapping(draft: &mut Draft<'_>, mapping: NodeId, set: &Set, step: usize) -> Planned {
    let layout = draft.layout(mapping);
    let entries = draft.tree.entries(mapping).to_vec();
    let mut missing = Vec::new();
    for (name, literal) in set {
        let named = entries.iter().enumerate();
        let mut own: Vec<_> = named
            .filter(|(_, (key, _))| draft.tree.scalar(*key) == Some(name))
            .collect();
        let Some((_, last)) = own.pop() else {
            if !match_once(draft, mapping, name, literal) {
                missing.push((name.clone(), literal.clone()));
            }
            continue;
        };
        for (index, entry) in own {
            let next = entries
                .get(index + 1)
                .map_or(0, |next| draft.tree.start(next.0));
            let from = draft.tree.start(entry.0);
            draft.remove(layout, from, draft.tree.pair_end(*entry), next)?;
        }
        if !reads(&draft.tree, last.1, literal) {
            draft.set_scalar(*last, layout, literal)?;
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let added = pairs(&missing, &|name| draft.key(mapping, name));
    draft.add_entries(mapping, &added, step)
}

fn amend_list(draft: &mut Draft<'_>, list: NodeId, set: &Set, step: usize) -> Planned {
    let layout = draft.layout(list);
    let items = draft.tree.items(list).to_vec();
    let mut missing = Vec::new();
    for (name, literal) in set {
        let named = items.iter().enumerate();
        let mut own: Vec<_> = named
            .filter(|(_, item)| item_name(&draft.tree, **item) == Some(name))
            .collect();
        let Some((_, last)) = own.pop() else {
            missing.push((name.clone(), literal.clone()));
            continue;
        };
        for (index, item) in own {
            let next = items
                .get(index + 1)
                .map_or(0, |next| draft.item_start(*next, layout));
            let from = draft.item_start(*item, layout);
            draft.remove(layout, from, draft.tree.end(*item), next)?;
        }
        let text = format!("{name}={literal}");
        if draft.tree.scalar(*last) != Some(text.as_str()) {
            draft.set_item(*last, layout, &text)?;
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let style = usual_style(draft, &items, &missing, layout);
    draft.add_items(list, &items_of(&missing, style, layout), step)
}

/// The quotes all items have; plain where they differ or have none.
fn usual_style(draft: &Draft<'_>, items: &[NodeId], set: &Set, layout: Layout) -> Style {
    let style = |item: &NodeId| match draft.tree.node(*item).kind {
        Kind::Scalar(_, style) => style,
        _ => Style::Plain,
    };
    let first = items.first().map_or(Style::Plain, style);
    let plain =
        |(name, literal): &(String, String)| is_plain_string(&format!("{name}={literal}"), layout);
    match first {
        Style::Single | Style::Double if items.iter().all(|item| style(item) == first) => first,
        _ if layout == Layout::Flow && !set.iter().all(plain) => Style::Double,
        _ => Style::Plain,
    }
}
