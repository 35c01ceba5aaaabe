//! Whole entries and items added in place: a service, a volume, one more host of a service.
//!
//! What is there already and means the same stays as it is; what is there and means something else is a refusal.

mod proof;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::documents::DocumentParts;
use super::draft::Draft;
use super::draft::members::indented;
use super::fresh::Fresh;
use super::materialise::copy_value;
use super::scalar::styled;
use super::tree::{Kind, Layout, NodeId, Style, Tree};
use super::{Edit, Refusal, duplicates, merge};

/// One thing to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addition {
    /// A key that a mapping is to have.
    Entry {
        /// The keys that lead to the mapping; those that are missing are added, empty for the document itself.
        path: Vec<String>,
        /// The key.
        key: String,
        /// Its value: YAML as lines at column 0, or in one line; empty for no value.
        body: String,
    },
    /// An item that a list is to have, or the entry that says the same where a mapping stands instead.
    Item {
        /// The keys that lead to the list; the last one may be missing, or have no value.
        path: Vec<String>,
        /// The item, a string: `host.docker.internal:host-gateway`.
        item: String,
        /// Key and value, in YAML of one line, of the mapping's entry: `db` and `{condition: service_started}`.
        entry: (String, String),
    },
}

/// Adds what is missing, one after the other.
///
/// # Errors
/// A refusal that points at the place the edit cannot be done, with the lines to paste.
pub fn add(source: &str, additions: &[Addition]) -> Result<Edit, Refusal> {
    let by_hand = |refusal: Refusal| match additions.first() {
        Some(addition) => refusal.paste(paste(addition)),
        None => refusal,
    };
    let mut tree = Arc::new(super::parse(source).map_err(by_hand)?);
    for addition in additions {
        let added = add_one(&tree, addition);
        if let Some(after) = added.map_err(|refusal| refusal.paste(paste(addition)))? {
            tree = after;
        }
    }
    let warnings = duplicates::find(&Draft::of(&tree));
    Ok(Edit { text: Arc::clone(&tree.source), tree: Some(tree), warnings })
}

/// The lines that do one addition by hand.
pub fn paste(addition: &Addition) -> String {
    let (path, last) = match addition {
        Addition::Entry { path, key, body } => (path, entry_text(key, body, 2)),
        Addition::Item { path, item, .. } => {
            (path, vec![format!("- {}", Fresh::word(item, Layout::Flow).flow())])
        }
    };
    let parents = path.iter().enumerate();
    let parents = parents.map(|(level, key)| {
        let key = styled(key, Style::Plain, Layout::Block);
        format!("{:1$}{key}:", "", level * 2)
    });
    let last = last.iter().map(|line| indented(line, path.len() * 2));
    parents.chain(last).flat_map(|line| [line, "\n".into()]).collect()
}

/// The tree of the text with one addition; `None` where nothing is missing. Of several documents the last one that has most of
/// the keys that lead there takes it.
fn add_one(tree: &Tree, addition: &Addition) -> Result<Option<Arc<Tree>>, Refusal> {
    if tree.documents() <= 1 {
        return add_to_document(tree, addition);
    }
    let documents = DocumentParts::cut(tree)?;
    let depths = documents.trees().map(|part| addition.depth_in(part)).enumerate();
    let chosen = depths.max_by_key(|(_, depth)| *depth).map(|(number, _)| number);
    documents.edit(|number, part| match Some(number) == chosen {
        true => add_to_document(part, addition),
        false => Ok(None),
    })
}

impl Addition {
    /// How many of the keys that lead to it a document has.
    fn depth_in(&self, tree: &Tree) -> usize {
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

fn add_to_document(tree: &Tree, addition: &Addition) -> Result<Option<Arc<Tree>>, Refusal> {
    let mut draft = Draft::open(tree)?;
    match addition {
        Addition::Entry { path, key, body } => add_entry(&mut draft, path, key, body)?,
        Addition::Item { path, item, entry } => add_item(&mut draft, path, item, entry)?,
    }
    match draft.is_untouched() {
        true => Ok(None),
        false => proof::proven(&draft, addition).map(Some),
    }
}

/// How far along a path the text goes.
struct Reached {
    /// The last key and value that are there; `None` where not even the first is.
    last: Option<(NodeId, NodeId)>,
    /// The mapping that is to get the next key, where it is one.
    mapping: Option<NodeId>,
    /// How many keys of the path are there.
    depth: usize,
}

fn reach(draft: &Draft<'_>, path: &[String]) -> Result<Reached, Refusal> {
    let tree = draft.tree;
    let mut reached =
        Reached { last: None, mapping: tree.root().filter(|root| !tree.is_null(*root)), depth: 0 };
    for key in path {
        let Some(mapping) = reached.mapping else {
            break;
        };
        if !matches!(tree.node(mapping).kind, Kind::Mapping(..)) {
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

fn add_entry(draft: &mut Draft<'_>, path: &[String], key: &str, body: &str) -> Result<(), Refusal> {
    let reached = reach(draft, path)?;
    if reached.depth == path.len() {
        let present = reached.mapping.and_then(|mapping| draft.tree.entry(mapping, key));
        if let Some((at, value)) = present {
            return match proof::means(draft.tree, value, body) {
                true => Ok(()),
                false => Err(draft
                    .refuse_node(at, format!("`{key}` is there already, and says something else"))),
            };
        }
    }
    let missing = &path[reached.depth..];
    let Some(mapping) = reached.mapping.filter(|id| !is_empty(draft, *id)) else {
        return start(draft, &reached, missing, key, body);
    };
    if let Kind::Alias(_) = draft.tree.node(mapping).kind {
        return Err(draft.refuse_node(mapping, "these lines stand elsewhere, under another name"));
    }
    let step = step(draft, mapping);
    if draft.layout(mapping) == Layout::Flow {
        return add_in_brackets(draft, mapping, missing, key, body);
    }
    let lines = nested(missing, key, body, step);
    draft.add_lines(mapping, &lines)
}

/// Adds an entry to a mapping in brackets, its body in brackets as well.
fn add_in_brackets(
    draft: &mut Draft<'_>,
    mapping: NodeId,
    missing: &[String],
    key: &str,
    body: &str,
) -> Result<(), Refusal> {
    let value = super::parse(body)?;
    let value = match value.root() {
        Some(root) => copy_value(&Draft::open(&value)?, root, Layout::Flow)?,
        None => Fresh::Text(String::new()),
    };
    let entry = missing
        .iter()
        .rev()
        .fold((key.to_owned(), value), |entry, parent| (parent.clone(), Fresh::Map(vec![entry])));
    let (name, value) = entry;
    draft.add_entries(mapping, &[(draft.key(mapping, &name), value)], 2)
}

/// Whether a mapping or list is there, without members.
fn is_empty(draft: &Draft<'_>, id: NodeId) -> bool {
    match &draft.tree.node(id).kind {
        Kind::Mapping(entries, _) => entries.is_empty(),
        Kind::Sequence(items, _) => items.is_empty(),
        _ => false,
    }
}

/// Adds an entry where its mapping has no entries yet.
fn start(
    draft: &mut Draft<'_>,
    reached: &Reached,
    missing: &[String],
    key: &str,
    body: &str,
) -> Result<(), Refusal> {
    let lines = nested(missing, key, body, 2);
    match reached.last {
        Some(entry) => draft.fill_with_lines(entry, &lines, 2),
        None => draft.append_to_document(&lines),
    }
}

/// The lines of an entry below keys that are missing, at column 0.
fn nested(missing: &[String], key: &str, body: &str, step: usize) -> Vec<String> {
    let mut lines = entry_text(key, body, step);
    for parent in missing.iter().rev() {
        let below = lines.into_iter().map(|line| indented(&line, step));
        lines = std::iter::once(format!("{parent}:")).chain(below).collect();
    }
    lines
}

/// An entry as lines at column 0: its body behind the key if it is one line that is no entry or item, else below it.
fn entry_text(key: &str, body: &str, step: usize) -> Vec<String> {
    let is_block = Tree::parse(body).ok().is_some_and(|tree| {
        tree.root().is_some_and(|root| {
            matches!(
                tree.node(root).kind,
                Kind::Mapping(_, Layout::Block) | Kind::Sequence(_, Layout::Block)
            )
        })
    });
    if !is_block {
        return vec![format!("{key}: {}", body.trim()).trim_end().to_owned()];
    }
    let below = body.lines().map(|line| indented(line, step));
    std::iter::once(format!("{key}:")).chain(below).collect()
}

/// How far the file indents what lies below the entries of a mapping.
fn step(draft: &Draft<'_>, mapping: NodeId) -> usize {
    let tree = draft.tree;
    let column = |id| draft.lines.column(tree.start(id));
    let mut steps = tree.entries(mapping).iter().filter_map(|(key, value)| {
        let (below, _) = match tree.node(*value).kind {
            Kind::Mapping(_, Layout::Block) => tree.entries(*value).first()?,
            _ => return None,
        };
        column(*below).checked_sub(column(*key))
    });
    steps.next().filter(|step| (1..=8).contains(step)).unwrap_or(2)
}

fn add_item(
    draft: &mut Draft<'_>,
    path: &[String],
    item: &str,
    entry: &(String, String),
) -> Result<(), Refusal> {
    let reached = reach(draft, path)?;
    match reached.last {
        Some(last) if reached.depth == path.len() => add_to_value(draft, last, item, entry),
        _ if reached.depth + 1 == path.len() => {
            add_list(draft, &reached, &path[reached.depth], item)
        }
        _ => Err(draft.refuse(0, format!("there is no `{}`", path.join(".")))),
    }
}

/// Gives a mapping a new list of one item.
fn add_list(
    draft: &mut Draft<'_>,
    reached: &Reached,
    key: &str,
    item: &str,
) -> Result<(), Refusal> {
    let Some(mapping) = reached.mapping else {
        return Err(draft.refuse(0, format!("there is no mapping for `{key}` to stand in")));
    };
    if merge::get(draft.tree, mapping, key).is_some() {
        return Err(draft.refuse_node(mapping, format!("`{key}` is merged from elsewhere")));
    }
    let fresh = (draft.key(mapping, key), Fresh::List(vec![Fresh::word(item, Layout::Flow)]));
    let step = step(draft, mapping);
    draft.add_entries(mapping, &[fresh], step)
}

/// Adds an item to a list, or the entry that says the same to a mapping.
fn add_to_value(
    draft: &mut Draft<'_>,
    (key, value): (NodeId, NodeId),
    item: &str,
    entry: &(String, String),
) -> Result<(), Refusal> {
    let tree = draft.tree;
    match &tree.node(value).kind {
        Kind::Scalar(..) if tree.is_null(value) => {
            let fresh = Fresh::List(vec![Fresh::word(item, Layout::Flow)]);
            draft.replace_value((key, value), Layout::Block, &fresh, 2)
        }
        Kind::Sequence(items, _) if items.iter().any(|id| tree.scalar(*id) == Some(item)) => Ok(()),
        Kind::Sequence(..) => draft.add_items(value, &[Fresh::word(item, Layout::Flow)], 2),
        Kind::Mapping(..) if tree.get(value, &entry.0).is_some() => Ok(()),
        Kind::Mapping(..) => {
            let fresh = (draft.key(value, &entry.0), Fresh::Text(entry.1.clone()));
            draft.add_entries(value, &[fresh], 2)
        }
        _ => Err(draft.refuse_node(value, "this is neither a list nor a mapping of its own")),
    }
}
