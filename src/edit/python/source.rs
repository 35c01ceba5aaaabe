//! A Python text and its syntax tree. The only place that knows how the parser is set up.

use std::collections::HashMap;
use std::ops::Range;

use tree_sitter::{Node, Parser, Tree};

use super::compile::check_meaning;
use super::layout::check_layout;
use crate::edit::text::{Ending, line_end, line_start};
use crate::limits;

pub use tree_sitter::Node as SyntaxNode;

/// A Python file that parses.
pub struct Source<'a> {
    /// The file.
    pub text: &'a str,
    /// How its lines end.
    pub ending: Ending,
    tree: Tree,
}

impl std::fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}

/// Where a text stops being Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// 1 for the first line.
    pub line: usize,
    /// 1 for the first character.
    pub column: usize,
    /// The line itself, without its ending.
    pub text: String,
    /// What is wrong there.
    pub message: String,
}

impl<'a> Source<'a> {
    /// Reads a file.
    ///
    /// # Errors
    /// The first place that is not Python, that Python does not compile, or that goes beyond a ceiling.
    pub fn parse(text: &'a str) -> Result<Self, SyntaxError> {
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
                "this is not Python".to_owned()
            };
            return Err(syntax_error(text, node.start_byte(), &message));
        }
        check(text, tree.root_node()).map_err(|(at, message)| syntax_error(text, at, message))?;
        Ok(Self { text, ending: Ending::of(text), tree })
    }

    /// The module.
    pub fn root(&self) -> Node<'_> {
        self.tree.root_node()
    }

    /// A node as written.
    pub fn of(&self, node: Node<'_>) -> &'a str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    /// A range of bytes as written.
    pub fn of_range(&self, range: &Range<usize>) -> &'a str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// The whitespace the line of the byte `at` begins with.
    pub fn indent(&self, at: usize) -> &'a str {
        let start = line_start(self.text, at);
        let line = &self.text[start..];
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    /// One step of indentation, as the first indented block of the file has it.
    pub fn step(&self) -> String {
        preorder(self.root())
            .filter(|node| node.kind() == "block" && !self.shares_line(*node))
            .find_map(|block| {
                let inner = self.indent(block.start_byte());
                let outer = self.indent(block.parent()?.start_byte());
                inner.strip_prefix(outer).filter(|step| !step.is_empty())
            })
            .unwrap_or("    ")
            .to_owned()
    }

    /// Something else stands before the node on its line.
    pub fn shares_line(&self, node: Node<'_>) -> bool {
        let start = line_start(self.text, node.start_byte());
        !self.text[start..node.start_byte()]
            .trim_matches(['\u{feff}', ' ', '\t', '\u{c}'])
            .is_empty()
    }

    /// Whole lines from the first to the last byte of the node, endings included.
    pub fn lines(&self, node: Node<'_>) -> Range<usize> {
        line_start(self.text, node.start_byte())..line_end(self.text, node.end_byte())
    }

    /// The bytes of the module's own statement at the byte `at`; nothing but that byte between two.
    pub fn top_range(&self, at: usize) -> Range<usize> {
        let mut cursor = self.root().walk();
        let mut statements = self.root().children(&mut cursor);
        let node = statements.find(|node| node.byte_range().contains(&at));
        node.map_or(at..at, |node| node.byte_range())
    }

    /// 1 for the first line.
    pub fn line_number(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }
}

/// The node and everything below it, parents before children, in the order of the text.
pub fn preorder(root: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    preorder_until(root, |_| false)
}

/// The same, without what is below the nodes that are `closed`; the first node never is.
pub fn preorder_until<'t>(
    root: Node<'t>,
    closed: impl Fn(Node<'t>) -> bool,
) -> impl Iterator<Item = Node<'t>> {
    let mut open = vec![root];
    std::iter::from_fn(move || {
        let node = open.pop()?;
        if node == root || !closed(node) {
            let mut cursor = node.walk();
            let begin = open.len();
            open.extend(node.children(&mut cursor));
            open[begin..].reverse();
        }
        Some(node)
    })
}

/// What stands above each node of a tree: the tree itself finds that out by looking from its root each time.
#[derive(Debug)]
pub struct Parents<'t>(HashMap<usize, Node<'t>>);

impl<'t> Parents<'t> {
    /// Looks at every node of a file once.
    pub fn of(source: &'t Source<'_>) -> Self {
        let mut above = HashMap::new();
        for node in preorder(source.root()) {
            let mut cursor = node.walk();
            above.extend(node.children(&mut cursor).map(|child| (child.id(), node)));
        }
        Self(above)
    }

    /// The node right above; none above the module.
    pub fn parent(&self, node: Node<'t>) -> Option<Node<'t>> {
        self.0.get(&node.id()).copied()
    }

    /// The node itself, and all above it.
    pub fn upwards(&self, node: Node<'t>) -> impl Iterator<Item = Node<'t>> {
        std::iter::successors(Some(node), |inner| self.parent(*inner))
    }

    /// The nearest ancestor that is of this kind.
    pub fn enclosing(&self, node: Node<'t>, kind: &str) -> Option<Node<'t>> {
        self.upwards(node).skip(1).find(|above| above.kind() == kind)
    }

    /// The statement a node belongs to, directly in a block or in the module.
    pub fn statement(&self, node: Node<'t>) -> Option<Node<'t>> {
        self.upwards(node).find(|inner| {
            self.parent(*inner).is_some_and(|outer| matches!(outer.kind(), "module" | "block"))
        })
    }

    /// The statement of the module's own block that holds a node.
    pub fn top_statement(&self, node: Node<'t>) -> Option<Node<'t>> {
        self.upwards(node)
            .find(|inner| self.parent(*inner).is_some_and(|outer| outer.kind() == "module"))
    }
}

/// The byte at which Python would stop, and why.
pub(super) type Fault = (usize, &'static str);

/// Looks for what the grammar reads and Python refuses.
fn check(text: &str, root: Node<'_>) -> Result<(), Fault> {
    if let Some(at) = beyond_depth(root) {
        return Err((at, "code is nested too deeply here"));
    }
    let strings = preorder_until(root, |node| node.kind() == "string");
    let strings = strings.filter(|node| node.kind() == "string").map(|node| node.byte_range());
    check_layout(text, &strings.collect::<Vec<_>>())?;
    check_meaning(text, root)
}

/// Where the tree is first deeper than [`limits::PYTHON_DEPTH`].
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
        .then(|| preorder(root).find(|node| node.is_error() || node.is_missing()))
        .flatten()
}

fn syntax_error(text: &str, at: usize, message: &str) -> SyntaxError {
    let start = line_start(text, at);
    let end = line_end(text, at);
    SyntaxError {
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
    fn a_text_that_is_not_python_is_placed() {
        let error = Source::parse("import os\n\u{e9}t\u{e9} = (1,\n").unwrap_err();
        assert_eq!((error.line, error.text.as_str()), (2, "\u{e9}t\u{e9} = (1,"));
        assert!(Source::parse("print 'old'\n").is_err());
        assert!(Source::parse("\u{feff}import os\r\n").is_ok());
    }

    #[test]
    fn the_step_of_indentation_is_the_files_own() {
        let step = |text: &str| Source::parse(text).unwrap().step();
        assert_eq!(step("if a:\n\tb\n"), "\t");
        assert_eq!(step("class A:\n  def f():\n      pass\n"), "  ");
        assert_eq!(step("if a: b\n"), "    ");
    }
}
