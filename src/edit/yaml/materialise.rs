//! Writes out values that are shared by aliases and merge keys, for a place that gets its own copy.

use std::collections::{HashMap, HashSet};

use super::Refusal;
use super::draft::Draft;
use super::fresh::Fresh;
use super::merge;
use super::scalar::{double, is_plain_string};
use super::tree::{Kind, Layout, NodeId, Style, Tree};

/// The nodes of each anchor name, with the byte where each is defined; a name may be reused.
#[derive(Debug, Default)]
pub(super) struct Anchors(HashMap<String, Vec<(usize, NodeId)>>);

impl Anchors {
    /// Collects every anchor of a text.
    pub(super) fn of(tree: &Tree) -> Self {
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
    fn alias(&self, tree: &Tree, target: NodeId, at: usize) -> Option<String> {
        let name = tree.node(target).anchor.as_ref()?.name.as_str();
        let places = self.0.get(name)?;
        let before = places.partition_point(|(place, _)| *place < at);
        let (_, id) = places[..before].last()?;
        (*id == target).then(|| format!("*{name}"))
    }
}

/// The place that a copied value is written to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'s> {
    /// The byte offset of the copy.
    pub(super) at: usize,
    /// The mapping that receives it.
    pub(super) parent: NodeId,
    /// Flow or block style.
    pub(super) layout: Layout,
    /// Nodes that change in this edit, which the copy must not refer to.
    pub(super) changing: &'s HashSet<NodeId>,
}

/// Copies the variables of the environment at `value` except those in `without`, using a merge key if an anchor is
/// available.
pub(super) fn environment(
    draft: &Draft<'_>,
    anchors: &Anchors,
    value: NodeId,
    site: Site<'_>,
    without: &HashSet<&str>,
) -> Result<Fresh, Refusal> {
    let tree = draft.tree;
    let target = tree.resolve(value);
    match &tree.node(target).kind {
        _ if tree.is_null(target) => Ok(Fresh::Map(Vec::new())),
        Kind::Mapping(..) => Ok(Fresh::Map(entries(draft, anchors, target, site, without)?)),
        Kind::Sequence(items, _) => {
            let copied = items.iter().filter(|item| {
                let name = tree.scalar(**item).and_then(|text| text.split('=').next());
                !name.is_some_and(|name| without.contains(name))
            });
            let copied: Result<_, _> = copied.map(|item| copy(draft, *item, site.layout)).collect();
            Ok(Fresh::List(copied?))
        }
        _ => Err(draft.refuse_node(value, "`environment` is neither a mapping nor a list")),
    }
}

fn entries(
    draft: &Draft<'_>,
    anchors: &Anchors,
    target: NodeId,
    site: Site<'_>,
    without: &HashSet<&str>,
) -> Result<Vec<(String, Fresh)>, Refusal> {
    let tree = draft.tree;
    let refer = |id: NodeId| {
        let id = tree.resolve(id);
        let changes = merge::lineage(tree, id).iter().any(|id| site.changing.contains(id));
        let alias = anchors.alias(tree, id, site.at);
        alias.filter(|_| !changes)
    };
    if let Some(alias) = refer(target) {
        return Ok(vec![("<<".into(), Fresh::Text(alias))]);
    }
    let merged: Option<Vec<_>> = merge::sources(tree, target).into_iter().map(refer).collect();
    let (mut copied, members) = match merged {
        Some(aliases) => (merge_entry(&aliases), own(tree, target)),
        None => (Vec::new(), merge::effective(tree, target)),
    };
    for (key, value) in members {
        let name = tree.scalar(key).unwrap_or_default();
        if !without.contains(name) {
            let key = copy(draft, key, site.layout)?;
            copied.push((key.flow(), copy(draft, value, site.layout)?));
        }
    }
    Ok(copied)
}

fn own(tree: &Tree, mapping: NodeId) -> Vec<(NodeId, NodeId)> {
    let entries = tree.entries(mapping).iter().copied();
    entries.filter(|(key, _)| !tree.is_merge_key(*key)).collect()
}

fn merge_entry(aliases: &[String]) -> Vec<(String, Fresh)> {
    let value = match aliases {
        [] => return Vec::new(),
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    vec![("<<".into(), Fresh::Text(value))]
}

/// Maximum number of copied nodes; hand-written lists are smaller.
const MOST_COPIED: usize = 4096;
/// Maximum nesting of copied nodes.
const DEEPEST: usize = 16;

/// Copies a value with its aliases and merge keys resolved.
pub(super) fn copy_value(draft: &Draft<'_>, id: NodeId, layout: Layout) -> Result<Fresh, Refusal> {
    copy_nodes(draft, id, layout, &mut (MOST_COPIED, DEEPEST))
}

fn copy_nodes(
    draft: &Draft<'_>,
    id: NodeId,
    layout: Layout,
    left: &mut (usize, usize),
) -> Result<Fresh, Refusal> {
    let tree = draft.tree;
    let target = tree.resolve(id);
    let node = tree.node(target);
    if left.0 == 0 || left.1 == 0 {
        return Err(draft.refuse_node(id, "this value is too large to be copied"));
    }
    left.0 -= 1;
    if let Kind::Scalar(..) = node.kind {
        return copy(draft, id, layout);
    }
    if node.tag.is_some() {
        return Err(draft.refuse_node(id, "this value has a tag, so it cannot be copied"));
    }
    left.1 -= 1;
    let copied = if let Kind::Sequence(items, _) = &node.kind {
        let items = items.iter().map(|item| copy_nodes(draft, *item, layout, left));
        Fresh::List(items.collect::<Result<_, _>>()?)
    } else {
        let mut entries = Vec::new();
        for (key, value) in merge::effective(tree, target) {
            let key = copy(draft, key, layout)?.flow();
            entries.push((key, copy_nodes(draft, value, layout, left)?));
        }
        Fresh::Map(entries)
    };
    left.1 += 1;
    Ok(copied)
}

/// Copies a scalar as written, or in double quotes if it would not fit on one line or in flow style.
fn copy(draft: &Draft<'_>, id: NodeId, layout: Layout) -> Result<Fresh, Refusal> {
    let tree = draft.tree;
    let target = tree.resolve(id);
    let node = tree.node(target);
    let Kind::Scalar(text, style) = &node.kind else {
        return Err(draft.refuse_node(id, "this variable is no scalar, so it cannot be copied"));
    };
    let (text, words) = (tree.text(text), &tree.source[node.range.clone()]);
    let fits = match style {
        Style::Absent => return Ok(Fresh::Text(String::new())),
        Style::Block => false,
        Style::Plain => layout == Layout::Block || !words.contains([',', '[', ']', '{', '}']),
        Style::Single | Style::Double => true,
    };
    let tag = node.tag.as_ref().map_or("", |tag| tag.text.as_str());
    let words = match fits && !words.contains(['\n', '\r']) {
        true => words.to_owned(),
        false if *style == Style::Plain && is_plain_string(text, layout) => text.to_owned(),
        false => double(text),
    };
    Ok(Fresh::Text(match tag {
        "" => words,
        tag => format!("{tag} {words}"),
    }))
}
