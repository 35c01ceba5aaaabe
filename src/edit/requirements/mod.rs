//! `requirements.txt` read as pip reads it, and lines added to it.
//!
//! Knows pip's format, not which packages anybody wants. A line that is not replaced keeps every byte.

mod line;

use std::ops::Range;

use crate::edit::patch::{self, Patch};
use crate::edit::text::Ending;
use crate::error::{Error, ErrorCode, Result};

/// A requirements file as pip would understand it.
#[derive(Debug, Clone, Default)]
pub struct Requirements {
    /// The packages it names, in the order they stand; a name twice is here twice.
    pub entries: Vec<Entry>,
    /// Files named by `-r`, as written.
    pub includes: Vec<String>,
    /// `pip install …` commands, or their continuation lines, pasted into the file; pip cannot read them.
    pub pasted: Vec<Pasted>,
    /// Lines that pip cannot read, without the pasted commands.
    pub unreadable: Vec<Unreadable>,
    /// Whether every package is locked to the hashes of its files.
    pub locking: Locking,
    /// The source that pip-compile or uv wrote this file from.
    pub compiled_from: Option<String>,
}

/// Whether packages are locked to the hashes of their files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Locking {
    /// By name and version only.
    #[default]
    Free,
    /// By `--hash` or `--require-hashes`: pip refuses every line without a hash.
    Hashes,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Normalised as PEP 503 says.
    pub name: String,
    /// The one version that `==` allows.
    pub pin: Option<String>,
    /// Any version condition stands there, a pin included.
    pub bounds: Bounds,
    /// The conditions on its version, as written: `<2.3`.
    pub conditions: Vec<String>,
    /// 1 for the first line.
    pub line: usize,
}

impl Entry {
    /// Whether every version that it allows is older than `version`.
    pub fn is_older_than(&self, version: &[u32]) -> bool {
        self.conditions.iter().any(|condition| {
            let at = condition.find(|c: char| c.is_ascii_alphanumeric()).unwrap_or(0);
            let (operator, written) = condition.split_at(at);
            let numbers = version_numbers(written);
            let next = |kept: usize| {
                let mut upper: Vec<u32> = numbers.iter().copied().take(kept.max(1)).collect();
                if let Some(last) = upper.last_mut() {
                    *last += 1;
                }
                upper.as_slice() <= version
            };
            // `2.3.0` and `2.3` are one version.
            let zeros = numbers.iter().rev().take_while(|number| **number == 0).count();
            let whole = &numbers[..numbers.len() - zeros];
            match operator.trim() {
                "<" => whole <= version,
                "<=" => whole < version,
                "==" if written.contains('*') => next(numbers.len()),
                "==" | "===" | "" => whole < version,
                "~=" => next(numbers.len().saturating_sub(1)),
                "~" => next(numbers.len().min(2)),
                "^" => next(1),
                _ => false,
            }
        })
    }
}

/// The leading numbers of a version: `2.2.0` of `2.2.0rc1`.
fn version_numbers(version: &str) -> Vec<u32> {
    let parts = version.trim().split('.').map(|part| {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part[..end].parse().ok()
    });
    parts.map_while(|number| number).collect()
}

/// How an entry chooses its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounds {
    /// By name only: the newest.
    Any,
    /// By a condition on the version.
    Version,
    /// By an address or a path.
    Address,
}

/// A package to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// As the package index spells it.
    pub name: String,
    /// The one version to allow, in lists that pin.
    pub version: Option<String>,
}

impl Addition {
    /// As one line of a requirements file.
    pub fn line(&self) -> String {
        match &self.version {
            Some(version) => format!("{}=={version}", self.name),
            None => self.name.clone(),
        }
    }
}

/// A `pip install …` command in a requirements file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pasted {
    /// What it asks for, one requirement each.
    pub requirements: Vec<String>,
    /// 1 for the first line.
    pub line: usize,
    /// Bytes of its lines, without the last line's ending.
    pub range: Range<usize>,
}

/// A line that pip cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// As written, without comment.
    pub text: String,
    /// 1 for the first line.
    pub line: usize,
}

/// A package name as PEP 503 compares it: lowercase, runs of `-`, `_` and `.` as one `-`.
pub fn normalize(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for character in name.trim().chars() {
        if matches!(character, '-' | '_' | '.') {
            if !out.ends_with('-') {
                out.push('-');
            }
        } else {
            out.push(character.to_ascii_lowercase());
        }
    }
    out
}

/// Splits a name that is two packages run together, as a missing newline leaves them; `known` are normalised.
pub fn glued(name: &str, known: &[String]) -> Option<(String, String)> {
    if known.iter().any(|whole| whole == name) {
        return None;
    }
    known
        .iter()
        .filter_map(|part| {
            if let Some(rest) = name.strip_prefix(part.as_str()) {
                return Some((part.clone(), rest.to_owned()));
            }
            let rest = name.strip_suffix(part.as_str())?;
            Some((rest.to_owned(), part.clone()))
        })
        .filter(|(first, second)| {
            let edge = |side: &str| side.starts_with('-') || side.ends_with('-');
            first.len() > 2 && second.len() > 2 && !edge(first) && !edge(second)
        })
        .max_by_key(|(first, second)| {
            known
                .iter()
                .filter(|name| *name == first || *name == second)
                .map(String::len)
                .sum::<usize>()
        })
}

impl Requirements {
    /// Reads a file; lines nobody can read are kept in [`Requirements::unreadable`].
    pub fn parse(source: &str) -> Self {
        let mut found = Self::default();
        for logical in line::logical(source) {
            line::read(&logical, &mut found);
        }
        found
    }

    /// Whether a package is named, by its normalised name.
    pub fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }
}

/// Adds one line for each of `added` after the last line that says something, and turns pasted `pip install`
/// commands into lines of their own.
///
/// # Errors
/// `unsafe-edit` when the result would not read as the old packages and the added ones.
pub fn extend(source: &str, added: &[Addition]) -> Result<String> {
    let added: Vec<String> = added.iter().map(Addition::line).collect();
    let ending = Ending::of(source).text();
    let before = Requirements::parse(source);
    let mut patches: Vec<Patch> = before
        .pasted
        .iter()
        .map(|pasted| Patch::replace(pasted.range.clone(), pasted.requirements.join(ending)))
        .collect();
    if !added.is_empty() {
        patches.push(appended(source, &before, &added, ending));
    }
    let refused = || {
        Error::new(ErrorCode::UnsafeEdit, "these requirements cannot be extended safely")
            .paste(added.join("\n"))
    };
    let after = patch::apply(source, &patches).ok_or_else(refused)?;

    let mut wanted: Vec<String> = before.entries.iter().map(|entry| entry.name.clone()).collect();
    let new = before.pasted.iter().flat_map(|pasted| &pasted.requirements);
    // One by one: the end of a pasted word must swallow none.
    let new = new.chain(&added).flat_map(|line| Requirements::parse(line).entries);
    wanted.extend(new.map(|entry| entry.name));
    let read = Requirements::parse(&after);
    let mut got: Vec<String> = read.entries.into_iter().map(|entry| entry.name).collect();
    wanted.sort();
    got.sort();
    let is_readable = read.pasted.is_empty() && read.unreadable.len() == before.unreadable.len();
    if wanted == got && is_readable { Ok(after) } else { Err(refused()) }
}

fn appended(source: &str, before: &Requirements, added: &[String], ending: &str) -> Patch {
    let content = source.trim_end().len();
    let rest = &source[content..];
    let line_end = rest.find('\n').map(|at| content + at + 1);
    let mut text = String::new();
    if line_end.is_none() && content > 0 {
        text.push_str(ending);
    }
    let pasted = before.pasted.last().map_or(0, |last| last.range.end);
    if source[..content].ends_with('\\') && pasted < content {
        text.push_str(ending);
    }
    for line in added {
        text.push_str(line);
        text.push_str(ending);
    }
    Patch::insert(line_end.unwrap_or(source.len()), text)
}

#[cfg(test)]
mod tests;
