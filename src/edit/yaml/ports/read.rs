//! Reads the ports of a `.gitpod.yml` as Gitpod does.

use super::super::EditRefusal;
use super::super::draft::YamlDraft;
use super::super::merge;
use super::super::tree::{NodeId, YamlTree};
use super::Visibility;

/// An entry of `ports`: a single port, or a range if `first` and `last` differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitpodPortEntry {
    /// The lowest port it covers.
    pub first: u16,
    /// The highest port it covers.
    pub last: u16,
    /// Its name.
    pub name: Option<String>,
    /// Its visibility; private by default.
    pub visibility: Visibility,
    /// The action when a process listens on the port.
    pub on_open: Option<String>,
    /// Line number in the file, starting at 1.
    pub line: usize,
}

impl GitpodPortEntry {
    /// Returns whether it covers this port.
    pub fn covers(&self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }
}

/// Reads every entry that Gitpod uses, in source order.
///
/// # Errors
/// Fails if the text is not YAML, or has several documents.
pub fn read_gitpod_ports(source: &str) -> Result<Vec<GitpodPortEntry>, EditRefusal> {
    let tree = super::super::parse_yaml_tree(source)?;
    let draft = YamlDraft::open(&tree)?;
    let tree = draft.tree;
    let list = tree.root().and_then(|root| tree.get(root, "ports"));
    let entries = list.map_or_else(Vec::new, |list| list_port_items(tree, list));
    let numbered = entries.into_iter().map(|entry| GitpodPortEntry {
        line: draft.lines.number(tree.start(entry.node)),
        ..entry.configured
    });
    Ok(numbered.collect())
}

/// An entry and its node in the list.
#[derive(Debug, Clone)]
pub(super) struct PortItem {
    pub(super) node: NodeId,
    pub(super) configured: GitpodPortEntry,
}

/// Returns the entries of a list, without those that Gitpod ignores.
pub(super) fn list_port_items(tree: &YamlTree, list: NodeId) -> Vec<PortItem> {
    let items = tree.items(list).iter();
    items.filter_map(|item| read_port_item(tree, *item)).collect()
}

fn read_port_item(tree: &YamlTree, item: NodeId) -> Option<PortItem> {
    Some(PortItem { node: item, configured: read_entry(tree, item)? })
}

/// Reads one item of `ports` as Gitpod does; `None` if Gitpod ignores it. The line is left as 0.
pub(in crate::edit::yaml) fn read_entry(tree: &YamlTree, item: NodeId) -> Option<GitpodPortEntry> {
    let text_of = |key: &str| merge::get(tree, item, key).and_then(|value| tree.scalar(value));
    let (first, last) = parse_port_numbers(text_of("port")?)?;
    let visibility = match text_of("visibility") {
        Some("public") => Visibility::Public,
        _ => Visibility::Private,
    };
    Some(GitpodPortEntry {
        first,
        last,
        name: text_of("name").map(str::to_owned),
        visibility,
        on_open: text_of("onOpen").map(str::to_owned),
        line: 0,
    })
}

/// Parses `3000`, `3000-3010` or `3000:3010`.
fn parse_port_numbers(text: &str) -> Option<(u16, u16)> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str| text.parse().ok().filter(|_| digits(text));
    match text.split_once(['-', ':']) {
        None => number(text).map(|port| (port, port)),
        Some((first, last)) => {
            let (first, last) = (number(first)?, number(last)?);
            (first < last).then_some((first, last))
        }
    }
}

/// Returns the first entry for exactly this port.
pub(super) fn exact(entries: &[PortItem], port: u16) -> Option<&PortItem> {
    entries
        .iter()
        .find(|PortItem { configured, .. }| configured.first == port && configured.last == port)
}

/// Returns the first range that covers this port.
pub(super) fn ranged(entries: &[PortItem], port: u16) -> Option<&PortItem> {
    entries.iter().find(|entry| entry.configured.covers(port))
}
