//! Builds nodes from parser events.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, ScalarStyle, Span, StructureStyle};

use super::{
    CollectionLayout, NodeAnchor, NodeId, NodeTag, ScalarQuoting, ScalarText, YamlKind, YamlNode,
    YamlTree,
};

/// An unfinished collection: its node, and the start of its members in the shared stack.
struct OpenCollection {
    id: NodeId,
    members: usize,
}

#[derive(Default)]
pub(super) struct TreeBuilder {
    open: Vec<OpenCollection>,
    /// Items, or alternating keys and values.
    members: Vec<NodeId>,
    /// Anchors by the parser's number.
    anchors: HashMap<usize, NodeId>,
    last: Option<NodeId>,
}

impl TreeBuilder {
    pub(super) fn take(&mut self, tree: &mut YamlTree, event: Event<'_>, span: Span, mark: usize) {
        let range = span.byte_range().map_or(0..0, |range| range.start + mark..range.end + mark);
        let tag = |tag: Option<Cow<'_, granit_parser::Tag>>| {
            let start = span.tag_start().and_then(|marker| marker.byte_offset());
            tag.map(|tag| {
                Box::new(NodeTag {
                    text: tag.original(),
                    start: start.map_or(range.start, |start| start + mark),
                })
            })
        };
        match event {
            Event::DocumentStart(..) => tree.document_starts.push(range.start),
            Event::Scalar(text, style, anchor, named) => {
                let tag = tag(named);
                let (kind, range) = build_scalar(&tree.source, text, style, range);
                self.add(tree, kind, range, anchor, tag);
            }
            Event::MappingStart(style, anchor, named) => {
                let kind = YamlKind::Mapping(Box::default(), convert_layout(style));
                let tag = tag(named);
                let id = self.add(tree, kind, range, anchor, tag);
                self.open(id);
            }
            Event::SequenceStart(style, anchor, named) => {
                let kind = YamlKind::Sequence(Box::default(), convert_layout(style));
                let tag = tag(named);
                let id = self.add(tree, kind, range, anchor, tag);
                self.open(id);
            }
            Event::MappingEnd | Event::SequenceEnd => self.close(tree, range.end),
            Event::Alias(target) => {
                tree.has_aliases = true;
                if let Some(target) = self.anchors.get(&target).copied() {
                    self.add(tree, YamlKind::Alias(target), range, 0, None);
                }
            }
            Event::Anchor(_, name) => {
                if let Some(id) = self.last {
                    let name = name.into_owned();
                    tree.nodes[id.number()].anchor = Some(Box::new(NodeAnchor { name, range }));
                }
            }
            _ => {}
        }
    }

    fn add(
        &mut self,
        tree: &mut YamlTree,
        kind: YamlKind,
        range: Range<usize>,
        anchor: usize,
        tag: Option<Box<NodeTag>>,
    ) -> NodeId {
        let id = NodeId::at(tree.nodes.len());
        tree.nodes.push(YamlNode { kind, range, anchor: None, tag });
        self.last = Some(id);
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        if self.open.is_empty() {
            tree.roots.push(id)
        } else {
            self.members.push(id)
        }
        id
    }

    fn open(&mut self, id: NodeId) {
        let members = self.members.len();
        self.open.push(OpenCollection { id, members });
    }

    fn close(&mut self, tree: &mut YamlTree, end: usize) {
        let Some(open) = self.open.pop() else { return };
        let members = &self.members[open.members..];
        let kind = &tree.nodes[open.id.number()].kind;
        let end = match kind {
            YamlKind::Mapping(_, CollectionLayout::Block)
            | YamlKind::Sequence(_, CollectionLayout::Block) => {
                members.iter().map(|member| tree.end(*member)).max()
            }
            _ => Some(end),
        };
        let node = &mut tree.nodes[open.id.number()];
        match &mut node.kind {
            YamlKind::Mapping(entries, _) => {
                let pairs = members.chunks_exact(2).map(|pair| (pair[0], pair[1]));
                *entries = pairs.collect();
            }
            YamlKind::Sequence(items, _) => *items = members.into(),
            YamlKind::Scalar(..) | YamlKind::Alias(_) => {}
        }
        self.members.truncate(open.members);
        node.range.end = end.unwrap_or(node.range.end).max(node.range.start);
    }
}

fn build_scalar(
    source: &str,
    text: Cow<'_, str>,
    style: ScalarStyle,
    range: Range<usize>,
) -> (YamlKind, Range<usize>) {
    let style = match style {
        ScalarStyle::Plain if range.is_empty() => ScalarQuoting::Absent,
        ScalarStyle::Plain => ScalarQuoting::Plain,
        ScalarStyle::SingleQuoted => ScalarQuoting::Single,
        ScalarStyle::DoubleQuoted => ScalarQuoting::Double,
        _ => {
            let (text, range) = block_scalar(source, text, range);
            return (YamlKind::Scalar(ScalarText::Read(text.into()), ScalarQuoting::Block), range);
        }
    };
    let quote = usize::from(matches!(style, ScalarQuoting::Single | ScalarQuoting::Double));
    let inner = range.start + quote..range.end.saturating_sub(quote);
    let text = if source.get(inner.clone()) == Some(&*text) {
        ScalarText::verbatim(&inner)
    } else {
        ScalarText::Read(text.into())
    };
    (YamlKind::Scalar(text, style), range)
}

/// Returns the text of a block scalar, and its bytes from the indicator to the end of its last line.
///
/// The parser's span begins at the content and continues over trailing blank lines and the indentation of the next
/// node. The parser also adds a line break to a scalar that ends the text without one, unlike other YAML readers.
fn block_scalar<'a>(
    source: &str,
    mut text: Cow<'a, str>,
    range: Range<usize>,
) -> (Cow<'a, str>, Range<usize>) {
    let start = find_block_indicator(source, range.start).unwrap_or(range.start);
    let broken = |end: usize| source[..end].ends_with(['\n', '\r']);
    if range.end == source.len() && !broken(range.end) {
        if text.ends_with('\n') {
            text.to_mut().pop();
        }
        return (text, start..range.end);
    }
    let lines = text.trim_end_matches('\n');
    let last = lines.rsplit('\n').next().unwrap_or_default();
    let blank_content =
        text.len() > lines.len() + 1 || (!last.is_empty() && last.trim().is_empty());
    let mut end = range.end;
    if text.is_empty() {
        end = source[..range.start].trim_end().len();
    } else if !blank_content {
        end = source[..end].trim_end().len();
    } else if broken(source[..end].trim_end_matches(' ').len()) {
        end = source[..end].trim_end_matches(' ').len();
    }
    if broken(end) {
        end -= if source[..end].ends_with("\r\n") { 2 } else { 1 };
    }
    (text, start..end.max(start))
}

/// Finds the `|` or `>` on the last non-blank line before a block scalar's content.
fn find_block_indicator(source: &str, content: usize) -> Option<usize> {
    let line = source[..content].trim_end();
    let begin = line.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let is_header = |at: usize| {
        let rest =
            line[at + 1..].trim_start_matches(|c: char| c.is_ascii_digit() || "+-".contains(c));
        rest.is_empty() || (rest.starts_with([' ', '\t']) && rest.trim_start().starts_with('#'))
    };
    let found = line[begin..].match_indices(['|', '>']);
    found.map(|(at, _)| begin + at).find(|at| is_header(*at))
}

fn convert_layout(style: StructureStyle) -> CollectionLayout {
    match style {
        StructureStyle::Block => CollectionLayout::Block,
        StructureStyle::Flow => CollectionLayout::Flow,
    }
}
