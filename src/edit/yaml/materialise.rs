//! Writes out values that are shared by aliases and merge keys, for a place that gets its own copy.

use std::collections::{HashMap, HashSet};

use super::EditRefusal;
use super::draft::YamlDraft;
use super::fresh::NewYamlValue;
use super::merge;
use super::scalar::{is_plain_string, quote_double};
use super::tree::{CollectionLayout, NodeId, ScalarQuoting, YamlKind, YamlTree};

/// The nodes of each anchor name, with the byte where each is defined; a name may be reused.
#[derive(Debug, Default)]
pub(super) struct YamlAnchors(HashMap<String, Vec<(usize, NodeId)>>);

impl YamlAnchors {
    /// Collects every anchor of a text.
    pub(super) fn of(tree: &YamlTree) -> Self {
        let mut named: HashMap<_, Vec<_>> = HashMap::new();
        for id in tree.ids() {
            if let Some(anchor) = &tree.node(id).anchor {
                let places = named.entry(anchor.name.clone()).or_default();
                places.push((anchor.range.start, id));
            }
        }
        Self(named)
    }

    /// Returns an alias that refers to `target` at the byte `at`, if there is one.
    fn alias(&self, tree: &YamlTree, target: NodeId, at: usize) -> Option<String> {
        let name = tree.node(target).anchor.as_ref()?.name.as_str();
        let places = self.0.get(name)?;
        let before = places.partition_point(|(place, _)| *place < at);
        let (_, id) = places[..before].last()?;
        (*id == target).then(|| format!("*{name}"))
    }
}

/// The place that a copied value is written to.
#[derive(Debug, Clone, Copy)]
pub(super) struct CopyTarget<'s> {
    /// The byte offset of the copy.
    pub(super) at: usize,
    /// The mapping that receives it.
    pub(super) parent: NodeId,
    /// Flow or block style.
    pub(super) layout: CollectionLayout,
    /// Nodes that change in this edit, which the copy must not refer to.
    pub(super) changing: &'s HashSet<NodeId>,
}

/// Copies the variables of the environment at `value` except those in `without`, using a merge key if an anchor is
/// available.
pub(super) fn environment(
    draft: &YamlDraft<'_>,
    anchors: &YamlAnchors,
    value: NodeId,
    copy_target: CopyTarget<'_>,
    without: &HashSet<&str>,
) -> Result<NewYamlValue, EditRefusal> {
    let tree = draft.tree;
    let target = tree.resolve(value);
    match &tree.node(target).kind {
        _ if tree.is_null(target) => Ok(NewYamlValue::Map(Vec::new())),
        YamlKind::Mapping(..) => Ok(NewYamlValue::Map(materialise_entries(
            draft,
            anchors,
            target,
            copy_target,
            without,
        )?)),
        YamlKind::Sequence(items, _) => {
            let copied: Result<_, _> = items
                .iter()
                .filter(|item| {
                    let name = tree.scalar(**item).and_then(|text| text.split('=').next());
                    !name.is_some_and(|name| without.contains(name))
                })
                .map(|item| copy_node(draft, *item, copy_target.layout))
                .collect();
            Ok(NewYamlValue::List(copied?))
        }
        _ => Err(draft.refuse_node(value, "`environment` is neither a mapping nor a list")),
    }
}

fn materialise_entries(
    draft: &YamlDraft<'_>,
    anchors: &YamlAnchors,
    target: NodeId,
    copy_target: CopyTarget<'_>,
    without: &HashSet<&str>,
) -> Result<Vec<(String, NewYamlValue)>, EditRefusal> {
    let tree = draft.tree;
    let refer = |id: NodeId| {
        let id = tree.resolve(id);
        let changes =
            merge::list_entry_sources(tree, id).iter().any(|id| copy_target.changing.contains(id));
        let alias = anchors.alias(tree, id, copy_target.at);
        alias.filter(|_| !changes)
    };
    if let Some(alias) = refer(target) {
        return Ok(vec![("<<".into(), NewYamlValue::Text(alias))]);
    }
    let merged: Option<Vec<_>> =
        merge::list_merged_mappings(tree, target).into_iter().map(refer).collect();
    let (mut copied, members) = match merged {
        Some(aliases) => (merge_entry(&aliases), collect_own_entries(tree, target)),
        None => (Vec::new(), merge::effective(tree, target)),
    };
    for (key, value) in members {
        let name = tree.scalar(key).unwrap_or_default();
        if !without.contains(name) {
            let key = copy_node(draft, key, copy_target.layout)?;
            copied.push((key.flow(), copy_node(draft, value, copy_target.layout)?));
        }
    }
    Ok(copied)
}

fn collect_own_entries(tree: &YamlTree, mapping: NodeId) -> Vec<(NodeId, NodeId)> {
    let entries = tree.entries(mapping).iter().copied();
    entries.filter(|(key, _)| !tree.is_merge_key(*key)).collect()
}

fn merge_entry(aliases: &[String]) -> Vec<(String, NewYamlValue)> {
    let value = match aliases {
        [] => return Vec::new(),
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    vec![("<<".into(), NewYamlValue::Text(value))]
}

/// Maximum number of copied nodes; hand-written lists are smaller.
const MAX_COPIED_NODES: usize = 4096;
/// Maximum nesting of copied nodes.
const MAX_NESTING: usize = 16;

/// Copies a value with its aliases and merge keys resolved.
pub(super) fn copy_value(
    draft: &YamlDraft<'_>,
    id: NodeId,
    layout: CollectionLayout,
) -> Result<NewYamlValue, EditRefusal> {
    copy_nodes(draft, id, layout, &mut (MAX_COPIED_NODES, MAX_NESTING))
}

fn copy_nodes(
    draft: &YamlDraft<'_>,
    id: NodeId,
    layout: CollectionLayout,
    left: &mut (usize, usize),
) -> Result<NewYamlValue, EditRefusal> {
    let tree = draft.tree;
    let target = tree.resolve(id);
    let node = tree.node(target);
    if left.0 == 0 || left.1 == 0 {
        return Err(draft.refuse_node(id, "this value is too large to be copied"));
    }
    left.0 -= 1;
    if let YamlKind::Scalar(..) = node.kind {
        return copy_node(draft, id, layout);
    }
    if node.tag.is_some() {
        return Err(draft.refuse_node(id, "this value has a tag, so it cannot be copied"));
    }
    left.1 -= 1;
    let copied = if let YamlKind::Sequence(items, _) = &node.kind {
        let items = items.iter().map(|item| copy_nodes(draft, *item, layout, left));
        NewYamlValue::List(items.collect::<Result<_, _>>()?)
    } else {
        let mut entries = Vec::new();
        for (key, value) in merge::effective(tree, target) {
            let key = copy_node(draft, key, layout)?.flow();
            entries.push((key, copy_nodes(draft, value, layout, left)?));
        }
        NewYamlValue::Map(entries)
    };
    left.1 += 1;
    Ok(copied)
}

/// Copies a scalar as written, or in double quotes if it would not fit on one line or in flow style.
fn copy_node(
    draft: &YamlDraft<'_>,
    id: NodeId,
    layout: CollectionLayout,
) -> Result<NewYamlValue, EditRefusal> {
    let tree = draft.tree;
    let target = tree.resolve(id);
    let node = tree.node(target);
    let YamlKind::Scalar(text, style) = &node.kind else {
        return Err(draft.refuse_node(id, "this variable is not a scalar, so it cannot be copied"));
    };
    let (text, words) = (tree.text(text), &tree.source[node.range.clone()]);
    let fits = match style {
        ScalarQuoting::Absent => return Ok(NewYamlValue::Text(String::new())),
        ScalarQuoting::Block => false,
        ScalarQuoting::Plain => {
            layout == CollectionLayout::Block || !words.contains([',', '[', ']', '{', '}'])
        }
        ScalarQuoting::Single | ScalarQuoting::Double => true,
    };
    let tag = node.tag.as_ref().map_or("", |tag| tag.text.as_str());
    let words = if fits && !words.contains(['\n', '\r']) {
        words.to_owned()
    } else if *style == ScalarQuoting::Plain && is_plain_string(text, layout) {
        text.to_owned()
    } else {
        quote_double(text)
    };
    Ok(NewYamlValue::Text(match tag {
        "" => words,
        tag => format!("{tag} {words}"),
    }))
}
