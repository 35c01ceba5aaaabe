//! Finds keys that repeat within a mapping, which docker compose rejects.

use super::EditWarning;
use super::draft::YamlDraft;

/// Returns one warning for each repeated key.
pub(super) fn find(draft: &YamlDraft<'_>) -> Vec<EditWarning> {
    let tree = draft.tree;
    let mut warnings: Vec<EditWarning> = tree
        .repeated_keys()
        .map(|key| {
            let name = tree.scalar(key).unwrap_or_default();
            let line = draft.lines.number(tree.start(key));
            let text = format!(
                "line {line} has the key `{name}` a second time in one mapping; docker compose will not load this file"
            );
            EditWarning { line, text }
        })
        .collect();
    warnings.sort_by_key(|warning| warning.line);
    warnings
}
