//! Uses of Flask's context-bound names while a module is imported.

use tree_sitter::Node;

use super::bindings::{PythonImport, resolve_expression};
use super::calls::{CallScope, find_call_scope};
use super::source::{NodeParents, PythonSource, walk_preorder};

/// Names that are usable only inside an application or request context.
const CONTEXT_BOUND_NAMES: [&str; 4] =
    ["flask.g", "flask.current_app", "flask.request", "flask.session"];

/// Returns whether a module imports a context-bound name and never pushes a context itself.
pub(crate) fn may_use_context(text: &str, imports: &[PythonImport]) -> bool {
    let is_bound = |import: &PythonImport| {
        import.path == "flask" || CONTEXT_BOUND_NAMES.contains(&&*import.path)
    };
    imports.iter().any(is_bound) && !text.contains("_context().push()")
}

/// Returns each use that runs at import outside of a context: its first byte, and the name without its package.
pub(crate) fn uses_at_import(
    source: &PythonSource<'_>,
    imports: &[PythonImport],
) -> Vec<(usize, String)> {
    let parents = NodeParents::of(source);
    let attributes = walk_preorder(source.root()).filter(|node| node.kind() == "attribute");
    let uses = attributes.filter_map(|node| {
        let object = node.child_by_field_name("object")?;
        let path = resolve_expression(source, imports, object)?;
        let is_at_import = CONTEXT_BOUND_NAMES.contains(&&*path)
            && find_call_scope(source, &parents, node) == CallScope::Module
            && !is_in_context(source, &parents, node);
        let name = path.strip_prefix("flask.").unwrap_or(&path).to_owned();
        is_at_import.then(|| (node.start_byte(), name))
    });
    uses.collect()
}

fn is_in_context<'t>(source: &PythonSource<'_>, parents: &NodeParents<'t>, node: Node<'t>) -> bool {
    let mut withs = parents.upwards(node).filter(|above| above.kind() == "with_statement");
    withs.any(|with| source.of(with).lines().next().is_some_and(|line| line.contains("_context(")))
}

#[cfg(test)]
mod tests {
    use super::super::bindings::list_imports;
    use super::*;

    fn used(text: &str) -> Vec<(usize, String)> {
        let source = PythonSource::parse(text).unwrap();
        let imports = list_imports(&source);
        let found = uses_at_import(&source, &imports);
        found.into_iter().map(|(at, name)| (source.line_number(at), name)).collect()
    }

    #[test]
    fn a_use_at_import_is_told_from_one_in_a_request() {
        let head =
            "from flask import Flask, g, request as r\nimport flask\napp = Flask(__name__)\n";
        for (text, expected) in [
            ("g.rollbar = 1\n", Some((4, "g"))),
            ("flask.current_app.logger.info('up')\n", Some((4, "current_app"))),
            ("print(r.path)\n", Some((4, "request"))),
            ("with app.app_context():\n    g.rollbar = 1\n", None),
            ("@app.route('/')\ndef home():\n    return r.path\n", None),
            ("path = lambda: r.path\n", None),
            ("G = 1\nclass g2:\n    rollbar = 1\n", None),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(line, name)| (line, name.to_owned())).collect();
            assert_eq!(used(&format!("{head}{text}")), expected, "{text}");
        }
    }
}
