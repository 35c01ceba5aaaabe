//! Reports errors that Python's compiler finds but the tree-sitter grammar accepts.

use std::collections::HashSet;

use tree_sitter::Node;

use super::places::{is_target, splat_fault, target_fault};
use super::source::PythonFault;
use super::tokens::{bytes_fault, identifier_fault, integer_fault, string_fault};

/// The kind of code block that a statement runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StatementFrame {
    Module,
    Class,
    Function,
    Coroutine,
    Lambda,
}

/// The context of a node.
#[derive(Debug, Clone, Copy)]
struct NodeContext {
    frame: StatementFrame,
    in_loop: bool,
    /// Number of enclosing functions.
    functions: usize,
    /// Index into the sets of names seen in each scope.
    scope: usize,
}

/// Checks every node once.
///
/// # Errors
/// The approximate position at which the compiler would stop.
pub(super) fn check_meaning(text: &str, root: Node<'_>) -> Result<(), PythonFault> {
    let around =
        NodeContext { frame: StatementFrame::Module, in_loop: false, functions: 0, scope: 0 };
    let mut compiler = PythonChecker { text, seen: vec![HashSet::new()], preamble: true };
    let mut open = vec![(root, "", around)];
    let mut cursor = root.walk();
    while let Some((node, above, around)) = open.pop() {
        if let Some(message) = compiler.fault(node, above, around) {
            return Err((node.start_byte(), message));
        }
        let begin = open.len();
        let mut inner = None;
        cursor.reset(node);
        if cursor.goto_first_child() {
            loop {
                let (child, field) = (cursor.node(), cursor.field_name());
                let around = match compiler.inside(node, around, field) {
                    // All parts of a function share one scope.
                    Some(new) => *inner.get_or_insert_with(|| compiler.enter(node, new)),
                    None => enter_loop_body(node, around, field),
                };
                open.push((child, node.kind(), around));
                if !cursor.goto_next_sibling() {
                    break;
                }
            }
        }
        open[begin..].reverse();
    }
    Ok(())
}

fn enter_loop_body(node: Node<'_>, around: NodeContext, field: Option<&str>) -> NodeContext {
    let enters =
        field == Some("body") && matches!(node.kind(), "for_statement" | "while_statement");
    NodeContext { in_loop: around.in_loop || enters, ..around }
}

/// Returns the named children of a node, without comments.
pub(super) fn list_code_children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect()
}

fn has_child_kind(node: Node<'_>, kind: &str) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor).any(|child| child.kind() == kind)
}

struct PythonChecker<'t> {
    text: &'t str,
    /// The names used in each scope so far.
    seen: Vec<HashSet<&'t str>>,
    /// Whether only a docstring and `__future__` imports have been seen so far.
    preamble: bool,
}

impl<'t> PythonChecker<'t> {
    fn of(&self, node: Node<'_>) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    /// Returns the context of a child in this field if it differs from the node's own.
    fn inside(
        &self,
        node: Node<'_>,
        around: NodeContext,
        field: Option<&str>,
    ) -> Option<NodeContext> {
        if field != Some("body") {
            return None;
        }
        let (frame, functions) = match node.kind() {
            "function_definition" if has_child_kind(node, "async") => {
                (StatementFrame::Coroutine, 1)
            }
            "function_definition" => (StatementFrame::Function, 1),
            "lambda" => (StatementFrame::Lambda, 1),
            "class_definition" => (StatementFrame::Class, 0),
            _ => return None,
        };
        Some(NodeContext {
            frame,
            in_loop: false,
            functions: around.functions + functions,
            scope: 0,
        })
    }

    fn enter(&mut self, node: Node<'_>, around: NodeContext) -> NodeContext {
        let parameters = node.child_by_field_name("parameters");
        let names = parameters.map(|list| self.parameter_names(list)).unwrap_or_default();
        self.seen.push(names.into_iter().collect());
        NodeContext { scope: self.seen.len() - 1, ..around }
    }

    fn parameter_names(&self, list: Node<'_>) -> Vec<&'t str> {
        let named = |part: &Node<'_>| {
            let mut node = part.child_by_field_name("name").unwrap_or(*part);
            while node.kind() != "identifier" {
                node = node.named_child(0)?;
            }
            Some(self.of(node))
        };
        let separators = ["keyword_separator", "positional_separator"];
        let parts = list_code_children(list);
        parts.iter().filter(|part| !separators.contains(&part.kind())).filter_map(named).collect()
    }

    fn fault(&mut self, node: Node<'_>, above: &str, around: NodeContext) -> Option<&'static str> {
        let text = self.of(node);
        let calls = matches!(around.frame, StatementFrame::Function | StatementFrame::Coroutine);
        let when = |wrong: bool, message| wrong.then_some(message);
        match node.kind() {
            "module" => None,
            "identifier" => {
                self.seen[around.scope].insert(text);
                identifier_fault(text)
            }
            "integer" => integer_fault(text),
            "string" => string_fault(text, node),
            "concatenated_string" => bytes_fault(&list_code_children(node), |part| self.of(part)),
            "return_statement" => when(!calls, "`return` outside of a function"),
            "yield" => when(
                !calls && around.frame != StatementFrame::Lambda,
                "`yield` outside of a function",
            ),
            "await" => when(
                around.frame != StatementFrame::Coroutine,
                "`await` outside of an async function",
            ),
            "for_statement" | "with_statement" if has_child_kind(node, "async") => when(
                around.frame != StatementFrame::Coroutine,
                "`async` outside of an async function",
            ),
            "break_statement" | "continue_statement" => {
                when(!around.in_loop, "`break` or `continue` outside of a loop")
            }
            "wildcard_import" => when(
                around.frame != StatementFrame::Module,
                "`import *` is only allowed at module level",
            ),
            "nonlocal_statement" if around.functions < 2 => {
                Some("no enclosing function binds this name")
            }
            "global_statement" | "nonlocal_statement" => {
                let used = |name: &Node<'_>| self.seen[around.scope].contains(self.of(*name));
                when(
                    list_code_children(node).iter().any(used),
                    "the name is used before this statement",
                )
            }
            "import_from_statement" | "import_statement" if text.trim_end().ends_with(',') => {
                Some("an import ends with a comma")
            }
            "future_import_statement" => self.future_fault(node),
            "expression_statement" => self.statement_fault(node),
            "print_statement" if !has_child_kind(node, "chevron") => {
                Some("`print` is a function in Python 3")
            }
            "exec_statement" => Some("`exec` is a function in Python 3"),
            "raise_statement" => when(
                has_child_kind(node, "expression_list"),
                "`raise` takes one exception in Python 3",
            ),
            "comparison_operator" => when(has_child_kind(node, "<>"), "`<>` is `!=` in Python 3"),
            "parameters" | "lambda_parameters" => self.parameters_fault(node),
            "argument_list" => self.arguments_fault(node),
            "try_statement" => try_fault(node),
            "except_clause" => except_fault(node),
            "match_statement" => self.match_fault(node),
            "named_expression" => named_fault(node),
            "list_splat" | "dictionary_splat" | "parenthesized_list_splat" => {
                splat_fault(node, above)
            }
            _ => target_fault(node, above),
        }
        .or_else(|| {
            self.preamble &= !ends_preamble(node);
            None
        })
    }

    /// Checks that `from __future__` imports come first and name known features.
    fn future_fault(&self, node: Node<'_>) -> Option<&'static str> {
        const FEATURES: [&str; 10] = [
            "nested_scopes",
            "generators",
            "division",
            "absolute_import",
            "with_statement",
            "print_function",
            "unicode_literals",
            "barry_as_FLUFL",
            "generator_stop",
            "annotations",
        ];
        if !self.preamble {
            return Some("an import from `__future__` comes before everything else");
        }
        let known = |part: &Node<'_>| {
            let name = part.child_by_field_name("name").unwrap_or(*part);
            FEATURES.contains(&self.of(name))
        };
        (!list_code_children(node).iter().all(known)).then_some("`__future__` has no such feature")
    }

    fn statement_fault(&self, node: Node<'_>) -> Option<&'static str> {
        let parts = list_code_children(node);
        match parts.as_slice() {
            [only] if only.kind() == "named_expression" => Some("`:=` needs parentheses here"),
            _ => None,
        }
    }

    fn parameters_fault(&self, list: Node<'_>) -> Option<&'static str> {
        let names = self.parameter_names(list);
        if names.iter().collect::<HashSet<_>>().len() < names.len() {
            return Some("two parameters have one name");
        }
        let parts = list_code_children(list);
        let plain = |node: &Node<'_>| match node.kind() {
            "typed_parameter" => node.named_child(0).map_or("", |inner| inner.kind()),
            kind => kind,
        };
        let (mut defaults, mut starred, mut ended, mut positional) = (false, false, false, false);
        for (index, part) in parts.iter().enumerate() {
            if ended {
                return Some("nothing follows `**` among parameters");
            }
            match plain(part) {
                "identifier" if defaults && !starred => {
                    return Some("a parameter without a default follows one with a default");
                }
                "default_parameter" | "typed_default_parameter" => defaults = true,
                "list_splat_pattern" | "keyword_separator" => {
                    let next = parts.get(index + 1).map(plain);
                    let bare = plain(part) == "keyword_separator";
                    if starred || bare && matches!(next, None | Some("dictionary_splat_pattern")) {
                        return Some("only one `*` is allowed among parameters, before a name");
                    }
                    starred = true;
                }
                "positional_separator" => {
                    if index == 0 || starred || positional {
                        return Some(
                            "only one `/` is allowed among parameters, after a name and before `*`",
                        );
                    }
                    positional = true;
                }
                "dictionary_splat_pattern" => ended = true,
                _ => {}
            }
        }
        None
    }

    fn arguments_fault(&self, list: Node<'_>) -> Option<&'static str> {
        let mut keywords = HashSet::new();
        let (mut keyworded, mut spread) = (false, false);
        for part in list_code_children(list) {
            match part.kind() {
                "keyword_argument" => {
                    let name = part.child_by_field_name("name").map_or("", |name| self.of(name));
                    if matches!(name, "None" | "True" | "False" | "__debug__") {
                        return Some("a keyword argument cannot have this name");
                    }
                    if !keywords.insert(name) {
                        return Some("a keyword argument is given twice");
                    }
                    keyworded = true;
                }
                "dictionary_splat" => spread = true,
                "list_splat" if spread => return Some("`*` follows `**` among the arguments"),
                "list_splat" => {}
                _ if keyworded || spread => {
                    return Some("a positional argument follows one with a keyword");
                }
                _ => {}
            }
        }
        None
    }

    fn match_fault(&self, node: Node<'_>) -> Option<&'static str> {
        let body = node.child_by_field_name("body")?;
        let cases: Vec<Node<'_>> = list_code_children(body)
            .into_iter()
            .filter(|part| part.kind() == "case_clause")
            .collect();
        let takes_all = |case: &Node<'_>| {
            let parts = list_code_children(*case);
            let patterns: Vec<&Node<'_>> =
                parts.iter().filter(|part| part.kind() == "case_pattern").collect();
            let text = patterns.first().map_or("", |pattern| self.of(**pattern));
            let is_name = text.chars().all(|c| c.is_alphanumeric() || c == '_')
                && text.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && !matches!(text, "None" | "True" | "False");
            patterns.len() == 1 && is_name && case.child_by_field_name("guard").is_none()
        };
        let (_, earlier) = cases.split_last()?;
        earlier
            .iter()
            .any(takes_all)
            .then_some("the cases after one that takes everything are never reached")
    }
}

/// Returns whether no `__future__` import may follow this statement.
fn ends_preamble(node: Node<'_>) -> bool {
    let docstring = || {
        let parts = list_code_children(node);
        matches!(parts.as_slice(), [only] if matches!(only.kind(), "string" | "concatenated_string"))
    };
    match node.kind() {
        "expression_statement" => !docstring(),
        kind => {
            kind.ends_with("_statement") && kind != "future_import_statement"
                || kind.ends_with("_definition")
        }
    }
}

fn try_fault(node: Node<'_>) -> Option<&'static str> {
    let parts = list_code_children(node);
    let clauses: Vec<&str> = parts.iter().map(|part| part.kind()).collect();
    let caught = |kind: &&str| matches!(*kind, "except_clause" | "except_group_clause");
    if !clauses.iter().any(|kind| caught(kind) || *kind == "finally_clause") {
        return Some("`try` needs `except` or `finally`");
    }
    let excepts: Vec<&Node<'_>> = parts.iter().filter(|part| caught(&part.kind())).collect();
    let bare = |part: &&&Node<'_>| {
        self::list_code_children(***part).iter().all(|inner| inner.kind() == "block")
    };
    let (_, earlier) = excepts.split_last()?;
    earlier.iter().any(|part| bare(&part)).then_some("an `except` for everything comes last")
}

/// Rejects `except A, b:`, which is Python 2.
fn except_fault(node: Node<'_>) -> Option<&'static str> {
    has_child_kind(node, ",")
        .then_some("`except` takes several exceptions in parentheses, and a name after `as`")
}

fn named_fault(node: Node<'_>) -> Option<&'static str> {
    let name = node.child_by_field_name("name")?;
    (!is_target(name)).then_some("only a name can come before `:=`")
}
