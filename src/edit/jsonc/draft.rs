//! A planned edit: the meaning the text should have, and the patches that produce it.

use super::meaning::{JsonMeaning, JsonStyle, quote_json, render_member};
use super::tree::{JsonNode, JsonTree};
use crate::edit::patch::{self, TextPatch};
use crate::edit::refusal::EditRefusal;
use crate::edit::text::{LineEnding, line_start};

/// A text, its planned meaning, and the patches planned so far.
#[derive(Debug)]
pub(super) struct JsonDraft<'a> {
    pub(super) tree: JsonTree<'a>,
    /// The planned meaning of the text. Each planned patch must update it as well.
    pub(super) planned: JsonMeaning,
    mark: &'static str,
    style: JsonStyle<'a>,
    patches: Vec<TextPatch>,
}

/// A new member, or a new element if it has no name.
pub(super) type NewJsonMember = (Option<String>, JsonMeaning);

impl<'a> JsonDraft<'a> {
    pub(super) fn open(source: &'a str) -> Result<Self, EditRefusal> {
        let (mark, body) = match source.strip_prefix('\u{feff}') {
            Some(body) => ("\u{feff}", body),
            None => ("", source),
        };
        let tree = JsonTree::parse(body)?;
        Ok(Self {
            planned: JsonMeaning::of(&tree.root),
            mark,
            style: JsonStyle {
                newline: LineEnding::of(body).text(),
                step: detect_indent_step(&tree),
            },
            patches: Vec::new(),
            tree,
        })
    }

    /// Adds members to an object, or elements to an array, after the existing ones.
    pub(super) fn append(&mut self, container: &JsonNode, fresh: &[NewJsonMember]) {
        let last = match container.members().last() {
            Some(member) => Some((member.start, member.value.range.end)),
            None => {
                container.elements().last().map(|element| (element.range.start, element.range.end))
            }
        };
        match last {
            _ if fresh.is_empty() => {}
            Some((start, end)) => self.append_after(start, end, fresh),
            None => self.fill(container, fresh),
        }
    }

    fn append_after(&mut self, start: usize, end: usize, fresh: &[NewJsonMember]) {
        let comma = self.tree.comma_after(end);
        let closing = if comma.is_some() { "," } else { "" };
        let Some(indent) = self.own_line(start) else {
            let (at, lead) = match &comma {
                Some(comma) => (comma.end, " "),
                None => (end, ", "),
            };
            let texts: Vec<String> = fresh.iter().map(|fresh| self.text(fresh, None)).collect();
            let text = format!("{lead}{}{closing}", texts.join(", "));
            self.patches.push(TextPatch::insert(at, text));
            return;
        };
        if comma.is_none() {
            self.patches.push(TextPatch::insert(end, ","));
        }
        let place = self.tree.line_place(comma.map_or(end, |comma| comma.end));
        let lines = self.lines(fresh, indent);
        let text = format!("{}{lines}{closing}", self.style.newline);
        self.patches.push(TextPatch::insert(place, text));
    }

    /// Adds the first members to an empty container.
    fn fill(&mut self, container: &JsonNode, fresh: &[NewJsonMember]) {
        let inside = container.range.start + 1..container.range.end - 1;
        let bare = !self.tree.has_comment(inside.clone());
        if bare && fresh.iter().all(|(name, _)| name.is_none()) {
            let texts: Vec<String> = fresh.iter().map(|fresh| self.text(fresh, None)).collect();
            let patch = TextPatch::replace(inside, texts.join(", "));
            return self.patches.push(patch);
        }
        let outer = self.indent(container.range.start);
        let inner = format!("{outer}{}", self.style.step);
        let newline = self.style.newline;
        let lines = format!("{newline}{}", self.lines(fresh, &inner));
        let end = format!("{newline}{outer}");
        if bare {
            return self.patches.push(TextPatch::replace(inside, format!("{lines}{end}")));
        }
        let place = self.tree.line_place(inside.start);
        let rest = if self.tree.breaks_at(place) { "" } else { &end };
        let patch = TextPatch::insert(place, format!("{lines}{rest}"));
        self.patches.push(patch);
    }

    /// Replaces a value with a string.
    pub(super) fn replace_text(&mut self, value: &JsonNode, text: &str) {
        self.patches.push(TextPatch::replace(value.range.clone(), quote_json(text)));
    }

    /// Replaces a value with an object whose first member is that value, followed by `others`.
    pub(super) fn wrap(&mut self, value: &JsonNode, name: &str, others: &[NewJsonMember]) {
        let outer = self.indent(value.range.start);
        let inner = format!("{outer}{}", self.style.step);
        let newline = self.style.newline;
        self.patches.push(TextPatch::insert(
            value.range.start,
            format!("{{{newline}{inner}{}: ", quote_json(name)),
        ));
        let lines = self.lines(others, &inner);
        self.patches.push(TextPatch::insert(
            value.range.end,
            format!(",{newline}{lines}{newline}{outer}}}"),
        ));
    }

    /// Applies every patch and parses the result, which must have the planned meaning and all comments.
    pub(super) fn proven(&self) -> Result<String, EditRefusal> {
        let at = self.tree.root.range.start;
        let text = patch::apply(self.tree.source, &self.patches)
            .ok_or_else(|| self.tree.refuse(at, "two of the changes overlap"))?;
        let after = JsonTree::parse(&text)
            .map_err(|_| self.tree.refuse(at, "the edit would break the file"))?;
        if JsonMeaning::of(&after.root) != self.planned || after.comments() != self.tree.comments()
        {
            return Err(self.tree.refuse(at, "the edit would change more than was planned"));
        }
        Ok(format!("{}{text}", self.mark))
    }

    /// Returns the indentation of a value that is the first on its line.
    fn own_line(&self, start: usize) -> Option<&'a str> {
        let before = &self.tree.source[line_start(self.tree.source, start)..start];
        let begins = start > 0 && self.tree.source[..start].contains('\n');
        (begins && before.trim_matches([' ', '\t']).is_empty()).then_some(before)
    }

    /// Returns the indentation of the line that contains the byte `at`.
    fn indent(&self, at: usize) -> &'a str {
        let line = &self.tree.source[line_start(self.tree.source, at)..at];
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    fn lines(&self, fresh: &[NewJsonMember], indent: &str) -> String {
        let lines: Vec<String> = fresh
            .iter()
            .map(|fresh| format!("{indent}{}", self.text(fresh, Some(indent))))
            .collect();
        lines.join(&format!(",{}", self.style.newline))
    }

    fn text(&self, (name, value): &NewJsonMember, indent: Option<&str>) -> String {
        match name {
            Some(name) => render_member(name, value, &self.style, indent),
            None => value.render(&self.style, indent),
        }
    }
}

/// Returns the additional indentation of the outermost object's members.
fn detect_indent_step<'a>(tree: &JsonTree<'a>) -> &'a str {
    let first = tree.root.members().first().map(|member| member.start);
    let line = first.map(|start| &tree.source[line_start(tree.source, start)..start]);
    line.filter(|line| !line.is_empty() && line.trim_matches([' ', '\t']).is_empty())
        .unwrap_or("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\"a\": 1, /* one */ \"b\": 2}";

    #[test]
    fn an_edit_that_says_something_else_or_loses_a_comment_is_refused() {
        let meaning = |text: &str| JsonMeaning::of(&JsonTree::parse(text).unwrap().root);
        let at = |part: &str| {
            let start = TEXT.find(part).unwrap();
            start..start + part.len()
        };
        for (planned, patches, is_proven) in [
            (TEXT, vec![], true),
            ("{\"a\": 3, \"b\": 2}", vec![TextPatch::replace(at("1"), "3")], true),
            (TEXT, vec![TextPatch::replace(at("1"), "3")], false),
            ("{\"a\": 3, \"b\": 2}", vec![], false),
            (TEXT, vec![TextPatch::replace(at("/* one */"), "")], false),
            (TEXT, vec![TextPatch::replace(at("one"), "two")], false),
            (TEXT, vec![TextPatch::replace(at("}"), "")], false),
            (
                TEXT,
                vec![TextPatch::replace(at("a"), "a"), TextPatch::replace(at("\"a\""), "\"a\"")],
                false,
            ),
        ] {
            let mut draft = JsonDraft::open(TEXT).unwrap();
            draft.planned = meaning(planned);
            draft.patches = patches;
            assert_eq!(draft.proven().is_ok(), is_proven, "{planned} {:?}", draft.patches);
        }
    }
}
