//! Edits YAML files in place: splices bytes at positions from a syntax tree, then has two parsers read the result.
//!
//! [`tree`] parses a text into nodes with byte ranges; [`environment`] and [`ports`] are edits. If the result does not
//! have the planned meaning, the edit returns a [`EditRefusal`]. Does no file I/O.

mod documents;
mod draft;
mod duplicates;
mod fresh;
mod layout;
mod materialise;
mod meaning;
mod merge;
mod scalar;
mod service_value;
mod services;
mod witness;

pub mod additions;
pub mod environment;
pub(crate) mod gitpod;
pub mod ports;
pub(crate) mod removals;
pub(crate) mod rename;
pub(crate) mod service_lists;
pub(crate) mod tasks;
pub mod tree;

pub use super::refusal::{EditRefusal, EditWarning, EditedText};
pub use services::ServiceLines;

use std::sync::Arc;

use tree::{YamlSyntaxError, YamlTree};

fn parse_yaml_tree(source: &str) -> Result<YamlTree, EditRefusal> {
    YamlTree::parse(source).map_err(|error| EditRefusal::syntax(source, &error))
}

impl EditedText {
    /// Returns the result of an edit of `tree`; `after` is the tree of the new text, `None` if nothing changes.
    fn of(tree: &YamlTree, after: Option<Arc<YamlTree>>) -> Self {
        let text = after.as_ref().map_or(&tree.source, |after| &after.source);
        let warnings = duplicates::find(&draft::YamlDraft::of(tree));
        Self { text: Arc::clone(text), tree: after, warnings }
    }
}

impl EditRefusal {
    fn syntax(source: &str, error: &YamlSyntaxError) -> Self {
        let text = source.lines().nth(error.line.saturating_sub(1));
        Self {
            reason: format!("this is not valid YAML: {}", error.message),
            hint: Some("fix that line, then run the same command again".to_owned()),
            line: error.line,
            column: error.column,
            text: text.unwrap_or_default().to_owned(),
            paste: String::new(),
        }
    }
}
