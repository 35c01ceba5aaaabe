//! A YAML node as docker compose reads it: aliases resolved, merge keys applied.

use std::borrow::Cow;
use std::ops::Range;

use foldhash::{HashSet, HashSetExt};

use crate::edit::yaml::tree::{NodeId, ScalarQuoting, YamlKind, YamlNode, YamlTree};

use super::scalar;
use super::source::{FileId, FileSpan};

/// Number of keys up to which a linear search is cheaper than a hash set.
const MAX_LINEAR_KEYS: usize = 16;

/// A node of one file.
#[derive(Clone, Copy)]
pub(super) struct NodeView<'t> {
    tree: &'t YamlTree,
    file: FileId,
    id: NodeId,
    /// Whether a `!reset` of the same key precedes it: this value replaces earlier files, as with `!override`.
    over: bool,
}

/// The shape of a node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeShape {
    Null,
    Scalar,
    Mapping,
    Sequence,
}

/// Compose's own tags, which change how a value is merged over earlier files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum OverrideTag {
    None,
    Reset,
    Override,
}

/// Returns whether the type of a plain scalar is inferred from its text.
fn is_converted(node: &YamlNode) -> bool {
    node.tag.as_ref().is_none_or(|tag| tag.text.starts_with("!override"))
}

impl<'t> NodeView<'t> {
    /// Returns the root of each document.
    pub(super) fn roots(tree: &'t YamlTree, file: FileId) -> impl Iterator<Item = Self> {
        tree.roots().iter().map(move |id| Self { tree, file, id: *id, over: false })
    }

    fn at(self, id: NodeId) -> Self {
        Self { id, over: false, ..self }
    }

    /// Returns whether the file contains an alias.
    pub(super) fn has_aliases(self) -> bool {
        self.tree.has_aliases()
    }

    /// Returns the node, with aliases resolved.
    pub(super) fn node(self) -> NodeId {
        self.tree.resolve(self.id)
    }

    pub(super) fn span(self) -> FileSpan {
        FileSpan { file: self.file, range: self.tree.node(self.id).range.clone() }
    }

    /// Returns the position of its text without quotes, aliases resolved; the whole node if the file does not contain
    /// the text verbatim.
    pub(super) fn text_span(self) -> FileSpan {
        let node = self.tree.node(self.node());
        let range = self.verbatim().unwrap_or_else(|| node.range.clone());
        FileSpan { file: self.file, range }
    }

    /// Returns the byte range of a scalar without quotes if the file contains its text verbatim; aliases are resolved.
    pub(super) fn verbatim(self) -> Option<Range<usize>> {
        let node = self.tree.node(self.node());
        let (range, style) = match &node.kind {
            YamlKind::Scalar(text, style) if *style != ScalarQuoting::Absent => {
                (text.range()?, *style)
            }
            _ => return None,
        };
        let written = self.tree.source.get(range.clone())?;
        let is_same = style != ScalarQuoting::Plain
            || !is_converted(node)
            || scalar::printed(written) == written;
        is_same.then_some(range)
    }

    /// Returns the position of the node, aliases resolved.
    pub(super) fn resolved_span(self) -> FileSpan {
        FileSpan { file: self.file, range: self.tree.node(self.node()).range.clone() }
    }

    pub(super) fn mark(self) -> OverrideTag {
        match self.tree.node(self.node()).tag.as_ref().map(|tag| tag.text.as_str()) {
            Some("!reset") => OverrideTag::Reset,
            Some("!override") => OverrideTag::Override,
            _ if self.over => OverrideTag::Override,
            _ => OverrideTag::None,
        }
    }

    pub(super) fn shape(self) -> NodeShape {
        if self.tree.is_null(self.id) {
            return NodeShape::Null;
        }
        match self.tree.node(self.tree.resolve(self.id)).kind {
            YamlKind::Mapping(..) => NodeShape::Mapping,
            YamlKind::Sequence(..) => NodeShape::Sequence,
            YamlKind::Scalar(..) | YamlKind::Alias(_) => NodeShape::Scalar,
        }
    }

    /// Returns a scalar as docker compose passes it on; `None` for null and collections.
    pub(super) fn text(self) -> Option<Cow<'t, str>> {
        if self.shape() != NodeShape::Scalar {
            return None;
        }
        let node = self.tree.node(self.tree.resolve(self.id));
        match &node.kind {
            YamlKind::Scalar(text, ScalarQuoting::Plain) if is_converted(node) => {
                Some(scalar::printed(self.tree.text(text)))
            }
            YamlKind::Scalar(text, _) => Some(Cow::Borrowed(self.tree.text(text))),
            _ => None,
        }
    }

    /// Returns whether the scalar is a number or boolean rather than a string.
    pub(super) fn is_typed(self) -> bool {
        let node = self.tree.node(self.tree.resolve(self.id));
        match &node.kind {
            YamlKind::Scalar(text, ScalarQuoting::Plain) if node.tag.is_none() => {
                let text = self.tree.text(text);
                matches!(text, "true" | "false" | "True" | "False" | "TRUE" | "FALSE")
                    || scalar::is_number(text)
            }
            _ => false,
        }
    }

    pub(super) fn items(self) -> impl Iterator<Item = Self> {
        self.tree.items(self.id).iter().map(move |id| self.at(*id))
    }

    /// Returns keys and values with merge keys applied: own entries first, then merged ones that are not overridden.
    pub(super) fn entries(self) -> Vec<(Cow<'t, str>, Self, Self)> {
        let entries = self.tree.entries(self.id);
        if entries.iter().any(|(key, _)| self.tree.is_merge_key(*key)) {
            self.flatten()
        } else {
            entries.iter().filter_map(|entry| self.pair(entry)).collect()
        }
    }

    pub(super) fn get(self, key: &str) -> Option<Self> {
        self.entries().into_iter().rev().find(|(name, _, _)| name == key).map(|(_, _, value)| value)
    }

    fn pair(self, (key, value): &(NodeId, NodeId)) -> Option<(Cow<'t, str>, Self, Self)> {
        let key = self.at(*key);
        let name = match &self.tree.node(self.tree.resolve(key.id)).kind {
            YamlKind::Scalar(text, _) => Cow::Borrowed(self.tree.text(text)),
            _ => return None,
        };
        Some((name, key, self.at(*value)))
    }

    /// Merges each mapping once, however often it is named: its first occurrence decides, except for a `!reset`, which
    /// lets merged entries through.
    fn flatten(self) -> Vec<(Cow<'t, str>, Self, Self)> {
        let (mut merged, mut keys) = (HashSet::new(), HashSet::new());
        let mut out: Vec<(Cow<'t, str>, Self, Self)> = Vec::new();
        let mut remembered = 0;
        let mut resets = false;
        let mut waiting = vec![self];
        while let Some(view) = waiting.pop() {
            let id = view.tree.resolve(view.id);
            if !merged.insert(id) {
                continue;
            }
            if view.shape() == NodeShape::Sequence {
                let from = waiting.len();
                waiting.extend(view.items());
                waiting[from..].reverse();
                continue;
            }
            let before = out.len();
            if before > MAX_LINEAR_KEYS {
                keys.extend(out[remembered..].iter().map(|(name, ..)| name.clone()));
                remembered = before;
            }
            let from = waiting.len();
            for entry in view.tree.entries(id) {
                if view.tree.is_merge_key(entry.0) {
                    waiting.push(view.at(entry.1));
                } else if let Some(pair) = view.pair(entry) {
                    let is_known = if before > MAX_LINEAR_KEYS {
                        keys.contains(&pair.0)
                    } else {
                        out[..before].iter().any(|(name, ..)| *name == pair.0)
                    };
                    if !is_known {
                        out.push(pair);
                    } else if resets
                        && let Some(known) =
                            out[..before].iter_mut().find(|(name, ..)| *name == pair.0)
                        && known.2.mark() == OverrideTag::Reset
                    {
                        known.2 = Self { over: true, ..pair.2 };
                    }
                }
            }
            waiting[from..].reverse();
            resets |= !waiting.is_empty()
                && out[before..].iter().any(|(.., value)| value.mark() == OverrideTag::Reset);
        }
        out
    }
}
