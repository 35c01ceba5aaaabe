//! Adds tracing headers to the header lists of flask-cors calls, which limit what a browser may send and read.

use tree_sitter::Node;

use super::bindings::{PythonImport, resolve_expression};
use super::source::{PythonSource, walk_preorder};
use crate::edit::patch::TextPatch;
use crate::edit::text::line_end;

/// The result of adding headers to the flask-cors calls of a module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CorsHeaders {
    /// Patches that add the missing headers.
    pub patches: Vec<TextPatch>,
    /// Lines whose header list is computed, so that its content is unknown.
    pub unclear: Vec<usize>,
}

/// Allows and exposes `headers` in every call of flask-cors. A call without `allow_headers` already allows every
/// header.
pub(crate) fn admit(
    source: &PythonSource<'_>,
    imports: &[PythonImport],
    headers: &[&str],
) -> CorsHeaders {
    let mut found = CorsHeaders::default();
    for call in walk_preorder(source.root()).filter(|node| node.kind() == "call") {
        let path = call
            .child_by_field_name("function")
            .and_then(|function| resolve_expression(source, imports, function));
        let sort = match path.as_deref() {
            Some("flask_cors.CORS" | "flask_cors.extension.CORS") => CorsScope::Application,
            Some("flask_cors.cross_origin" | "flask_cors.decorator.cross_origin") => {
                CorsScope::Route
            }
            _ => continue,
        };
        let lists = find_header_lists(source, call);
        let exposes = lists.iter().any(|(name, _)| name == EXPOSED);
        for (_, value) in lists {
            match find_missing_headers(source, value, headers) {
                Some(missing) => found.patches.extend(extend_header_list(source, value, &missing)),
                None => found.unclear.push(source.line_number(value.start_byte())),
            }
        }
        if sort == CorsScope::Application && !exposes {
            found.patches.extend(add_expose_headers(source, call, headers));
        }
    }
    found
}

const ALLOWED: &str = "allow_headers";
const EXPOSED: &str = "expose_headers";

/// The scope of a flask-cors call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CorsScope {
    Application,
    Route,
}

/// Finds the header lists of a call, given as keywords or inside `resources`.
fn find_header_lists<'t>(source: &PythonSource<'_>, call: Node<'t>) -> Vec<(String, Node<'t>)> {
    let Some(arguments) = call.child_by_field_name("arguments") else {
        return Vec::new();
    };
    walk_preorder(arguments)
        .filter_map(|node| {
            let (name, value) = match node.kind() {
                "keyword_argument" => {
                    (node.child_by_field_name("name")?, node.child_by_field_name("value")?)
                }
                "pair" => (node.child_by_field_name("key")?, node.child_by_field_name("value")?),
                _ => return None,
            };
            let name = source.of(name).trim_matches(['"', '\'']).to_owned();
            (name == ALLOWED || name == EXPOSED).then_some((name, value))
        })
        .collect()
}

/// Returns the headers missing from a value; `None` if the value is not a literal.
fn find_missing_headers<'h>(
    source: &PythonSource<'_>,
    value: Node<'_>,
    headers: &[&'h str],
) -> Option<Vec<&'h str>> {
    let parts = collect_string_nodes(value)?;
    let named: Vec<String> = parts
        .iter()
        .flat_map(|part| {
            let text = source
                .of(*part)
                .trim_start_matches(|c: char| c.is_ascii_alphabetic())
                .trim_matches(['"', '\'']);
            text.split(',').map(|name| name.trim().to_ascii_lowercase())
        })
        .collect();
    if named.iter().any(|name| name == "*") {
        return Some(Vec::new());
    }
    let lacks = |header: &&&str| !named.iter().any(|name| name == **header);
    Some(headers.iter().filter(lacks).copied().collect())
}

/// Returns the string literals that a value consists of.
fn collect_string_nodes(value: Node<'_>) -> Option<Vec<Node<'_>>> {
    let parts: Vec<Node<'_>> = match value.kind() {
        "string" => vec![value],
        "concatenated_string" | "list" | "tuple" | "set" => {
            let mut cursor = value.walk();
            let children = value.named_children(&mut cursor);
            children.filter(|child| child.kind() != "comment").collect()
        }
        _ => return None,
    };
    let plain = |part: &Node<'_>| {
        part.kind() == "string" && walk_preorder(*part).all(|inner| inner.kind() != "interpolation")
    };
    parts.iter().all(plain).then_some(parts)
}

fn extend_header_list(
    source: &PythonSource<'_>,
    value: Node<'_>,
    missing: &[&str],
) -> Option<TextPatch> {
    if missing.is_empty() {
        return None;
    }
    let parts = collect_string_nodes(value)?;
    let Some(last) = parts.last() else {
        let quoted: Vec<String> = missing.iter().map(|header| format!("\"{header}\"")).collect();
        return Some(TextPatch::insert(value.start_byte() + 1, quoted.join(", ")));
    };
    if matches!(value.kind(), "string" | "concatenated_string") {
        let end = last.child(last.child_count().checked_sub(1)? as u32)?;
        let lead = if source.of(*last).len() <= 2 { "" } else { "," };
        return Some(TextPatch::insert(end.start_byte(), format!("{lead}{}", missing.join(","))));
    }
    let quote = if source.of(*last).starts_with('\'') { '\'' } else { '"' };
    let text: String = missing.iter().map(|header| format!(", {quote}{header}{quote}")).collect();
    Some(TextPatch::insert(last.end_byte(), text))
}

/// Returns a patch that adds the `expose_headers` keyword after the last argument.
fn add_expose_headers(
    source: &PythonSource<'_>,
    call: Node<'_>,
    headers: &[&str],
) -> Option<TextPatch> {
    let arguments = call.child_by_field_name("arguments")?;
    let mut cursor = arguments.walk();
    let last = arguments
        .named_children(&mut cursor)
        .filter(|argument| argument.kind() != "comment")
        .last()?;
    let keyword = format!("{EXPOSED}=\"{}\"", headers.join(","));
    let own_line =
        line_end(source.text, last.end_byte()) < arguments.end_byte() && !source.shares_line(last);
    let lead = if own_line {
        format!(",{}{}", source.ending.text(), source.indent(last.start_byte()))
    } else {
        ", ".to_owned()
    };
    Some(TextPatch::insert(last.end_byte(), format!("{lead}{keyword}")))
}

#[cfg(test)]
mod tests {
    use super::super::bindings::list_imports;
    use super::*;
    use crate::edit::patch;

    fn admitted(text: &str) -> String {
        let source = PythonSource::parse(text).unwrap();
        let found = admit(&source, &list_imports(&source), &["traceparent", "tracestate"]);
        patch::apply(text, &found.patches).unwrap()
    }

    #[track_caller]
    fn check(before: &str, after: &str) {
        let head = "from flask_cors import CORS, cross_origin\n";
        let done = admitted(&format!("{head}{before}"));
        assert_eq!(done, format!("{head}{after}"));
        assert_eq!(admitted(&done), done);
    }

    #[test]
    fn the_guides_call_gets_both_headers_in_both_lists() {
        check(
            "cors = CORS(\n  app, \n  expose_headers=\"location,link\",\n  allow_headers=\"content-type,if-modified-since\",\n)\n",
            "cors = CORS(\n  app, \n  expose_headers=\"location,link,traceparent,tracestate\",\n  \
             allow_headers=\"content-type,if-modified-since,traceparent,tracestate\",\n)\n",
        );
    }

    #[test]
    fn lists_and_resources_are_extended_and_a_star_is_enough() {
        check(
            "CORS(app, resources={r'/api/*': {'allow_headers': ['Content-Type', 'Traceparent']}}, expose_headers=())\n",
            "CORS(app, resources={r'/api/*': {'allow_headers': ['Content-Type', 'Traceparent', 'tracestate']}}, \
             expose_headers=(\"traceparent\", \"tracestate\"))\n",
        );
        check(
            "@cross_origin(allow_headers='*')\ndef f(): pass\n",
            "@cross_origin(allow_headers='*')\ndef f(): pass\n",
        );
    }

    #[test]
    fn the_lists_of_a_route_are_extended_and_none_is_added() {
        check(
            "@cross_origin(allow_headers='x', expose_headers=['y'])\ndef f(): pass\n",
            "@cross_origin(allow_headers='x,traceparent,tracestate', \
             expose_headers=['y', 'traceparent', 'tracestate'])\ndef f(): pass\n",
        );
        check(
            "@cross_origin(origins=x)\ndef f(): pass\n",
            "@cross_origin(origins=x)\ndef f(): pass\n",
        );
        check(
            "from flask_cors.decorator import cross_origin as c\n@c(allow_headers=())\ndef f(): pass\n",
            "from flask_cors.decorator import cross_origin as c\n\
             @c(allow_headers=(\"traceparent\", \"tracestate\"))\ndef f(): pass\n",
        );
    }

    #[test]
    fn a_call_that_exposes_nothing_exposes_the_headers() {
        check("CORS(app)\n", "CORS(app, expose_headers=\"traceparent,tracestate\")\n");
        check(
            "CORS(\n    app,\n    origins=x,  # all\n)\n",
            "CORS(\n    app,\n    origins=x,\n    expose_headers=\"traceparent,tracestate\",  # all\n)\n",
        );
    }

    #[test]
    fn a_computed_list_is_kept_and_reported() {
        let source = PythonSource::parse(
            "import flask_cors\nflask_cors.CORS(app, allow_headers=H, expose_headers='x')\n",
        )
        .unwrap();
        let found = admit(&source, &list_imports(&source), &["traceparent"]);
        assert_eq!(found.unclear, [2]);
        assert_eq!(found.patches.len(), 1);
    }
}
