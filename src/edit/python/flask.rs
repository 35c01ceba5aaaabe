//! Finds where a module creates web applications.

use std::ops::Range;

use tree_sitter::Node;

use super::bindings::{PythonImport, resolve_expression};
use super::calls::{CallScope, find_call_scope};
use super::framework::{FRAMEWORKS, PythonFramework};
use super::source::{NodeParents, PythonSource, walk_preorder};

/// Context for finding the applications of one module, from outside that module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlaskNames {
    /// Subclasses of Flask defined in the service's own modules, each as `stem.Class`.
    pub classes: Vec<AppClass>,
    /// Names of this module's objects that the start command serves.
    pub served: Vec<String>,
}

/// An application class defined in the service's own code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppClass {
    /// As written, or `stem.Class` if defined in another module.
    pub name: String,
    /// The framework whose class it extends.
    pub framework: &'static PythonFramework,
}

/// The creation of an application: `Flask(…)`, or the equivalent of another framework.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonApp {
    /// The target that the application is assigned to.
    pub target: AppBinding,
    /// Byte range of the statement that creates it.
    pub statement: Range<usize>,
    /// Byte range of the module-level statement that contains it.
    pub top: Range<usize>,
    /// Line number, starting at 1.
    pub line: usize,
    /// When the creation runs.
    pub scope: CallScope,
    /// The framework of the application.
    pub framework: &'static PythonFramework,
}

/// The target that an application is assigned to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppBinding {
    /// A name or an attribute, as written: `app`, `self.app`.
    Name(String),
    /// None: the application is directly returned.
    Returned,
    /// None that a later statement could use, with the reason.
    Nothing(&'static str),
}

impl PythonApp {
    /// Returns the name it is bound to.
    pub fn name(&self) -> Option<&str> {
        match &self.target {
            AppBinding::Name(name) => Some(name),
            AppBinding::Returned | AppBinding::Nothing(_) => None,
        }
    }
}

/// Lists every application that the module creates, in source order.
pub(crate) fn list_apps(
    source: &PythonSource<'_>,
    imports: &[PythonImport],
    names: &FlaskNames,
) -> Vec<PythonApp> {
    let classes = AppClasses {
        source,
        imports,
        names,
        subclasses: list_app_subclasses(source, imports, names),
    };
    let parents = NodeParents::of(source);
    let mut found: Vec<PythonApp> = walk_preorder(source.root())
        .filter(|node| node.kind() == "call")
        .filter_map(|node| {
            let class = classes.find(node.child_by_field_name("function")?)?;
            read_app(source, &parents, node, class)
        })
        .collect();
    if found.is_empty() {
        found.extend(
            names.served.iter().filter_map(|name| find_served_app(source, imports, &parents, name)),
        );
    }
    found
}

fn read_app<'t>(
    source: &PythonSource<'_>,
    parents: &NodeParents<'t>,
    node: Node<'t>,
    (framework, attribute): (&'static PythonFramework, &str),
) -> Option<PythonApp> {
    let statement = parents.statement(node)?;
    let target = match find_app_target(source, parents, node, statement) {
        AppBinding::Name(name) => AppBinding::Name(name + attribute),
        AppBinding::Returned if !attribute.is_empty() => {
            AppBinding::Nothing("it is returned without a name")
        }
        target => target,
    };
    Some(PythonApp {
        target,
        statement: statement.byte_range(),
        top: parents.top_statement(node)?.byte_range(),
        line: node.start_position().row + 1,
        scope: find_call_scope(source, parents, node),
        framework,
    })
}

/// Finds the last module-level statement that binds the served object `name`, if that may be a Flask application.
fn find_served_app<'t>(
    source: &'t PythonSource<'_>,
    imports: &[PythonImport],
    parents: &NodeParents<'t>,
    name: &str,
) -> Option<PythonApp> {
    // Only the start command names it, so its class is unknown and the first framework is assumed.
    let framework = FRAMEWORKS.first()?;
    let mut cursor = source.root().walk();
    let statements: Vec<Node<'t>> = source.root().named_children(&mut cursor).collect();
    let bound = statements.into_iter().rev().find_map(|statement| {
        let assignment = statement.named_child(0).filter(|node| node.kind() == "assignment")?;
        let left = assignment.child_by_field_name("left")?;
        (source.of(left) == name).then_some(assignment)
    })?;
    let value = bound.child_by_field_name("right")?;
    let callee = match value.kind() {
        "call" => value.child_by_field_name("function")?,
        "attribute" => return read_app(source, parents, value, (framework, "")),
        _ => return None,
    };
    let path = resolve_expression(source, imports, callee).unwrap_or_default();
    let package = path.split('.').next().unwrap_or_default();
    if PythonFramework::is_unsupported(package) {
        return None;
    }
    read_app(source, parents, value, (framework, ""))
}

/// The application classes, under the names that one module uses.
struct AppClasses<'s> {
    source: &'s PythonSource<'s>,
    imports: &'s [PythonImport],
    names: &'s FlaskNames,
    subclasses: Vec<AppClass>,
}

impl AppClasses<'_> {
    /// Returns the framework of this class, and the attribute that holds the application in its instances (empty if the
    /// instance is the application); `None` for any other class.
    fn find(&self, called: Node<'_>) -> Option<(&'static PythonFramework, &'static str)> {
        let name = self.source.of(called);
        if called.kind() == "identifier"
            && let Some(subclass) = self.subclasses.iter().find(|subclass| subclass.name == name)
        {
            return Some((subclass.framework, ""));
        }
        let Some(path) = resolve_expression(self.source, self.imports, called) else {
            let brings = |framework: &&PythonFramework| {
                let mut imports = self.imports.iter();
                name == framework.class
                    && imports.any(|import| import.local == "*" && import.path == framework.package)
            };
            return Some((FRAMEWORKS.iter().find(brings)?, ""));
        };
        let known = FRAMEWORKS.iter().find_map(|framework| {
            let (_, attribute) = framework.classes.iter().find(|(class, _)| *class == path)?;
            Some((framework, *attribute))
        });
        if known.is_some() {
            return known;
        }
        let is_own = |class: &str| {
            path.trim_start_matches('.') == class || path.ends_with(&format!(".{class}"))
        };
        // A package may re-export a class of one of its modules.
        let handed_on = |class: &str| {
            let last = class.rsplit('.').next();
            last == path.rsplit('.').next() && path.starts_with('.')
        };
        let mut classes = self.names.classes.iter();
        let class = classes.find(|class| is_own(&class.name) || handed_on(&class.name))?;
        Some((class.framework, ""))
    }
}

/// Lists the classes of this module that extend an application class.
pub(crate) fn list_app_subclasses(
    source: &PythonSource<'_>,
    imports: &[PythonImport],
    names: &FlaskNames,
) -> Vec<AppClass> {
    let mut classes = AppClasses { source, imports, names, subclasses: Vec::new() };
    let definitions: Vec<Node<'_>> =
        walk_preorder(source.root()).filter(|node| node.kind() == "class_definition").collect();
    loop {
        let base = |class: &Node<'_>| {
            let bases = class.child_by_field_name("superclasses")?;
            let mut cursor = bases.walk();
            let mut bases = bases.named_children(&mut cursor);
            bases.find_map(|base| {
                let (framework, attribute) = classes.find(base)?;
                attribute.is_empty().then_some(framework)
            })
        };
        let found: Vec<AppClass> = definitions
            .iter()
            .filter_map(|class| {
                let framework = base(class)?;
                let name = source.of(class.child_by_field_name("name")?).to_owned();
                Some(AppClass { name, framework })
            })
            .collect();
        if found.len() == classes.subclasses.len() {
            return found;
        }
        classes.subclasses = found;
    }
}

fn find_app_target<'t>(
    source: &PythonSource<'_>,
    parents: &NodeParents<'t>,
    call: Node<'t>,
    statement: Node<'t>,
) -> AppBinding {
    let in_one_line = parents
        .parent(statement)
        .is_some_and(|block| block.kind() == "block" && source.shares_line(block));
    if in_one_line || parents.enclosing(call, "lambda").is_some() {
        return AppBinding::Nothing("its block is on one line");
    }
    if statement.kind() == "return_statement" {
        let mut above = parents.upwards(call).skip(1);
        let holder = above.find(|above| above.kind() != "parenthesized_expression");
        return if holder == Some(statement) {
            AppBinding::Returned
        } else {
            AppBinding::Nothing("it is passed on without a name")
        };
    }
    let mut above = parents.upwards(call).skip(1);
    let holder = above.find(|above| above.kind() != "parenthesized_expression");
    let bound = holder.and_then(|holder| match holder.kind() {
        "assignment" => holder.child_by_field_name("left"),
        "named_expression" => holder.child_by_field_name("name"),
        _ => None,
    });
    match bound {
        Some(left) if is_path(source, left) => AppBinding::Name(source.of(left).to_owned()),
        Some(left) if left.kind() == "attribute" => {
            AppBinding::Nothing("what it is bound to cannot be named a second time")
        }
        Some(_) => AppBinding::Nothing("several names are assigned at once"),
        None => AppBinding::Nothing("it is passed on without a name"),
    }
}

/// Returns whether a node is a dotted name on one line. A call is not: it may return something else the next time.
fn is_path(source: &PythonSource<'_>, node: Node<'_>) -> bool {
    let mut first = node;
    while first.kind() == "attribute"
        && let Some(object) = first.child_by_field_name("object")
    {
        first = object;
    }
    first.kind() == "identifier" && !source.of(node).contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::super::bindings::list_imports;
    use super::*;

    fn targets(text: &str) -> Vec<Option<String>> {
        let source = PythonSource::parse(text).unwrap();
        list_apps(&source, &list_imports(&source), &FlaskNames::default())
            .into_iter()
            .map(|app| app.name().map(str::to_owned))
            .collect()
    }

    fn some(name: &str) -> Option<String> {
        Some(name.to_owned())
    }

    #[test]
    fn an_application_is_found_whatever_flask_is_called() {
        assert_eq!(targets("from flask import Flask as F\na = F('x')\n"), [some("a")]);
        assert_eq!(targets("import flask\na: flask.Flask = (flask.Flask('x'))\n"), [some("a")]);
        assert_eq!(targets("from flask import *\na = b = Flask('x')\n"), [some("b")]);
        assert_eq!(
            targets(
                "import flask as f\nclass Own(f.Flask): pass\nclass S:\n  def __init__(self):\n    self.app = Own('x')\n"
            ),
            [some("self.app")]
        );
        assert_eq!(targets("from flask import Flask\nif (a := Flask('x')): pass\n"), [some("a")]);
    }

    #[test]
    fn an_application_without_a_name_is_found_too() {
        let head = "from flask import Flask\n";
        for body in [
            "def f(): return Flask('x')\n",
            "def f():\n    return Flask('x')\n",
            "a, b = Flask('x'), 1\n",
            "run(Flask('x'))\n",
            "if x: a = Flask('x')\n",
            "make().app = Flask('x')\n",
            "made[0].app = Flask('x')\n",
            "(made.\r\n  app) = Flask('x')\r\n",
        ] {
            assert_eq!(targets(&format!("{head}{body}")), [None], "{body}");
        }
        assert_eq!(targets("Flask = 1\nFlask('x')\n# app = Flask('y')\n"), []);
    }

    #[test]
    fn classes_of_libraries_and_of_other_modules_are_applications() {
        for (text, expected) in [
            (
                "from flask_openapi3 import Info, OpenAPI\napp = OpenAPI(__name__, info=Info())\n",
                some("app"),
            ),
            ("import apiflask\napi = apiflask.APIFlask(__name__)\n", some("api")),
            ("import connexion\nc = connexion.FlaskApp(__name__)\n", some("c.app")),
            ("from connexion import App\napplication = App(__name__)\n", some("application.app")),
            ("from eve import Eve\napp = Eve()\n", some("app")),
            (
                "from flask import Flask\nclass A(Flask): pass\nclass B(A): pass\nb = B('x')\n",
                some("b"),
            ),
            ("from apiflask import APIFlask\nclass A(APIFlask): pass\na = A('x')\n", some("a")),
        ] {
            assert_eq!(targets(text), [expected], "{text}");
        }
        let names = FlaskNames {
            classes: vec![AppClass { name: "core.Own".to_owned(), framework: &FRAMEWORKS[0] }],
            ..FlaskNames::default()
        };
        let with = |text: &str| {
            let source = PythonSource::parse(text).unwrap();
            let found = list_apps(&source, &list_imports(&source), &names);
            found.into_iter().map(|app| app.name().map(str::to_owned)).collect::<Vec<_>>()
        };
        assert_eq!(with("from core import Own\napp = Own(__name__)\n"), [some("app")]);
        assert_eq!(with("from shop.core import Own as O\napp = O(__name__)\n"), [some("app")]);
        assert_eq!(with("from . import Own\napp = Own(__name__)\n"), [some("app")]);
        assert_eq!(with("import core\napp = core.Own(__name__)\n"), [some("app")]);
        assert_eq!(with("from elsewhere import Own\napp = Own(__name__)\n"), []);
    }

    #[test]
    fn objects_that_the_start_command_serves_are_applications() {
        let served = |text: &str, name: &str| {
            let names = FlaskNames { served: vec![name.to_owned()], ..FlaskNames::default() };
            let source = PythonSource::parse(text).unwrap();
            let found = list_apps(&source, &list_imports(&source), &names);
            found.into_iter().map(|app| app.name().map(str::to_owned)).collect::<Vec<_>>()
        };
        assert_eq!(served("from corp import Service\napp = Service('x')\n", "app"), [some("app")]);
        assert_eq!(
            served("import dash\nd = dash.Dash()\nserver = d.server\n", "server"),
            [some("server")]
        );
        assert_eq!(served("app = 1\napp = make()\n", "app"), [some("app")]);
        for text in [
            "from fastapi import FastAPI\napp = FastAPI()\n",
            "from django.core.wsgi import get_wsgi_application\napp = get_wsgi_application()\n",
            "import falcon\napp = falcon.App()\n",
            "def f():\n  app = make()\n",
            "app = None\n",
        ] {
            assert_eq!(served(text, "app"), [], "{text}");
        }
    }
}
