//! Finds what docker compose would reject anywhere in a file: repeated keys, templates without a result.

use foldhash::{HashSet, HashSetExt};

use crate::edit::yaml::tree::{NodeId, YamlKind, YamlTree};

use super::interpolate::InterpolationError;
use super::read::ComposeFault;
use super::source::{FileId, FileSpan, WarningWeight};
use super::variables::{ProjectVariables, ScopeId};

/// The findings in one file.
pub(super) struct ScanResult {
    pub(super) faults: Vec<ComposeFault>,
    /// Templates without a result, each with its fault and text.
    pub(super) failing: Vec<(ComposeFault, String)>,
    /// The first template whose result exceeds a limit.
    pub(super) too_large: Option<(FileSpan, InterpolationError)>,
}

/// Visits every node of a tree once. The results of templates reduce `room`, in bytes.
pub(super) fn scan(
    tree: &YamlTree,
    file: FileId,
    variables: &ProjectVariables,
    scope: ScopeId,
    room: &mut usize,
) -> ScanResult {
    let fault = |id: NodeId, text: String| ComposeFault {
        span: FileSpan { file, range: tree.node(id).range.clone() },
        text,
        weight: WarningWeight::Refused,
    };
    let named = |key: NodeId| tree.scalar(key).unwrap_or_default();
    let again = |key| {
        let text = format!("the key `{}` appears twice", named(key));
        fault(key, text)
    };
    let mut found = ScanResult {
        faults: tree.repeated_keys().map(again).collect(),
        failing: Vec::new(),
        too_large: None,
    };
    // Keys are not templates.
    let mut keys: HashSet<NodeId> = HashSet::new();
    for id in tree.ids() {
        match &tree.node(id).kind {
            YamlKind::Mapping(entries, _) => {
                let templates = entries.iter().map(|(key, _)| *key);
                keys.extend(templates.filter(|key| named(*key).contains('$')));
            }
            YamlKind::Scalar(text, _) if tree.text(text).contains('$') && !keys.contains(&id) => {
                let text = tree.text(text);
                let result = variables.interpolate(scope, text).and_then(|result| {
                    let left = room.checked_sub(result.text.len());
                    left.ok_or(InterpolationError::ValuesTooLarge)
                });
                match result {
                    Ok(left) => *room = left,
                    Err(error) if error.is_too_large() => {
                        let span = FileSpan { file, range: tree.node(id).range.clone() };
                        found.too_large = Some((span, error));
                        return found;
                    }
                    Err(error) => {
                        let fault = fault(id, describe_interpolation_error(&error));
                        found.failing.push((fault, text.to_owned()));
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn describe_interpolation_error(error: &InterpolationError) -> String {
    match error {
        InterpolationError::Invalid { .. } => {
            format!("{error}; a literal dollar sign is written `$$`")
        }
        _ => error.to_string(),
    }
}
