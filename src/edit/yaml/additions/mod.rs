//! Adds whole entries and items in place: a service, a volume, an extra host of a service.
//!
//! An existing entry with the same meaning is kept; one with a different meaning is a refusal.

mod proof;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::documents::DocumentParts;
use super::draft::YamlDraft;
use super::draft::members::indent_line;
use super::fresh::NewYamlValue;
use super::materialise::copy_value;
use super::scalar::quote_in_style;
use super::tree::{CollectionLayout, NodeId, ScalarQuoting, YamlKind, YamlTree};
use super::{EditRefusal, EditedText, duplicates, merge};

/// An entry or item to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addition {
    /// An entry of a mapping.
    Entry {
        /// The keys that lead to the mapping; missing ones are created. Empty for the document's root.
        path: Vec<String>,
        /// The key.
        key: String,
        /// Its value: YAML lines at column 0, or one line; empty for no value.
        body: String,
    },
    /// An item of a list, or the equivalent entry if the file has a mapping instead.
    Item {
        /// The keys that lead to the list; the last may be missing or have no value.
        path: Vec<String>,
        /// The item as a string: `host.docker.internal:host-gateway`.
        item: String,
        /// The equivalent entry of a mapping as key and value, in one-line YAML: `db` and `{condition:
        /// service_started}`.
        entry: (String, String),
    },
}

/// Adds the missing additions in order.
///
/// # Errors
/// Returns a refusal that points at the place where the edit fails, with the lines to paste.
pub fn add(source: &str, additions: &[Addition]) -> Result<EditedText, EditRefusal> {
    let by_hand = |refusal: EditRefusal| match additions.first() {
        Some(addition) => refusal.paste(paste(addition)),
        None => refusal,
    };
    let mut tree = Arc::new(super::parse_yaml_tree(source).map_err(by_hand)?);
    for addition in additions {
        let added = add_one(&tree, addition);
        if let Some(after) = added.map_err(|refusal| refusal.paste(paste(addition)))? {
            tree = after;
        }
    }
    let warnings = duplicates::find(&YamlDraft::of(&tree));
    Ok(EditedText { text: Arc::clone(&tree.source), tree: Some(tree), warnings })
}

/// Returns whether the entry that these keys lead to is there, in its own lines, and says what `body` says.
pub fn says(tree: &YamlTree, path: &[String], key: &str, body: &str) -> bool {
    let mut keys = path.iter().map(String::as_str).chain([key]);
    let found = keys.try_fold(tree.root(), |at, key| Some(Some(tree.get(at?, key)?)));
    found.flatten().is_some_and(|value| proof::has_same_meaning(tree, value, body))
}

/// Returns the lines to paste by hand for one addition.
pub fn paste(addition: &Addition) -> String {
    let (path, last) = match addition {
        Addition::Entry { path, key, body } => (path, entry_text(key, body, 2)),
        Addition::Item { path, item, .. } => {
            (path, vec![format!("- {}", NewYamlValue::word(item, CollectionLayout::Flow).flow())])
        }
    };
    let parents = path.iter().enumerate().map(|(level, key)| {
        let key = quote_in_style(key, ScalarQuoting::Plain, CollectionLayout::Block);
        format!("{:1$}{key}:", "", level * 2)
    });
    let last = last.iter().map(|line| indent_line(line, path.len() * 2));
    parents.chain(last).flat_map(|line| [line, "\n".into()]).collect()
}

/// Returns the tree of the text with one addition; `None` if it is already there. In a file of several documents, the
/// last document with the longest part of the path receives it.
fn add_one(tree: &YamlTree, addition: &Addition) -> Result<Option<Arc<YamlTree>>, EditRefusal> {
    if tree.documents() <= 1 {
        return add_to_document(tree, addition);
    }
    let documents = DocumentParts::cut(tree)?;
    let depths = documents.trees().map(|part| addition.depth_in(part)).enumerate();
    let chosen = depths.max_by_key(|(_, depth)| *depth).map(|(number, _)| number);
    documents.edit(
        |number, part| {
            if Some(number) == chosen { add_to_document(part, addition) } else { Ok(None) }
        },
    )
}

impl Addition {
    /// Returns how many keys of its path a document has.
    fn depth_in(&self, tree: &YamlTree) -> usize {
        let (path, key) = match self {
            Self::Entry { path, key, .. } => (path, Some(key)),
            Self::Item { path, .. } => (path, None),
        };
        let mut at = tree.root();
        let mut keys = path.iter().chain(key);
        keys.by_ref()
            .take_while(|key| {
                at = at.and_then(|mapping| tree.get(mapping, key));
                at.is_some()
            })
            .count()
    }
}

fn add_to_document(
    tree: &YamlTree,
    addition: &Addition,
) -> Result<Option<Arc<YamlTree>>, EditRefusal> {
    let mut draft = YamlDraft::open(tree)?;
    match addition {
        Addition::Entry { path, key, body } => add_entry(&mut draft, path, key, body)?,
        Addition::Item { path, item, entry } => add_item(&mut draft, path, item, entry)?,
    }
    if draft.is_untouched() { Ok(None) } else { proof::proven(&draft, addition).map(Some) }
}

/// How far the keys of a path exist in the text.
struct Reached {
    /// The last existing key and its value; `None` if even the first key is missing.
    last: Option<(NodeId, NodeId)>,
    /// The mapping that receives the next key, if it is a mapping.
    mapping: Option<NodeId>,
    /// The number of existing keys.
    depth: usize,
}

fn reach(draft: &YamlDraft<'_>, path: &[String]) -> Result<Reached, EditRefusal> {
    let tree = draft.tree;
    let mut reached =
        Reached { last: None, mapping: tree.root().filter(|root| !tree.is_null(*root)), depth: 0 };
    for key in path {
        let Some(mapping) = reached.mapping else {
            break;
        };
        if !matches!(tree.node(mapping).kind, YamlKind::Mapping(..)) {
            return Err(draft.refuse_node(mapping, format!("there is no place for `{key}` here")));
        }
        let Some(entry) = tree.entry(mapping, key) else {
            break;
        };
        if tree.is_merge_key(entry.0) {
            break;
        }
        reached.last = Some(entry);
        reached.mapping = Some(entry.1).filter(|value| !tree.is_null(*value));
        reached.depth += 1;
    }
    Ok(reached)
}

fn add_entry(
    draft: &mut YamlDraft<'_>,
    path: &[String],
    key: &str,
    body: &str,
) -> Result<(), EditRefusal> {
    let reached = reach(draft, path)?;
    if reached.depth == path.len() {
        let present = reached.mapping.and_then(|mapping| draft.tree.entry(mapping, key));
        if let Some((at, value)) = present {
            return if proof::has_same_meaning(draft.tree, value, body) {
                Ok(())
            } else {
                Err(draft.refuse_node(at, format!("`{key}` already exists with another value")))
            };
        }
    }
    let missing = &path[reached.depth..];
    let Some(mapping) = reached.mapping.filter(|id| !is_empty(draft, *id)) else {
        return start(draft, &reached, missing, key, body);
    };
    if let YamlKind::Alias(_) = draft.tree.node(mapping).kind {
        return Err(draft.refuse_node(mapping, "these lines are an alias of lines elsewhere"));
    }
    let step = step(draft, mapping);
    if draft.layout(mapping) == CollectionLayout::Flow {
        return add_in_brackets(draft, mapping, missing, key, body);
    }
    let lines = nested(missing, key, body, step);
    draft.add_lines(mapping, &lines)
}

/// Adds an entry to a flow mapping, with its body in flow style.
fn add_in_brackets(
    draft: &mut YamlDraft<'_>,
    mapping: NodeId,
    missing: &[String],
    key: &str,
    body: &str,
) -> Result<(), EditRefusal> {
    let value = super::parse_yaml_tree(body)?;
    let value = match value.root() {
        Some(root) => copy_value(&YamlDraft::open(&value)?, root, CollectionLayout::Flow)?,
        None => NewYamlValue::Text(String::new()),
    };
    let entry = missing.iter().rev().fold((key.to_owned(), value), |entry, parent| {
        (parent.clone(), NewYamlValue::Map(vec![entry]))
    });
    let (name, value) = entry;
    draft.add_entries(mapping, &[(draft.key(mapping, &name), value)], 2)
}

/// Returns whether a node is a mapping or list without members.
fn is_empty(draft: &YamlDraft<'_>, id: NodeId) -> bool {
    match &draft.tree.node(id).kind {
        YamlKind::Mapping(entries, _) => entries.is_empty(),
        YamlKind::Sequence(items, _) => items.is_empty(),
        _ => false,
    }
}

/// Adds the first entry of a mapping.
fn start(
    draft: &mut YamlDraft<'_>,
    reached: &Reached,
    missing: &[String],
    key: &str,
    body: &str,
) -> Result<(), EditRefusal> {
    let lines = nested(missing, key, body, 2);
    match reached.last {
        Some(entry) => draft.fill_with_lines(entry, &lines, 2),
        None => draft.append_to_document(&lines),
    }
}

/// Returns the lines of an entry below the missing keys, at column 0.
fn nested(missing: &[String], key: &str, body: &str, step: usize) -> Vec<String> {
    let mut lines = entry_text(key, body, step);
    for parent in missing.iter().rev() {
        let below = lines.into_iter().map(|line| indent_line(&line, step));
        lines = std::iter::once(format!("{parent}:")).chain(below).collect();
    }
    lines
}

/// Returns the lines of an entry at column 0. A one-line body that is a scalar follows the key; any other body goes
/// below it.
fn entry_text(key: &str, body: &str, step: usize) -> Vec<String> {
    let is_block = YamlTree::parse(body).ok().is_some_and(|tree| {
        tree.root().is_some_and(|root| {
            matches!(
                tree.node(root).kind,
                YamlKind::Mapping(_, CollectionLayout::Block)
                    | YamlKind::Sequence(_, CollectionLayout::Block)
            )
        })
    });
    if !is_block {
        return vec![format!("{key}: {}", body.trim()).trim_end().to_owned()];
    }
    let below = body.lines().map(|line| indent_line(line, step));
    std::iter::once(format!("{key}:")).chain(below).collect()
}

/// Returns the indentation step that the file uses below the entries of a mapping.
fn step(draft: &YamlDraft<'_>, mapping: NodeId) -> usize {
    let tree = draft.tree;
    let column = |id| draft.lines.column(tree.start(id));
    let mut steps = tree.entries(mapping).iter().filter_map(|(key, value)| {
        let (below, _) = match tree.node(*value).kind {
            YamlKind::Mapping(_, CollectionLayout::Block) => tree.entries(*value).first()?,
            _ => return None,
        };
        column(*below).checked_sub(column(*key))
    });
    steps.next().filter(|step| (1..=8).contains(step)).unwrap_or(2)
}

fn add_item(
    draft: &mut YamlDraft<'_>,
    path: &[String],
    item: &str,
    entry: &(String, String),
) -> Result<(), EditRefusal> {
    let reached = reach(draft, path)?;
    match reached.last {
        Some(last) if reached.depth == path.len() => add_to_value(draft, last, item, entry),
        _ if reached.depth + 1 == path.len() => {
            add_list(draft, &reached, &path[reached.depth], item)
        }
        _ => Err(draft.refuse(0, format!("there is no `{}`", path.join(".")))),
    }
}

/// Adds a list with one item to a mapping.
fn add_list(
    draft: &mut YamlDraft<'_>,
    reached: &Reached,
    key: &str,
    item: &str,
) -> Result<(), EditRefusal> {
    let Some(mapping) = reached.mapping else {
        return Err(draft.refuse(0, format!("there is no mapping to add `{key}` to")));
    };
    if merge::get(draft.tree, mapping, key).is_some() {
        return Err(draft.refuse_node(mapping, format!("`{key}` is merged from elsewhere")));
    }
    let fresh = (
        draft.key(mapping, key),
        NewYamlValue::List(vec![NewYamlValue::word(item, CollectionLayout::Flow)]),
    );
    let step = step(draft, mapping);
    draft.add_entries(mapping, &[fresh], step)
}

/// Adds an item to a list, or the equivalent entry to a mapping.
fn add_to_value(
    draft: &mut YamlDraft<'_>,
    (key, value): (NodeId, NodeId),
    item: &str,
    entry: &(String, String),
) -> Result<(), EditRefusal> {
    let tree = draft.tree;
    match &tree.node(value).kind {
        YamlKind::Scalar(..) if tree.is_null(value) => {
            let fresh = NewYamlValue::List(vec![NewYamlValue::word(item, CollectionLayout::Flow)]);
            draft.replace_value((key, value), CollectionLayout::Block, &fresh, 2)
        }
        YamlKind::Sequence(items, _) if items.iter().any(|id| tree.scalar(*id) == Some(item)) => {
            Ok(())
        }
        YamlKind::Sequence(..) => {
            draft.add_items(value, &[NewYamlValue::word(item, CollectionLayout::Flow)], 2)
        }
        YamlKind::Mapping(..) if tree.get(value, &entry.0).is_some() => Ok(()),
        YamlKind::Mapping(..) => {
            let fresh = (draft.key(value, &entry.0), NewYamlValue::Text(entry.1.clone()));
            draft.add_entries(value, &[fresh], 2)
        }
        _ => Err(draft.refuse_node(value, "this is neither a list nor a mapping of its own")),
    }
}
