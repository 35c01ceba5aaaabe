//! Parses JSON with comments into nodes with byte ranges, and records the commas and comments between them.
//!
//! As strict as editors are: comments and trailing commas are allowed, missing commas and bare words are not.

use std::ops::Range;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::tokens::Token;
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, parse_to_ast};

use crate::edit::refusal::EditRefusal;

/// A value and its byte range.
#[derive(Debug, Clone)]
pub(super) struct JsonNode {
    pub(super) range: Range<usize>,
    pub(super) kind: JsonKind,
}

/// The kind of a value.
#[derive(Debug, Clone)]
pub(super) enum JsonKind {
    Object(Vec<JsonMember>),
    Array(Vec<JsonNode>),
    Text(String),
    /// A number, `true`, `false` or `null`, as written.
    Word(String),
}

/// A name and its value.
#[derive(Debug, Clone)]
pub(super) struct JsonMember {
    pub(super) name: String,
    /// The byte the name begins at.
    pub(super) start: usize,
    pub(super) value: JsonNode,
}

/// A token between values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JsonMark {
    Comment,
    Comma,
    Other,
}

/// A parsed text without its byte order mark.
#[derive(Debug)]
pub(super) struct JsonTree<'a> {
    pub(super) source: &'a str,
    pub(super) root: JsonNode,
    marks: Vec<(Range<usize>, JsonMark)>,
}

impl<'a> JsonTree<'a> {
    /// Parses a text that has no byte order mark.
    pub(super) fn parse(source: &'a str) -> Result<Self, EditRefusal> {
        let collect =
            CollectOptions { comments: CommentCollectionStrategy::AsTokens, tokens: true };
        let parsed = parse_to_ast(source, &collect, &STRICT).map_err(|error| {
            let words = error.kind().to_string().to_lowercase();
            json_refusal(source, error.range().start, format!("this is not valid JSON: {words}"))
        })?;
        let root = parsed
            .value
            .ok_or_else(|| json_refusal(source, 0, "there is no JSON in this file".to_owned()))?;
        let tokens = parsed.tokens.unwrap_or_default();
        let marks = tokens.into_iter().map(|token| {
            let mark = match token.token {
                Token::CommentLine(_) | Token::CommentBlock(_) => JsonMark::Comment,
                Token::Comma => JsonMark::Comma,
                _ => JsonMark::Other,
            };
            (token.range.start..token.range.end, mark)
        });
        Ok(Self { source, root: convert_node(root), marks: marks.collect() })
    }

    /// Returns a refusal that points at the byte `at`.
    pub(super) fn refuse(&self, at: usize, reason: impl Into<String>) -> EditRefusal {
        json_refusal(self.source, at, reason.into())
    }

    /// Returns the comments, in source order.
    pub(super) fn comments(&self) -> Vec<&'a str> {
        let comments = self.marks.iter().filter(|(_, mark)| *mark == JsonMark::Comment);
        comments.map(|(range, _)| &self.source[range.clone()]).collect()
    }

    /// Returns the comma after a value that ends at `end`, skipping comments.
    pub(super) fn comma_after(&self, end: usize) -> Option<Range<usize>> {
        let mut next = self.marks[self.first_mark(end)..]
            .iter()
            .filter(|(_, mark)| *mark != JsonMark::Comment);
        next.next().filter(|(_, mark)| *mark == JsonMark::Comma).map(|(range, _)| range.clone())
    }

    /// Returns whether `range` contains a comment.
    pub(super) fn has_comment(&self, range: Range<usize>) -> bool {
        let marks = &self.marks[self.first_mark(range.start)..];
        marks
            .iter()
            .take_while(|(place, _)| place.start < range.end)
            .any(|(_, mark)| *mark == JsonMark::Comment)
    }

    /// Returns the byte after `at` where a new line can begin: after any comments that begin on the same line, and
    /// after trailing blanks.
    pub(super) fn line_place(&self, at: usize) -> usize {
        let blanks = |at: usize| {
            let rest = &self.source[at..];
            at + rest.len() - rest.trim_start_matches([' ', '\t']).len()
        };
        let mut place = at;
        loop {
            let next = blanks(place);
            let mark = self.marks.get(self.first_mark(next));
            match mark.filter(|(range, mark)| range.start == next && *mark == JsonMark::Comment) {
                Some((comment, _)) => place = comment.end,
                None if self.breaks_at(next) => return next,
                None => return place,
            }
        }
    }

    /// Returns whether a line ends at the byte `at`.
    pub(super) fn breaks_at(&self, at: usize) -> bool {
        let rest = &self.source[at..];
        rest.is_empty() || rest.starts_with(['\n', '\r'])
    }

    fn first_mark(&self, at: usize) -> usize {
        self.marks.partition_point(|(range, _)| range.start < at)
    }
}

impl JsonNode {
    /// Returns the members of an object; empty for any other value.
    pub(super) fn members(&self) -> &[JsonMember] {
        match &self.kind {
            JsonKind::Object(members) => members,
            _ => &[],
        }
    }

    /// Returns the elements of an array; empty for any other value.
    pub(super) fn elements(&self) -> &[JsonNode] {
        match &self.kind {
            JsonKind::Array(elements) => elements,
            _ => &[],
        }
    }

    /// Returns the value of a member. If a name repeats, the last member counts, as in every JSON parser.
    pub(super) fn get(&self, name: &str) -> Option<&JsonNode> {
        let mut named = self.members().iter().rev();
        named.find(|member| member.name == name).map(|member| &member.value)
    }

    /// Returns the content of a string.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            JsonKind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns a number or a word, as written.
    pub(super) fn word(&self) -> Option<&str> {
        match &self.kind {
            JsonKind::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// The syntax of `devcontainer.json`: JSON with comments and trailing commas, without other JSON5 extensions.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_loose_object_property_names: false,
    allow_trailing_commas: true,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

fn convert_node(value: ast::Value<'_>) -> JsonNode {
    let range = value.range().start..value.range().end;
    let kind = match value {
        ast::Value::Object(object) => {
            let members = object.properties.into_iter().map(|property| JsonMember {
                start: property.range.start,
                name: property.name.into_string(),
                value: convert_node(property.value),
            });
            JsonKind::Object(members.collect())
        }
        ast::Value::Array(array) => {
            JsonKind::Array(array.elements.into_iter().map(convert_node).collect())
        }
        ast::Value::StringLit(text) => JsonKind::Text(text.value.into_owned()),
        ast::Value::NumberLit(number) => JsonKind::Word(number.value.to_owned()),
        ast::Value::BooleanLit(word) => JsonKind::Word(word.value.to_string()),
        ast::Value::NullKeyword(_) => JsonKind::Word("null".to_owned()),
    };
    JsonNode { range, kind }
}

fn json_refusal(source: &str, at: usize, reason: String) -> EditRefusal {
    let before = source.get(..at).unwrap_or(source);
    let line = before.matches('\n').count();
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    EditRefusal {
        reason,
        hint: None,
        line: line + 1,
        column: before[start..].chars().count() + 1,
        text: source.lines().nth(line).unwrap_or_default().to_owned(),
        paste: String::new(),
    }
}
