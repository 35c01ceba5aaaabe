//! Finds the calls in a module and when each of them runs.

use std::ops::Range;

use tree_sitter::Node;

use super::bindings::{PythonImport, resolve_expression};
use super::source::{NodeParents, PythonSource, walk_preorder};

/// A call expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonCall {
    /// The last name of the callee: `instrument_app`.
    pub name: String,
    /// The callee as written: `FlaskInstrumentor().instrument_app`.
    pub callee: String,
    /// The callee resolved through the imports, if possible.
    pub path: Option<String>,
    /// Arguments as written, keywords as `name=value`.
    pub arguments: Vec<String>,
    /// Byte range of the call.
    pub range: Range<usize>,
    /// Byte range of the statement that contains it.
    pub statement: Range<usize>,
    /// How much of its statement the call is.
    pub extent: CallExtent,
    /// Byte range of the module-level statement that contains it.
    pub top: Range<usize>,
    /// When it runs.
    pub scope: CallScope,
}

/// How much of its statement a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallExtent {
    /// The statement is the call, alone on its lines.
    Whole,
    /// The statement contains more than the call.
    Part,
}

/// When a statement runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallScope {
    /// When the module is imported.
    Module,
    /// When the module is imported, under a condition.
    Conditional,
    /// Only when the file is run as a program.
    Main,
    /// When the function is called.
    Function {
        /// The function's name.
        name: String,
        /// The names of its parameters.
        parameters: Vec<String>,
    },
}

/// Lists every call of a module, in source order.
pub(crate) fn list_calls(source: &PythonSource<'_>, imports: &[PythonImport]) -> Vec<PythonCall> {
    let parents = NodeParents::of(source);
    walk_preorder(source.root())
        .filter(|node| node.kind() == "call")
        .filter_map(|node| read_call(source, imports, &parents, node))
        .collect()
}

fn read_call<'t>(
    source: &PythonSource<'_>,
    imports: &[PythonImport],
    parents: &NodeParents<'t>,
    node: Node<'t>,
) -> Option<PythonCall> {
    let function = node.child_by_field_name("function")?;
    let name = match function.kind() {
        "attribute" => function.child_by_field_name("attribute")?,
        "identifier" => function,
        _ => return None,
    };
    let arguments = node.child_by_field_name("arguments")?;
    let mut cursor = arguments.walk();
    let statement = parents.statement(node)?;
    let alone = statement.kind() == "expression_statement"
        && statement.byte_range() == node.byte_range()
        && !source.shares_line(statement)
        && ends_its_line(source, statement);
    Some(PythonCall {
        name: source.of(name).to_owned(),
        callee: source.of(function).to_owned(),
        path: resolve_expression(source, imports, function),
        arguments: arguments
            .named_children(&mut cursor)
            .filter(|argument| argument.kind() != "comment")
            .map(|argument| source.of(argument).to_owned())
            .collect(),
        range: node.byte_range(),
        statement: statement.byte_range(),
        extent: if alone { CallExtent::Whole } else { CallExtent::Part },
        top: parents.top_statement(node)?.byte_range(),
        scope: find_call_scope(source, parents, node),
    })
}

fn ends_its_line(source: &PythonSource<'_>, node: Node<'_>) -> bool {
    let rest = &source.text[node.end_byte()..];
    let line = rest.lines().next().unwrap_or_default().trim();
    line.is_empty() || line.starts_with('#')
}

/// Returns when the code at a node runs.
pub(crate) fn find_call_scope<'t>(
    source: &PythonSource<'_>,
    parents: &NodeParents<'t>,
    node: Node<'t>,
) -> CallScope {
    let mut found = CallScope::Module;
    for above in parents.upwards(node).skip(1) {
        match above.kind() {
            "function_definition" => {
                return CallScope::Function {
                    name: read_field(source, above, "name"),
                    parameters: list_parameters(source, above),
                };
            }
            "lambda" => return CallScope::Conditional,
            "if_statement" if is_main(&read_field(source, above, "condition")) => {
                found = CallScope::Main
            }
            "if_statement" | "try_statement" | "for_statement" | "while_statement"
            | "match_statement"
                if found == CallScope::Module =>
            {
                found = CallScope::Conditional;
            }
            _ => {}
        }
    }
    found
}

fn read_field(source: &PythonSource<'_>, node: Node<'_>, name: &str) -> String {
    node.child_by_field_name(name).map(|node| source.of(node).to_owned()).unwrap_or_default()
}

fn is_main(condition: &str) -> bool {
    condition.contains("__name__") && condition.contains("__main__")
}

/// Returns the names of a function's parameters.
pub(crate) fn list_parameters(source: &PythonSource<'_>, function: Node<'_>) -> Vec<String> {
    let Some(list) = function.child_by_field_name("parameters") else {
        return Vec::new();
    };
    let mut cursor = list.walk();
    list.named_children(&mut cursor)
        .filter_map(|parameter| {
            let name = parameter
                .child_by_field_name("name")
                .or_else(|| walk_preorder(parameter).find(|inner| inner.kind() == "identifier"))?;
            Some(source.of(name).to_owned())
        })
        .collect()
}
