//! Sets the `ports` of a `.gitpod.yml` in place.
//!
//! If several entries apply to a port, Gitpod uses an exact one before a range, and otherwise the first. Of the user's
//! own entries only the requested visibility changes.

mod proof;
mod read;
#[cfg(test)]
mod tests;

pub(super) use read::read_entry;
pub use read::{GitpodPortEntry, read_gitpod_ports};

use std::collections::HashSet;

use super::draft::YamlDraft;
use super::fresh::{NewYamlValue, entry_lines};
use super::tree::{CollectionLayout, NodeId, YamlKind, YamlTree};
use super::{EditRefusal, EditedText, removals};

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
/// Returns a refusal that points at the place where the edit fails, with the lines to paste unless the text is not
/// YAML.
pub fn set(source: &str, wanted: &[PortEntry]) -> Result<EditedText, EditRefusal> {
    let tree = super::parse_yaml_tree(source)?;
    let edit = || {
        let mut draft = YamlDraft::open(&tree)?;
        plan(&mut draft, wanted)?;
        let after = if draft.is_untouched() { None } else { Some(proof::proven(&draft, wanted)?) };
        Ok(EditedText::of(&tree, after))
    };
    edit().map_err(|refusal: EditRefusal| refusal.paste(paste(wanted)))
}

/// Removes the entries that equal, key by key, what [`set`] writes for one of these; a file left without content becomes
/// empty.
///
/// # Errors
/// A refusal that points at the place the edit cannot be done.
pub fn take_written(source: &str, written: &[PortEntry]) -> Result<EditedText, EditRefusal> {
    let tree = super::parse_yaml_tree(source)?;
    let list = tree.root().and_then(|root| tree.get(root, "ports"));
    let items = list.map_or(&[][..], |list| tree.items(list)).iter().enumerate();
    let written: HashSet<Vec<(String, String)>> = written.iter().map(list_pairs).collect();
    let is_written =
        |item: NodeId| read_pairs(&tree, item).is_some_and(|pairs| written.contains(&pairs));
    let removed = items.filter(|(_, item)| is_written(**item)).map(|(at, _)| at).collect();
    let after = match tree.documents() {
        0 | 1 => removals::take_positions(&tree, &["ports"], removed)?,
        _ => None,
    };
    Ok(EditedText::of(&tree, after))
}

/// Returns the keys and values of the new entry for a port, in order.
fn list_pairs(entry: &PortEntry) -> Vec<(String, String)> {
    let NewYamlValue::Map(pairs) = fresh(entry, CollectionLayout::Block) else { return Vec::new() };
    let pairs = pairs.into_iter().filter_map(|(key, value)| match value {
        NewYamlValue::Text(text) => Some((key, text.trim_matches('"').to_owned())),
        NewYamlValue::Map(_) | NewYamlValue::List(_) => None,
    });
    pairs.collect()
}

/// Returns the keys and values of an item in order; `None` if one of them is not a scalar.
fn read_pairs(tree: &YamlTree, item: NodeId) -> Option<Vec<(String, String)>> {
    let pair = |(key, value): &(NodeId, NodeId)| {
        Some((tree.scalar(*key)?.to_owned(), tree.scalar(*value)?.to_owned()))
    };
    tree.entries(item).iter().map(pair).collect()
}

/// Returns the lines to paste by hand where [`set`] refuses.
pub fn paste(wanted: &[PortEntry]) -> String {
    let entries: Vec<_> =
        wanted.iter().map(|entry| fresh(entry, CollectionLayout::Block)).collect();
    let lines = NewYamlValue::Map(vec![("ports".into(), NewYamlValue::List(entries))]).lines(0, 2);
    lines.unwrap_or_default().join("\n") + "\n"
}

fn plan(draft: &mut YamlDraft<'_>, wanted: &[PortEntry]) -> Result<(), EditRefusal> {
    let tree = draft.tree;
    let Some(root) = tree.root().filter(|root| !tree.is_null(*root)) else {
        let missing = missing(draft, None, wanted);
        return append_key(draft, None, missing);
    };
    if !matches!(tree.node(root).kind, YamlKind::Mapping(..)) {
        return Err(draft.refuse_node(root, "a `.gitpod.yml` must be a mapping"));
    }
    let Some((key, value)) = tree.entry(root, "ports") else {
        let missing = missing(draft, None, wanted);
        return append_key(draft, Some(root), missing);
    };
    let layout = draft.layout(root);
    match &tree.node(value).kind {
        YamlKind::Sequence(items, _) if !items.is_empty() => amend(draft, value, wanted),
        YamlKind::Sequence(..) => {
            let missing = missing(draft, None, wanted);
            put(draft, (key, value), layout, missing)
        }
        YamlKind::Scalar(..) if tree.is_null(value) => {
            let missing = missing(draft, None, wanted);
            put(draft, (key, value), layout, missing)
        }
        _ => Err(draft.refuse_node(value, "`ports` is not a list")),
    }
}

/// Adds the items of an empty `ports`.
fn put(
    draft: &mut YamlDraft<'_>,
    entry: (NodeId, NodeId),
    layout: CollectionLayout,
    items: Vec<NewYamlValue>,
) -> Result<(), EditRefusal> {
    if items.is_empty() {
        return Ok(());
    }
    let step = step(draft);
    draft.replace_value(entry, layout, &NewYamlValue::List(items), step)
}

/// Adds `ports` as the last key of the document, after trailing comments.
fn append_key(
    draft: &mut YamlDraft<'_>,
    root: Option<NodeId>,
    items: Vec<NewYamlValue>,
) -> Result<(), EditRefusal> {
    if items.is_empty() {
        return Ok(());
    }
    let step = step(draft);
    let key = root.map_or("ports".into(), |root| draft.key(root, "ports"));
    let entry = (key, NewYamlValue::List(items));
    let in_braces = root.is_some_and(|root| draft.layout(root) == CollectionLayout::Flow);
    let open = root.is_some_and(|root| draft.tree.ends_open(root));
    match root.filter(|_| in_braces || open) {
        Some(root) => draft.add_entries(root, &[entry], step),
        None => draft.append_to_document(&entry_lines(&entry, 0, step)),
    }
}

/// Returns the indentation of list items below their key elsewhere in the file.
fn step(draft: &YamlDraft<'_>) -> usize {
    let tree = draft.tree;
    let entries = tree.root().map_or(&[][..], |root| tree.entries(root));
    let mut columns = entries.iter().filter_map(|(_, value)| {
        let first = tree.items(*value).first()?;
        (draft.layout(*value) == CollectionLayout::Block)
            .then(|| draft.lines.column(draft.item_start(*first, CollectionLayout::Block)))
    });
    columns.next().filter(|column| *column <= 8).unwrap_or(2)
}

fn amend(draft: &mut YamlDraft<'_>, list: NodeId, wanted: &[PortEntry]) -> Result<(), EditRefusal> {
    let present = read::list_port_items(draft.tree, list);
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
    draft: &mut YamlDraft<'_>,
    entry: NodeId,
    visibility: Visibility,
    step: usize,
) -> Result<(), EditRefusal> {
    if matches!(draft.tree.node(entry).kind, YamlKind::Alias(_)) {
        return Err(draft.refuse_node(entry, "this entry is an alias of an entry elsewhere"));
    }
    let Some(visibility_entry) = draft.tree.entry(entry, "visibility") else {
        let key = draft.key(entry, "visibility");
        let word = NewYamlValue::Text(visibility.as_str().to_owned());
        return draft.add_entries(entry, &[(key, word)], step);
    };
    let layout = draft.layout(entry);
    draft.set_word(visibility_entry, layout, visibility.as_str())
}

/// Returns new entries for the ports that need one.
fn missing(draft: &YamlDraft<'_>, list: Option<NodeId>, wanted: &[PortEntry]) -> Vec<NewYamlValue> {
    let tree = draft.tree;
    let present = list.map_or_else(Vec::new, |list| read::list_port_items(tree, list));
    let layout = list.map_or(CollectionLayout::Block, |list| draft.layout(list));
    let mut missing = Vec::new();
    for (index, entry) in wanted.iter().enumerate() {
        let repeated = wanted[..index].iter().any(|other| other.port == entry.port);
        if repeated || read::exact(&present, entry.port).is_some() {
            continue;
        }
        let range = read::ranged(&present, entry.port);
        let covered = range.is_some_and(|range| {
            entry.visibility.is_none_or(|visibility| visibility == range.configured.visibility)
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
fn fresh(entry: &PortEntry, layout: CollectionLayout) -> NewYamlValue {
    let mut entries = Vec::new();
    if let Some(name) = &entry.name {
        entries.push(("name".to_owned(), NewYamlValue::word(name, layout)));
    }
    entries.push(("port".to_owned(), NewYamlValue::Text(entry.port.to_string())));
    if let Some(on_open) = &entry.on_open {
        entries.push(("onOpen".to_owned(), NewYamlValue::word(on_open, layout)));
    }
    if let Some(visibility) = entry.visibility {
        entries.push(("visibility".to_owned(), NewYamlValue::word(visibility.as_str(), layout)));
    }
    NewYamlValue::Map(entries)
}

/// Creates the entry of a port that a range covers, with all settings of the range.
fn fresh_in(
    tree: &YamlTree,
    range: NodeId,
    entry: &PortEntry,
    layout: CollectionLayout,
) -> NewYamlValue {
    let text_of = |key: &str| tree.get(range, key).and_then(|value| tree.scalar(value));
    let merged = PortEntry {
        name: text_of("name").map(str::to_owned).or(entry.name.clone()),
        on_open: text_of("onOpen").map(str::to_owned).or(entry.on_open.clone()),
        ..entry.clone()
    };
    let NewYamlValue::Map(mut entries) = fresh(&merged, layout) else {
        return fresh(&merged, layout);
    };
    for key in ["description", "protocol"] {
        if let Some(text) = text_of(key) {
            entries.push((key.to_owned(), NewYamlValue::word(text, layout)));
        }
    }
    NewYamlValue::Map(entries)
}
