//! Finds a function of a module by its name.

use tree_sitter::Node;

use super::source::{NodeParents, PythonSource, preorder_until, walk_preorder};
use crate::error::{Error, ErrorCode, Result};

/// A function definition, with the details needed to put a span around its body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PythonFunction<'t> {
    /// The `def` itself, without decorators.
    pub node: Node<'t>,
    /// Its block.
    pub body: Node<'t>,
    /// How the body runs.
    pub kind: FunctionKind,
}

/// How the body of a function runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FunctionKind {
    /// In one piece, from call to return.
    Plain,
    /// As a coroutine.
    Async,
    /// In pieces; the caller runs in between.
    Generator,
}

/// Finds a function by its name, or by the end of its dotted path: `run`, `HomeActivities.run`.
///
/// # Errors
/// `no-such-function`, listing the existing functions; `ambiguous-function`.
pub(crate) fn find_function<'t>(
    source: &'t PythonSource<'_>,
    wanted: &str,
) -> Result<PythonFunction<'t>> {
    let parents = NodeParents::of(source);
    let functions: Vec<(String, Node<'t>)> = walk_preorder(source.root())
        .filter(|node| node.kind() == "function_definition")
        .map(|node| (build_dotted_path(source, &parents, node), node))
        .collect();
    let ends = |path: &str| path == wanted || path.ends_with(&format!(".{wanted}"));
    let mut found: Vec<&(String, Node<'t>)> =
        functions.iter().filter(|(path, _)| ends(path)).collect();
    if let Some(exact) = found.iter().position(|(path, _)| path == wanted) {
        found = vec![found[exact]];
    }
    match found.as_slice() {
        [(_, node)] => read_function(*node).ok_or_else(|| {
            Error::new(ErrorCode::NoSuchFunction, format!("`{wanted}` has no body"))
        }),
        [] => Err(no_function_error(wanted, &functions)),
        several => {
            let names: Vec<String> = several.iter().map(|(path, _)| format!("`{path}`")).collect();
            Err(Error::new(
                ErrorCode::AmbiguousFunction,
                format!("`{wanted}` names {} functions", names.len()),
            )
            .hint(format!("name one of {}", names.join(", "))))
        }
    }
}

fn no_function_error(wanted: &str, functions: &[(String, Node<'_>)]) -> Error {
    let names: Vec<&str> = functions.iter().take(10).map(|(path, _)| path.as_str()).collect();
    let error = Error::new(ErrorCode::NoSuchFunction, format!("there is no function `{wanted}`"));
    if names.is_empty() {
        error
    } else {
        error.hint(format!("functions here: {}", names.join(", ")))
    }
}

fn read_function(node: Node<'_>) -> Option<PythonFunction<'_>> {
    let body = node.child_by_field_name("body")?;
    let mut cursor = node.walk();
    let asynchronous = node.children(&mut cursor).any(|child| child.kind() == "async");
    let yields = own_nodes(body).any(|inner| inner.kind() == "yield");
    let kind = match (yields, asynchronous) {
        (true, _) => FunctionKind::Generator,
        (_, true) => FunctionKind::Async,
        _ => FunctionKind::Plain,
    };
    Some(PythonFunction { node, body, kind })
}

/// Returns the dotted path of a definition: its enclosing classes and functions, and its name.
fn build_dotted_path<'t>(
    source: &PythonSource<'_>,
    parents: &NodeParents<'t>,
    node: Node<'t>,
) -> String {
    let mut names: Vec<&str> = parents
        .upwards(node)
        .filter(|above| matches!(above.kind(), "function_definition" | "class_definition"))
        .filter_map(|above| above.child_by_field_name("name"))
        .map(|name| source.of(name))
        .collect();
    names.reverse();
    names.join(".")
}

/// Iterates over the nodes of a body that run in the function's own scope: not those of nested functions, classes and
/// lambdas.
pub(crate) fn own_nodes(body: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    preorder_until(body, |node| {
        matches!(node.kind(), "function_definition" | "class_definition" | "lambda")
    })
}

impl<'t> PythonFunction<'t> {
    /// Returns the statements of the body without its docstring.
    pub(crate) fn statements(&self) -> Vec<Node<'t>> {
        let mut cursor = self.body.walk();
        let children = self.body.named_children(&mut cursor);
        let mut statements: Vec<Node<'t>> =
            children.filter(|child| child.kind() != "comment").collect();
        let documented = statements.first().is_some_and(|first| {
            first.kind() == "expression_statement"
                && first.named_child(0).is_some_and(|inner| inner.kind() == "string")
        });
        if documented {
            statements.remove(0);
        }
        statements
    }

    /// Returns the node that includes the decorators and the `def`.
    pub(crate) fn whole(&self) -> Node<'t> {
        self.node
            .parent()
            .filter(|above| above.kind() == "decorated_definition")
            .unwrap_or(self.node)
    }

    /// Finds an existing span of this name in the function.
    pub(crate) fn span(
        &self,
        source: &'t PythonSource<'_>,
        name: &str,
    ) -> Option<ExistingSpan<'t>> {
        let parents = NodeParents::of(source);
        let enclosing = |node: Node<'t>, kind: &str| parents.enclosing(node, kind);
        walk_preorder(self.whole())
            .filter(|node| node.kind() == "call")
            .filter(|call| {
                enclosing(*call, "function_definition").is_none_or(|inner| {
                    inner == self.node || inner.start_byte() < self.node.start_byte()
                })
            })
            .find(|call| opens_span(source, *call, name))
            .map(|call| {
                let block =
                    enclosing(call, "with_clause").and_then(|clause| parents.parent(clause));
                match (enclosing(call, "decorator"), block) {
                    (Some(_), _) => ExistingSpan::Decorator,
                    (None, Some(block)) => ExistingSpan::Block(block),
                    (None, None) => ExistingSpan::Other,
                }
            })
    }

    /// Returns whether the name occurs in the function, as a parameter or in its body.
    pub(crate) fn uses(&self, source: &PythonSource<'_>, name: &str) -> bool {
        walk_preorder(self.node).any(|node| node.kind() == "identifier" && source.of(node) == name)
    }

    /// Returns whether the function sets an attribute with this key.
    pub(crate) fn sets(&self, source: &PythonSource<'_>, key: &str) -> bool {
        walk_preorder(self.body)
            .filter(|node| node.kind() == "call")
            .filter(|call| read_called_name(source, *call).ends_with("set_attribute"))
            .any(|call| first_literal(source, call).as_deref() == Some(key))
    }
}

/// An existing span of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExistingSpan<'t> {
    /// Opened by a decorator.
    Decorator,
    /// Opened by this `with` statement.
    Block(Node<'t>),
    /// Opened in another way.
    Other,
}

fn opens_span(source: &PythonSource<'_>, call: Node<'_>, name: &str) -> bool {
    let called = read_called_name(source, call);
    (called.ends_with("start_as_current_span") || called.ends_with("start_span"))
        && first_literal(source, call).as_deref() == Some(name)
}

fn read_called_name<'a>(source: &PythonSource<'a>, call: Node<'_>) -> &'a str {
    call.child_by_field_name("function").map(|node| source.of(node)).unwrap_or_default()
}

fn first_literal(source: &PythonSource<'_>, call: Node<'_>) -> Option<String> {
    let arguments = call.child_by_field_name("arguments")?;
    read_string_literal(source, arguments.named_child(0)?)
}

/// Returns the value of a plain string literal.
fn read_string_literal(source: &PythonSource<'_>, node: Node<'_>) -> Option<String> {
    if node.kind() != "string" {
        return None;
    }
    let mut cursor = node.walk();
    let mut text = String::new();
    for part in node.named_children(&mut cursor) {
        match part.kind() {
            "string_content" => text.push_str(source.of(part)),
            "interpolation" => return None,
            _ => {}
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "class A:\n  def run():\n    'doc'\n    return 1\nclass B:\n  async def run(self):\n    await x\n\
                        def run(): yield 1\ndef outer():\n  def inner(): yield 1\n  return inner\n";

    #[test]
    fn a_function_is_found_by_the_end_of_its_path() {
        let source = PythonSource::parse(TEXT).unwrap();
        let kind = |name| find_function(&source, name).map(|function| function.kind);
        assert_eq!(kind("A.run").unwrap(), FunctionKind::Plain);
        assert_eq!(kind("B.run").unwrap(), FunctionKind::Async);
        assert_eq!(kind("run").unwrap(), FunctionKind::Generator);
        assert_eq!(kind("outer").unwrap(), FunctionKind::Plain);
        assert_eq!(kind("inner").unwrap(), FunctionKind::Generator);
        assert_eq!(kind("walk").unwrap_err().code, ErrorCode::NoSuchFunction);
        assert_eq!(find_function(&source, "A.run").unwrap().statements().len(), 1);
    }

    #[test]
    fn two_functions_with_one_name_are_ambiguous() {
        let source =
            PythonSource::parse("class A:\n  def run(): pass\nclass B:\n  def run(): pass\n")
                .unwrap();
        let error = find_function(&source, "run").unwrap_err();
        assert_eq!(error.code, ErrorCode::AmbiguousFunction);
        assert!(error.hints[0].contains("`B.run`"));
    }

    #[test]
    fn an_existing_span_is_found() {
        let source = PythonSource::parse(
            "@t.start_as_current_span('a')\ndef f():\n  with t.start_as_current_span(\"b\"):\n    pass\n  def g():\n    t.start_span('c')\n",
        )
        .unwrap();
        let function = find_function(&source, "f").unwrap();
        assert_eq!(function.span(&source, "a"), Some(ExistingSpan::Decorator));
        assert!(matches!(function.span(&source, "b"), Some(ExistingSpan::Block(_))));
        assert_eq!(function.span(&source, "c"), None);
    }
}
