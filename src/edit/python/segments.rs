//! Finds functions that call an end method more often than its begin method.

use tree_sitter::Node;

use super::source::{PythonSource, preorder_until, walk_preorder};

/// Returns, for each function, the first byte of the first unconditional call of `end` beyond its number of calls of
/// `begin`. Both are method names: `end_subsegment`.
pub(crate) fn surplus_ends(source: &PythonSource<'_>, begin: &str, end: &str) -> Vec<usize> {
    let functions =
        walk_preorder(source.root()).filter(|node| node.kind() == "function_definition");
    functions.filter_map(|function| surplus_end(source, function, begin, end)).collect()
}

fn surplus_end(
    source: &PythonSource<'_>,
    function: Node<'_>,
    begin: &str,
    end: &str,
) -> Option<usize> {
    let body = function.child_by_field_name("body")?;
    let is_inner = |node: Node<'_>| node.kind() == "function_definition";
    let begun = preorder_until(body, is_inner).filter(|node| calls(source, *node, begin)).count();
    if begun == 0 {
        return None;
    }
    // Calls inside these always run; after an exception, `finally` does.
    const ALWAYS_RUN: [&str; 6] = [
        "block",
        "try_statement",
        "finally_clause",
        "with_statement",
        "expression_statement",
        "call",
    ];
    let is_passed_over = |node: Node<'_>| !ALWAYS_RUN.contains(&node.kind());
    let ended: Vec<Node<'_>> =
        preorder_until(body, is_passed_over).filter(|node| calls(source, *node, end)).collect();
    ended.get(begun).map(Node::start_byte)
}

fn calls(source: &PythonSource<'_>, node: Node<'_>, name: &str) -> bool {
    let function = (node.kind() == "call").then(|| node.child_by_field_name("function")).flatten();
    function.is_some_and(|function| {
        let last = function.child_by_field_name("attribute").unwrap_or(function);
        source.of(last) == name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surplus(body: &str) -> Vec<usize> {
        let indented: String = body.lines().map(|line| format!("    {line}\n")).collect();
        let text = format!("def run(x):\n{indented}");
        let source = PythonSource::parse(&text).unwrap();
        let found = surplus_ends(&source, "begin_subsegment", "end_subsegment");
        found.into_iter().map(|at| source.line_number(at)).collect()
    }

    #[test]
    fn an_end_of_a_second_run_is_found() {
        for (body, expected) in [
            ("x.begin_subsegment('a')\nx.end_subsegment()\nx.end_subsegment()", vec![4]),
            (
                "try:\n  x.begin_subsegment('a')\n  x.end_subsegment()\nfinally:\n  x.end_subsegment()",
                vec![6],
            ),
            (
                "s = x.begin_subsegment('a')\ntry:\n  s.put()\nfinally:\n  x.end_subsegment()\nx.end_subsegment()",
                vec![7],
            ),
            ("x.begin_subsegment('a')\ntry:\n  pass\nfinally:\n  x.end_subsegment()", vec![]),
            (
                "x.begin_subsegment('a')\nif x:\n  x.end_subsegment()\n  return\nx.end_subsegment()",
                vec![],
            ),
            (
                "x.begin_subsegment('a')\ntry:\n  pass\nexcept E:\n  x.end_subsegment()\n  raise\nx.end_subsegment()",
                vec![],
            ),
            ("x.end_subsegment()\nx.end_subsegment()", vec![]),
            (
                "x.begin_subsegment('a')\nx.begin_subsegment('b')\nx.end_subsegment()\nx.end_subsegment()",
                vec![],
            ),
        ] {
            assert_eq!(surplus(body), expected, "{body}");
        }
    }
}
