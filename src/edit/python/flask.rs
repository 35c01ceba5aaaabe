//! Where a module creates Flask applications.

use std::ops::Range;

use tree_sitter::Node;

use super::bindings::{Import, resolve};
use super::calls::{Scope, scope};
use super::source::{Parents, Source, preorder};

/// One `Flask(…)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// What it is bound to.
    pub target: Target,
    /// Bytes of the statement that creates it.
    pub statement: Range<usize>,
    /// Bytes of the statement of the module's own block.
    pub top: Range<usize>,
    /// 1 for the first line.
    pub line: usize,
    /// When it is created.
    pub scope: Scope,
}

/// What an application is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A name or an attribute, as written: `app`, `self.app`.
    Name(String),
    /// Nothing that a following statement could use, and why.
    Nothing(&'static str),
}

impl App {
    /// The name it is bound to.
    pub fn name(&self) -> Option<&str> {
        match &self.target {
            Target::Name(name) => Some(name),
            Target::Nothing(_) => None,
        }
    }
}

/// Every application the module creates, in the order of the text.
pub fn apps(source: &Source<'_>, imports: &[Import]) -> Vec<App> {
    let subclasses = subclasses(source, imports);
    let parents = Parents::of(source);
    preorder(source.root())
        .filter(|node| node.kind() == "call")
        .filter(|node| {
            node.child_by_field_name("function").is_some_and(|called| {
                is_flask(source, imports, called) || is_one_of(source, &subclasses, called)
            })
        })
        .filter_map(|node| app(source, &parents, node))
        .collect()
}

fn app<'t>(source: &Source<'_>, parents: &Parents<'t>, node: Node<'t>) -> Option<App> {
    let statement = parents.statement(node)?;
    Some(App {
        target: target(source, parents, node, statement),
        statement: statement.byte_range(),
        top: parents.top_statement(node)?.byte_range(),
        line: node.start_position().row + 1,
        scope: scope(source, parents, node),
    })
}

fn is_flask(source: &Source<'_>, imports: &[Import], called: Node<'_>) -> bool {
    match resolve(source, imports, called) {
        Some(path) => matches!(path.as_str(), "flask.Flask" | "flask.app.Flask"),
        None => {
            source.of(called) == "Flask"
                && imports.iter().any(|import| import.local == "*" && import.path == "flask")
        }
    }
}

fn is_one_of(source: &Source<'_>, classes: &[String], called: Node<'_>) -> bool {
    called.kind() == "identifier" && classes.iter().any(|class| class == source.of(called))
}

/// Classes of this module that are Flask with something added.
fn subclasses(source: &Source<'_>, imports: &[Import]) -> Vec<String> {
    preorder(source.root())
        .filter(|node| node.kind() == "class_definition")
        .filter(|class| {
            class.child_by_field_name("superclasses").is_some_and(|bases| {
                let mut cursor = bases.walk();
                bases.named_children(&mut cursor).any(|base| is_flask(source, imports, base))
            })
        })
        .filter_map(|class| class.child_by_field_name("name"))
        .map(|name| source.of(name).to_owned())
        .collect()
}

fn target<'t>(
    source: &Source<'_>,
    parents: &Parents<'t>,
    call: Node<'t>,
    statement: Node<'t>,
) -> Target {
    let in_one_line = parents
        .parent(statement)
        .is_some_and(|block| block.kind() == "block" && source.shares_line(block));
    if in_one_line || parents.enclosing(call, "lambda").is_some() {
        return Target::Nothing("the block it stands in is one line");
    }
    if statement.kind() == "return_statement" {
        return Target::Nothing("it is returned without a name");
    }
    let mut above = parents.upwards(call).skip(1);
    let holder = above.find(|above| above.kind() != "parenthesized_expression");
    let bound = holder.and_then(|holder| match holder.kind() {
        "assignment" => holder.child_by_field_name("left"),
        "named_expression" => holder.child_by_field_name("name"),
        _ => None,
    });
    match bound {
        Some(left) if is_path(source, left) => Target::Name(source.of(left).to_owned()),
        Some(left) if left.kind() == "attribute" => {
            Target::Nothing("what it is bound to cannot be named a second time")
        }
        Some(_) => Target::Nothing("several names are assigned at once"),
        None => Target::Nothing("it is handed on without a name"),
    }
}

/// Names with dots between them, in one line: what a call returns may be another thing the next time.
fn is_path(source: &Source<'_>, node: Node<'_>) -> bool {
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
    use super::super::bindings::imports;
    use super::*;

    fn targets(text: &str) -> Vec<Option<String>> {
        let source = Source::parse(text).unwrap();
        apps(&source, &imports(&source))
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
}
