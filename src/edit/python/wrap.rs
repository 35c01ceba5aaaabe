//! Puts a function's body into a block, and inserts lines into the body.

use tree_sitter::Node;

use super::function::PythonFunction;
use super::scope::EarliestPlace;
use super::source::{PythonSource, walk_preorder};
use crate::edit::patch::TextPatch;
use crate::edit::text::{line_end, line_start};

/// A function body: where lines can be inserted, and their indentation.
#[derive(Debug, Clone)]
pub(crate) struct FunctionBody {
    /// The indentation of the body's statements.
    pub indent: String,
    /// One level of indentation more.
    pub step: String,
    start: usize,
    end: usize,
    shape: BodyShape,
}

/// The layout of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyShape {
    /// On separate lines.
    Lines,
    /// On the line of the `def`, after the colon.
    Inline,
}

/// Returns the body of a function without its docstring; `None` if it is empty otherwise.
pub(crate) fn body(
    source: &PythonSource<'_>,
    function: &PythonFunction<'_>,
) -> Option<FunctionBody> {
    let statements = function.statements();
    let (first, last) = (statements.first()?, statements.last()?);
    let outer = source.indent(function.node.start_byte());
    if source.shares_line(function.body) {
        let step = source.step();
        return Some(FunctionBody {
            indent: format!("{outer}{step}"),
            step,
            start: function.body.start_byte(),
            end: function.body.end_byte(),
            shape: BodyShape::Inline,
        });
    }
    let indent = source.indent(first.start_byte());
    let step = indent.strip_prefix(outer).filter(|step| !step.is_empty());
    Some(FunctionBody {
        step: step.map_or_else(|| source.step(), str::to_owned),
        indent: indent.to_owned(),
        start: with_comments(source, function, line_start(source.text, first.start_byte())),
        end: line_end(source.text, last.end_byte()),
        shape: BodyShape::Lines,
    })
}

/// Moves `at` up over the comments directly above the first statement, but not above the `def` or docstring.
fn with_comments(source: &PythonSource<'_>, function: &PythonFunction<'_>, mut at: usize) -> usize {
    let mut cursor = function.node.walk();
    let colon = function
        .node
        .children(&mut cursor)
        .find(|child| child.kind() == ":")
        .map_or(0, |colon| colon.end_byte());
    while line_start(source.text, at) > line_end(source.text, colon) {
        let above = line_start(source.text, at - 1);
        if !source.text[above..at].trim().starts_with('#') {
            break;
        }
        at = above;
    }
    at
}

/// Moves the body below `head`, a line that ends in a colon, with `first` as its first lines. Multi-line strings keep
/// their bytes.
pub(crate) fn nest(
    source: &PythonSource<'_>,
    body: &FunctionBody,
    head: &str,
    first: &[String],
) -> Vec<TextPatch> {
    let ending = source.ending.text();
    let mut text = format!("{}{head}{ending}", body.indent);
    for line in first {
        text.push_str(&format!("{}{}{line}{ending}", body.indent, body.step));
    }
    if body.shape == BodyShape::Inline {
        let before = source.text[..body.start].trim_end_matches([' ', '\t']).len();
        let inner = format!("{ending}{text}{}{}", body.indent, body.step);
        return vec![TextPatch::replace(before..body.start, inner)];
    }
    let mut patches = vec![TextPatch::insert(body.start, text)];
    let strings: Vec<Node<'_>> = walk_preorder(source.root())
        .filter(|node| {
            node.kind() == "string" && node.start_position().row != node.end_position().row
        })
        .collect();
    let mut at = body.start;
    while at < body.end {
        let next = line_end(source.text, at);
        let blank = source.text[at..next].trim().is_empty();
        let in_string = strings.iter().any(|node| node.start_byte() < at && at < node.end_byte());
        if !blank && !in_string {
            patches.push(TextPatch::insert(at, body.step.clone()));
        }
        at = next;
    }
    patches
}

/// Inserts lines after a statement, at its indentation plus `deeper`; `None` if another statement follows on its line.
pub(crate) fn insert_after(
    source: &PythonSource<'_>,
    statement: Node<'_>,
    deeper: &str,
    lines: &[String],
) -> Option<TextPatch> {
    let end = line_end(source.text, statement.end_byte());
    let behind = source.text[statement.end_byte()..end].trim();
    if source.shares_line(statement) || !(behind.is_empty() || behind.starts_with('#')) {
        return None;
    }
    let ending = source.ending.text();
    let indent = source.indent(statement.start_byte());
    let mut text = String::new();
    if !source.text[..end].ends_with('\n') {
        text.push_str(ending);
    }
    for line in lines {
        text.push_str(&format!("{indent}{deeper}{line}{ending}"));
    }
    Some(TextPatch::insert(end, text))
}

/// Inserts lines before a statement that begins its line, at its indentation.
pub(crate) fn insert_before(
    source: &PythonSource<'_>,
    statement: Node<'_>,
    lines: &[String],
) -> Option<TextPatch> {
    if source.shares_line(statement) {
        return None;
    }
    let indent = source.indent(statement.start_byte());
    let ending = source.ending.text();
    let text: String = lines.iter().map(|line| format!("{indent}{line}{ending}")).collect();
    Some(TextPatch::insert(line_start(source.text, statement.start_byte()), text))
}

/// Inserts lines before the body's first statement; `None` if the body is on the line of the `def`.
fn insert_first(
    source: &PythonSource<'_>,
    body: &FunctionBody,
    lines: &[String],
) -> Option<TextPatch> {
    if body.shape == BodyShape::Inline {
        return None;
    }
    let ending = source.ending.text();
    let text: String = lines.iter().map(|line| format!("{}{line}{ending}", body.indent)).collect();
    Some(TextPatch::insert(body.start, text))
}

/// Inserts lines at the earliest possible place without moving the body.
pub(crate) fn insert_at(
    source: &PythonSource<'_>,
    body: &FunctionBody,
    place: EarliestPlace<'_>,
    lines: &[String],
) -> Option<TextPatch> {
    match place {
        EarliestPlace::Start => insert_first(source, body, lines),
        EarliestPlace::After(statement) => insert_after(source, statement, "", lines),
    }
}
