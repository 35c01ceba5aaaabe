//! Finds what docker compose would reject anywhere in a file: repeated keys, templates without a result.

use foldhash::{HashSet, HashSetExt};

use crate::edit::yaml::tree::{Kind, NodeId, Tree};

use super::interpolate::InterpolationError;
use super::read::Fault;
use super::source::{FileId, Span, Weight};
use super::variables::{ScopeId, Variables};

/// The findings in one file.
pub(super) struct Found {
    pub(super) faults: Vec<Fault>,
    /// Templates without a result, each with its fault and text.
    pub(super) failing: Vec<(Fault, String)>,
    /// The first template whose result exceeds a limit.
    pub(super) beyond: Option<(Span, InterpolationError)>,
}

/// Visits every node of a tree once. The results of templates reduce `room`, in bytes.
pub(super) fn scan(
    tree: &Tree,
    file: FileId,
    variables: &Variables,
    scope: ScopeId,
    room: &mut usize,
) -> Found {
    let fault = |id: NodeId, text: String| Fault {
        span: Span { file, range: tree.node(id).range.clone() },
        text,
        weight: Weight::Refused,
    };
    let named = |key: NodeId| tree.scalar(key).unwrap_or_default();
    let again = |key| {
        let text = format!("the key `{}` is here a second time", named(key));
        fault(key, text)
    };
    let mut found = Found {
        faults: tree.repeated_keys().map(again).collect(),
        failing: Vec::new(),
        beyond: None,
    };
    // Keys are not templates.
    let mut keys: HashSet<NodeId> = HashSet::new();
    for id in tree.ids() {
        match &tree.node(id).kind {
            Kind::Mapping(entries, _) => {
                let templates = entries.iter().map(|(key, _)| *key);
                keys.extend(templates.filter(|key| named(*key).contains('$')));
            }
            Kind::Scalar(text, _) if tree.text(text).contains('$') && !keys.contains(&id) => {
                let text = tree.text(text);
                let result = variables.interpolate(scope, text).and_then(|result| {
                    let left = room.checked_sub(result.text.len());
                    left.ok_or(InterpolationError::ValuesTooLarge)
                });
                match result {
                    Ok(left) => *room = left,
                    Err(error) if error.is_too_large() => {
                        let span = Span { file, range: tree.node(id).range.clone() };
                        found.beyond = Some((span, error));
                        return found;
                    }
                    Err(error) => {
                        let fault = fault(id, describe(&error));
                        found.failing.push((fault, text.to_owned()));
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn describe(error: &InterpolationError) -> String {
    match error {
        InterpolationError::Invalid { .. } => {
            format!("{error}; a literal dollar sign is written `$$`")
        }
        _ => error.to_string(),
    }
}
