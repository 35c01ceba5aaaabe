//! Lists the paths that a module's functions serve, and which of them are unsafe to request.

use tree_sitter::Node;

use super::source::{PythonSource, walk_preorder};

/// A path that answers a GET request without arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GetRoute {
    /// The object it is registered on: `app`, `users`.
    pub on: String,
    /// The path as registered there: `/api/home`.
    pub path: String,
    /// The effect of a request to the path.
    pub effect: RouteEffect,
}

/// The effect of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RouteEffect {
    /// It reads data, as far as the code shows.
    Reads,
    /// It raises an error, logs out or deletes something.
    Harms,
}

/// A `Blueprint(…)` or `register_blueprint(…)` call: the name and the `url_prefix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlueprintPrefix {
    /// The last part of the blueprint's name.
    pub name: String,
    /// The prefix, if given.
    pub prefix: Option<String>,
}

/// Words in paths and code that indicate more than reading.
const HARMFUL_PATHS: [&str; 25] = [
    "rollbar",
    "sentry",
    "bugsnag",
    "error",
    "exception",
    "crash",
    "fail",
    "raise",
    "boom",
    "logout",
    "signout",
    "delete",
    "remove",
    "destroy",
    "drop",
    "reset",
    "clear",
    "purge",
    "flush",
    "seed",
    "migrate",
    "shutdown",
    "restart",
    "unsubscribe",
    "cancel",
];
const HARMFUL_CODE: [&str; 13] = [
    "rollbar.report_",
    "report_message(",
    "report_exc_info(",
    "capture_message(",
    "capture_exception(",
    "logout_user(",
    "session.clear(",
    "session.pop(",
    ".delete(",
    "delete from",
    "drop table",
    "drop_all(",
    "os._exit(",
];

/// Lists every route of a module that answers a GET and takes no arguments, in source order.
pub(crate) fn list_get_routes(source: &PythonSource<'_>) -> Vec<GetRoute> {
    walk_preorder(source.root())
        .filter_map(|node| match node.kind() {
            "decorator" => read_decorated_route(source, node),
            "call" => read_added_route(source, node),
            _ => None,
        })
        .filter(|route| route.path.starts_with('/') && !route.path.contains('<'))
        .collect()
}

/// Lists the blueprints that a module creates.
pub(crate) fn list_blueprints(source: &PythonSource<'_>) -> Vec<BlueprintPrefix> {
    let assignments = walk_preorder(source.root()).filter(|node| node.kind() == "assignment");
    assignments
        .filter_map(|node| {
            let call = node.child_by_field_name("right").filter(|node| node.kind() == "call")?;
            let called = source.of(call.child_by_field_name("function")?);
            called.ends_with("Blueprint").then_some(())?;
            Some(BlueprintPrefix {
                name: source.of(node.child_by_field_name("left")?).to_owned(),
                prefix: find_keyword_argument(source, call, "url_prefix")
                    .and_then(|value| read_plain_string(source, value)),
            })
        })
        .collect()
}

/// Lists the blueprints that a module registers.
pub(crate) fn list_registrations(source: &PythonSource<'_>) -> Vec<BlueprintPrefix> {
    let calls = walk_preorder(source.root()).filter(|node| node.kind() == "call");
    calls
        .filter_map(|call| {
            let called = source.of(call.child_by_field_name("function")?);
            called.ends_with(".register_blueprint").then_some(())?;
            let name = source.of(find_positional_argument(call, 0)?);
            Some(BlueprintPrefix {
                name: name.rsplit('.').next().unwrap_or(name).to_owned(),
                prefix: find_keyword_argument(source, call, "url_prefix")
                    .and_then(|value| read_plain_string(source, value)),
            })
        })
        .collect()
}

/// Returns whether the words of a path indicate that a request does more than read.
pub(crate) fn is_harmful_path(path: &str) -> bool {
    let joined: String =
        path.to_ascii_lowercase().chars().filter(|c| !matches!(c, '-' | '_')).collect();
    HARMFUL_PATHS.iter().any(|word| joined.contains(word))
}

/// Reads `@app.route('/x')` or `@users.get('/x')`.
fn read_decorated_route(source: &PythonSource<'_>, decorator: Node<'_>) -> Option<GetRoute> {
    let call = decorator.named_child(0).filter(|node| node.kind() == "call")?;
    let (on, name) = source.of(call.child_by_field_name("function")?).rsplit_once('.')?;
    let gets = name == "get" || (name == "route" && answers_get(source, call));
    let path = read_plain_string(
        source,
        find_positional_argument(call, 0)
            .or_else(|| find_keyword_argument(source, call, "rule"))?,
    )?;
    gets.then(|| build_route(on, path, source.of(decorator.parent().unwrap_or(decorator))))
}

/// Reads `app.add_url_rule('/x', view_func=…)`.
fn read_added_route(source: &PythonSource<'_>, call: Node<'_>) -> Option<GetRoute> {
    let (on, name) = source.of(call.child_by_field_name("function")?).rsplit_once('.')?;
    if name != "add_url_rule" || !answers_get(source, call) {
        return None;
    }
    Some(build_route(
        on,
        read_plain_string(source, find_positional_argument(call, 0)?)?,
        source.of(call),
    ))
}

fn build_route(on: &str, path: String, code: &str) -> GetRoute {
    let code = code.to_ascii_lowercase();
    let harms = is_harmful_path(&path) || HARMFUL_CODE.iter().any(|word| code.contains(word));
    let effect = if harms { RouteEffect::Harms } else { RouteEffect::Reads };
    GetRoute { on: on.to_owned(), path, effect }
}

fn answers_get(source: &PythonSource<'_>, call: Node<'_>) -> bool {
    let methods = find_keyword_argument(source, call, "methods");
    methods.is_none_or(|methods| source.of(methods).to_ascii_uppercase().contains("GET"))
}

fn find_positional_argument(call: Node<'_>, index: usize) -> Option<Node<'_>> {
    let arguments = call.child_by_field_name("arguments")?;
    let mut cursor = arguments.walk();
    let mut found = arguments
        .named_children(&mut cursor)
        .filter(|node| !matches!(node.kind(), "comment" | "keyword_argument"));
    found.nth(index)
}

fn find_keyword_argument<'t>(
    source: &PythonSource<'_>,
    call: Node<'t>,
    name: &str,
) -> Option<Node<'t>> {
    let arguments = call.child_by_field_name("arguments")?;
    let mut cursor = arguments.walk();
    let mut keywords =
        arguments.named_children(&mut cursor).filter(|node| node.kind() == "keyword_argument");
    keywords
        .find(|node| {
            node.child_by_field_name("name").is_some_and(|label| source.of(label) == name)
        })?
        .child_by_field_name("value")
}

/// Returns the content of a plain string.
fn read_plain_string(source: &PythonSource<'_>, node: Node<'_>) -> Option<String> {
    let text = source.of(node);
    let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    (node.kind() == "string" && !inner.contains([quote, '\\'])).then(|| inner.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(text: &str) -> Vec<String> {
        let source = PythonSource::parse(text).unwrap();
        let routes = list_get_routes(&source).into_iter();
        let reads = routes.filter(|route| route.effect == RouteEffect::Reads);
        reads.map(|route| format!("{} {}", route.on, route.path)).collect()
    }

    #[test]
    fn routes_of_applications_blueprints_and_functions_are_read() {
        let text = "@app.route('/api/x', methods=['POST'])\ndef a(): pass\n@users.get(\"/me\")\ndef b(): pass\ndef load(app):\n  \
                    @app.route('/api/home', methods=['GET'])\n  def c(): pass\n@app.route('/@<handle>')\ndef d(h): pass\n\
                    app.add_url_rule('/rule', view_func=a)\n@app.errorhandler(404)\ndef e(x): pass\n";
        assert_eq!(reads(text), ["users /me", "app /api/home", "app /rule"]);
    }

    #[test]
    fn a_route_that_does_more_than_read_is_known() {
        for text in [
            "@app.route('/rollbar/test')\ndef a(): pass\n",
            "@app.route('/log-out')\ndef a(): pass\n",
            "@app.route('/x')\ndef a():\n  rollbar.report_message('x')\n",
            "@app.route('/y')\ndef a():\n  db.execute('DELETE FROM t')\n",
            "@auth.get('/bye')\ndef a():\n  logout_user()\n",
        ] {
            assert_eq!(reads(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn prefixes_stand_where_a_blueprint_is_made_or_registered() {
        let text = "bp = Blueprint('x', __name__, url_prefix='/x')\napp.register_blueprint(users.bp, url_prefix='/u')\napp.register_blueprint(bp)\n";
        let source = PythonSource::parse(text).unwrap();
        let prefix = |prefix: &str| Some(prefix.to_owned());
        assert_eq!(list_blueprints(&source)[0].prefix, prefix("/x"));
        let found = list_registrations(&source);
        assert_eq!(found[0], BlueprintPrefix { name: "bp".to_owned(), prefix: prefix("/u") });
        assert_eq!(found[1].prefix, None);
    }
}
