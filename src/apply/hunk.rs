//! The difference of two texts as hunks that lead from either one to the other.

use serde::{Deserialize, Serialize};
use similar::DiffTag;

use crate::plan::compare;

/// Bytes of the old text and what stands in their place in the new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hunk {
    /// Where `old` begins in the old text.
    old_at: usize,
    /// Where `new` begins in the new text.
    new_at: usize,
    pub(super) old: String,
    pub(super) new: String,
}

/// Whole lines that differ between two texts, in order.
pub(super) fn between(old: &str, new: &str) -> Vec<Hunk> {
    let (old_lines, new_lines): (Vec<&str>, Vec<&str>) =
        (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let starts = |lines: &[&str]| -> Vec<usize> {
        lines.iter().scan(0, |at, line| Some(std::mem::replace(at, *at + line.len()))).collect()
    };
    let (old_starts, new_starts) = (starts(&old_lines), starts(&new_lines));
    compare::lines(&old_lines, &new_lines)
        .iter()
        .filter(|op| op.tag() != DiffTag::Equal)
        .map(|op| Hunk {
            old_at: old_starts.get(op.old_range().start).copied().unwrap_or(old.len()),
            new_at: new_starts.get(op.new_range().start).copied().unwrap_or(new.len()),
            old: old_lines[op.old_range()].concat(),
            new: new_lines[op.new_range()].concat(),
        })
        .collect()
}

/// The new text, from the old one; `None` if `old` is another text.
pub(super) fn forward(old: &str, hunks: &[Hunk]) -> Option<String> {
    walk(old, hunks.iter().map(|hunk| (hunk.old_at, hunk.old.len(), hunk.new.as_str())))
}

/// The old text, from the new one; `None` if `new` is another text.
pub(super) fn back(new: &str, hunks: &[Hunk]) -> Option<String> {
    walk(new, hunks.iter().map(|hunk| (hunk.new_at, hunk.new.len(), hunk.old.as_str())))
}

fn walk<'a>(text: &str, steps: impl Iterator<Item = (usize, usize, &'a str)>) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, length, other) in steps {
        out.push_str(text.get(done..at)?);
        out.push_str(other);
        done = at + length;
    }
    out.push_str(text.get(done..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_lead_both_ways() {
        for (old, new) in [
            ("", "a\n"),
            ("a\nb\nc", "a\nB\nc\nd\n"),
            ("x\r\ny\r\n", "y\r\n"),
            ("same\n", "same\n"),
            ("é\nb", "é\nü\nb"),
        ] {
            let hunks = between(old, new);
            assert_eq!(forward(old, &hunks).as_deref(), Some(new));
            assert_eq!(back(new, &hunks).as_deref(), Some(old));
        }
    }
}
