//! What a tree is made of: nodes, what kind each is, how it is written and where.

use std::ops::Range;

/// A node's place in its [`Tree`](super::Tree).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

impl NodeId {
    /// 0 for the root; less than [`Tree::len`](super::Tree::len).
    pub fn number(self) -> usize {
        self.0 as usize
    }

    /// The node of this number; a tree has none that 32 bits do not hold.
    pub(super) fn at(number: usize) -> Self {
        Self(number as u32)
    }
}

/// One node as written.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Bytes of the content, without tag and anchor. A block collection's range ends at its last node's end; an
    /// implicit null's is empty; a block scalar's goes from its `|` or `>` to the end of its last line.
    pub range: Range<usize>,
    /// Bytes of `&name`, and the name.
    pub anchor: Option<Box<Anchor>>,
    /// The tag as written, `!reset`, `!!str`, and where it begins.
    pub tag: Option<Box<Tag>>,
}

/// An anchor on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Without the `&`.
    pub name: String,
    /// Bytes of the `&name` token.
    pub range: Range<usize>,
}

/// A tag on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// As written: `!reset`, `!!str`.
    pub text: String,
    /// The byte the tag token begins at.
    pub start: usize,
}

/// The kinds of nodes.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A scalar after unquoting and folding; [`Tree::text`](super::Tree::text) reads it.
    Scalar(Text, Style),
    /// Keys and values in the order they stand, duplicates included.
    Mapping(Box<[(NodeId, NodeId)]>, Layout),
    /// Items in the order they stand.
    Sequence(Box<[NodeId]>, Layout),
    /// `*name`: the node it stands for.
    Alias(NodeId),
}

/// What a scalar says.
#[derive(Debug, Clone)]
pub enum Text {
    /// What stands from one byte of the source to another, letter by letter.
    Verbatim(u32, u32),
    /// Something else: escapes replaced, lines folded.
    Read(Box<str>),
}

impl Text {
    pub(super) fn verbatim(range: &Range<usize>) -> Self {
        Self::Verbatim(range.start as u32, range.end as u32)
    }

    /// Its bytes in the source, if it stands there letter by letter.
    pub fn range(&self) -> Option<Range<usize>> {
        match self {
            Self::Verbatim(start, end) => Some(*start as usize..*end as usize),
            Self::Read(_) => None,
        }
    }
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// Nothing at all stands there: `KEY:` with no value.
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
pub enum Layout {
    /// By indentation.
    Block,
    /// In brackets.
    Flow,
}
