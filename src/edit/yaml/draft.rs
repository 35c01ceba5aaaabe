//! A text, its tree, and the patches planned so far; entries and items are added, replaced and removed here.
//!
//! Knows layouts, not what the keys mean.

use super::Refusal;
use super::fresh::{Fresh, entry_lines, flow_entry, item_lines};
use super::layout::Lines;
use super::scalar::{double, styled};
use super::tree::{Kind, Layout, NodeId, Style, Tree};
use crate::edit::patch::{self, Patch};

/// A text on its way to another.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) tree: Tree<'a>,
    pub(super) lines: Lines<'a>,
    patches: Vec<Patch>,
}

type Planned = Result<(), Refusal>;

impl<'a> Draft<'a> {
    /// Reads a text of one document at most.
    pub(super) fn open(source: &'a str) -> Result<Self, Refusal> {
        let tree = Tree::parse(source).map_err(|error| Refusal::syntax(source, &error))?;
        let draft = Self {
            lines: Lines::new(source),
            patches: Vec::new(),
            tree,
        };
        match draft.tree.documents {
            0 | 1 => Ok(draft),
            _ => Err(draft.refuse(
                draft.tree.second_document,
                "a file of several documents has no one place for new lines",
            )),
        }
    }

    /// Whether no patch was planned.
    pub(super) fn is_untouched(&self) -> bool {
        self.patches.is_empty()
    }

    /// The text with every patch applied.
    pub(super) fn finish(&self) -> Result<String, Refusal> {
        patch::apply(self.tree.source, &self.patches)
            .ok_or_else(|| self.refuse(0, "two of the changes fall on the same place"))
    }

    /// A refusal that points at the byte `at`.
    pub(super) fn refuse(&self, at: usize, reason: impl Into<String>) -> Refusal {
        Refusal {
            reason: reason.into(),
            hint: None,
            line: self.lines.number(at),
            column: self.lines.column(at) + 1,
            text: self
                .lines
                .text(at)
                .trim_start_matches('\u{feff}')
                .to_owned(),
            paste: String::new(),
        }
    }

    /// A refusal that points at a node.
    pub(super) fn refuse_node(&self, id: NodeId, reason: impl Into<String>) -> Refusal {
        self.refuse(self.tree.start(id), reason)
    }

    /// How a collection is written; scalars count as block.
    pub(super) fn layout(&self, id: NodeId) -> Layout {
        match self.tree.node(id).kind {
            Kind::Mapping(_, layout) | Kind::Sequence(_, layout) => layout,
            _ => Layout::Block,
        }
    }

    /// `name` as a key of `mapping`: quoted where the mapping is written as JSON.
    pub(super) fn key(&self, mapping: NodeId, name: &str) -> String {
        let first = self.tree.entries(mapping).first();
        let quoted = first.is_some_and(|(key, _)| {
            matches!(self.tree.node(*key).kind, Kind::Scalar(_, Style::Double))
        });
        if quoted && self.layout(mapping) == Layout::Flow {
            return double(name);
        }
        name.to_owned()
    }

    /// The byte after the colon that follows a key.
    fn after_colon(&self, key: NodeId) -> Option<usize> {
        let end = self.tree.end(key);
        let rest = &self.tree.source[end..];
        let gap = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        rest[gap..].starts_with(':').then_some(end + gap + 1)
    }

    /// Adds whole lines after that of `at`, with its ending.
    fn insert_lines_after(&mut self, at: usize, lines: &[String]) {
        let ending = self.lines.ending(at);
        let next = self.lines.next(at);
        let text = if ending.is_empty() {
            let usual = self.lines.usual_ending();
            lines.iter().flat_map(|line| [usual, line]).collect()
        } else {
            lines
                .iter()
                .flat_map(|line| [line, ending])
                .collect::<String>()
        };
        self.patches.push(Patch::insert(next, text));
    }

    /// Adds whole lines before that of `at`, with the ending of the line before.
    fn insert_lines_before(&mut self, at: usize, lines: &[String]) {
        let start = self.lines.start(at);
        let ending = match self.lines.ending(start.saturating_sub(1)) {
            "" => self.lines.usual_ending(),
            ending => ending,
        };
        let text: String = lines.iter().flat_map(|line| [line, ending]).collect();
        self.patches.push(Patch::insert(start, text));
    }

    /// Adds lines at the end of a block collection, after its last line of content.
    ///
    /// A block scalar that ends the text without a line break would gain one, so there the lines go before the last
    /// member, which begins at `last`.
    fn append_lines(&mut self, collection: NodeId, last: usize, lines: &[String]) -> Planned {
        let end = self.tree.end(collection);
        if !self.tree.ends_open(collection) {
            self.insert_lines_after(end, lines);
            return Ok(());
        }
        if !self.lines.leads(last) {
            return Err(self.refuse(
                last,
                "the text ends inside a block scalar, without a line break",
            ));
        }
        self.insert_lines_before(last, lines);
        Ok(())
    }

    /// Adds entries at the end of a mapping, levels below them deeper by `step`.
    pub(super) fn add_entries(
        &mut self,
        mapping: NodeId,
        entries: &[(String, Fresh)],
        step: usize,
    ) -> Planned {
        let members: Vec<_> = self.tree.entries(mapping).to_vec();
        let (Some(first), Some(last), false) =
            (members.first(), members.last(), entries.is_empty())
        else {
            let texts: Vec<_> = entries.iter().map(flow_entry).collect();
            return self.add_flow(mapping, None, &texts);
        };
        if self.layout(mapping) == Layout::Flow {
            let texts: Vec<_> = entries.iter().map(flow_entry).collect();
            let colon = self.after_colon(last.0).unwrap_or(0);
            let ends = (
                self.tree.start(first.0),
                self.tree.pair_end(*last).max(colon),
            );
            return self.add_flow(mapping, Some(ends), &texts);
        }
        let indent = self.lines.column(self.tree.start(first.0));
        let lines: Vec<_> = entries
            .iter()
            .flat_map(|entry| entry_lines(entry, indent, step))
            .collect();
        self.append_lines(mapping, self.tree.start(last.0), &lines)
    }

    /// Adds an entry of the outermost mapping after everything but blank lines that the document holds, comments
    /// included; before the comments where the document is closed by a marker.
    pub(super) fn append_to_document(
        &mut self,
        root: Option<NodeId>,
        entry: &(String, Fresh),
        step: usize,
    ) -> Planned {
        let source = self.tree.source;
        let indent = root.map_or(0, |root| {
            let first = self.tree.entries(root).first();
            first.map_or(0, |(key, _)| self.lines.column(self.tree.start(*key)))
        });
        let lines = entry_lines(entry, indent, step);
        let end = root.map_or(0, |root| self.tree.end(root));
        let closed = source[end..].lines().any(|line| line.starts_with("..."));
        let last = match (closed, root) {
            (false, _) => source.trim_end().len(),
            (true, Some(_)) => end,
            (true, None) => return Err(self.refuse(0, "the document is closed before it begins")),
        };
        match source[..last].trim_start_matches('\u{feff}').is_empty() {
            true => {
                let ending = self.lines.usual_ending();
                let text: String = lines.iter().flat_map(|line| [line, ending]).collect();
                self.patches.push(Patch::insert(last, text));
            }
            false => self.insert_lines_after(last, &lines),
        }
        Ok(())
    }

    /// Adds items at the end of a sequence, levels below them deeper by `step`.
    pub(super) fn add_items(&mut self, sequence: NodeId, items: &[Fresh], step: usize) -> Planned {
        let members: Vec<_> = self.tree.items(sequence).to_vec();
        let texts: Vec<_> = items.iter().map(Fresh::flow).collect();
        let (Some(first), Some(last)) = (members.first(), members.last()) else {
            return self.add_flow(sequence, None, &texts);
        };
        if self.layout(sequence) == Layout::Flow {
            let ends = (self.tree.start(*first), self.tree.end(*last));
            return self.add_flow(sequence, Some(ends), &texts);
        }
        let (Some(dash), Some(last)) = (self.dash(*first), self.dash(*last)) else {
            return Err(self.refuse_node(sequence, "the dash of an item is not found"));
        };
        let indent = self.lines.column(dash);
        let lines: Vec<_> = items
            .iter()
            .flat_map(|item| item_lines(item, indent, step))
            .collect();
        self.append_lines(sequence, last, &lines)
    }

    /// The byte of the `-` that stands before an item of a block sequence.
    fn dash(&self, item: NodeId) -> Option<usize> {
        let before = self.tree.source[..self.tree.start(item)].trim_end();
        before.ends_with('-').then(|| before.len() - 1)
    }

    /// Adds members to a flow collection whose members so far begin and end at `ends`.
    ///
    /// Where it takes several lines the new ones get lines of their own, without a comma on somebody else's line.
    fn add_flow(&mut self, id: NodeId, ends: Option<(usize, usize)>, texts: &[String]) -> Planned {
        let range = self.tree.node(id).range.clone();
        let open = range.start + 1;
        let Some((first, last)) = ends else {
            self.patches.push(Patch::insert(open, texts.join(", ")));
            return Ok(());
        };
        let one_line = self.lines.number(range.start) == self.lines.number(range.end);
        if one_line {
            let text = format!(", {}", texts.join(", "));
            self.patches
                .push(match self.trailing_comma(last, range.end) {
                    Some(comma) => Patch::insert(comma, format!(" {}", texts.join(", "))),
                    None => Patch::insert(last, text),
                });
            return Ok(());
        }
        if !self.lines.leads(first) {
            let text = format!("{}, ", texts.join(", "));
            self.patches.push(Patch::insert(open, text));
            return Ok(());
        }
        let indent = " ".repeat(self.lines.column(first));
        let lines: Vec<_> = texts
            .iter()
            .map(|text| format!("{indent}{text},"))
            .collect();
        match self.trailing_comma(last, range.end) {
            Some(comma) if self.lines.number(comma) < self.lines.number(range.end) => {
                self.insert_lines_after(comma - 1, &lines);
            }
            _ => self.insert_lines_before(first, &lines),
        }
        Ok(())
    }

    /// The byte after the comma between the last member and the closing bracket.
    fn trailing_comma(&self, from: usize, to: usize) -> Option<usize> {
        let mut comment = false;
        for (offset, byte) in self.tree.source[from..to].bytes().enumerate() {
            match byte {
                b'#' => comment = true,
                b'\n' | b'\r' => comment = false,
                b',' if !comment => return Some(from + offset + 1),
                _ => {}
            }
        }
        None
    }

    /// Puts a new value in the place of an alias, of nothing, or of an empty collection; tag and anchor stay.
    pub(super) fn replace_value(
        &mut self,
        (key, value): (NodeId, NodeId),
        parent: Layout,
        fresh: &Fresh,
        step: usize,
    ) -> Planned {
        let Some(colon) = self.after_colon(key) else {
            return Err(self.refuse_node(key, "this key has no colon of its own"));
        };
        let node = self.tree.node(value);
        let absent = matches!(node.kind, Kind::Scalar(_, Style::Absent));
        let from = match absent {
            true => colon.max(self.tree.end(value)),
            false => node.range.start,
        };
        let to = from.max(node.range.end);
        let indent = self.lines.column(self.tree.start(key)) + step;
        let same_line = self.lines.number(colon) == self.lines.number(to);
        match fresh.lines(indent, step) {
            Some(lines) if parent == Layout::Block && same_line => {
                let kept = self.tree.source[..from].trim_end_matches([' ', '\t']).len();
                if kept < to {
                    self.patches.push(Patch::replace(kept..to, ""));
                }
                self.insert_lines_after(to, &lines);
            }
            _ if absent => self
                .patches
                .push(Patch::insert(from, format!(" {}", fresh.flow()))),
            _ => self.patches.push(Patch::replace(from..to, fresh.flow())),
        }
        Ok(())
    }

    /// Gives an entry another literal value on its line, in the style the old one is written in.
    pub(super) fn set_scalar(
        &mut self,
        (key, value): (NodeId, NodeId),
        layout: Layout,
        literal: &str,
    ) -> Planned {
        let quoted = double(literal);
        self.set_text((key, value), layout, literal, &quoted)
    }

    /// Gives an entry another plain word on its line, in the style the old one is written in.
    pub(super) fn set_word(
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
    pub(super) fn set_item(&mut self, item: NodeId, layout: Layout, literal: &str) -> Planned {
        let node = self.tree.node(item);
        let range = node.range.clone();
        let text = match node.kind {
            _ if node.tag.is_some() => None,
            Kind::Scalar(_, Style::Absent) => None,
            Kind::Scalar(_, style) => Some(styled(literal, style, layout)),
            Kind::Alias(_) => Some(double(literal)),
            Kind::Mapping(..) | Kind::Sequence(..) => None,
        };
        let Some(text) = text else {
            return Err(self.refuse_node(item, "the item to replace is no simple scalar"));
        };
        self.patches.push(Patch::replace(range, text));
        Ok(())
    }

    /// Removes a member that begins at `from` and ends at `to`, and is followed by another that begins at `next`.
    pub(super) fn remove(
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

    /// Where a member of a block or flow sequence begins, its dash included.
    pub(super) fn item_start(&self, item: NodeId, layout: Layout) -> usize {
        let start = self.tree.start(item);
        match layout {
            Layout::Flow => start,
            Layout::Block => self.dash(item).unwrap_or(start),
        }
    }
}
