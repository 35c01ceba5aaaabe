//! A YAML text as a tree of nodes with byte ranges.
//!
//! The only module that uses the underlying parser. Keeps aliases, anchors, tags and styles as written; resolves
//! nothing.

mod builder;
mod node;

use std::sync::{Arc, OnceLock};

use builder::TreeBuilder;
use foldhash::{HashMap, HashSet, HashSetExt};
use granit_parser::{Parser, ScanError};

pub use node::{
    CollectionLayout, NodeAnchor, NodeId, NodeTag, ScalarQuoting, ScalarText, YamlKind, YamlNode,
};

/// A text and the trees of its documents.
#[derive(Debug, Clone)]
pub struct YamlTree {
    /// The text that byte ranges refer to, including a byte order mark.
    pub source: Arc<str>,
    nodes: Vec<YamlNode>,
    roots: Vec<NodeId>,
    has_aliases: bool,
    /// The byte each document begins at.
    document_starts: Vec<usize>,
    /// The positions of the entries of each mapping of more than [`MAX_LINEAR_KEYS`] keys, sorted by key; made at the
    /// first search.
    sorted: OnceLock<HashMap<NodeId, Vec<usize>>>,
}

/// Trees with the same text are equal.
impl PartialEq for YamlTree {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for YamlTree {}

/// A YAML syntax error and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlSyntaxError {
    /// The parser's message.
    pub message: String,
    /// Byte offset in the text.
    pub offset: usize,
    /// Line number, starting at 1.
    pub line: usize,
    /// Column in characters, starting at 1.
    pub column: usize,
}

/// Estimated source bytes for each node in a typical text.
const BYTES_PER_NODE: usize = 12;
/// Maximum length of a text in bytes: at 1.5 nodes for each byte, node numbers still fit in 32 bits.
const MAX_TEXT_BYTES: usize = 1 << 30;
/// Number of keys up to which a linear search is cheaper than a hash set or a sorted list.
const MAX_LINEAR_KEYS: usize = 16;

impl YamlTree {
    /// Reads every document of `source`.
    ///
    /// # Errors
    /// The first syntax error, anywhere in the text.
    pub fn parse(source: impl Into<Arc<str>>) -> Result<Self, YamlSyntaxError> {
        Self::read(source.into())
    }

    fn read(source: Arc<str>) -> Result<Self, YamlSyntaxError> {
        if source.len() > MAX_TEXT_BYTES {
            return Err(YamlSyntaxError {
                message: "the text is larger than 1 GiB".to_owned(),
                offset: 0,
                line: 1,
                column: 1,
            });
        }
        let mut tree = Self {
            source: Arc::clone(&source),
            nodes: Vec::with_capacity(source.len() / BYTES_PER_NODE),
            roots: Vec::new(),
            has_aliases: false,
            document_starts: Vec::new(),
            sorted: OnceLock::new(),
        };
        let mark = source.len() - source.trim_start_matches('\u{feff}').len();
        let options = granit_parser::options! { emit_anchor_events: true, emit_comments: false };
        let mut builder = TreeBuilder::default();
        for event in Parser::new_from_str_with_options(&source[mark..], options) {
            let (event, span) = event.map_err(|error| tree.syntax_error(&error, mark))?;
            builder.take(&mut tree, event, span, mark);
        }
        Ok(tree)
    }

    fn syntax_error(&self, error: &ScanError, mark: usize) -> YamlSyntaxError {
        let marker = error.marker();
        let (message, mut line, mut column) = (error.info(), marker.line(), marker.col() + 1);
        let mut offset = (marker.byte_offset().unwrap_or(0) + mark).min(self.source.len());
        // For a tab, the parser reports the start of the enclosing node.
        let rest = self.source.get(offset..).unwrap_or_default();
        if let Some(tab) = rest.find('\t').filter(|_| message.contains("tab")) {
            line += rest[..tab].matches('\n').count();
            offset += tab;
            let begin = self.source[..offset].rfind('\n').map_or(0, |end| end + 1);
            column = self.source[begin..offset].chars().count() + 1;
        }
        YamlSyntaxError { message, offset, line, column }
    }

    /// Returns the root node of the first document, unless the text holds none.
    pub fn root(&self) -> Option<NodeId> {
        self.roots.first().copied()
    }

    /// Returns the root nodes of all documents.
    pub fn roots(&self) -> &[NodeId] {
        &self.roots
    }

    /// Returns the number of documents.
    pub fn documents(&self) -> usize {
        self.document_starts.len()
    }

    /// Returns the byte each document begins at; for the first, that of its content.
    pub fn document_starts(&self) -> &[usize] {
        &self.document_starts
    }

    /// Returns a node as written.
    #[inline]
    pub fn node(&self, id: NodeId) -> &YamlNode {
        &self.nodes[id.number()]
    }

    /// Returns whether the text contains an alias.
    pub fn has_aliases(&self) -> bool {
        self.has_aliases
    }

    /// Returns the number of nodes.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Iterates over every node id, parents first.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).map(NodeId::at)
    }

    /// Resolves aliases to the node they refer to.
    #[inline]
    pub fn resolve(&self, mut id: NodeId) -> NodeId {
        while let YamlKind::Alias(target) = self.node(id).kind {
            id = target;
        }
        id
    }

    /// Returns the entries of a mapping as written, resolving an alias; empty for any other node.
    pub fn entries(&self, id: NodeId) -> &[(NodeId, NodeId)] {
        match &self.node(self.resolve(id)).kind {
            YamlKind::Mapping(entries, _) => entries,
            _ => &[],
        }
    }

    /// Returns the items of a sequence, resolving an alias; empty for any other node.
    pub fn items(&self, id: NodeId) -> &[NodeId] {
        match &self.node(self.resolve(id)).kind {
            YamlKind::Sequence(items, _) => items,
            _ => &[],
        }
    }

    /// Returns the text of one of this tree's scalars.
    #[inline]
    pub fn text<'t>(&'t self, text: &'t ScalarText) -> &'t str {
        match text {
            ScalarText::Verbatim(start, end) => &self.source[*start as usize..*end as usize],
            ScalarText::Read(text) => text,
        }
    }

    /// Returns the text of a scalar, resolving an alias; `None` for collections and absent values.
    #[inline]
    pub fn scalar(&self, id: NodeId) -> Option<&str> {
        match &self.node(self.resolve(id)).kind {
            YamlKind::Scalar(_, ScalarQuoting::Absent) => None,
            YamlKind::Scalar(text, _) => Some(self.text(text)),
            _ => None,
        }
    }

    /// Returns whether a key is the merge key `<<`.
    #[inline]
    pub fn is_merge_key(&self, key: NodeId) -> bool {
        matches!(&self.node(key).kind, YamlKind::Scalar(text, ScalarQuoting::Plain) if self.text(text) == "<<")
    }

    /// Returns whether a node is `~`, `null` or absent.
    pub fn is_null(&self, id: NodeId) -> bool {
        let node = self.node(self.resolve(id));
        match &node.kind {
            YamlKind::Scalar(_, ScalarQuoting::Absent) => {
                node.tag.as_ref().is_none_or(|tag| tag.text != "!!str")
            }
            YamlKind::Scalar(text, ScalarQuoting::Plain) => {
                let text = self.text(text);
                node.tag.is_none() && matches!(text, "" | "~" | "null" | "Null" | "NULL")
            }
            _ => false,
        }
    }

    /// Returns the last value of a mapping with this key, ignoring merge keys.
    pub fn get(&self, mapping: NodeId, key: &str) -> Option<NodeId> {
        self.entry(mapping, key).map(|(_, value)| value)
    }

    /// Iterates over keys that repeat within their mapping; docker compose rejects such a file.
    pub fn repeated_keys(&self) -> impl Iterator<Item = NodeId> {
        let is_mapping = |id: &NodeId| matches!(self.node(*id).kind, YamlKind::Mapping(..));
        self.ids().filter(is_mapping).flat_map(|mapping| self.repeated(mapping))
    }

    fn repeated(&self, mapping: NodeId) -> Vec<NodeId> {
        let keys = self.entries(mapping).iter().map(|(key, _)| *key);
        let named: Vec<(NodeId, &str)> =
            keys.filter_map(|key| Some((key, self.scalar(key)?))).collect();
        let mut again = Vec::new();
        let mut seen = HashSet::new();
        for (at, (key, name)) in named.iter().enumerate() {
            let is_repeated = if named.len() <= MAX_LINEAR_KEYS {
                named[..at].iter().any(|(_, before)| before == name)
            } else {
                !seen.insert(*name)
            };
            if is_repeated {
                again.push(*key);
            }
        }
        again
    }

    /// Returns the key and value of the last entry with this key, ignoring merge keys.
    pub fn entry(&self, mapping: NodeId, key: &str) -> Option<(NodeId, NodeId)> {
        let entries = self.entries(mapping);
        let is_meant = |(name, _): &&(NodeId, NodeId)| self.scalar(*name) == Some(key);
        if entries.len() <= MAX_LINEAR_KEYS {
            return entries.iter().rev().find(is_meant).copied();
        }
        let sorted = self.sorted.get_or_init(|| self.sort_entries()).get(&self.resolve(mapping))?;
        let end = sorted.partition_point(|at| self.scalar(entries[*at].0) <= Some(key));
        entries.get(*sorted.get(end.checked_sub(1)?)?).filter(is_meant).copied()
    }

    fn sort_entries(&self) -> HashMap<NodeId, Vec<usize>> {
        let sorted = self.ids().filter_map(|id| match &self.node(id).kind {
            YamlKind::Mapping(entries, _) if entries.len() > MAX_LINEAR_KEYS => {
                let mut order: Vec<usize> = (0..entries.len()).collect();
                order.sort_by_key(|at| self.scalar(entries[*at].0));
                Some((id, order))
            }
            _ => None,
        });
        sorted.collect()
    }
}

impl YamlTree {
    /// Returns the first byte of a node, including its anchor and tag.
    pub fn start(&self, id: NodeId) -> usize {
        let node = self.node(id);
        let anchor = node.anchor.as_ref().map(|anchor| anchor.range.start);
        let tag = node.tag.as_ref().map(|tag| tag.start);
        [anchor, tag].into_iter().flatten().fold(node.range.start, usize::min)
    }

    /// Returns the end of an entry; the parser may place an absent value before the colon.
    pub fn pair_end(&self, (key, value): (NodeId, NodeId)) -> usize {
        self.end(key).max(self.end(value))
    }

    /// Returns whether the text ends with this node, inside a block scalar without a final line break.
    pub fn ends_open(&self, mut id: NodeId) -> bool {
        if self.source.ends_with(['\n', '\r']) || self.end(id) < self.source.len() {
            return false;
        }
        loop {
            match &self.node(id).kind {
                YamlKind::Scalar(_, style) => return *style == ScalarQuoting::Block,
                YamlKind::Alias(_) => return false,
                YamlKind::Sequence(_, CollectionLayout::Flow)
                | YamlKind::Mapping(_, CollectionLayout::Flow) => return false,
                YamlKind::Sequence(items, _) => match items.last() {
                    Some(last) => id = *last,
                    None => return false,
                },
                YamlKind::Mapping(entries, _) => match entries.last() {
                    Some((_, last)) => id = *last,
                    None => return false,
                },
            }
        }
    }

    /// Returns the end of a node, including its anchor and tag if nothing follows them.
    pub fn end(&self, id: NodeId) -> usize {
        let node = self.node(id);
        let anchor = node.anchor.as_ref().map_or(0, |anchor| anchor.range.end);
        node.range.end.max(anchor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_know_their_bytes_whatever_stands_before_them() {
        let text = "\u{feff}services:\r\n  ü: &a {x: 1}\r\n  b: *a\r\n";
        let tree = YamlTree::parse(text).unwrap();
        let services = tree.get(tree.root().unwrap(), "services").unwrap();
        let (first, second) = (tree.get(services, "ü").unwrap(), tree.get(services, "b").unwrap());
        assert_eq!(&text[tree.node(first).range.clone()], "{x: 1}");
        assert_eq!(tree.node(first).anchor.as_ref().unwrap().name, "a");
        assert_eq!(&text[tree.node(second).range.clone()], "*a");
        assert_eq!(tree.resolve(second), first);
        assert_eq!(&text[tree.node(services).range.clone()], "ü: &a {x: 1}\r\n  b: *a");
    }

    #[test]
    fn an_absent_value_is_distinguished_from_a_tilde() {
        let tree = YamlTree::parse("a:\nb: ~\nc: ''\n").unwrap();
        let root = tree.root().unwrap();
        assert!(tree.is_null(tree.get(root, "a").unwrap()));
        assert!(tree.is_null(tree.get(root, "b").unwrap()));
        assert_eq!(tree.scalar(tree.get(root, "b").unwrap()), Some("~"));
        assert!(!tree.is_null(tree.get(root, "c").unwrap()));
    }

    #[test]
    fn a_syntax_error_has_a_line_and_a_column() {
        let error = YamlTree::parse("a: 1\nb: [1\n").unwrap_err();
        assert!(error.line >= 2, "{error:?}");
    }

    #[test]
    fn the_last_entry_with_a_key_is_found_among_many() {
        let text: String = (0..5 * MAX_LINEAR_KEYS)
            .map(|at| format!("k{}: {at}\n", at % (2 * MAX_LINEAR_KEYS)))
            .collect();
        let tree = YamlTree::parse(format!("? [x]\n: 0\nr: &r\n  y: 1\nb: *r\n{text}")).unwrap();
        let root = tree.root().unwrap();
        for number in 0..2 * MAX_LINEAR_KEYS {
            let value = tree.get(root, &format!("k{number}")).and_then(|value| tree.scalar(value));
            let last = number
                + if number < MAX_LINEAR_KEYS { 4 * MAX_LINEAR_KEYS } else { 2 * MAX_LINEAR_KEYS };
            assert_eq!(value, Some(last.to_string().as_str()));
        }
        assert!(tree.get(root, "b").is_some_and(|alias| tree.get(alias, "y").is_some()));
        for missing in ["", "k", "k100", "x", "z"] {
            assert_eq!(tree.entry(root, missing), None, "{missing}");
        }
    }

    #[test]
    fn documents_are_counted() {
        assert_eq!(YamlTree::parse("a: 1\n---\nb: 2\n").unwrap().documents(), 2);
        assert_eq!(YamlTree::parse("# nothing\n").unwrap().documents(), 0);
    }
}
