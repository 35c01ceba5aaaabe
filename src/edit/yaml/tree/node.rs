//! The nodes of a YAML tree: their kinds, styles and byte ranges.

use std::ops::Range;

/// The index of a node in its [`YamlTree`](super::YamlTree).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

impl NodeId {
    /// Returns the index: 0 for the root, less than [`YamlTree::len`](super::YamlTree::len).
    pub fn number(self) -> usize {
        self.0 as usize
    }

    /// Returns the node with this index; indexes always fit in 32 bits.
    pub(super) fn at(number: usize) -> Self {
        Self(number as u32)
    }
}

/// A YAML node as written.
#[derive(Debug, Clone)]
pub struct YamlNode {
    /// Its kind.
    pub kind: YamlKind,
    /// Byte range of the content, without tag and anchor. A block collection ends where its last node ends; an implicit
    /// null is empty; a block scalar extends from its `|` or `>` to the end of its last line.
    pub range: Range<usize>,
    /// The anchor `&name`, with its byte range.
    pub anchor: Option<Box<NodeAnchor>>,
    /// The tag as written (`!reset`, `!!str`), and the byte it begins at.
    pub tag: Option<Box<NodeTag>>,
}

/// An anchor on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeAnchor {
    /// Without the `&`.
    pub name: String,
    /// Byte range of the `&name` token.
    pub range: Range<usize>,
}

/// A tag on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeTag {
    /// As written: `!reset`, `!!str`.
    pub text: String,
    /// The byte the tag token begins at.
    pub start: usize,
}

/// The kind of a node.
#[derive(Debug, Clone)]
pub enum YamlKind {
    /// A scalar, unquoted and folded; [`YamlTree::text`](super::YamlTree::text) returns its text.
    Scalar(ScalarText, ScalarQuoting),
    /// Keys and values in source order, duplicates included.
    Mapping(Box<[(NodeId, NodeId)]>, CollectionLayout),
    /// Items in source order.
    Sequence(Box<[NodeId]>, CollectionLayout),
    /// `*name`: the node it refers to.
    Alias(NodeId),
}

/// The text of a scalar.
#[derive(Debug, Clone)]
pub enum ScalarText {
    /// A byte range of the source that contains the text verbatim.
    Verbatim(u32, u32),
    /// Text that differs from the source: escapes replaced, lines folded.
    Read(Box<str>),
}

impl ScalarText {
    pub(super) fn verbatim(range: &Range<usize>) -> Self {
        Self::Verbatim(range.start as u32, range.end as u32)
    }

    /// Returns its byte range in the source, if it is verbatim.
    pub fn range(&self) -> Option<Range<usize>> {
        match self {
            Self::Verbatim(start, end) => Some(*start as usize..*end as usize),
            Self::Read(_) => None,
        }
    }
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalarQuoting {
    /// Without quotes.
    Plain,
    /// Absent: `KEY:` with no value.
    Absent,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|` or `>`
    Block,
}

/// How a collection is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectionLayout {
    /// Block style, by indentation.
    Block,
    /// Flow style, in brackets.
    Flow,
}
