//! Removes members of collections in place: variables, list items, whole services.
//!
//! A collection that becomes empty is removed with its key. Missing members are skipped; everything else keeps its
//! bytes.

mod proof;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::documents::DocumentParts;
use super::draft::YamlDraft;
use super::tree::{NodeId, YamlKind, YamlTree};
use super::{EditRefusal, EditedText};

/// Members of one collection that are to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Removal {
    /// The keys that lead to the collection; empty for the document itself.
    pub path: Vec<String>,
    /// Keys of a mapping; items of a list, as text.
    pub members: Vec<String>,
}

/// Positions of members, by the keys that lead to their collection.
type Positions = BTreeMap<Vec<String>, BTreeSet<usize>>;

/// Takes members out.
///
/// # Errors
/// A refusal that points at the place the edit cannot be done.
pub(crate) fn take(source: &str, removals: &[Removal]) -> Result<EditedText, EditRefusal> {
    let tree = super::parse_yaml_tree(source)?;
    let after = match tree.documents() {
        0 | 1 => take_from_document(&tree, removals)?,
        _ => DocumentParts::cut(&tree)?.edit(|_, part| take_from_document(part, removals))?,
    };
    Ok(EditedText::of(&tree, after))
}

fn take_from_document(
    tree: &YamlTree,
    removals: &[Removal],
) -> Result<Option<Arc<YamlTree>>, EditRefusal> {
    let mut removed = Positions::new();
    for removal in removals {
        let Some(collection) = find_collection(tree, &removal.path) else { continue };
        let found = find_members(tree, collection, &removal.members);
        if !found.is_empty() {
            removed.entry(removal.path.clone()).or_default().extend(found);
        }
    }
    take_gone(tree, removed)
}

/// Removes the members at these positions of the collection that the keys lead to; `None` if there are none.
pub(super) fn take_positions(
    tree: &YamlTree,
    path: &[&str],
    members: BTreeSet<usize>,
) -> Result<Option<Arc<YamlTree>>, EditRefusal> {
    let path = path.iter().map(|key| (*key).to_owned()).collect();
    let removed =
        if members.is_empty() { Positions::new() } else { Positions::from([(path, members)]) };
    take_gone(tree, removed)
}

fn take_gone(
    tree: &YamlTree,
    mut removed: Positions,
) -> Result<Option<Arc<YamlTree>>, EditRefusal> {
    if removed.is_empty() {
        return Ok(None);
    }
    take_empty_collections(tree, &mut removed);
    let mut draft = YamlDraft::open(tree)?;
    let collections: Vec<(NodeId, bool, Vec<usize>)> = removed
        .iter()
        .filter_map(|(path, members)| {
            let members: Vec<usize> = members.iter().copied().collect();
            Some((find_collection(tree, path)?, path == &["services"], members))
        })
        .collect();
    draft.take_members(&collections)?;
    proof::proven(&draft, &removed).map(Some)
}

/// Finds a collection by its keys; `None` if it is an alias of one elsewhere.
fn find_collection(tree: &YamlTree, path: &[String]) -> Option<NodeId> {
    let root = tree.root()?;
    let found = path.iter().try_fold(root, |at, key| {
        let value = tree.get(at, key)?;
        (!matches!(tree.node(value).kind, YamlKind::Alias(_))).then_some(value)
    })?;
    matches!(tree.node(found).kind, YamlKind::Mapping(..) | YamlKind::Sequence(..)).then_some(found)
}

/// Returns whether a collection has a member, in its own lines.
pub(crate) fn has_member(tree: &YamlTree, path: &[&str], member: &str) -> bool {
    let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
    let collection = find_collection(tree, &path);
    collection.is_some_and(|id| !find_members(tree, id, &[member.to_owned()]).is_empty())
}

fn find_members(tree: &YamlTree, collection: NodeId, names: &[String]) -> Vec<usize> {
    let is_meant =
        |id: NodeId| tree.scalar(id).is_some_and(|text| names.iter().any(|name| name == text));
    let keys = tree.entries(collection).iter().map(|(key, _)| *key);
    let members = keys.chain(tree.items(collection).iter().copied()).enumerate();
    members.filter(|(_, id)| is_meant(*id)).map(|(at, _)| at).collect()
}

/// Removes the key of a collection that became empty, then its parents in the same way. Services and `services`
/// itself stay.
fn take_empty_collections(tree: &YamlTree, removed: &mut Positions) {
    let deepest = removed.keys().map(Vec::len).max().unwrap_or_default();
    for depth in (1..=deepest).rev() {
        let paths: Vec<Vec<String>> =
            removed.keys().filter(|path| path.len() == depth).cloned().collect();
        for path in paths {
            let Some((key, above)) = path.split_last() else { continue };
            let is_service = above.first().is_some_and(|first| first == "services") && depth == 2;
            let size = find_collection(tree, &path).map(|id| count_members(tree, id));
            let is_empty = size == removed.get(&path).map(BTreeSet::len);
            let parent = find_collection(tree, above);
            let position = parent.and_then(|parent| {
                let keys = tree.entries(parent).iter();
                keys.map(|(key, _)| tree.scalar(*key)).rposition(|name| name == Some(key.as_str()))
            });
            let parents = removed.get(above);
            let is_gone =
                position.is_some_and(|at| parents.is_some_and(|positions| positions.contains(&at)));
            if is_gone || is_empty && !is_service && key != "services" {
                removed.remove(&path);
                removed.entry(above.to_vec()).or_default().extend(position);
            }
        }
    }
}

fn count_members(tree: &YamlTree, collection: NodeId) -> usize {
    tree.entries(collection).len() + tree.items(collection).len()
}
