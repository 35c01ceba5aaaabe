//! Keys that stand twice in one mapping: compose does not load such a file.

use super::Warning;
use super::draft::Draft;
use super::tree::Kind;

/// One warning per key that stands there again.
pub(super) fn find(draft: &Draft<'_>) -> Vec<Warning> {
    let tree = draft.tree;
    let mut warnings = Vec::new();
    for id in tree.ids() {
        if !matches!(tree.node(id).kind, Kind::Mapping(..)) {
            continue;
        }
        for key in tree.repeated(id) {
            let name = tree.scalar(key).unwrap_or_default();
            let line = draft.lines.number(tree.start(key));
            let text = format!(
                "line {line} has the key `{name}` a second time in one mapping; docker compose will not load this file"
            );
            warnings.push(Warning { line, text });
        }
    }
    warnings.sort_by_key(|warning| warning.line);
    warnings
}
