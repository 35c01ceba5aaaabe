//! Finds keys that repeat within a mapping, which docker compose rejects.

use super::Warning;
use super::draft::Draft;

/// Returns one warning for each repeated key.
pub(super) fn find(draft: &Draft<'_>) -> Vec<Warning> {
    let tree = draft.tree;
    let mut warnings: Vec<Warning> = tree
        .repeated_keys()
        .map(|key| {
            let name = tree.scalar(key).unwrap_or_default();
            let line = draft.lines.number(tree.start(key));
            let text = format!(
                "line {line} has the key `{name}` a second time in one mapping; docker compose will not load this file"
            );
            Warning { line, text }
        })
        .collect();
    warnings.sort_by_key(|warning| warning.line);
    warnings
}
