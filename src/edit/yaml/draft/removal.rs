//! Removes members: whole lines if nothing else is on them, otherwise the bytes up to a neighbour.

use std::ops::Range;

use super::super::tree::{CollectionLayout, NodeId, YamlKind};
use super::{PlannedEdit, YamlDraft};
use crate::edit::patch::TextPatch;

impl YamlDraft<'_> {
    /// Removes the members with the sorted indexes `removed` from a collection. Returns false and plans nothing if no
    /// member would be left or other text is in between.
    pub(in crate::edit::yaml) fn remove_members(&mut self, id: NodeId, removed: &[usize]) -> bool {
        let members = self.ranges(id);
        if removed.len() == members.len() {
            return false;
        }
        let Some(ranges) = self.member_ranges(id, &members, removed) else {
            return false;
        };
        let patches = ranges.into_iter().map(|range| TextPatch::replace(range, ""));
        self.patches.extend(patches);
        true
    }

    /// Takes members out of collections: of each the members at these positions, all of them where those are all it
    /// has. If blank lines separate the members, one of them is removed too.
    pub(in crate::edit::yaml) fn take_members(
        &mut self,
        collections: &[(NodeId, bool, Vec<usize>)],
    ) -> PlannedEdit {
        let mut removed_ranges: Vec<Range<usize>> = Vec::new();
        for (id, is_spaced, removed) in collections {
            let members = self.ranges(*id);
            let ranges = match (self.layout(*id), removed.len() == members.len()) {
                (CollectionLayout::Flow, true) => {
                    let range = &self.tree.node(*id).range;
                    Some(std::iter::once(range.start + 1..range.end - 1).collect())
                }
                _ => self.member_ranges(*id, &members, removed),
            };
            let Some(ranges) = ranges else {
                let at =
                    removed.first().and_then(|at| members.get(*at)).map_or(0, |range| range.start);
                return Err(self.refuse(at, "the lines to remove have something else in them"));
            };
            removed_ranges.extend(
                ranges
                    .into_iter()
                    .map(|range| if *is_spaced { self.with_blank_line(range) } else { range }),
            );
        }
        removed_ranges.sort_by_key(|range| range.start);
        let mut joined: Vec<Range<usize>> = Vec::new();
        for range in removed_ranges {
            match joined.last_mut() {
                Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
                _ => joined.push(range),
            }
        }
        // A text that ends without a line break ends so without these lines, too.
        if let Some(last) = joined.last_mut()
            && last.end == self.tree.source.len()
            && !self.tree.source.ends_with('\n')
            && self.lines.start(last.start) == last.start
        {
            let before = &self.tree.source[..last.start];
            let unended = before.strip_suffix('\n').unwrap_or(before);
            last.start = unended.strip_suffix('\r').unwrap_or(unended).len();
        }
        self.patches.extend(joined.into_iter().map(|range| TextPatch::replace(range, "")));
        Ok(())
    }

    /// Returns the bytes to remove for the members `removed`, if no other text is in between.
    fn member_ranges(
        &self,
        id: NodeId,
        members: &[Range<usize>],
        removed: &[usize],
    ) -> Option<Vec<Range<usize>>> {
        match self.layout(id) {
            CollectionLayout::Block => self.whole_lines(members, removed, ""),
            CollectionLayout::Flow => {
                let runs = group_consecutive(removed)
                    .into_iter()
                    .map(|run| self.flow_run(id, members, run));
                runs.collect::<Option<Vec<_>>>().map(|runs| runs.concat())
            }
        }
    }

    /// Returns the lines together with the blank line above them, if there is one.
    fn with_blank_line(&self, lines: Range<usize>) -> Range<usize> {
        match lines.start.checked_sub(1) {
            Some(above) if self.lines.text(above).trim().is_empty() => {
                self.lines.start(above)..lines.end
            }
            _ => lines,
        }
    }

    /// Returns the byte range of each member, dashes included.
    fn ranges(&self, id: NodeId) -> Vec<Range<usize>> {
        let layout = self.layout(id);
        let entries = self
            .tree
            .entries(id)
            .iter()
            .map(|entry| self.tree.start(entry.0)..self.entry_end(*entry));
        let items = self
            .tree
            .items(id)
            .iter()
            .map(|item| self.item_start(*item, layout)..self.tree.end(*item));
        entries.chain(items).collect()
    }

    /// Returns the end of an entry, including the colon of a last key without a value at any depth.
    fn entry_end(&self, entry: (NodeId, NodeId)) -> usize {
        let colon = self.after_colon(entry.0).unwrap_or(0);
        let end = self.tree.pair_end(entry).max(colon);
        match &self.tree.node(entry.1).kind {
            YamlKind::Mapping(entries, CollectionLayout::Block) => {
                entries.last().map_or(end, |last| end.max(self.entry_end(*last)))
            }
            _ => end,
        }
    }

    /// Returns the lines of these members, if they hold nothing else except `comma` and a comment.
    fn whole_lines(
        &self,
        members: &[Range<usize>],
        removed: &[usize],
        comma: &str,
    ) -> Option<Vec<Range<usize>>> {
        let lines = removed.iter().map(|index| {
            let Range { start, end } = members[*index];
            let rest = self.tree.source[end..self.lines.end(end).max(end)]
                .trim_start()
                .trim_start_matches(comma)
                .trim_start();
            let alone = self.lines.leads(start) && (rest.is_empty() || rest.starts_with('#'));
            alone.then(|| self.lines.start(start)..self.lines.next(end))
        });
        lines.collect()
    }

    /// Returns the byte range of adjacent members of a flow collection.
    fn flow_run(
        &self,
        id: NodeId,
        members: &[Range<usize>],
        run: Range<usize>,
    ) -> Option<Vec<Range<usize>>> {
        let removed: Vec<usize> = run.clone().collect();
        let lines = self.whole_lines(members, &removed, ",");
        let bare = |index: usize| {
            let gap = members[index].end..members[index + 1].start;
            !self.tree.source[gap].contains('#')
        };
        match members.get(run.end) {
            Some(next) => lines.or_else(|| {
                let clean = run.clone().all(bare);
                let cut = members[run.start].start..next.start;
                clean.then(|| Vec::from([cut]))
            }),
            None => {
                // JSON allows no comma before the closing bracket; YAML does.
                let text = &self.tree.source[self.tree.node(id).range.clone()];
                let json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
                let before = run.start.checked_sub(1)?;
                let clean = (before..run.end - 1).all(bare);
                // An older parser reads `A:}` as one word.
                let end = members[before].end;
                let apart = self.tree.source[..end].ends_with(':')
                    && self.tree.source[end..].starts_with(' ');
                let cut = end + usize::from(apart)..members[run.end - 1].end;
                lines.filter(|_| !json).or_else(|| clean.then(|| Vec::from([cut])))
            }
        }
    }
}

/// Groups consecutive numbers into ranges.
fn group_consecutive(numbers: &[usize]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some(run) if run.end == *number => run.end += 1,
            _ => runs.push(*number..*number + 1),
        }
    }
    runs
}
