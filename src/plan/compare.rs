//! Finds the lines that two texts share by walking along both, comparing in full only where they differ.
//!
//! An edit leaves most lines unchanged, so the cost is about that of reading the file, whatever its length.

use std::ops::Range;

use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::{DiffOp, DiffTag};

/// The number of equal lines in a row after which two texts count as aligned again.
const MIN_EQUAL_LINES: usize = 3;
/// The number of lines, on both sides together, searched for the next alignment.
const MAX_SEARCHED_LINES: usize = 64;

/// Returns the operations that turn the lines `old` into the lines `new`, in order.
pub(crate) fn lines(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    let (mut at, mut new_at) = (0, 0);
    let mut ops = Vec::new();
    loop {
        let same = common_prefix_lines(&old[at..], &new[new_at..]);
        if same > 0 {
            ops.push(DiffOp::Equal { old_index: at, new_index: new_at, len: same });
        }
        (at, new_at) = (at + same, new_at + same);
        if (at, new_at) == (old.len(), new.len()) {
            return ops;
        }
        let rest = (old.len() - at, new.len() - new_at);
        let (gone, come) = find_next_match(&old[at..], &new[new_at..]).unwrap_or(rest);
        let (until, unto) = (at + gone, new_at + come);
        ops.extend(diff_lines((old, at..until), (new, new_at..unto)));
        (at, new_at) = (until, unto);
    }
}

/// Returns the similarity of two words, from 0 to 1: the share of characters that appear in both in the same order.
pub(crate) fn word_similarity(left: &str, right: &str) -> f32 {
    let left_characters: Vec<&str> = left.split_inclusive(|_| true).collect();
    let right_characters: Vec<&str> = right.split_inclusive(|_| true).collect();
    let ops = diff_lines(
        (&left_characters, 0..left_characters.len()),
        (&right_characters, 0..right_characters.len()),
    );
    let same: usize =
        ops.iter().filter(|op| op.tag() == DiffTag::Equal).map(|op| op.old_range().len()).sum();
    2.0 * same as f32 / (left_characters.len() + right_characters.len()).max(1) as f32
}

fn diff_lines(
    (old, gone): (&[&str], Range<usize>),
    (new, come): (&[&str], Range<usize>),
) -> Vec<DiffOp> {
    let mut ops = Compact::new(Replace::new(Capture::new()), old, new);
    let Ok(()) = myers::diff(&mut ops, old, gone, new, come);
    ops.into_inner().into_inner().into_ops()
}

/// Returns the number of leading lines that both have in common.
fn common_prefix_lines(old: &[&str], new: &[&str]) -> usize {
    let pairs = old.iter().zip(new);
    pairs.take_while(|(old, new)| old == new).count()
}

/// Returns the smallest numbers of lines to skip on either side until both are aligned again.
fn find_next_match(old: &[&str], new: &[&str]) -> Option<(usize, usize)> {
    let footing = |lines: &'_ [&'_ str], from: usize| from..lines.len().min(from + MIN_EQUAL_LINES);
    (1..=MAX_SEARCHED_LINES)
        .flat_map(|both| (0..=both).map(move |gone| (gone, both - gone)))
        .filter(|(gone, come)| *gone <= old.len() && *come <= new.len())
        .find(|(gone, come)| old[footing(old, *gone)] == new[footing(new, *come)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(ops: &[DiffOp], old: &[&str], new: &[&str]) -> (String, String) {
        let (mut one, mut two) = (String::new(), String::new());
        for op in ops {
            if op.tag() == DiffTag::Equal {
                assert_eq!(old[op.old_range()], new[op.new_range()]);
            }
            one += &old[op.old_range()].concat();
            two += &new[op.new_range()].concat();
        }
        (one, two)
    }

    #[test]
    fn added_removed_and_changed_lines_are_distinguished() {
        let old: Vec<&str> = "a b c d e f g h i j k".split(' ').collect();
        let new: Vec<&str> = "a b c X d e f h i J k".split(' ').collect();
        let tags: Vec<DiffTag> = lines(&old, &new).iter().map(|op| op.tag()).collect();
        use DiffTag::{Delete, Equal, Insert, Replace};
        assert_eq!(tags, [Equal, Insert, Equal, Delete, Equal, Replace, Equal]);
    }

    #[test]
    fn a_misspelt_word_is_similar() {
        assert_eq!(word_similarity("same", "same"), 1.0);
        assert!(word_similarity("instrumentation-flask", "instrumentation-flasc") > 0.9);
        assert!(word_similarity("flask", "redis") < 0.5);
    }

    #[test]
    fn texts_without_a_common_line_are_one_replacement() {
        let old: Vec<String> = (0..200).map(|line| format!("old {line}")).collect();
        let new: Vec<String> = (0..300).map(|line| format!("new {line}")).collect();
        let old: Vec<&str> = old.iter().map(String::as_str).collect();
        let new: Vec<&str> = new.iter().map(String::as_str).collect();
        assert_eq!(lines(&old, &new).len(), 1);
        assert_eq!(lines(&[], &new)[0].tag(), DiffTag::Insert);
        assert_eq!(lines(&[], &[]), []);
    }

    proptest! {
        #[test]
        fn both_texts_can_be_rebuilt_from_the_diff(old in "[a-d]{0,40}", new in "[a-d]{0,40}") {
            let split = |text: &'static str| text.split_inclusive(|_| true).collect::<Vec<_>>();
            let (old, new) = (split(old.leak()), split(new.leak()));
            let ops = lines(&old, &new);
            prop_assert_eq!(texts(&ops, &old, &new), (old.concat(), new.concat()));
        }
    }
}
