//! Reads the ports of a `.gitpod.yml` as Gitpod does.

use super::super::Refusal;
use super::super::draft::Draft;
use super::super::merge;
use super::super::tree::{NodeId, Tree};
use super::Visibility;

/// An entry of `ports`: a single port, or a range if `first` and `last` differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
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

impl Configured {
    /// Returns whether it covers this port.
    pub fn covers(&self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }
}

/// Reads every entry that Gitpod uses, in source order.
///
/// # Errors
/// Fails if the text is not YAML, or has several documents.
pub fn read(source: &str) -> Result<Vec<Configured>, Refusal> {
    let tree = super::super::parse(source)?;
    let draft = Draft::open(&tree)?;
    let tree = draft.tree;
    let list = tree.root().and_then(|root| tree.get(root, "ports"));
    let entries = list.map_or_else(Vec::new, |list| entries(tree, list));
    let numbered = entries.into_iter().map(|entry| Configured {
        line: draft.lines.number(tree.start(entry.node)),
        ..entry.configured
    });
    Ok(numbered.collect())
}

/// An entry and its node in the list.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) node: NodeId,
    pub(super) configured: Configured,
}

/// Returns the entries of a list, without those that Gitpod ignores.
pub(super) fn entries(tree: &Tree, list: NodeId) -> Vec<Found> {
    let items = tree.items(list).iter();
    items.filter_map(|item| entry(tree, *item)).collect()
}

fn entry(tree: &Tree, item: NodeId) -> Option<Found> {
    Some(Found { node: item, configured: read_entry(tree, item)? })
}

/// Reads one item of `ports` as Gitpod does; `None` if Gitpod ignores it. The line is left as 0.
pub(in crate::edit::yaml) fn read_entry(tree: &Tree, item: NodeId) -> Option<Configured> {
    let said = |key: &str| merge::get(tree, item, key).and_then(|value| tree.scalar(value));
    let (first, last) = numbers(said("port")?)?;
    let visibility = match said("visibility") {
        Some("public") => Visibility::Public,
        _ => Visibility::Private,
    };
    Some(Configured {
        first,
        last,
        name: said("name").map(str::to_owned),
        visibility,
        on_open: said("onOpen").map(str::to_owned),
        line: 0,
    })
}

/// Parses `3000`, `3000-3010` or `3000:3010`.
fn numbers(text: &str) -> Option<(u16, u16)> {
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
pub(super) fn exact(entries: &[Found], port: u16) -> Option<&Found> {
    entries
        .iter()
        .find(|Found { configured, .. }| configured.first == port && configured.last == port)
}

/// Returns the first range that covers this port.
pub(super) fn ranged(entries: &[Found], port: u16) -> Option<&Found> {
    entries.iter().find(|entry| entry.configured.covers(port))
}
