//! Patches: byte ranges of a text and their replacements.

use std::ops::Range;

/// Replaces the byte range `range` of a text with `text`; an empty range inserts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TextPatch {
    /// Byte range in the original text, on character boundaries.
    pub range: Range<usize>,
    /// The replacement.
    pub text: String,
}

impl TextPatch {
    /// Inserts `text` before the byte `at`.
    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::replace(at..at, text)
    }

    /// Replaces `range` with `text`.
    pub fn replace(range: Range<usize>, text: impl Into<String>) -> Self {
        Self { range, text: text.into() }
    }

    /// Appends lines to `text`, with its line ending.
    pub fn append_lines(text: &str, lines: &[impl AsRef<str>]) -> Self {
        let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let open = if text.is_empty() || text.ends_with('\n') { "" } else { ending };
        let lines = lines.iter().flat_map(|line| [line.as_ref(), ending]);
        Self::insert(text.len(), std::iter::once(open).chain(lines).collect::<String>())
    }
}

/// Applies the patches to `source` in any order; `None` if two overlap or one is out of range.
///
/// Insertions at the same byte keep their order.
pub(crate) fn apply(source: &str, patches: &[TextPatch]) -> Option<String> {
    let mut ordered: Vec<&TextPatch> = patches.iter().collect();
    ordered.sort_by_key(|patch| (patch.range.start, patch.range.end));
    let mut out = String::with_capacity(
        source.len() + patches.iter().map(|patch| patch.text.len()).sum::<usize>(),
    );
    let mut done = 0;
    for patch in ordered {
        out.push_str(source.get(done..patch.range.start)?);
        out.push_str(&patch.text);
        source.get(patch.range.clone())?;
        done = patch.range.end;
    }
    out.push_str(source.get(done..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_apply_in_any_order_and_insertions_keep_theirs() {
        let patches =
            [TextPatch::replace(2..3, "C"), TextPatch::insert(1, "x"), TextPatch::insert(1, "y")];
        assert_eq!(apply("abc", &patches).as_deref(), Some("axybC"));
    }

    #[test]
    fn overlapping_or_foreign_patches_are_refused() {
        assert_eq!(
            apply("abc", &[TextPatch::replace(0..2, ""), TextPatch::replace(1..3, "")]),
            None
        );
        assert_eq!(apply("abc", &[TextPatch::insert(4, "x")]), None);
        assert_eq!(apply("\u{e9}", &[TextPatch::insert(1, "x")]), None);
    }
}
