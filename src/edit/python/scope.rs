//! Finds the names that an expression uses, and where in a function they are available.

use std::collections::BTreeSet;

use tree_sitter::Node;

use super::bindings::{bound_by, list_imports, own_names};
use super::calls::list_parameters;
use super::function::{PythonFunction, own_nodes};
use super::source::{NodeParents, PythonSource, walk_preorder};

/// The earliest place in a function where an expression can be evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EarliestPlace<'t> {
    /// Before its first statement.
    Start,
    /// After this statement.
    After(Node<'t>),
}

/// Why an expression cannot be evaluated in a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UnusableExpression {
    /// It is not a single expression.
    NoExpression,
    /// It uses a name that is not bound anywhere.
    Unknown {
        /// The name.
        name: String,
        /// The names that the function binds.
        known: Vec<String>,
    },
    /// It uses a name that is bound only on some paths through the function.
    Sometimes(String),
}

/// The names of Python's builtins.
const BUILTINS: &str = "abs all any ascii bin bool bytearray bytes callable chr complex dict dir divmod enumerate \
    filter float format frozenset getattr globals hasattr hash hex id int isinstance issubclass iter len list locals \
    map max min next object oct open ord pow print range repr reversed round set slice sorted str sum tuple type vars \
    zip Exception ValueError KeyError TypeError __name__ __file__ __doc__ NotImplemented Ellipsis";

/// Finds where `expression` can be evaluated in `function`: after the names it uses are bound and, if possible, before
/// the first `return`.
///
/// # Errors
/// The reason why it cannot be evaluated.
pub(crate) fn find_earliest_place<'t>(
    source: &'t PythonSource<'_>,
    function: &PythonFunction<'t>,
    expression: &str,
) -> Result<EarliestPlace<'t>, UnusableExpression> {
    let used = used_names(expression).ok_or(UnusableExpression::NoExpression)?;
    let given = list_parameters(source, function.node);
    let parents = NodeParents::of(source);
    let local = list_bindings(&parents, source, function);
    let known = |name: &String| local.iter().any(|(local_name, _)| local_name == name);
    let outside = outside_names(&parents, source, function);
    let wildcard = list_imports(source).iter().any(|import| import.local == "*");
    for name in &used {
        let builtin = BUILTINS.split_whitespace().any(|builtin| builtin == name);
        if !known(name) && !given.contains(name) && !outside.contains(name) && !builtin && !wildcard
        {
            let mut known: Vec<String> = given.clone();
            known.extend(local.iter().map(|(name, _)| name.clone()));
            known.dedup();
            return Err(UnusableExpression::Unknown { name: name.clone(), known });
        }
    }
    let needed: BTreeSet<&String> =
        used.iter().filter(|name| known(name) && !given.contains(name)).collect();
    if needed.is_empty() {
        return Ok(EarliestPlace::Start);
    }
    let bound_after = |statement: Node<'t>| {
        needed.iter().all(|name| is_bound_after(&parents, &local, function, statement, name))
    };
    let usable: Vec<Node<'t>> = local
        .iter()
        .filter(|(name, _)| needed.contains(name))
        .map(|(_, statement)| *statement)
        .filter(|statement| bound_after(*statement))
        .collect();
    choose_place(&parents, function, &usable).map(EarliestPlace::After).ok_or_else(|| {
        UnusableExpression::Sometimes(
            needed.first().map(|name| (*name).clone()).unwrap_or_default(),
        )
    })
}

/// Returns the last place at the top level of the function before any `return`, or else the first place.
fn choose_place<'t>(
    parents: &NodeParents<'t>,
    function: &PythonFunction<'t>,
    usable: &[Node<'t>],
) -> Option<Node<'t>> {
    let first_return = own_nodes(function.body)
        .find(|node| node.kind() == "return_statement")
        .map_or(usize::MAX, |node| node.start_byte());
    usable
        .iter()
        .rfind(|statement| {
            parents.parent(**statement) == Some(function.body)
                && statement.end_byte() <= first_return
        })
        .or(usable.first())
        .copied()
}

/// Returns the names that an expression reads from its scope; `None` if it is not a single expression.
fn used_names(expression: &str) -> Option<BTreeSet<String>> {
    if expression.contains(['\n', '\r', '#', ';']) {
        return None;
    }
    // The brackets make sure that a statement does not parse.
    let bracketed = format!("({expression})");
    let source = PythonSource::parse(&bracketed).ok()?;
    let mut cursor = source.root().walk();
    let statements: Vec<Node<'_>> = source.root().named_children(&mut cursor).collect();
    let [statement] = statements.as_slice() else {
        return None;
    };
    let bracket = statement.named_child(0)?;
    if bracket.kind() != "parenthesized_expression" || bracket.byte_range() != (0..bracketed.len())
    {
        return None;
    }
    let own_names: BTreeSet<String> = walk_preorder(source.root())
        .filter(|node| {
            matches!(node.kind(), "for_in_clause" | "lambda_parameters" | "named_expression")
        })
        .flat_map(|node| match node.kind() {
            "lambda_parameters" => walk_preorder(node)
                .filter(|inner| inner.kind() == "identifier")
                .map(|inner| source.of(inner).to_owned())
                .collect(),
            _ => bound_by(&source, node),
        })
        .collect();
    let parents = NodeParents::of(&source);
    let names = walk_preorder(source.root())
        .filter(|node| node.kind() == "identifier" && !is_label(&parents, *node))
        .map(|node| source.of(node).to_owned())
        .filter(|name| !own_names.contains(name))
        .collect();
    Some(names)
}

/// Returns whether a name is an attribute, or the name of a keyword argument.
fn is_label<'t>(parents: &NodeParents<'t>, node: Node<'t>) -> bool {
    parents.parent(node).is_some_and(|above| match above.kind() {
        "attribute" => above.child_by_field_name("attribute") == Some(node),
        "keyword_argument" => above.child_by_field_name("name") == Some(node),
        _ => false,
    })
}

/// Lists the names that the module and the enclosing functions bind.
fn outside_names<'t>(
    parents: &NodeParents<'t>,
    source: &PythonSource<'_>,
    function: &PythonFunction<'t>,
) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = own_names(source).into_iter().collect();
    let above = parents.upwards(function.node).skip(1);
    let around = above.filter(|node| node.kind() == "function_definition");
    for outer in around {
        names.extend(list_parameters(source, outer));
        if let Some(body) = outer.child_by_field_name("body") {
            names.extend(own_nodes(body).flat_map(|node| bound_by(source, node)));
        }
    }
    names
}

/// Lists every name that the function body binds, with the binding statement, in source order.
fn list_bindings<'t>(
    parents: &NodeParents<'t>,
    source: &PythonSource<'_>,
    function: &PythonFunction<'t>,
) -> Vec<(String, Node<'t>)> {
    own_nodes(function.body)
        .filter(|node| node.kind() != "for_in_clause")
        .filter_map(|node| Some((node, parents.statement(node)?)))
        .flat_map(|(node, statement)| {
            bound_by(source, node).into_iter().map(move |name| (name, statement))
        })
        .collect()
}

/// Returns whether `name` is bound on every path to the place after `statement`.
fn is_bound_after<'t>(
    parents: &NodeParents<'t>,
    local: &[(String, Node<'t>)],
    function: &PythonFunction<'t>,
    statement: Node<'t>,
    name: &str,
) -> bool {
    let around: Vec<Node<'_>> =
        parents.upwards(statement).take_while(|node| *node != function.body).collect();
    local.iter().filter(|(local_name, _)| local_name == name).any(|(_, binding)| {
        let earlier = binding.end_byte() <= statement.end_byte();
        let on_the_way =
            parents.upwards(*binding).skip(1).take_while(|node| *node != function.body).all(
                |above| {
                    around.contains(&above) || matches!(above.kind(), "block" | "with_statement")
                },
            );
        let always = !matches!(
            binding.kind(),
            "for_statement"
                | "if_statement"
                | "while_statement"
                | "try_statement"
                | "match_statement"
        );
        earlier && on_the_way && always
    })
}

#[cfg(test)]
mod tests {
    use super::super::function::find_function;
    use super::*;

    const TEXT: &str = "import datetime\nLIMIT = 1\nclass HomeActivities:\n  def run(cognito_id=None, *, page):\n    now = datetime.now()\n    \
                        if page:\n      short = 1\n      return short\n    with open('x') as file:\n      text = file.read()\n    \
                        for item in text:\n      last = item\n    results = [{'a': now}]\n    return results\n";

    fn after(expression: &str) -> Result<Option<usize>, UnusableExpression> {
        let source = PythonSource::parse(TEXT).unwrap();
        let function = find_function(&source, "run").unwrap();
        find_earliest_place(&source, &function, expression).map(|place| match place {
            EarliestPlace::Start => None,
            EarliestPlace::After(node) => Some(source.line_number(node.start_byte())),
        })
    }

    #[test]
    fn an_expression_waits_for_the_names_it_uses() {
        assert_eq!(after("1"), Ok(None));
        assert_eq!(after("str(page or LIMIT)"), Ok(None));
        assert_eq!(after("now.isoformat(sep=' ')"), Ok(Some(5)));
        assert_eq!(after("len(results)"), Ok(Some(13)));
        assert_eq!(after("[x for x in results if lambda y: y]"), Ok(Some(13)));
        assert_eq!(after("short + page"), Ok(Some(7)));
        assert_eq!(after("len(text)"), Ok(Some(10)));
        assert_eq!(after("(now, results)"), Ok(Some(13)));
    }

    #[test]
    fn imports_of_another_scope_are_not_in_scope() {
        let known = |head: &str, tail: &str| {
            let text = format!("{head}def run():\n  return 1\n{tail}");
            let source = PythonSource::parse(&text).unwrap();
            let function = find_function(&source, "run").unwrap();
            find_earliest_place(&source, &function, "os.name").is_ok()
        };
        for (head, tail) in [
            ("import os\n", ""),
            ("", "import os\n"),
            ("try:\n  import os\nexcept ImportError:\n  os = None\n", ""),
            ("from os import *\n", ""),
        ] {
            assert!(known(head, tail), "{head}{tail}");
        }
        for (head, tail) in [
            ("", ""),
            ("def other():\n  import os\n", ""),
            ("", "def other():\n  import os\n"),
            ("class C:\n  import os\n", ""),
        ] {
            assert!(!known(head, tail), "{head}{tail}");
        }
        let around = "def outer():\n  import os\n  def run():\n    return 1\n";
        let source = PythonSource::parse(around).unwrap();
        let function =
            find_function(&source, "outer.run").or_else(|_| find_function(&source, "run")).unwrap();
        assert!(find_earliest_place(&source, &function, "os.name").is_ok());
    }

    #[test]
    fn names_out_of_scope_are_refused_with_the_reason() {
        assert!(
            matches!(after("user.id()"), Err(UnusableExpression::Unknown { name, .. }) if name == "user")
        );
        assert_eq!(after("item"), Err(UnusableExpression::Sometimes("item".to_owned())));
        assert_eq!(after("short + last"), Err(UnusableExpression::Sometimes("last".to_owned())));
        for text in ["a = 1", "", "1)(2", "x; y", "import os", "a #"] {
            assert_eq!(after(text), Err(UnusableExpression::NoExpression), "{text}");
        }
    }
}
