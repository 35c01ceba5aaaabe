//! What a `.gitpod.yml` says about ports so far, read as Gitpod reads it.

use super::super::Refusal;
use super::super::draft::Draft;
use super::super::merge;
use super::super::tree::{NodeId, Tree};
use super::Visibility;

/// One entry of `ports`: a single port, or a range where `first` and `last` differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    /// The lowest port it speaks for.
    pub first: u16,
    /// The highest port it speaks for.
    pub last: u16,
    /// What it is called.
    pub name: Option<String>,
    /// Private where the file does not say.
    pub visibility: Visibility,
    /// What happens once something listens.
    pub on_open: Option<String>,
    /// 1 for the first line of the file.
    pub line: usize,
}

impl Configured {
    /// Whether it speaks for this port.
    pub fn covers(&self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }
}

/// Every entry that Gitpod would use, in the order they stand.
///
/// # Errors
/// Where the text is no YAML, or holds several documents.
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

/// An entry and the item it is, as it is written.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) node: NodeId,
    pub(super) configured: Configured,
}

/// The entries of a list; what Gitpod would skip is not among them.
pub(super) fn entries(tree: &Tree, list: NodeId) -> Vec<Found> {
    let items = tree.items(list).iter();
    items.filter_map(|item| entry(tree, *item)).collect()
}

fn entry(tree: &Tree, item: NodeId) -> Option<Found> {
    Some(Found { node: item, configured: read_entry(tree, item)? })
}

/// Returns what Gitpod takes from one item of `ports`; `None` where it skips it. The line is not known here: 0.
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

/// `3000`, `3000-3010` or `3000:3010`.
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

/// The entry that speaks for exactly this port: the first of several.
pub(super) fn exact(entries: &[Found], port: u16) -> Option<&Found> {
    entries
        .iter()
        .find(|Found { configured, .. }| configured.first == port && configured.last == port)
}

/// The range that speaks for this port: the first of several.
pub(super) fn ranged(entries: &[Found], port: u16) -> Option<&Found> {
    entries.iter().find(|entry| entry.configured.covers(port))
}
