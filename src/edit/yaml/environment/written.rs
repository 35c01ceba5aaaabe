//! Whether a variable stands in a service's own lines exactly as an edit would write it.

use super::super::draft::YamlDraft;
use super::super::scalar::{quote_double, quote_in_style};
use super::super::services::ServiceNodes;
use super::super::tree::{ScalarQuoting, YamlTree};
use super::place::find_environment;
use super::{item_name, take};

/// Returns whether a service's own environment has the variable once, and with the very bytes of a line that was added.
pub fn is_as_written(tree: &YamlTree, service: &str, name: &str, literal: &str) -> bool {
    find_line(tree, service, name).is_some_and(|(line, layout)| match layout {
        MemberForm::Entry => {
            let value = quote_double(literal);
            line == format!("{name}: {value}") || line == format!("{}: {value}", quote_double(name))
        }
        MemberForm::Item(block) => {
            let text = format!("{name}={literal}");
            let styles = [ScalarQuoting::Plain, ScalarQuoting::Single, ScalarQuoting::Double];
            styles.into_iter().any(|style| line == quote_in_style(&text, style, block))
        }
    })
}

enum MemberForm {
    Entry,
    Item(super::CollectionLayout),
}

/// The one member that carries the variable, with what stands behind it on its line.
fn find_line<'t>(tree: &'t YamlTree, service: &str, name: &str) -> Option<(&'t str, MemberForm)> {
    let draft = YamlDraft::of(tree);
    let services = ServiceNodes::find(&draft).ok()?;
    let value = find_environment(&draft, &services, service).ok()?.in_place(tree)?;
    let &[at] = take::find_named_members(tree, value, &[name]).as_slice() else { return None };
    let layout = draft.layout(value);
    let (start, end, form) = match tree.entries(value).get(at) {
        Some(entry) => (tree.start(entry.0), tree.pair_end(*entry), MemberForm::Entry),
        None => {
            let item = *tree.items(value).get(at)?;
            item_name(tree, item)?;
            (tree.start(item), tree.end(item), MemberForm::Item(layout))
        }
    };
    let end =
        if layout == super::CollectionLayout::Block { draft.lines.end(end).max(end) } else { end };
    Some((tree.source[start..end].trim_end(), form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_as_written_only_to_the_byte() {
        let written = |environment: &str| {
            let text = format!("services:\n  a:\n    environment:{environment}\n");
            is_as_written(&YamlTree::parse(text).unwrap(), "a", "X", "a b")
        };
        for environment in [
            "\n      X: \"a b\"",
            "\n      - X=a b",
            "\n      - \"X=a b\"",
            " {A: 1, X: \"a b\"}",
            " {\"X\": \"a b\"}",
        ] {
            assert!(written(environment), "{environment}");
        }
        for environment in [
            "\n      X: a b",
            "\n      X: 'a b'",
            "\n      X: \"a b\" # mine",
            "\n      X: \"a c\"",
            "\n      X: \"a b\"\n      X: \"a b\"",
            "\n      - X=a b # mine",
            " &e\n      <<: {X: \"a b\"}",
            " []",
        ] {
            assert!(!written(environment), "{environment}");
        }
    }
}
