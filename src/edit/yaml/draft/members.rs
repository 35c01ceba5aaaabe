//! Adds entries and items to existing collections.

use super::super::fresh::{NewYamlValue, entry_lines, flow_entry, item_lines};
use super::super::tree::{CollectionLayout, NodeId};
use super::{PlannedEdit, YamlDraft};
use crate::edit::patch::TextPatch;

impl YamlDraft<'_> {
    /// Appends lines to a block collection, after its last line of content.
    ///
    /// If a block scalar without a final line break ends the text, appending would add that line break to it; in that
    /// case the lines go before the last member, which begins at `last`.
    fn append_lines(&mut self, collection: NodeId, last: usize, lines: &[String]) -> PlannedEdit {
        let end = self.tree.end(collection);
        if !self.tree.ends_open(collection) {
            self.insert_lines_after(end, lines);
            return Ok(());
        }
        if !self.lines.leads(last) {
            return Err(
                self.refuse(last, "the text ends inside a block scalar, without a line break")
            );
        }
        self.insert_lines_before(last, lines);
        Ok(())
    }

    /// Appends entries to a mapping, indenting nested levels by `step`.
    pub(in crate::edit::yaml) fn add_entries(
        &mut self,
        mapping: NodeId,
        entries: &[(String, NewYamlValue)],
        step: usize,
    ) -> PlannedEdit {
        let members: Vec<_> = self.tree.entries(mapping).to_vec();
        let (Some(first), Some(last), false) =
            (members.first(), members.last(), entries.is_empty())
        else {
            let texts: Vec<_> = entries.iter().map(flow_entry).collect();
            return self.add_flow(mapping, None, &texts);
        };
        if self.layout(mapping) == CollectionLayout::Flow {
            let texts: Vec<_> = entries.iter().map(flow_entry).collect();
            let colon = self.after_colon(last.0).unwrap_or(0);
            let ends = (self.tree.start(first.0), self.tree.pair_end(*last).max(colon));
            return self.add_flow(mapping, Some(ends), &texts);
        }
        let indent = self.lines.column(self.tree.start(first.0));
        let lines: Vec<_> =
            entries.iter().flat_map(|entry| entry_lines(entry, indent, step)).collect();
        self.append_lines(mapping, self.tree.start(last.0), &lines)
    }

    /// Appends lines to a block mapping at the indentation of its entries, after a blank line if its last entry
    /// follows one.
    pub(in crate::edit::yaml) fn add_lines(
        &mut self,
        mapping: NodeId,
        lines: &[String],
    ) -> PlannedEdit {
        let members = self.tree.entries(mapping);
        let (Some(first), Some(last)) = (members.first(), members.last()) else {
            return Err(self.refuse_node(mapping, "there is no entry next to it"));
        };
        let (first, last) = (self.tree.start(first.0), self.tree.start(last.0));
        let indent = self.lines.column(first);
        let above = self.lines.start(last).saturating_sub(1);
        let apart = first < last && self.lines.text(above).trim().is_empty();
        let blank = apart.then(String::new).into_iter();
        let lines: Vec<_> =
            blank.chain(lines.iter().map(|line| indent_line(line, indent))).collect();
        self.append_lines(mapping, last, &lines)
    }

    /// Appends top-level lines to the document, after everything except trailing blank lines, comments included; before
    /// trailing comments if a marker closes the document.
    pub(in crate::edit::yaml) fn append_to_document(&mut self, lines: &[String]) -> PlannedEdit {
        let source = &*self.tree.source;
        let root = self.tree.root();
        let indent = root.map_or(0, |root| {
            let first = self.tree.entries(root).first();
            first.map_or(0, |(key, _)| self.lines.column(self.tree.start(*key)))
        });
        let lines: Vec<_> = lines.iter().map(|line| indent_line(line, indent)).collect();
        let end = root.map_or(0, |root| self.tree.end(root));
        let closed = source[end..].lines().any(|line| line.starts_with("..."));
        let last = match (closed, root) {
            (false, _) => source.trim_end().len(),
            (true, Some(_)) => end,
            (true, None) => return Err(self.refuse(0, "the document is closed before it begins")),
        };
        if source[..last].trim_start_matches('\u{feff}').is_empty() {
            let ending = self.lines.usual_ending();
            let text: String = lines.iter().flat_map(|line| [line, ending]).collect();
            self.patches.push(TextPatch::insert(last, text));
        } else {
            self.insert_lines_after(last, &lines)
        }
        Ok(())
    }

    /// Appends items to a sequence, indenting nested levels by `step`.
    pub(in crate::edit::yaml) fn add_items(
        &mut self,
        sequence: NodeId,
        items: &[NewYamlValue],
        step: usize,
    ) -> PlannedEdit {
        let members: Vec<_> = self.tree.items(sequence).to_vec();
        let texts: Vec<_> = items.iter().map(NewYamlValue::flow).collect();
        let (Some(first), Some(last)) = (members.first(), members.last()) else {
            return self.add_flow(sequence, None, &texts);
        };
        if self.layout(sequence) == CollectionLayout::Flow {
            let ends = (self.tree.start(*first), self.tree.end(*last));
            return self.add_flow(sequence, Some(ends), &texts);
        }
        let (Some(dash), Some(last)) = (self.dash(*first), self.dash(*last)) else {
            return Err(self.refuse_node(sequence, "the dash of an item is not found"));
        };
        let indent = self.lines.column(dash);
        let lines: Vec<_> = items.iter().flat_map(|item| item_lines(item, indent, step)).collect();
        self.append_lines(sequence, last, &lines)
    }

    /// Appends members to a flow collection whose existing members begin and end at `ends`.
    ///
    /// In a collection of several lines, new members get separate lines, without adding a comma to an existing line.
    fn add_flow(
        &mut self,
        id: NodeId,
        ends: Option<(usize, usize)>,
        texts: &[String],
    ) -> PlannedEdit {
        let range = self.tree.node(id).range.clone();
        let open = range.start + 1;
        let Some((first, last)) = ends else {
            self.patches.push(TextPatch::insert(open, texts.join(", ")));
            return Ok(());
        };
        let one_line = self.lines.number(range.start) == self.lines.number(range.end);
        if one_line {
            // An older parser reads `A:,` as one word.
            let apart = if self.tree.source[..last].ends_with(':') { " " } else { "" };
            let text = format!("{apart}, {}", texts.join(", "));
            self.patches.push(match self.trailing_comma(last, range.end) {
                Some(comma) => TextPatch::insert(comma, format!(" {}", texts.join(", "))),
                None => TextPatch::insert(last, text),
            });
            return Ok(());
        }
        if !self.lines.leads(first) {
            let text = format!("{}, ", texts.join(", "));
            self.patches.push(TextPatch::insert(open, text));
            return Ok(());
        }
        let indent = " ".repeat(self.lines.column(first));
        let lines: Vec<_> = texts.iter().map(|text| format!("{indent}{text},")).collect();
        match self.trailing_comma(last, range.end) {
            Some(comma) if self.lines.number(comma) < self.lines.number(range.end) => {
                self.insert_lines_after(comma - 1, &lines);
            }
            _ => self.insert_lines_before(first, &lines),
        }
        Ok(())
    }

    /// Returns the byte after a trailing comma before the closing bracket.
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
}

/// Indents a line; a blank line stays empty.
pub(in crate::edit::yaml) fn indent_line(line: &str, indent: usize) -> String {
    if line.trim().is_empty() { String::new() } else { format!("{:indent$}{line}", "") }
}
