//! Checks assignment targets, and where starred expressions are allowed.

use tree_sitter::Node;

use super::compile::list_code_children;

/// Returns whether a value can be assigned to the node.
pub(super) fn is_target(node: Node<'_>) -> bool {
    match node.kind() {
        "identifier" | "attribute" | "subscript" => true,
        "pattern_list"
        | "tuple_pattern"
        | "list_pattern"
        | "tuple"
        | "list"
        | "expression_list"
        | "parenthesized_expression"
        | "as_pattern_target" => list_code_children(node).into_iter().all(is_target),
        "list_splat_pattern" | "list_splat" => list_code_children(node).into_iter().all(is_target),
        _ => false,
    }
}

/// Returns the expression inside parentheses.
fn strip_brackets(node: Node<'_>) -> Node<'_> {
    let mut inner = node;
    while matches!(inner.kind(), "parenthesized_expression" | "tuple_pattern") {
        let mut cursor = inner.walk();
        let is_tuple = inner.children(&mut cursor).any(|child| child.kind() == ",");
        match inner.named_child(0).filter(|_| !is_tuple) {
            Some(only) => inner = only,
            None => break,
        }
    }
    inner
}

fn count_stars(node: Node<'_>) -> usize {
    list_code_children(node)
        .iter()
        .filter(|part| matches!(part.kind(), "list_splat_pattern" | "list_splat"))
        .count()
}

const NO_TARGET: &str = "nothing can be assigned to this";

/// Returns the reason why this node, below a node of the kind `above`, cannot be assigned to.
pub(super) fn target_fault(node: Node<'_>, above: &str) -> Option<&'static str> {
    let field = |name: &str| node.child_by_field_name(name);
    match node.kind() {
        "assignment" => {
            let left = strip_brackets(field("left")?);
            let several = matches!(left.kind(), "pattern_list" | "tuple_pattern" | "list_pattern");
            if field("type").is_some() && (several || left.kind() == "list_splat_pattern") {
                return Some("only one name can be annotated");
            }
            if field("right")
                .is_some_and(|right| matches!(right.kind(), "list_splat" | "named_expression"))
            {
                return Some("this needs parentheses, or a comma");
            }
            stored_fault(left)
        }
        "for_statement" | "for_in_clause" => stored_fault(field("left")?),
        "augmented_assignment" => {
            let left = strip_brackets(field("left")?);
            let single = matches!(left.kind(), "identifier" | "attribute" | "subscript");
            (!single).then_some("nothing can be added to this")
        }
        "delete_statement" => {
            let starred =
                |part: &Node<'_>| part.kind().starts_with("list_splat") || count_stars(*part) > 0;
            let parts = list_code_children(node);
            let fits = parts.iter().all(|part| is_target(*part) && !starred(part));
            (!fits).then_some("this cannot be deleted")
        }
        "as_pattern" if above == "with_item" => stored_fault(field("alias")?),
        "pattern_list" | "tuple_pattern" | "list_pattern" => {
            (count_stars(node) > 1).then_some("two stars in one assignment")
        }
        "list_comprehension" | "set_comprehension" | "generator_expression" => {
            let starred = field("body").is_some_and(|body| body.kind() == "list_splat");
            starred.then_some("a star cannot be in a comprehension")
        }
        "lambda" | "keyword_argument" | "default_parameter" | "return_statement" => {
            let named = |part: &Node<'_>| part.kind() == "named_expression";
            list_code_children(node).iter().any(named).then_some("`:=` needs parentheses here")
        }
        "interpolation" => {
            list_code_children(node).is_empty().then_some("an empty expression in a string")
        }
        _ => None,
    }
}

fn stored_fault(left: Node<'_>) -> Option<&'static str> {
    if left.kind() == "list_splat_pattern" {
        return Some("a star in an assignment needs a list around it");
    }
    (!is_target(left)).then_some(NO_TARGET)
}

/// Returns the reason why a starred expression is not allowed below a node of the kind `above`.
pub(super) fn splat_fault(node: Node<'_>, above: &str) -> Option<&'static str> {
    let fits = match (node.kind(), above) {
        ("dictionary_splat", "dictionary" | "argument_list") => true,
        ("list_splat", kind) => {
            matches!(
                kind,
                "argument_list"
                    | "list"
                    | "tuple"
                    | "set"
                    | "expression_list"
                    | "subscript"
                    | "type"
                    | "list_comprehension"
                    | "delete_statement"
            ) || kind == "for_statement"
        }
        _ => false,
    };
    (!fits).then_some("a star is not allowed here")
}
