//! One service: where its list is written, and the route to one that has the member.

use super::super::Refusal;
use super::super::draft::Draft;
use super::super::environment::Services;
use super::super::fresh::Fresh;
use super::super::materialise::copy_value;
use super::super::merge;
use super::super::scalar::{double, is_plain_string};
use super::super::tree::{Kind, Layout, NodeId, Tree};
use super::ListMember;

/// The condition that an item of a list of `depends_on` stands for.
pub(super) const STARTED: &str = "service_started";

/// Where a service stands and what holds its list.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListPlace {
    list: &'static str,
    /// The service's key.
    key: NodeId,
    /// The service as it is written.
    value: NodeId,
    /// The service's mapping, an alias followed.
    mapping: NodeId,
    /// Its own list, key and value.
    own: Option<(NodeId, NodeId)>,
    /// How `services` is written.
    parent: Layout,
    step: usize,
}

impl ListPlace {
    pub(super) fn find(
        draft: &Draft<'_>,
        services: &Services,
        name: &str,
        list: &'static str,
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
            _ => tree.entry(mapping, list),
        };
        let step = if (1..=8).contains(&step) { step } else { 2 };
        let parent = draft.layout(services.id);
        Ok(Self { list, key, value, mapping, own, parent, step })
    }

    fn is_alias(&self, tree: &Tree) -> bool {
        matches!(tree.node(self.value).kind, Kind::Alias(_))
    }

    /// The list as it is written, its own or a merged one.
    fn effective(&self, tree: &Tree) -> Option<NodeId> {
        merge::get(tree, self.mapping, self.list)
    }

    /// Whether the member is there.
    pub(super) fn has(&self, tree: &Tree, member: &ListMember) -> bool {
        let Some(value) = self.effective(tree) else { return false };
        let text = match member {
            ListMember::Volume(text) => text,
            ListMember::Dependency { service, .. } => service,
        };
        let is_item = tree.items(value).iter().any(|item| tree.scalar(*item) == Some(text));
        is_item || merge::get(tree, value, text).is_some()
    }

    /// Nodes others may share that gain something when this place is edited.
    pub(super) fn changes(&self, tree: &Tree) -> Vec<NodeId> {
        let own = self.own.map(|(_, value)| value);
        let own = own.filter(|value| !matches!(tree.node(*value).kind, Kind::Alias(_)));
        let service = (!self.is_alias(tree)).then_some(self.mapping);
        own.into_iter().chain(service).collect()
    }

    pub(super) fn add(&self, draft: &mut Draft<'_>, member: &ListMember) -> Result<(), Refusal> {
        let Some((key, value)) = self.own else { return self.put(draft, Some(member)) };
        let tree = draft.tree;
        let node = tree.node(value);
        if node.tag.as_ref().is_some_and(|tag| tag.text == "!reset") {
            let text = format!("`{}` is taken away here by `!reset`", self.list);
            return Err(draft.refuse_node(value, text));
        }
        let is_empty =
            tree.is_null(value) || tree.entries(value).is_empty() && tree.items(value).is_empty();
        match (&node.kind, member) {
            (Kind::Alias(_), _) => self.put(draft, Some(member)),
            (Kind::Scalar(..) | Kind::Mapping(..) | Kind::Sequence(..), _) if is_empty => {
                if !tree.is_null(value) && tree.scalar(value).is_some() {
                    return Err(self.refuse_shape(draft, value));
                }
                self.put(draft, Some(member))
            }
            (Kind::Sequence(..), ListMember::Volume(text)) => {
                draft.add_items(value, &[word(text)], 2)
            }
            (Kind::Sequence(..), ListMember::Dependency { .. }) => {
                let (name, fresh) = entry_of(member);
                draft.list_to_mapping((key, value), STARTED, &(name, fresh))
            }
            (Kind::Mapping(..), ListMember::Dependency { .. }) => {
                let (name, fresh) = entry_of(member);
                draft.add_entries(value, &[(draft.key(value, &name), fresh)], self.step)
            }
            _ => Err(self.refuse_shape(draft, value)),
        }
    }

    /// Gives a service that would gain a member with another one a list of its own that holds what it has.
    pub(super) fn keep(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        let tree = draft.tree;
        let shares =
            self.own.is_none_or(|(_, value)| matches!(tree.node(value).kind, Kind::Alias(_)));
        if !shares {
            let text = format!("`{}` of this service would change with another's", self.list);
            return Err(draft.refuse_node(self.key, text));
        }
        self.put(draft, None)
    }

    fn refuse_shape(&self, draft: &Draft<'_>, value: NodeId) -> Refusal {
        draft.refuse_node(
            value,
            format!("`{}` is not written as docker compose reads it", self.list),
        )
    }

    /// Writes a list of the service's own: what it has, and the member.
    fn put(&self, draft: &mut Draft<'_>, member: Option<&ListMember>) -> Result<(), Refusal> {
        let tree = draft.tree;
        let alias = self.is_alias(tree);
        let layout = if alias { self.parent } else { draft.layout(self.mapping) };
        let fresh = self.whole(draft, member, layout)?;
        if alias {
            let name = tree.source[tree.node(self.value).range.clone()].to_owned();
            let entries = vec![("<<".into(), Fresh::Text(name)), (self.list.to_owned(), fresh)];
            let service = Fresh::Map(entries);
            return draft.replace_value((self.key, self.value), self.parent, &service, self.step);
        }
        match self.own {
            Some(entry) => draft.replace_value(entry, layout, &fresh, self.step),
            None => {
                let key = draft.key(self.mapping, self.list);
                draft.add_entries(self.mapping, &[(key, fresh)], self.step)
            }
        }
    }

    fn whole(
        &self,
        draft: &Draft<'_>,
        member: Option<&ListMember>,
        layout: Layout,
    ) -> Result<Fresh, Refusal> {
        let tree = draft.tree;
        let had = self.effective(tree).filter(|value| !tree.is_null(*value));
        let copied = had.map(|value| copy_value(draft, value, layout)).transpose()?;
        let Some(member) = member else {
            return Ok(copied.unwrap_or_else(|| Fresh::List(Vec::new())));
        };
        match (copied, member) {
            (None, ListMember::Volume(text)) => Ok(Fresh::List(vec![word(text)])),
            (Some(Fresh::List(mut items)), ListMember::Volume(text)) => {
                items.push(word(text));
                Ok(Fresh::List(items))
            }
            (None, _) => Ok(Fresh::Map(vec![entry_of(member)])),
            (Some(Fresh::Map(mut entries)), ListMember::Dependency { .. }) => {
                entries.push(entry_of(member));
                Ok(Fresh::Map(entries))
            }
            (Some(Fresh::List(items)), ListMember::Dependency { .. }) => {
                let waits = items.iter().map(|item| (item.flow(), condition(STARTED)));
                Ok(Fresh::Map(waits.chain([entry_of(member)]).collect()))
            }
            _ => Err(self.refuse_shape(draft, had.unwrap_or(self.mapping))),
        }
    }
}

/// `{condition: …}`
fn condition(name: &str) -> Fresh {
    Fresh::Map(vec![("condition".to_owned(), Fresh::Text(name.to_owned()))])
}

fn entry_of(member: &ListMember) -> (String, Fresh) {
    match member {
        ListMember::Volume(text) => (text.clone(), Fresh::Text(String::new())),
        ListMember::Dependency { service, condition: name } => (service.clone(), condition(name)),
    }
}

fn word(text: &str) -> Fresh {
    Fresh::Text(match is_plain_string(text, Layout::Flow) {
        true => text.to_owned(),
        false => double(text),
    })
}
