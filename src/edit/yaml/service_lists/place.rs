//! Finds or creates the list of one service.

use super::super::EditRefusal;
use super::super::draft::YamlDraft;
use super::super::fresh::NewYamlValue;
use super::super::materialise::copy_value;
use super::super::merge;
use super::super::service_value::ServiceValue;
use super::super::tree::{CollectionLayout, NodeId, YamlKind, YamlTree};
use super::ListMember;

/// The condition of a `depends_on` item in list form.
pub(super) const STARTED: &str = "service_started";

/// Returns whether a list has the member.
pub(super) fn has_member(tree: &YamlTree, list: &ServiceValue, member: &ListMember) -> bool {
    let Some(value) = list.effective(tree) else { return false };
    let text = member.text();
    let is_item = tree.items(value).iter().any(|item| tree.scalar(*item) == Some(text));
    is_item || merge::get(tree, value, text).is_some()
}

/// Returns whether a list in the service's own lines has the member exactly as it would be added.
pub(super) fn is_own_member(tree: &YamlTree, list: &ServiceValue, member: &ListMember) -> bool {
    let Some(value) = list.in_place(tree) else { return false };
    match member {
        ListMember::Volume(text) => {
            tree.items(value).iter().any(|item| tree.scalar(*item) == Some(text))
        }
        ListMember::Dependency { service, condition } => {
            let entry = tree.get(value, service);
            let is_item = tree.items(value).iter().any(|item| tree.scalar(*item) == Some(service));
            entry.is_some_and(|entry| has_only_condition(tree, entry, condition))
                || is_item && condition == STARTED
        }
    }
}

/// Returns whether a value of `depends_on` has this condition and no other key.
pub(super) fn has_only_condition(tree: &YamlTree, value: NodeId, condition: &str) -> bool {
    let entries = tree.entries(value);
    entries.len() == 1
        && tree.get(value, "condition").is_some_and(|value| tree.scalar(value) == Some(condition))
}

/// Adds a member to a list.
pub(super) fn add_member(
    draft: &mut YamlDraft<'_>,
    list: &ServiceValue,
    member: &ListMember,
) -> Result<(), EditRefusal> {
    let tree = draft.tree;
    let Some((key, value)) = list.entry.filter(|_| list.in_place(tree).is_some()) else {
        return put_list(draft, list, Some(member));
    };
    list.refuse_reset(draft, value)?;
    match (&tree.node(value).kind, member) {
        (YamlKind::Scalar(..), _) if tree.is_null(value) => put_list(draft, list, Some(member)),
        (YamlKind::Mapping(entries, _), _) if entries.is_empty() => {
            put_list(draft, list, Some(member))
        }
        (YamlKind::Sequence(items, _), _) if items.is_empty() => {
            put_list(draft, list, Some(member))
        }
        (YamlKind::Sequence(..), ListMember::Volume(text)) => {
            draft.add_items(value, &[NewYamlValue::word(text, CollectionLayout::Flow)], 2)
        }
        (YamlKind::Sequence(..), ListMember::Dependency { service, condition }) => {
            let entry = dependency_entry(service.clone(), condition);
            draft.list_to_mapping((key, value), STARTED, &entry)
        }
        (YamlKind::Mapping(..), ListMember::Dependency { service, condition }) => {
            let entry = dependency_entry(draft.key(value, service), condition);
            draft.add_entries(value, &[entry], list.step)
        }
        _ => Err(refuse_shape(draft, list, value)),
    }
}

/// Copies the list of a service that would otherwise gain a member through a shared node.
pub(super) fn keep_members(
    draft: &mut YamlDraft<'_>,
    list: &ServiceValue,
) -> Result<(), EditRefusal> {
    if list.in_place(draft.tree).is_some() {
        let text =
            format!("`{}` of this service would change together with another service's", list.name);
        return Err(draft.refuse_node(list.service, text));
    }
    put_list(draft, list, None)
}

fn refuse_shape(draft: &YamlDraft<'_>, list: &ServiceValue, value: NodeId) -> EditRefusal {
    draft.refuse_node(value, format!("`{}` is not written as docker compose reads it", list.name))
}

/// Writes a list for the service: its current members, and the new one.
fn put_list(
    draft: &mut YamlDraft<'_>,
    list: &ServiceValue,
    member: Option<&ListMember>,
) -> Result<(), EditRefusal> {
    let tree = draft.tree;
    let had = list.effective(tree).filter(|value| !tree.is_null(*value));
    let copied = had.map(|value| copy_value(draft, value, list.layout(draft))).transpose()?;
    let fresh = match (copied, member) {
        (None, None) => NewYamlValue::List(Vec::new()),
        (Some(copied), None) => copied,
        (None, Some(ListMember::Volume(text))) => {
            NewYamlValue::List(vec![NewYamlValue::word(text, CollectionLayout::Flow)])
        }
        (Some(NewYamlValue::List(mut items)), Some(ListMember::Volume(text))) => {
            items.push(NewYamlValue::word(text, CollectionLayout::Flow));
            NewYamlValue::List(items)
        }
        (copied, Some(ListMember::Dependency { service, condition })) => {
            let mut entries = match copied {
                None => Vec::new(),
                Some(NewYamlValue::Map(entries)) => entries,
                Some(NewYamlValue::List(items)) => {
                    items.iter().map(|item| dependency_entry(item.flow(), STARTED)).collect()
                }
                Some(NewYamlValue::Text(_)) => {
                    return Err(refuse_shape(draft, list, had.unwrap_or(list.mapping)));
                }
            };
            entries.push(dependency_entry(service.clone(), condition));
            NewYamlValue::Map(entries)
        }
        _ => return Err(refuse_shape(draft, list, had.unwrap_or(list.mapping))),
    };
    list.put(draft, fresh)
}

/// Returns the entry `service: {condition: …}`.
fn dependency_entry(service: String, condition: &str) -> (String, NewYamlValue) {
    let condition = ("condition".to_owned(), NewYamlValue::Text(condition.to_owned()));
    (service, NewYamlValue::Map(vec![condition]))
}
