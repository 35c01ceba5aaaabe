//! `depends_on` as the list it was before a service with a condition was added to it.

use super::super::draft::YamlDraft;
use super::super::service_value::ServiceValue;
use super::super::services::ServiceNodes;
use super::super::tree::{CollectionLayout, NodeId, YamlKind, YamlTree};
use super::super::{EditRefusal, EditedText};
use super::place::{STARTED, has_only_condition};
use super::proof;

/// Makes a list of each of these services' `depends_on` that is a mapping in the form that a list is turned into:
/// each name with `{condition: service_started}` behind it.
///
/// # Errors
/// A refusal that points at the place the edit cannot be done.
pub(crate) fn relist(source: &str, services: &[String]) -> Result<EditedText, EditRefusal> {
    let tree = super::super::parse_yaml_tree(source)?;
    let mut after = None;
    if tree.documents() <= 1 {
        let mut draft = YamlDraft::open(&tree)?;
        let nodes = ServiceNodes::find(&draft)?;
        for service in services {
            let list = ServiceValue::find(&draft, &nodes, service, "depends_on")?;
            if let (Some((key, _)), Some(value)) = (list.entry, list.in_place(&tree))
                && is_converted(&tree, value)
            {
                let indent = dash_indent(&draft, list.mapping, key);
                draft.mapping_to_list(key, value, indent);
            }
        }
        if !draft.is_untouched() {
            after = Some(proof::proven_relisted(&draft, &nodes)?);
        }
    }
    Ok(EditedText::of(&tree, after))
}

fn is_converted(tree: &YamlTree, value: NodeId) -> bool {
    let form = format!("{{condition: {STARTED}}}");
    let is_one = |(key, value): &(NodeId, NodeId)| {
        let node = tree.node(*value);
        has_only_condition(tree, *value, STARTED)
            && tree.source[node.range.clone()] == form
            && tree.scalar(*key).is_some()
    };
    let node = tree.node(value);
    let entries = tree.entries(value);
    matches!(node.kind, YamlKind::Mapping(..))
        && !entries.is_empty()
        && node.anchor.is_none()
        && entries.iter().all(is_one)
}

/// Returns how far the service's lists are indented from their keys, following other lists of the file.
fn dash_indent(draft: &YamlDraft<'_>, service: NodeId, key: NodeId) -> usize {
    let tree = draft.tree;
    let column = |at: usize| draft.lines.column(at);
    let indent = |(key, value): (NodeId, NodeId)| {
        let first = *tree.items(value).first()?;
        let is_block =
            matches!(tree.node(value).kind, YamlKind::Sequence(_, CollectionLayout::Block));
        let dash = draft.item_start(first, CollectionLayout::Block);
        is_block.then(|| column(dash).checked_sub(column(tree.start(key))))?
    };
    let other_entries = tree.entries(service).iter().filter(|(other, _)| *other != key);
    let other_nodes = tree.ids().flat_map(|id| match &tree.node(id).kind {
        YamlKind::Mapping(entries, _) => entries.to_vec(),
        _ => Vec::new(),
    });
    other_entries
        .copied()
        .find_map(indent)
        .or_else(|| other_nodes.into_iter().find_map(indent))
        .unwrap_or(2)
}
