//! Replaces the values of existing entries and items, and removes lines.

use std::ops::Range;

use super::super::EditRefusal;
use super::super::fresh::NewYamlValue;
use super::super::scalar::{quote_double, quote_in_style};
use super::super::tree::{CollectionLayout, NodeId, ScalarQuoting, YamlKind};
use super::members::indent_line;
use super::{PlannedEdit, YamlDraft};
use crate::edit::patch::TextPatch;

impl YamlDraft<'_> {
    /// Replaces an alias, an absent value or an empty collection with a new value; tag and anchor are kept.
    pub(in crate::edit::yaml) fn replace_value(
        &mut self,
        (key, value): (NodeId, NodeId),
        parent: CollectionLayout,
        fresh: &NewYamlValue,
        step: usize,
    ) -> PlannedEdit {
        let (colon, gap) = self.gap((key, value))?;
        let indent = self.lines.column(self.tree.start(key)) + step;
        let same_line = self.lines.number(colon) == self.lines.number(gap.end);
        match fresh.lines(indent, step) {
            Some(lines) if parent == CollectionLayout::Block && same_line => {
                self.put_lines(gap, &lines)
            }
            _ if gap.is_empty() => {
                let text = format!(" {}", fresh.flow());
                self.patches.push(TextPatch::insert(gap.start, text));
            }
            _ => self.patches.push(TextPatch::replace(gap, fresh.flow())),
        }
        Ok(())
    }

    /// Replaces an absent value or an empty collection with lines, indented by `step` below their key.
    pub(in crate::edit::yaml) fn fill_with_lines(
        &mut self,
        (key, value): (NodeId, NodeId),
        lines: &[String],
        step: usize,
    ) -> PlannedEdit {
        let (colon, gap) = self.gap((key, value))?;
        if self.lines.number(colon) != self.lines.number(gap.end) {
            return Err(self.refuse_node(value, "this value is below its key"));
        }
        let indent = self.lines.column(self.tree.start(key)) + step;
        let lines: Vec<_> = lines.iter().map(|line| indent_line(line, indent)).collect();
        self.put_lines(gap, &lines);
        Ok(())
    }

    /// Returns the byte after a key's colon, and the byte range of the value to remove.
    fn gap(&self, (key, value): (NodeId, NodeId)) -> Result<(usize, Range<usize>), EditRefusal> {
        let Some(colon) = self.after_colon(key) else {
            return Err(self.refuse_node(key, "this key has no colon"));
        };
        let node = self.tree.node(value);
        let from = match node.kind {
            YamlKind::Scalar(_, ScalarQuoting::Absent) => colon.max(self.tree.end(value)),
            _ => node.range.start,
        };
        Ok((colon, from..from.max(node.range.end)))
    }

    /// Removes the bytes of `gap` from their line, and adds lines below it.
    fn put_lines(&mut self, gap: Range<usize>, lines: &[String]) {
        let before = &self.tree.source[..gap.start];
        let end = before.trim_end_matches([' ', '\t']).len();
        if !gap.is_empty() {
            self.patches.push(TextPatch::replace(end..gap.end, ""));
        }
        self.insert_lines_after(gap.end, lines);
    }

    /// Replaces the value of an entry with another literal on the same line, in the same quoting style.
    pub(in crate::edit::yaml) fn set_scalar(
        &mut self,
        (key, value): (NodeId, NodeId),
        layout: CollectionLayout,
        literal: &str,
    ) -> PlannedEdit {
        let quoted = quote_double(literal);
        self.set_text((key, value), layout, literal, &quoted)
    }

    /// Replaces the value of an entry with another plain word on the same line, in the same quoting style.
    pub(in crate::edit::yaml) fn set_word(
        &mut self,
        entry: (NodeId, NodeId),
        layout: CollectionLayout,
        word: &str,
    ) -> PlannedEdit {
        self.set_text(entry, layout, word, word)
    }

    /// Replaces the value of an entry with `literal` in the same quoting style, or with `unstyled` if the old value has none.
    fn set_text(
        &mut self,
        (key, value): (NodeId, NodeId),
        layout: CollectionLayout,
        literal: &str,
        unstyled: &str,
    ) -> PlannedEdit {
        let node = self.tree.node(value);
        // `!reset` removes a value that another file sets; this entry now gets one.
        if node.tag.as_ref().is_some_and(|tag| tag.text == "!reset")
            && matches!(node.kind, YamlKind::Scalar(..))
        {
            let whole = self.tree.start(value)..self.tree.end(value);
            self.patches.push(TextPatch::replace(whole, unstyled));
            return Ok(());
        }
        if node.tag.as_ref().is_some_and(|tag| tag.text != "!!str") {
            return Err(self.refuse_node(value, "the value to replace has a tag"));
        }
        let range = node.range.clone();
        let patch = match node.kind {
            YamlKind::Scalar(_, ScalarQuoting::Absent) => match self.after_colon(key) {
                Some(colon) => {
                    TextPatch::insert(colon.max(self.tree.end(value)), format!(" {unstyled}"))
                }
                None => TextPatch::insert(self.tree.end(key), format!(": {unstyled}")),
            },
            YamlKind::Scalar(_, style) => {
                TextPatch::replace(range, quote_in_style(literal, style, layout))
            }
            YamlKind::Alias(_) => TextPatch::replace(range, unstyled),
            YamlKind::Mapping(..) | YamlKind::Sequence(..) => {
                return Err(self.refuse_node(value, "the value to replace is not a scalar"));
            }
        };
        self.patches.push(patch);
        Ok(())
    }

    /// Replaces an item with another literal, in the same quoting style.
    pub(in crate::edit::yaml) fn set_item(
        &mut self,
        item: NodeId,
        layout: CollectionLayout,
        literal: &str,
    ) -> PlannedEdit {
        let node = self.tree.node(item);
        let range = node.range.clone();
        let text = match node.kind {
            _ if node.tag.is_some() => None,
            YamlKind::Scalar(_, ScalarQuoting::Absent) => None,
            YamlKind::Scalar(_, style) => Some(quote_in_style(literal, style, layout)),
            YamlKind::Alias(_) => Some(quote_double(literal)),
            // `- NAME: value` on one line.
            YamlKind::Mapping(..) if !self.tree.source[range.clone()].contains(['\n', '#']) => {
                Some(quote_in_style(literal, ScalarQuoting::Plain, layout))
            }
            YamlKind::Mapping(..) | YamlKind::Sequence(..) => None,
        };
        let Some(text) = text else {
            return Err(self.refuse_node(item, "the item to replace is not a plain value"));
        };
        self.patches.push(TextPatch::replace(range, text));
        Ok(())
    }

    /// Replaces a byte range.
    pub(in crate::edit::yaml) fn replace(&mut self, range: Range<usize>, text: String) {
        self.patches.push(TextPatch::replace(range, text));
    }

    /// Removes a member with the byte range `from..to`, followed by another member at `next`.
    pub(in crate::edit::yaml) fn remove(
        &mut self,
        layout: CollectionLayout,
        from: usize,
        to: usize,
        next: usize,
    ) -> PlannedEdit {
        if layout == CollectionLayout::Flow {
            self.patches.push(TextPatch::replace(from..next, ""));
            return Ok(());
        }
        if !self.lines.leads(from) || self.lines.number(to) == self.lines.number(next) {
            return Err(self.refuse(from, "the line to remove has something else in it"));
        }
        let whole = self.lines.start(from)..self.lines.next(to);
        self.patches.push(TextPatch::replace(whole, ""));
        Ok(())
    }
}
