//! The difference of two texts as hunks that convert each text to the other.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use similar::DiffTag;

use super::digest_sha256;
use crate::plan::compare;
use crate::secret::{Redactor, Secret};

/// A byte range of the old text and its replacement in the new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TextHunk {
    /// Byte offset of `old` in the old text.
    old_at: usize,
    /// Byte offset of `new` in the new text.
    new_at: usize,
    old: String,
    /// The secrets that are concealed in `old`, in order.
    #[serde(default)]
    secrets: Vec<ConcealedSecret>,
    new: String,
    /// Digests of the lines above and below `new` in the new text, to find it after other lines have changed.
    above: Option<String>,
    below: Option<String>,
}

/// A secret that a name stands for in a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ConcealedSecret {
    /// The byte range of the name.
    name: Range<usize>,
    /// The length of the secret in bytes.
    length: usize,
    /// The digest of the secret.
    digest: String,
}

impl TextHunk {
    /// Replaces secrets with their names.
    pub(super) fn conceal(&mut self, redactor: &Redactor) {
        let hidden = redactor.conceal(&self.old);
        let secrets = hidden.secrets.into_iter().map(|(name, secret)| ConcealedSecret {
            name,
            length: secret.expose().len(),
            digest: digest_sha256(secret.expose().as_bytes()),
        });
        self.secrets = secrets.collect();
        self.old = hidden.text;
    }

    /// Returns the old lines; `None` if a secret in them is no longer known.
    fn reveal(&self, redactor: &Redactor) -> Option<String> {
        if self.secrets.is_empty() {
            return Some(self.old.clone());
        }
        let known = redactor.known_secrets();
        let known: Vec<(String, &Secret)> = known
            .iter()
            .map(|secret| (digest_sha256(secret.expose().as_bytes()), secret))
            .collect();
        let mut out = String::with_capacity(self.old.len());
        let mut done = 0;
        for concealed in &self.secrets {
            let (_, secret) = known.iter().find(|(digest, _)| *digest == concealed.digest)?;
            out.push_str(self.old.get(done..concealed.name.start)?);
            out.push_str(secret.expose());
            done = concealed.name.end;
        }
        out.push_str(self.old.get(done..)?);
        Some(out)
    }

    /// Returns the length of the old lines in bytes, with their secrets.
    fn old_length(&self) -> usize {
        let names: usize = self.secrets.iter().map(|secret| secret.name.len()).sum();
        let secrets: usize = self.secrets.iter().map(|secret| secret.length).sum();
        self.old.len() - names + secrets
    }
}

/// Returns the lines that differ between two texts, as hunks of whole lines.
pub(super) fn between(old: &str, new: &str) -> Vec<TextHunk> {
    let (old_lines, new_lines): (Vec<&str>, Vec<&str>) =
        (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let starts = |lines: &[&str]| -> Vec<usize> {
        lines.iter().scan(0, |at, line| Some(std::mem::replace(at, *at + line.len()))).collect()
    };
    let (old_starts, new_starts) = (starts(&old_lines), starts(&new_lines));
    compare::lines(&old_lines, &new_lines)
        .iter()
        .filter(|op| op.tag() != DiffTag::Equal)
        .map(|op| {
            let (above, below) = digest_neighbours(&new_lines, op.new_range());
            TextHunk {
                old_at: old_starts.get(op.old_range().start).copied().unwrap_or(old.len()),
                new_at: new_starts.get(op.new_range().start).copied().unwrap_or(new.len()),
                old: old_lines[op.old_range()].concat(),
                secrets: Vec::new(),
                new: new_lines[op.new_range()].concat(),
                above,
                below,
            }
        })
        .collect()
}

/// Returns the digests of the lines around `range`; `None` at the ends of the text.
fn digest_neighbours(lines: &[&str], range: Range<usize>) -> (Option<String>, Option<String>) {
    let print = |line: Option<&&str>| line.map(|line| digest_sha256(line.trim_end().as_bytes()));
    let above = range.start.checked_sub(1);
    (print(above.and_then(|at| lines.get(at))), print(lines.get(range.end)))
}

/// Converts the old text to the new one; `None` if `old` is a different text.
pub(super) fn forward(old: &str, hunks: &[TextHunk]) -> Option<String> {
    replay_hunks(old, hunks.iter().map(|hunk| (hunk.old_at, hunk.old_length(), &*hunk.new)))
}

/// Converts the new text to the old one; `None` if `new` is a different text, or if a secret is no longer known.
pub(super) fn back(new: &str, hunks: &[TextHunk], redactor: &Redactor) -> Option<String> {
    let old: Vec<String> = hunks.iter().map(|hunk| hunk.reveal(redactor)).collect::<Option<_>>()?;
    let steps = hunks.iter().zip(&old);
    replay_hunks(new, steps.map(|(hunk, old)| (hunk.new_at, hunk.new.len(), old.as_str())))
}

/// Reverts the hunks in the text `now`, in which other lines may have changed; `None` if the lines of a hunk were
/// changed, if their position is ambiguous, or if a secret is no longer known.
pub(super) fn take_out(now: &str, hunks: &[TextHunk], redactor: &Redactor) -> Option<String> {
    let lines: Vec<&str> = now.split_inclusive('\n').collect();
    let mut out = String::with_capacity(now.len());
    let mut done = 0;
    for (index, hunk) in hunks.iter().enumerate() {
        let new: Vec<&str> = hunk.new.split_inclusive('\n').collect();
        let at = find_lines(&lines, done, &new, &hunks[index..])?;
        out.push_str(&lines[done..at].concat());
        out.push_str(&hunk.reveal(redactor)?);
        done = at + new.len();
    }
    out.push_str(&lines[done..].concat());
    Some(out)
}

/// Finds the lines of the first hunk at or after line `from`: between the neighbours they were inserted between, or
/// else next to one of them. If several places match, returns the first, provided that as many hunks inserted the same
/// lines.
fn find_lines(lines: &[&str], from: usize, new: &[&str], hunks: &[TextHunk]) -> Option<usize> {
    let hunk = hunks.first()?;
    let last = lines.len().checked_sub(new.len())?;
    let known = |at: usize| {
        let (above, below) = digest_neighbours(lines, at..at + new.len());
        usize::from(above == hunk.above) + usize::from(below == hunk.below)
    };
    let places: Vec<(usize, usize)> = (from..=last)
        .filter(|at| lines[*at..*at + new.len()] == *new)
        .map(|at| (known(at), at))
        .collect();
    let best = places.iter().map(|(known, _)| *known).max()?;
    // For a deletion there are no lines to find: both neighbours must match.
    let least = if new.is_empty() { 2 } else { 1 };
    let mut found = places.iter().filter(|(known, _)| *known == best && best >= least);
    let (_, first) = found.next()?;
    let is_alone = found.next().is_none();
    let alike = hunks.iter().filter(|candidate| candidate.new == hunk.new).count();
    (is_alone || (alike == places.len() && *first == places[0].1)).then_some(*first)
}

fn replay_hunks<'a>(
    text: &str,
    steps: impl Iterator<Item = (usize, usize, &'a str)>,
) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, length, replacement) in steps {
        out.push_str(text.get(done..at)?);
        out.push_str(replacement);
        done = at + length;
    }
    out.push_str(text.get(done..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_apply_in_both_directions() {
        for (old, new) in [
            ("", "a\n"),
            ("a\nb\nc", "a\nB\nc\nd\n"),
            ("x\r\ny\r\n", "y\r\n"),
            ("same\n", "same\n"),
            ("é\nb", "é\nü\nb"),
        ] {
            let hunks = between(old, new);
            assert_eq!(forward(old, &hunks).as_deref(), Some(new));
            assert_eq!(back(new, &hunks, &Redactor::default()).as_deref(), Some(old));
        }
    }

    #[test]
    fn every_secret_of_a_hunk_comes_back_if_each_is_known() {
        let keys =
            ["abcdEFGH1234567890abcd", "5f0e7a210d9c7a558f624a3e8a392c5f", "hunter2 is long"];
        let [honeycomb, rollbar, own] = keys;
        let old = format!(
            "x-honeycomb-team={honeycomb}\nROLLBAR_ACCESS_TOKEN={rollbar}\n# <KEY> <key>\npassword: {own}\n{own}\n"
        );
        let new = "x-honeycomb-team=${KEY}\n";
        let learned = |secrets: &[&str]| {
            let redactor = Redactor::default();
            for (at, secret) in secrets.iter().enumerate() {
                redactor.learn(&format!("KEY{at}"), &Secret::new(*secret));
            }
            redactor
        };
        for at_first in [&[][..], &[honeycomb], &[honeycomb, rollbar, own]] {
            let mut hunks = between(&old, new);
            hunks.iter_mut().for_each(|hunk| hunk.conceal(&learned(at_first)));
            let stored = serde_json::to_string(&hunks).unwrap();
            assert!(!stored.contains(honeycomb) && !stored.contains(rollbar), "{stored}");
            let hunks: Vec<TextHunk> = serde_json::from_str(&stored).unwrap();
            assert_eq!(forward(&old, &hunks).as_deref(), Some(new));
            let later = learned(&keys);
            assert_eq!(back(new, &hunks, &later).as_deref(), Some(&*old), "{at_first:?}");
            assert_eq!(
                take_out(&format!("{new}more\n"), &hunks, &later),
                Some(format!("{old}more\n"))
            );
            assert_eq!(back(new, &hunks, &learned(&[honeycomb, own])), None);
        }
    }

    #[test]
    fn lines_are_taken_out_of_a_text_that_was_edited_elsewhere() {
        let old = "a:\n  x: 1\nb:\n  x: 1\n";
        let new = "a:\n  x: 1\n  y: 2\nb:\n  x: 1\n  y: 2\n";
        let hunks = between(old, new);
        for (now, expected) in [
            (new.to_owned(), Some(old.to_owned())),
            (format!("# mine\n{new}"), Some(format!("# mine\n{old}"))),
            (format!("{new}c: 3\n"), Some(format!("{old}c: 3\n"))),
            (new.replace("b:\n", "b: # mine\n"), Some(old.replace("b:\n", "b: # mine\n"))),
            (new.replace("x: 1", "x: 9"), Some(old.replace("x: 1", "x: 9"))),
            // The inserted line was changed or removed.
            (new.replacen("y: 2", "y: 3", 1), None),
            (new.replacen("  y: 2\n", "", 1), None),
        ] {
            assert_eq!(take_out(&now, &hunks, &Redactor::default()), expected, "{now}");
        }
    }

    #[test]
    fn lines_that_were_taken_away_come_back_between_their_neighbours() {
        let (old, new) = ("a\nb\nc\n", "a\nc\n");
        let hunks = between(old, new);
        let taken_out = |now| take_out(now, &hunks, &Redactor::default());
        assert_eq!(taken_out("a\nc\nd\n").as_deref(), Some("a\nb\nc\nd\n"));
        assert_eq!(taken_out("a\nd\nc\n"), None);
        assert_eq!(taken_out("a\nc\na\nc\n"), None);
    }
}
