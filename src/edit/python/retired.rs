//! Finds `before_first_request`, which Flask removed in 2.3.

use tree_sitter::Node;

use super::order::{MistakeEffect, OrderMistake};
use super::source::{PythonSource, walk_preorder};
use crate::edit::patch::TextPatch;
use crate::edit::text::{line_end, line_start};

/// Finds functions registered for the first request. Flask no longer supports that, so the module fails to load; the
/// fix runs them when the application is created.
pub(crate) fn find_retired_hooks(source: &PythonSource<'_>) -> Vec<OrderMistake> {
    walk_preorder(source.root())
        .filter(|node| node.kind() == "decorator")
        .filter_map(|decorator| {
            let app = source.of(decorator.named_child(0)?).strip_suffix(".before_first_request")?;
            Some(OrderMistake {
                line: source.line_number(decorator.start_byte()),
                text:
                    "`before_first_request` is gone since Flask 2.3: the application does not start"
                        .to_owned(),
                effect: MistakeEffect::NoStart,
                fix: at_once(source, decorator, app).unwrap_or_default(),
            })
        })
        .collect()
}

/// Removes the decorator and calls the function after its definition; `None` if it takes arguments.
fn at_once(source: &PythonSource<'_>, decorator: Node<'_>, app: &str) -> Option<Vec<TextPatch>> {
    let decorated = decorator.parent()?;
    let function = decorated.child_by_field_name("definition")?;
    let parameters = function.child_by_field_name("parameters")?;
    if parameters.named_child_count() > 0 || source.shares_line(decorator) {
        return None;
    }
    let name = source.of(function.child_by_field_name("name")?);
    let indent = source.indent(decorator.start_byte());
    let ending = source.ending.text();
    let at = line_end(source.text, decorated.end_byte());
    let lead = if source.text[..at].ends_with('\n') { "" } else { ending };
    let call = format!(
        "{lead}{indent}with {app}.app_context():{ending}{indent}{}{name}(){ending}",
        source.step()
    );
    let lines = line_start(source.text, decorator.start_byte())
        ..line_end(source.text, decorator.end_byte());
    Some(vec![TextPatch::replace(lines, ""), TextPatch::insert(at, call)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::patch;

    #[test]
    fn the_guides_rollbar_runs_when_the_application_is_made() {
        let text = "app = Flask(__name__)\n@app.before_first_request\ndef init_rollbar():\n  \"\"\"init rollbar module\"\"\"\n  rollbar.init(t)";
        let source = PythonSource::parse(text).unwrap();
        let found = find_retired_hooks(&source);
        assert_eq!(found[0].line, 2);
        assert_eq!(
            patch::apply(text, &found[0].fix).unwrap(),
            "app = Flask(__name__)\ndef init_rollbar():\n  \"\"\"init rollbar module\"\"\"\n  rollbar.init(t)\nwith app.app_context():\n  init_rollbar()\n"
        );
    }

    #[test]
    fn a_function_with_arguments_gets_no_fix() {
        let source = PythonSource::parse("@app.before_first_request\ndef f(x): pass\n").unwrap();
        assert!(find_retired_hooks(&source)[0].fix.is_empty());
    }
}
