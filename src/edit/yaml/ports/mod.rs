//! Sets the `ports` of a `.gitpod.yml` in place.
//!
//! If several entries apply to a port, Gitpod uses an exact one before a range, and otherwise the first. Of the user's
//! own entries only the requested visibility changes.

mod proof;
mod read;
#[cfg(test)]
mod tests;

pub(super) use read::read_entry;
pub use read::{Configured, read};

use std::sync::Arc;

use super::draft::Draft;
use super::fresh::{Fresh, entry_lines};
use super::tree::{Kind, Layout, NodeId, Tree};
use super::{Edit, Refusal, duplicates, removals};

/// The wanted entry for one port in `.gitpod.yml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortEntry {
    /// The port.
    pub port: u16,
    /// The name of a new entry; an existing entry keeps its name.
    pub name: Option<String>,
    /// Who can open the port; `None` keeps an existing entry unchanged.
    pub visibility: Option<Visibility>,
    /// The action of a new entry when a process listens: `open-browser`, `notify` and so on.
    pub on_open: Option<String>,
}

/// Who can open a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Anyone who knows the address.
    Public,
    /// Only the owner of the workspace; Gitpod's default.
    Private,
}

impl Visibility {
    /// Returns the spelling used by `.gitpod.yml` and `gp`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }
}

/// Sets the wanted ports; an empty text becomes a new file.
///
/// # Errors
/// Returns a refusal that points at the place where the edit fails, with the lines to paste unless the text is not YAML.
pub fn set(source: &str, wanted: &[PortEntry]) -> Result<Edit, Refusal> {
    let tree = super::parse(source)?;
    let edit = || {
        let mut draft = Draft::open(&tree)?;
        plan(&mut draft, wanted)?;
        let warnings = duplicates::find(&draft);
        let after = match draft.is_untouched() {
            true => None,
            false => Some(proof::proven(&draft, wanted)?),
        };
        let text = after.as_ref().map_or(&tree.source, |after| &after.source);
        Ok(Edit { text: Arc::clone(text), tree: after, warnings })
    };
    edit().map_err(|refusal: Refusal| refusal.paste(paste(wanted)))
}

/// Takes out the entries that are, key by key, as [`set`] writes one of these; a file that then says nothing becomes empty.
///
/// # Errors
/// A refusal that points at the place the edit cannot be done.
pub fn take_written(source: &str, written: &[PortEntry]) -> Result<Edit, Refusal> {
    let tree = super::parse(source)?;
    let list = tree.root().and_then(|root| tree.get(root, "ports"));
    let items = list.map_or(&[][..], |list| tree.items(list)).iter().enumerate();
    let is_written = |item: NodeId| written.iter().any(|entry| says(&tree, item, entry));
    let gone = items.filter(|(_, item)| is_written(**item)).map(|(at, _)| at).collect();
    let after = match tree.documents() {
        0 | 1 => removals::take_positions(&tree, &["ports"], gone)?,
        _ => None,
    };
    let text = after.as_ref().map_or(&tree.source, |after| &after.source);
    let warnings = duplicates::find(&Draft::of(&tree));
    Ok(Edit { text: Arc::clone(text), tree: after, warnings })
}

/// Whether an item says what a new entry for a port says, in the same order.
fn says(tree: &Tree, item: NodeId, entry: &PortEntry) -> bool {
    let Fresh::Map(wanted) = fresh(entry, Layout::Block) else { return false };
    let own = tree.entries(item);
    let same = |((key, value), (name, text)): (&(NodeId, NodeId), &(String, Fresh))| {
        let Fresh::Text(text) = text else { return false };
        tree.scalar(*key) == Some(name) && tree.scalar(*value) == Some(text.trim_matches('"'))
    };
    own.len() == wanted.len() && own.iter().zip(&wanted).all(same)
}

/// Returns the lines to paste by hand where [`set`] refuses.
pub fn paste(wanted: &[PortEntry]) -> String {
    let entries: Vec<_> = wanted.iter().map(|entry| fresh(entry, Layout::Block)).collect();
    let lines = Fresh::Map(vec![("ports".into(), Fresh::List(entries))]).lines(0, 2);
    lines.unwrap_or_default().join("\n") + "\n"
}

fn plan(draft: &mut Draft<'_>, wanted: &[PortEntry]) -> Result<(), Refusal> {
    let tree = draft.tree;
    let Some(root) = tree.root().filter(|root| !tree.is_null(*root)) else {
        let missing = missing(draft, None, wanted);
        return append_key(draft, None, missing);
    };
    if !matches!(tree.node(root).kind, Kind::Mapping(..)) {
        return Err(draft.refuse_node(root, "a `.gitpod.yml` is a mapping"));
    }
    let Some((key, value)) = tree.entry(root, "ports") else {
        let missing = missing(draft, None, wanted);
        return append_key(draft, Some(root), missing);
    };
    let layout = draft.layout(root);
    match &tree.node(value).kind {
        Kind::Sequence(items, _) if !items.is_empty() => amend(draft, value, wanted),
        Kind::Sequence(..) => {
            let missing = missing(draft, None, wanted);
            put(draft, (key, value), layout, missing)
        }
        Kind::Scalar(..) if tree.is_null(value) => {
            let missing = missing(draft, None, wanted);
            put(draft, (key, value), layout, missing)
        }
        _ => Err(draft.refuse_node(value, "`ports` is no list")),
    }
}

/// Adds the items of an empty `ports`.
fn put(
    draft: &mut Draft<'_>,
    entry: (NodeId, NodeId),
    layout: Layout,
    items: Vec<Fresh>,
) -> Result<(), Refusal> {
    if items.is_empty() {
        return Ok(());
    }
    let step = step(draft);
    draft.replace_value(entry, layout, &Fresh::List(items), step)
}

/// Adds `ports` as the last key of the document, after trailing comments.
fn append_key(
    draft: &mut Draft<'_>,
    root: Option<NodeId>,
    items: Vec<Fresh>,
) -> Result<(), Refusal> {
    if items.is_empty() {
        return Ok(());
    }
    let step = step(draft);
    let key = root.map_or("ports".into(), |root| draft.key(root, "ports"));
    let entry = (key, Fresh::List(items));
    let in_braces = root.is_some_and(|root| draft.layout(root) == Layout::Flow);
    let open = root.is_some_and(|root| draft.tree.ends_open(root));
    match root.filter(|_| in_braces || open) {
        Some(root) => draft.add_entries(root, &[entry], step),
        None => draft.append_to_document(&entry_lines(&entry, 0, step)),
    }
}

/// Returns the indentation of list items below their key elsewhere in the file.
fn step(draft: &Draft<'_>) -> usize {
    let tree = draft.tree;
    let entries = tree.root().map_or(&[][..], |root| tree.entries(root));
    let mut columns = entries.iter().filter_map(|(_, value)| {
        let first = tree.items(*value).first()?;
        (draft.layout(*value) == Layout::Block)
            .then(|| draft.lines.column(draft.item_start(*first, Layout::Block)))
    });
    columns.next().filter(|column| *column <= 8).unwrap_or(2)
}

fn amend(draft: &mut Draft<'_>, list: NodeId, wanted: &[PortEntry]) -> Result<(), Refusal> {
    let present = read::entries(draft.tree, list);
    for entry in wanted {
        let Some(visibility) = entry.visibility else {
            continue;
        };
        let Some(found) = read::exact(&present, entry.port) else {
            continue;
        };
        if found.configured.visibility != visibility {
            let step = step(draft);
            set_visibility(draft, found.node, visibility, step)?;
        }
    }
    let items = missing(draft, Some(list), wanted);
    if items.is_empty() {
        return Ok(());
    }
    let step = step(draft);
    draft.add_items(list, &items, step)
}

fn set_visibility(
    draft: &mut Draft<'_>,
    entry: NodeId,
    visibility: Visibility,
    step: usize,
) -> Result<(), Refusal> {
    if matches!(draft.tree.node(entry).kind, Kind::Alias(_)) {
        return Err(draft.refuse_node(entry, "this entry stands elsewhere, under another name"));
    }
    let Some(own) = draft.tree.entry(entry, "visibility") else {
        let key = draft.key(entry, "visibility");
        let word = Fresh::Text(visibility.as_str().to_owned());
        return draft.add_entries(entry, &[(key, word)], step);
    };
    let layout = draft.layout(entry);
    draft.set_word(own, layout, visibility.as_str())
}

/// Returns new entries for the ports that need one.
fn missing(draft: &Draft<'_>, list: Option<NodeId>, wanted: &[PortEntry]) -> Vec<Fresh> {
    let tree = draft.tree;
    let present = list.map_or_else(Vec::new, |list| read::entries(tree, list));
    let layout = list.map_or(Layout::Block, |list| draft.layout(list));
    let mut missing = Vec::new();
    for (index, entry) in wanted.iter().enumerate() {
        let repeated = wanted[..index].iter().any(|other| other.port == entry.port);
        if repeated || read::exact(&present, entry.port).is_some() {
            continue;
        }
        let range = read::ranged(&present, entry.port);
        let covered = range.is_some_and(|range| {
            entry.visibility.is_none_or(|wanted| wanted == range.configured.visibility)
        });
        match range {
            _ if covered => {}
            Some(range) => missing.push(fresh_in(tree, range.node, entry, layout)),
            None => missing.push(fresh(entry, layout)),
        }
    }
    missing
}

/// Creates the entry of a port.
fn fresh(entry: &PortEntry, layout: Layout) -> Fresh {
    let mut entries = Vec::new();
    if let Some(name) = &entry.name {
        entries.push(("name".to_owned(), Fresh::word(name, layout)));
    }
    entries.push(("port".to_owned(), Fresh::Text(entry.port.to_string())));
    if let Some(on_open) = &entry.on_open {
        entries.push(("onOpen".to_owned(), Fresh::word(on_open, layout)));
    }
    if let Some(visibility) = entry.visibility {
        entries.push(("visibility".to_owned(), Fresh::word(visibility.as_str(), layout)));
    }
    Fresh::Map(entries)
}

/// Creates the entry of a port that a range covers, with all settings of the range.
fn fresh_in(tree: &Tree, range: NodeId, entry: &PortEntry, layout: Layout) -> Fresh {
    let said = |key: &str| tree.get(range, key).and_then(|value| tree.scalar(value));
    let merged = PortEntry {
        name: said("name").map(str::to_owned).or(entry.name.clone()),
        on_open: said("onOpen").map(str::to_owned).or(entry.on_open.clone()),
        ..entry.clone()
    };
    let Fresh::Map(mut entries) = fresh(&merged, layout) else {
        return fresh(&merged, layout);
    };
    for key in ["description", "protocol"] {
        if let Some(text) = said(key) {
            entries.push((key.to_owned(), Fresh::word(text, layout)));
        }
    }
    Fresh::Map(entries)
}
