//! A Python text and its syntax tree. The only module that configures the parser.

use std::ops::Range;

use foldhash::{HashMap, HashMapExt};
use tree_sitter::{Node, Parser, Tree};

use super::compile::check_meaning;
use super::layout::check_layout;
use crate::edit::text::{LineEnding, line_end, line_start};
use crate::limits;

pub use tree_sitter::Node as SyntaxNode;

/// A Python file that parses without errors.
pub struct PythonSource<'a> {
    /// The text of the file.
    pub text: &'a str,
    /// Its line ending.
    pub ending: LineEnding,
    tree: Tree,
}

impl std::fmt::Debug for PythonSource<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}

/// The position of a syntax error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonSyntaxError {
    /// Line number, starting at 1.
    pub line: usize,
    /// Column in characters, starting at 1.
    pub column: usize,
    /// The line itself, without its ending.
    pub text: String,
    /// The error message.
    pub message: String,
}

impl<'a> PythonSource<'a> {
    /// Parses a file.
    ///
    /// # Errors
    /// The first position that is not valid Python, that Python does not compile, or that exceeds a limit.
    pub fn parse(text: &'a str) -> Result<Self, PythonSyntaxError> {
        if text.len() > limits::PYTHON_BYTES {
            let most = limits::PYTHON_BYTES >> 20;
            return Err(syntax_error(text, 0, &format!("the file is larger than {most} MiB")));
        }
        let mut parser = Parser::new();
        let tree = parser
            .set_language(&tree_sitter_python::LANGUAGE.into())
            .ok()
            .and_then(|()| parser.parse(text, None))
            .ok_or_else(|| syntax_error(text, 0, "the parser gave up"))?;
        if let Some(node) = first_error(tree.root_node()) {
            let message = if node.is_missing() {
                format!("`{}` is missing", node.kind())
            } else {
                "this is not valid Python".to_owned()
            };
            return Err(syntax_error(text, node.start_byte(), &message));
        }
        check_python_rules(text, tree.root_node())
            .map_err(|(at, message)| syntax_error(text, at, message))?;
        Ok(Self { text, ending: LineEnding::of(text), tree })
    }

    /// Returns the module node.
    pub fn root(&self) -> Node<'_> {
        self.tree.root_node()
    }

    /// Returns the text of a node.
    pub fn of(&self, node: Node<'_>) -> &'a str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    /// Returns the text of a byte range.
    pub fn of_range(&self, range: &Range<usize>) -> &'a str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// Returns the leading whitespace of the line that contains the byte `at`.
    pub fn indent(&self, at: usize) -> &'a str {
        let start = line_start(self.text, at);
        let line = &self.text[start..];
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    /// Returns one level of indentation, taken from the first indented block.
    pub fn step(&self) -> String {
        walk_preorder(self.root())
            .filter(|node| node.kind() == "block" && !self.shares_line(*node))
            .find_map(|block| {
                let inner = self.indent(block.start_byte());
                let outer = self.indent(block.parent()?.start_byte());
                inner.strip_prefix(outer).filter(|step| !step.is_empty())
            })
            .unwrap_or("    ")
            .to_owned()
    }

    /// Returns whether other code precedes the node on its line.
    pub fn shares_line(&self, node: Node<'_>) -> bool {
        let start = line_start(self.text, node.start_byte());
        !self.text[start..node.start_byte()]
            .trim_matches(['\u{feff}', ' ', '\t', '\u{c}'])
            .is_empty()
    }

    /// Returns the byte range of the module-level statement at `at`; an empty range at `at` if it is between
    /// statements.
    pub fn top_range(&self, at: usize) -> Range<usize> {
        let mut cursor = self.root().walk();
        let mut statements = self.root().children(&mut cursor);
        let node = statements.find(|node| node.byte_range().contains(&at));
        node.map_or(at..at, |node| node.byte_range())
    }

    /// Returns the number of the line, starting at 1.
    pub fn line_number(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }
}

/// Iterates over the node and its descendants, parents first, in source order.
pub fn walk_preorder(root: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    preorder_until(root, |_| false)
}

/// Iterates in the same way, without descending into nodes that are `closed`; the root is always entered.
pub fn preorder_until<'t>(
    root: Node<'t>,
    closed: impl Fn(Node<'t>) -> bool,
) -> impl Iterator<Item = Node<'t>> {
    let mut open = vec![root];
    let mut cursor = root.walk();
    std::iter::from_fn(move || {
        let node = open.pop()?;
        if node.child_count() > 0 && (node == root || !closed(node)) {
            let begin = open.len();
            open.extend(node.children(&mut cursor));
            open[begin..].reverse();
        }
        Some(node)
    })
}

/// The parent of each node. Tree-sitter itself searches from the root for each parent.
#[derive(Debug)]
pub struct NodeParents<'t>(HashMap<usize, Node<'t>>);

impl<'t> NodeParents<'t> {
    /// Visits every node of a file once.
    pub fn of(source: &'t PythonSource<'_>) -> Self {
        let mut above = HashMap::new();
        let mut cursor = source.root().walk();
        let mut open: Vec<Node<'t>> = Vec::new();
        loop {
            let node = cursor.node();
            above.extend(open.last().map(|parent| (node.id(), *parent)));
            if cursor.goto_first_child() {
                open.push(node);
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return Self(above);
                }
                open.pop();
            }
        }
    }

    /// Returns the parent; `None` for the module.
    pub fn parent(&self, node: Node<'t>) -> Option<Node<'t>> {
        self.0.get(&node.id()).copied()
    }

    /// Iterates over the node and its ancestors.
    pub fn upwards(&self, node: Node<'t>) -> impl Iterator<Item = Node<'t>> {
        std::iter::successors(Some(node), |inner| self.parent(*inner))
    }

    /// Returns the nearest ancestor of this kind.
    pub fn enclosing(&self, node: Node<'t>, kind: &str) -> Option<Node<'t>> {
        self.upwards(node).skip(1).find(|above| above.kind() == kind)
    }

    /// Returns the statement that contains a node, directly in a block or in the module.
    pub fn statement(&self, node: Node<'t>) -> Option<Node<'t>> {
        self.upwards(node).find(|inner| {
            self.parent(*inner).is_some_and(|outer| matches!(outer.kind(), "module" | "block"))
        })
    }

    /// Returns the module-level statement that contains a node.
    pub fn top_statement(&self, node: Node<'t>) -> Option<Node<'t>> {
        self.upwards(node)
            .find(|inner| self.parent(*inner).is_some_and(|outer| outer.kind() == "module"))
    }
}

/// The byte at which Python would stop, and the reason.
pub(super) type PythonFault = (usize, &'static str);

/// Checks rules that the grammar does not enforce.
fn check_python_rules(text: &str, root: Node<'_>) -> Result<(), PythonFault> {
    if let Some(at) = beyond_depth(root) {
        return Err((at, "code is nested too deeply here"));
    }
    let strings = preorder_until(root, |node| node.kind() == "string")
        .filter(|node| node.kind() == "string")
        .map(|node| node.byte_range());
    check_layout(text, &strings.collect::<Vec<_>>())?;
    check_meaning(text, root)
}

/// Returns the first byte at which the tree exceeds [`limits::PYTHON_DEPTH`].
fn beyond_depth(root: Node<'_>) -> Option<usize> {
    let mut cursor = root.walk();
    let mut depth = 0;
    loop {
        if depth > limits::PYTHON_DEPTH {
            return Some(cursor.node().start_byte());
        }
        if cursor.goto_first_child() {
            depth += 1;
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return None;
            }
            depth -= 1;
        }
    }
}

fn first_error(root: Node<'_>) -> Option<Node<'_>> {
    root.has_error()
        .then(|| walk_preorder(root).find(|node| node.is_error() || node.is_missing()))
        .flatten()
}

fn syntax_error(text: &str, at: usize, message: &str) -> PythonSyntaxError {
    let start = line_start(text, at);
    let end = line_end(text, at);
    PythonSyntaxError {
        line: text[..at].matches('\n').count() + 1,
        column: text[start..at].chars().count() + 1,
        text: text[start..end].trim_end_matches(['\n', '\r']).to_owned(),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_python_syntax_error_has_a_position() {
        let error = PythonSource::parse("import os\n\u{e9}t\u{e9} = (1,\n").unwrap_err();
        assert_eq!((error.line, error.text.as_str()), (2, "\u{e9}t\u{e9} = (1,"));
        assert!(PythonSource::parse("print 'old'\n").is_err());
        assert!(PythonSource::parse("\u{feff}import os\r\n").is_ok());
    }

    #[test]
    fn the_step_of_indentation_is_the_files_own() {
        let step = |text: &str| PythonSource::parse(text).unwrap().step();
        assert_eq!(step("if a:\n\tb\n"), "\t");
        assert_eq!(step("class A:\n  def f():\n      pass\n"), "  ");
        assert_eq!(step("if a: b\n"), "    ");
    }
}
