//! Edits YAML files in place: splices bytes at positions from a syntax tree, then has two parsers read the result.
//!
//! [`tree`] parses a text into nodes with byte ranges; [`environment`] and [`ports`] are edits. If the result does not
//! have the planned meaning, the edit returns a [`Refusal`]. Does no file I/O.

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
pub mod gitpod;
pub mod ports;
pub mod removals;
pub mod rename;
pub mod service_lists;
pub mod tasks;
pub mod tree;

pub use super::refusal::{Edit, Refusal, Warning};

use tree::{SyntaxError, Tree};

/// Checks whether `source` is valid YAML.
///
/// # Errors
/// The first syntax error with its line and column.
pub fn syntax(source: &str) -> Result<(), Refusal> {
    parse(source).map(|_| ())
}

fn parse(source: &str) -> Result<Tree, Refusal> {
    Tree::parse(source).map_err(|error| Refusal::syntax(source, &error))
}

impl Refusal {
    fn syntax(source: &str, error: &SyntaxError) -> Self {
        let text = source.lines().nth(error.line.saturating_sub(1));
        Self {
            reason: format!("this is no YAML: {}", error.message),
            hint: Some("correct that line, then run the same command again".to_owned()),
            line: error.line,
            column: error.column,
            text: text.unwrap_or_default().to_owned(),
            paste: String::new(),
        }
    }
}
