//! Checks whether a variable is in a service's own lines exactly as an edit would write it.

use super::super::scalar::{quote_double, quote_in_style};
use super::super::services::ServiceLines;
use super::super::tree::{CollectionLayout, ScalarQuoting};
use super::place::find_environment;
use super::{item_name, take};

impl<'t> ServiceLines<'t> {
    /// Returns whether a service's own environment has the variable once, and with the very bytes of a line that was
    /// added.
    pub fn has_variable(&self, service: &str, name: &str, literal: &str) -> bool {
        self.find_line(service, name).is_some_and(|(line, form)| match form {
            MemberForm::Entry => {
                let value = quote_double(literal);
                let quoted = quote_double(name);
                line == format!("{name}: {value}") || line == format!("{quoted}: {value}")
            }
            MemberForm::Item(layout) => {
                let text = format!("{name}={literal}");
                let styles = [ScalarQuoting::Plain, ScalarQuoting::Single, ScalarQuoting::Double];
                styles.into_iter().any(|style| line == quote_in_style(&text, style, layout))
            }
        })
    }

    /// Finds the only member that sets the variable, with the rest of its line.
    fn find_line(&self, service: &str, name: &str) -> Option<(&'t str, MemberForm)> {
        let (draft, tree) = (&self.draft, self.draft.tree);
        let value = find_environment(draft, &self.services, service).ok()?.in_place(tree)?;
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
        let end = match layout {
            CollectionLayout::Block => draft.lines.end(end).max(end),
            CollectionLayout::Flow => end,
        };
        Some((tree.source[start..end].trim_end(), form))
    }
}

/// The way in which an environment has a variable.
enum MemberForm {
    Entry,
    Item(CollectionLayout),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::yaml::tree::YamlTree;

    #[test]
    fn a_line_is_as_written_only_to_the_byte() {
        let written = |environment: &str| {
            let text = format!("services:\n  a:\n    environment:{environment}\n");
            let tree = YamlTree::parse(text).unwrap();
            ServiceLines::find(&tree).unwrap().has_variable("a", "X", "a b")
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
