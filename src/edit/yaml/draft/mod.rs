//! A text, its tree, and the patches planned so far.
//!
//! [`members`] adds entries and items, [`values`] replaces them, [`removal`] removes them, [`conversion`] turns a list
//! into a mapping. Knows YAML layouts, not the meaning of keys.

mod conversion;
pub(super) mod members;
mod removal;
mod values;

use std::sync::Arc;

use super::layout::YamlLines;
use super::meaning::ChangedNode;
use super::scalar::quote_double;
use super::tree::{CollectionLayout, NodeId, ScalarQuoting, YamlKind, YamlTree};
use super::{EditRefusal, witness};
use crate::edit::patch::{self, TextPatch};

/// A text with planned patches.
#[derive(Debug)]
pub(super) struct YamlDraft<'a> {
    pub(super) tree: &'a YamlTree,
    pub(super) lines: YamlLines<'a>,
    patches: Vec<TextPatch>,
}

type PlannedEdit = Result<(), EditRefusal>;

impl<'a> YamlDraft<'a> {
    /// Opens the tree of a text with at most one document.
    pub(super) fn open(tree: &'a YamlTree) -> Result<Self, EditRefusal> {
        let draft = Self::of(tree);
        match tree.document_starts().get(1) {
            None => Ok(draft),
            Some(second) => {
                let reason = "a file of several documents has no one place for new lines";
                Err(draft.refuse(*second, reason))
            }
        }
    }

    /// Opens any tree, to point at places in it but not to edit it.
    pub(super) fn of(tree: &'a YamlTree) -> Self {
        Self { lines: YamlLines::new(&tree.source), patches: Vec::new(), tree }
    }

    /// Returns whether no patch is planned.
    pub(super) fn is_untouched(&self) -> bool {
        self.patches.is_empty()
    }

    /// Applies every patch and returns the verified tree: two parsers agree on it, and `judge` finds the planned
    /// change. A refusal of the whole text points at the byte `at`.
    pub(super) fn proven(
        &self,
        at: usize,
        judge: impl Fn(&YamlTree) -> PlannedEdit + Sync,
    ) -> Result<Arc<YamlTree>, EditRefusal> {
        let text: Arc<str> = self.finish()?.into();
        let (after, witness) = witness::parse_twice(&text, 1, || {
            let after = YamlTree::parse(Arc::clone(&text)).map_err(|error| {
                let reason = format!("the edit would break the file: {}", error.message);
                self.refuse(at, reason)
            })?;
            judge(&after).map(|()| after)
        });
        let after = after?;
        witness.agrees(&after).map_err(|words| {
            self.refuse(at, format!("two parsers read this file differently: {words}"))
        })?;
        Ok(Arc::new(after))
    }

    /// Works like [`Self::proven`] with a comparison of both trees: false refuses the whole text, an error its node,
    /// both for `reason`.
    pub(super) fn proven_by(
        &self,
        reason: &str,
        compare: impl Fn(&YamlTree, &YamlTree) -> Result<bool, ChangedNode> + Sync,
    ) -> Result<Arc<YamlTree>, EditRefusal> {
        let at = self.begin();
        self.proven(at, |after| match compare(self.tree, after) {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.refuse(at, reason)),
            Err(ChangedNode(id)) => Err(self.refuse_node(id, reason)),
        })
    }

    /// Returns the byte the document begins at.
    pub(super) fn begin(&self) -> usize {
        self.tree.root().map_or(0, |root| self.tree.start(root))
    }

    /// Returns the text with every patch applied.
    fn finish(&self) -> Result<String, EditRefusal> {
        patch::apply(&self.tree.source, &self.patches)
            .ok_or_else(|| self.refuse(0, "two of the changes overlap"))
    }

    /// Returns a refusal that points at the byte `at`.
    pub(super) fn refuse(&self, at: usize, reason: impl Into<String>) -> EditRefusal {
        EditRefusal {
            reason: reason.into(),
            hint: None,
            line: self.lines.number(at),
            column: self.lines.column(at) + 1,
            text: self.lines.text(at).trim_start_matches('\u{feff}').to_owned(),
            paste: String::new(),
        }
    }

    /// Returns a refusal that points at a node.
    pub(super) fn refuse_node(&self, id: NodeId, reason: impl Into<String>) -> EditRefusal {
        self.refuse(self.tree.start(id), reason)
    }

    /// Returns how a collection is written; a scalar counts as block.
    pub(super) fn layout(&self, id: NodeId) -> CollectionLayout {
        match self.tree.node(id).kind {
            YamlKind::Mapping(_, layout) | YamlKind::Sequence(_, layout) => layout,
            _ => CollectionLayout::Block,
        }
    }

    /// Returns `name` as a key of `mapping`, quoted if the mapping is written as JSON.
    pub(super) fn key(&self, mapping: NodeId, name: &str) -> String {
        let first = self.tree.entries(mapping).first();
        let quoted = first.is_some_and(|(key, _)| {
            matches!(self.tree.node(*key).kind, YamlKind::Scalar(_, ScalarQuoting::Double))
        });
        if quoted && self.layout(mapping) == CollectionLayout::Flow {
            return quote_double(name);
        }
        name.to_owned()
    }

    /// Returns the byte after the colon of a key.
    fn after_colon(&self, key: NodeId) -> Option<usize> {
        let end = self.tree.end(key);
        let rest = &self.tree.source[end..];
        let gap = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        rest[gap..].starts_with(':').then_some(end + gap + 1)
    }

    /// Inserts lines after the line of `at`, with its line ending.
    fn insert_lines_after(&mut self, at: usize, lines: &[String]) {
        let ending = self.lines.ending(at);
        let next = self.lines.next(at);
        let text = if ending.is_empty() {
            let line_ending = self.lines.usual_ending();
            lines.iter().flat_map(|line| [line_ending, line]).collect()
        } else {
            lines.iter().flat_map(|line| [line, ending]).collect::<String>()
        };
        self.patches.push(TextPatch::insert(next, text));
    }

    /// Inserts lines before the line of `at`, with the ending of the previous line.
    fn insert_lines_before(&mut self, at: usize, lines: &[String]) {
        let start = self.lines.start(at);
        let ending = match self.lines.ending(start.saturating_sub(1)) {
            "" => self.lines.usual_ending(),
            ending => ending,
        };
        let text: String = lines.iter().flat_map(|line| [line, ending]).collect();
        self.patches.push(TextPatch::insert(start, text));
    }

    /// Returns the byte of the `-` before an item of a block sequence.
    fn dash(&self, item: NodeId) -> Option<usize> {
        let before = self.tree.source[..self.tree.start(item)].trim_end();
        before.ends_with('-').then(|| before.len() - 1)
    }

    /// Returns the first byte of a sequence item, its dash included.
    pub(super) fn item_start(&self, item: NodeId, layout: CollectionLayout) -> usize {
        let start = self.tree.start(item);
        match layout {
            CollectionLayout::Flow => start,
            CollectionLayout::Block => self.dash(item).unwrap_or(start),
        }
    }
}
