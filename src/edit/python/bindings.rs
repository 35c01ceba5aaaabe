//! Resolves names in a module: imports, and other bindings.

use tree_sitter::Node;

use super::source::{NodeParents, PythonSource, preorder_until, walk_preorder};

/// A name bound by an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonImport {
    /// The name in this module; `*` for a wildcard import.
    pub local: String,
    /// The imported path: `flask.Flask`, `flask`; relative paths keep their leading dots.
    pub path: String,
    /// First byte of the import statement.
    pub start: usize,
    /// The depth of the statement.
    pub depth: ImportDepth,
}

/// The depth at which an import statement is nested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportDepth {
    /// At the top level of the module: it always runs.
    Top,
    /// In a module-level block that may run on import: `try`, `if`, `with`.
    Block,
    /// In a function or class, or under `TYPE_CHECKING` or `__main__` conditions.
    Nested,
}

/// Lists every import of a module, in source order.
pub(crate) fn list_imports(source: &PythonSource<'_>) -> Vec<PythonImport> {
    let parents = NodeParents::of(source);
    walk_preorder(source.root())
        .filter(|node| {
            matches!(
                node.kind(),
                "import_statement" | "import_from_statement" | "future_import_statement"
            )
        })
        .flat_map(|node| read_import(source, node, find_import_depth(source, &parents, node)))
        .collect()
}

fn read_import(source: &PythonSource<'_>, node: Node<'_>, depth: ImportDepth) -> Vec<PythonImport> {
    let build_import = |local: &str, path: String| PythonImport {
        local: local.to_owned(),
        path,
        start: node.start_byte(),
        depth,
    };
    let module = match node.kind() {
        "future_import_statement" => Some("__future__"),
        _ => node.child_by_field_name("module_name").map(|name| source.of(name)),
    };
    let mut cursor = node.walk();
    let mut found = Vec::new();
    for name in node.children_by_field_name("name", &mut cursor) {
        let (written, alias) = match name.child_by_field_name("alias") {
            Some(alias) => (
                name.child_by_field_name("name").map_or("", |name| source.of(name)),
                Some(source.of(alias)),
            ),
            None => (source.of(name), None),
        };
        found.push(match (module, alias) {
            (Some(module), alias) => {
                build_import(alias.unwrap_or(written), join_module_path(module, written))
            }
            (None, Some(alias)) => build_import(alias, written.to_owned()),
            // `import a.b` binds `a`.
            (None, None) => {
                let first = written.split('.').next().unwrap_or(written);
                build_import(first, first.to_owned())
            }
        });
        if module.is_none() && alias.is_none() && written.contains('.') {
            found.push(build_import("", written.to_owned()));
        }
    }
    let everything = walk_preorder(node).any(|node| node.kind() == "wildcard_import");
    if let (true, Some(module)) = (everything, module) {
        found.push(build_import("*", module.to_owned()));
    }
    found
}

fn find_import_depth<'t>(
    source: &PythonSource<'_>,
    parents: &NodeParents<'t>,
    statement: Node<'t>,
) -> ImportDepth {
    let mut found = ImportDepth::Top;
    for above in parents.upwards(statement).skip(1) {
        let condition = above.child_by_field_name("condition").map_or("", |node| source.of(node));
        match above.kind() {
            "module" => return found,
            "function_definition" | "class_definition" => return ImportDepth::Nested,
            "if_statement"
                if ["TYPE_CHECKING", "__main__"].iter().any(|word| condition.contains(word)) =>
            {
                return ImportDepth::Nested;
            }
            _ => found = ImportDepth::Block,
        }
    }
    found
}

fn join_module_path(module: &str, name: &str) -> String {
    if module.ends_with('.') { format!("{module}{name}") } else { format!("{module}.{name}") }
}

/// Resolves an expression through the imports: `F` to `flask.Flask`, `F()` to `flask.Flask()`.
pub(crate) fn resolve_expression(
    source: &PythonSource<'_>,
    imports: &[PythonImport],
    node: Node<'_>,
) -> Option<String> {
    match node.kind() {
        "identifier" => {
            let name = source.of(node);
            imports.iter().find(|import| import.local == name).map(|import| import.path.clone())
        }
        "attribute" => {
            let object = resolve_expression(source, imports, node.child_by_field_name("object")?)?;
            let name = source.of(node.child_by_field_name("attribute")?);
            Some(join_module_path(&object, name))
        }
        "call" => {
            let called =
                resolve_expression(source, imports, node.child_by_field_name("function")?)?;
            Some(format!("{called}()"))
        }
        "parenthesized_expression" => resolve_expression(source, imports, node.named_child(0)?),
        _ => None,
    }
}

/// Lists the names that the module scope binds by means other than an import.
pub(crate) fn own_names(source: &PythonSource<'_>) -> Vec<String> {
    let inner = |node: Node<'_>| {
        matches!(node.kind(), "function_definition" | "class_definition" | "lambda")
    };
    preorder_until(source.root(), inner).flat_map(|node| bound_by(source, node)).collect()
}

/// Lists the names that this node binds in its scope, excluding nested nodes.
pub(crate) fn bound_by(source: &PythonSource<'_>, node: Node<'_>) -> Vec<String> {
    let field = |name: &str| node.child_by_field_name(name);
    match node.kind() {
        "assignment" | "augmented_assignment" | "for_statement" | "for_in_clause" => {
            field("left").map(|left| list_assigned_names(source, left)).unwrap_or_default()
        }
        "named_expression" | "function_definition" | "class_definition" => {
            field("name").map(|name| vec![source.of(name).to_owned()]).unwrap_or_default()
        }
        "as_pattern" => {
            field("alias").map(|alias| list_assigned_names(source, alias)).unwrap_or_default()
        }
        "import_statement" | "import_from_statement" => {
            read_import(source, node, ImportDepth::Nested)
                .into_iter()
                .map(|import| import.local)
                .filter(|local| !local.is_empty() && local != "*")
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Lists the plain names in an assignment target: not `a.b`, not `a[0]`.
fn list_assigned_names(source: &PythonSource<'_>, node: Node<'_>) -> Vec<String> {
    match node.kind() {
        "identifier" => vec![source.of(node).to_owned()],
        "attribute" | "subscript" => Vec::new(),
        _ => {
            let mut cursor = node.walk();
            let children: Vec<Node<'_>> = node.named_children(&mut cursor).collect();
            children.into_iter().flat_map(|child| list_assigned_names(source, child)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_read_however_they_are_written() {
        let source = PythonSource::parse(
            "from __future__ import annotations\nimport os, flask.views as v\nimport a.b\nfrom flask import (Flask as F, request)\n\
             from .lib import x\nfrom . import y\nfrom z import *\ntry:\n    import w\nexcept ImportError:\n    pass\n",
        )
        .unwrap();
        let read: Vec<(String, String)> =
            list_imports(&source).into_iter().map(|import| (import.local, import.path)).collect();
        let expected = [
            ("annotations", "__future__.annotations"),
            ("os", "os"),
            ("v", "flask.views"),
            ("a", "a"),
            ("", "a.b"),
            ("F", "flask.Flask"),
            ("request", "flask.request"),
            ("x", ".lib.x"),
            ("y", ".y"),
            ("*", "z"),
            ("w", "w"),
        ];
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|(local, path)| ((*local).to_owned(), (*path).to_owned()))
            .collect();
        assert_eq!(read, expected);
        assert_eq!(list_imports(&source)[10].depth, ImportDepth::Block);
    }

    #[test]
    fn imports_that_always_run_are_told_from_others() {
        let depth = |text: &str| list_imports(&PythonSource::parse(text).unwrap())[0].depth;
        assert_eq!(depth("import a\n"), ImportDepth::Top);
        assert_eq!(depth("if x:\n  try:\n    import a\n  finally: pass\n"), ImportDepth::Block);
        assert_eq!(depth("def f():\n  if x: import a\n"), ImportDepth::Nested);
        assert_eq!(depth("if typing.TYPE_CHECKING:\n  import a\n"), ImportDepth::Nested);
        assert_eq!(depth("if __name__ == '__main__':\n  import a\n"), ImportDepth::Nested);
    }

    #[test]
    fn names_of_the_modules_own_scope_are_found() {
        let source = PythonSource::parse(
            "a, (b, *c) = 1, 2\nd.e = 3\nfor f in g: pass\nwith h() as i: pass\ndef j(k):\n    l = 1\nclass M: n = 1\n(o := 2)\n",
        )
        .unwrap();
        assert_eq!(own_names(&source), ["a", "b", "c", "f", "i", "j", "M", "o"]);
    }
}
