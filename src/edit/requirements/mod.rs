//! Reads `requirements.txt` as pip does, and adds lines to it.
//!
//! Knows pip's format, but not which packages are needed. A line that is not replaced keeps every byte.

mod line;

use std::ops::Range;

use crate::edit::patch::{self, TextPatch};
use crate::edit::text::LineEnding;
use crate::error::{Error, ErrorCode, Result};

/// A requirements file as pip reads it.
#[derive(Debug, Clone, Default)]
pub struct Requirements {
    /// The packages, in source order, duplicates included.
    pub entries: Vec<RequirementEntry>,
    /// Files included with `-r`, as written.
    pub includes: Vec<String>,
    /// `pip install …` commands pasted into the file, or their continuation lines, which pip rejects.
    pub pasted: Vec<PastedCommand>,
    /// Other lines that pip rejects.
    pub unreadable: Vec<UnreadableLine>,
    /// Whether every package is locked to the hashes of its files.
    pub locking: HashLocking,
    /// The source file from which pip-compile or uv generated this file.
    pub compiled_from: Option<String>,
}

/// Whether packages are locked to the hashes of their files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HashLocking {
    /// No hashes.
    #[default]
    Free,
    /// `--hash` or `--require-hashes` is used: pip rejects every line without a hash.
    Hashes,
}

/// A required package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequirementEntry {
    /// Normalised according to PEP 503.
    pub name: String,
    /// The version pinned with `==`.
    pub pin: Option<String>,
    /// How the version is constrained; a pin is a version condition.
    pub bounds: VersionBounds,
    /// The version conditions, as written: `<2.3`.
    pub conditions: Vec<String>,
    /// Line number, starting at 1.
    pub line: usize,
}

impl RequirementEntry {
    /// Returns whether every allowed version is older than `version`.
    pub fn is_older_than(&self, version: &[u32]) -> bool {
        self.conditions.iter().any(|condition| {
            let at = condition.find(|c: char| c.is_ascii_alphanumeric()).unwrap_or(0);
            let (operator, written) = condition.split_at(at);
            let numbers = version_numbers(written);
            let next = |length: usize| {
                let mut upper: Vec<u32> = numbers.iter().copied().take(length.max(1)).collect();
                if let Some(last) = upper.last_mut() {
                    *last += 1;
                }
                upper.as_slice() <= version
            };
            // `2.3.0` and `2.3` are the same version.
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

/// Returns the leading numbers of a version: `2.2.0` of `2.2.0rc1`.
fn version_numbers(version: &str) -> Vec<u32> {
    let parts = version.trim().split('.').map(|part| {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part[..end].parse().ok()
    });
    parts.map_while(|number| number).collect()
}

/// How a requirement constrains the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionBounds {
    /// Not at all: any version is allowed.
    Any,
    /// By a condition on the version.
    Version,
    /// By an address or a path.
    Address,
}

/// A package to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageAddition {
    /// The name as spelled on the package index.
    pub name: String,
    /// The exact version, for files that pin versions.
    pub version: Option<String>,
}

impl PackageAddition {
    /// Returns the line for a requirements file.
    pub fn line(&self) -> String {
        match &self.version {
            Some(version) => format!("{}=={version}", self.name),
            None => self.name.clone(),
        }
    }
}

/// A `pip install …` command in a requirements file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastedCommand {
    /// The requirements it installs.
    pub requirements: Vec<String>,
    /// Line number, starting at 1.
    pub line: usize,
    /// Byte range of its lines, without the final line ending.
    pub range: Range<usize>,
}

/// A line that pip rejects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableLine {
    /// As written, without its comment.
    pub text: String,
    /// Line number, starting at 1.
    pub line: usize,
}

/// Normalises a package name according to PEP 503: lowercase, with each run of `-`, `_` and `.` replaced by `-`.
pub fn normalize_package_name(name: &str) -> String {
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

/// Splits a name that consists of two package names joined by a missing newline; `known` names are normalised.
pub fn split_glued_names(name: &str, known: &[String]) -> Option<(String, String)> {
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
    /// Parses a file; lines that pip rejects are collected in [`Requirements::unreadable`].
    pub fn parse(source: &str) -> Self {
        let mut found = Self::default();
        for logical in line::logical(source) {
            line::read(&logical, &mut found);
        }
        found
    }

    /// Returns whether a package is listed, by its normalised name.
    pub fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }
}

/// Adds a line for each of `added` after the last line that is not blank, and replaces pasted `pip install` commands
/// with one line per requirement.
///
/// # Errors
/// `unsafe-edit` if the result would not parse as the old packages plus the added ones.
pub fn extend(source: &str, added: &[PackageAddition]) -> Result<String> {
    let added: Vec<String> = added.iter().map(PackageAddition::line).collect();
    let ending = LineEnding::of(source).text();
    let before = Requirements::parse(source);
    let mut patches: Vec<TextPatch> = before
        .pasted
        .iter()
        .map(|pasted| TextPatch::replace(pasted.range.clone(), pasted.requirements.join(ending)))
        .collect();
    if !added.is_empty() {
        patches.push(append_packages(source, &before, &added, ending));
    }
    let refused = || {
        Error::new(ErrorCode::UnsafeEdit, "these requirements cannot be extended safely")
            .paste(added.join("\n"))
    };
    let after = patch::apply(source, &patches).ok_or_else(refused)?;

    let mut wanted: Vec<String> = before.entries.iter().map(|entry| entry.name.clone()).collect();
    let new = before.pasted.iter().flat_map(|pasted| &pasted.requirements);
    // Parse each line separately: an unclosed pasted word must not absorb the next line.
    let new = new.chain(&added).flat_map(|line| Requirements::parse(line).entries);
    wanted.extend(new.map(|entry| entry.name));
    let read = Requirements::parse(&after);
    let mut got: Vec<String> = read.entries.into_iter().map(|entry| entry.name).collect();
    wanted.sort();
    got.sort();
    let is_readable = read.pasted.is_empty() && read.unreadable.len() == before.unreadable.len();
    if wanted == got && is_readable { Ok(after) } else { Err(refused()) }
}

fn append_packages(
    source: &str,
    before: &Requirements,
    added: &[String],
    ending: &str,
) -> TextPatch {
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
    TextPatch::insert(line_end.unwrap_or(source.len()), text)
}

#[cfg(test)]
mod tests;
