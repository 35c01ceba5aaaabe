//! Other values for entries and items that are there, and lines that go.

use std::ops::Range;

use super::super::Refusal;
use super::super::fresh::Fresh;
use super::super::scalar::{double, styled};
use super::super::tree::{Kind, Layout, NodeId, Style};
use super::members::indented;
use super::{Draft, Planned};
use crate::edit::patch::Patch;

impl Draft<'_> {
    /// Puts a new value in the place of an alias, of nothing, or of an empty collection; tag and anchor stay.
    pub(in crate::edit::yaml) fn replace_value(
        &mut self,
        (key, value): (NodeId, NodeId),
        parent: Layout,
        fresh: &Fresh,
        step: usize,
    ) -> Planned {
        let (colon, gap) = self.gap((key, value))?;
        let indent = self.lines.column(self.tree.start(key)) + step;
        let same_line = self.lines.number(colon) == self.lines.number(gap.end);
        match fresh.lines(indent, step) {
            Some(lines) if parent == Layout::Block && same_line => self.put_lines(gap, &lines),
            _ if gap.is_empty() => {
                let text = format!(" {}", fresh.flow());
                self.patches.push(Patch::insert(gap.start, text));
            }
            _ => self.patches.push(Patch::replace(gap, fresh.flow())),
        }
        Ok(())
    }

    /// Puts lines in the place of nothing or of an empty collection, deeper than their key by `step`.
    pub(in crate::edit::yaml) fn fill_with_lines(
        &mut self,
        (key, value): (NodeId, NodeId),
        lines: &[String],
        step: usize,
    ) -> Planned {
        let (colon, gap) = self.gap((key, value))?;
        if self.lines.number(colon) != self.lines.number(gap.end) {
            return Err(self.refuse_node(value, "this value stands below its key"));
        }
        let indent = self.lines.column(self.tree.start(key)) + step;
        let lines: Vec<_> = lines.iter().map(|line| indented(line, indent)).collect();
        self.put_lines(gap, &lines);
        Ok(())
    }

    /// The byte after a key's colon, and the bytes of its value that are to go.
    fn gap(&self, (key, value): (NodeId, NodeId)) -> Result<(usize, Range<usize>), Refusal> {
        let Some(colon) = self.after_colon(key) else {
            return Err(self.refuse_node(key, "this key has no colon of its own"));
        };
        let node = self.tree.node(value);
        let from = match node.kind {
            Kind::Scalar(_, Style::Absent) => colon.max(self.tree.end(value)),
            _ => node.range.start,
        };
        Ok((colon, from..from.max(node.range.end)))
    }

    /// Takes the bytes of `gap` out of their line, and adds lines below it.
    fn put_lines(&mut self, gap: Range<usize>, lines: &[String]) {
        let before = &self.tree.source[..gap.start];
        let kept = before.trim_end_matches([' ', '\t']).len();
        if !gap.is_empty() {
            self.patches.push(Patch::replace(kept..gap.end, ""));
        }
        self.insert_lines_after(gap.end, lines);
    }

    /// Gives an entry another literal value on its line, in the style the old one is written in.
    pub(in crate::edit::yaml) fn set_scalar(
        &mut self,
        (key, value): (NodeId, NodeId),
        layout: Layout,
        literal: &str,
    ) -> Planned {
        let quoted = double(literal);
        self.set_text((key, value), layout, literal, &quoted)
    }

    /// Gives an entry another plain word on its line, in the style the old one is written in.
    pub(in crate::edit::yaml) fn set_word(
        &mut self,
        entry: (NodeId, NodeId),
        layout: Layout,
        word: &str,
    ) -> Planned {
        self.set_text(entry, layout, word, word)
    }

    /// [`Self::set_scalar`], with `usual` for where there is no style to keep.
    fn set_text(
        &mut self,
        (key, value): (NodeId, NodeId),
        layout: Layout,
        literal: &str,
        usual: &str,
    ) -> Planned {
        let node = self.tree.node(value);
        // `!reset` takes the value away that another file gives; here it gets one.
        if node.tag.as_ref().is_some_and(|tag| tag.text == "!reset")
            && matches!(node.kind, Kind::Scalar(..))
        {
            let whole = self.tree.start(value)..self.tree.end(value);
            self.patches.push(Patch::replace(whole, usual));
            return Ok(());
        }
        if node.tag.as_ref().is_some_and(|tag| tag.text != "!!str") {
            return Err(self.refuse_node(value, "the value to replace has a tag"));
        }
        let range = node.range.clone();
        let patch = match node.kind {
            Kind::Scalar(_, Style::Absent) => match self.after_colon(key) {
                Some(colon) => Patch::insert(colon.max(self.tree.end(value)), format!(" {usual}")),
                None => Patch::insert(self.tree.end(key), format!(": {usual}")),
            },
            Kind::Scalar(_, style) => Patch::replace(range, styled(literal, style, layout)),
            Kind::Alias(_) => Patch::replace(range, usual),
            Kind::Mapping(..) | Kind::Sequence(..) => {
                return Err(self.refuse_node(value, "the value to replace is no scalar"));
            }
        };
        self.patches.push(patch);
        Ok(())
    }

    /// Gives an item another literal value, in the style the old one is written in.
    pub(in crate::edit::yaml) fn set_item(
        &mut self,
        item: NodeId,
        layout: Layout,
        literal: &str,
    ) -> Planned {
        let node = self.tree.node(item);
        let range = node.range.clone();
        let text = match node.kind {
            _ if node.tag.is_some() => None,
            Kind::Scalar(_, Style::Absent) => None,
            Kind::Scalar(_, style) => Some(styled(literal, style, layout)),
            Kind::Alias(_) => Some(double(literal)),
            // `- NAME: value`, on one line.
            Kind::Mapping(..) if !self.tree.source[range.clone()].contains(['\n', '#']) => {
                Some(styled(literal, Style::Plain, layout))
            }
            Kind::Mapping(..) | Kind::Sequence(..) => None,
        };
        let Some(text) = text else {
            return Err(self.refuse_node(item, "the item to replace is no simple scalar"));
        };
        self.patches.push(Patch::replace(range, text));
        Ok(())
    }

    /// Removes a member that begins at `from` and ends at `to`, and is followed by another that begins at `next`.
    pub(in crate::edit::yaml) fn remove(
        &mut self,
        layout: Layout,
        from: usize,
        to: usize,
        next: usize,
    ) -> Planned {
        if layout == Layout::Flow {
            self.patches.push(Patch::replace(from..next, ""));
            return Ok(());
        }
        if !self.lines.leads(from) || self.lines.number(to) == self.lines.number(next) {
            return Err(self.refuse(from, "the line to remove holds something else as well"));
        }
        let whole = self.lines.start(from)..self.lines.next(to);
        self.patches.push(Patch::replace(whole, ""));
        Ok(())
    }
}
