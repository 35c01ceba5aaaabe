//! `requirement-glued`: two packages on one line.

use crate::edit::patch::TextPatch;
use crate::edit::requirements::{
    PastedCommand, RequirementEntry, UnreadableLine, split_glued_names,
};
use crate::lint::packages::RequirementsFile;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "requirement-glued",
    severity: Severity::Error,
    why: "pip takes the line for one package that does not exist, and the build of the image fails",
    explanation: "A file without a newline at its end glues the first appended name to its last one \
        (`flask-corsopentelemetry-api`), and backslashes copied from a shell command join lines into one. Each package needs a \
        line of its own.",
    failing: &[(
        "requirements.txt",
        "flask\nflask-corsopentelemetry-api # <-\nopentelemetry-sdk==1.16.0opentelemetry-proto # <-\naws-xray-sdk watchtower # <-\n",
    )],
    passing: &[("requirements.txt", "flask\nflask-cors\nflask-restx\nopentelemetry-sdk==1.16.0\n")],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let known = &*super::names::NAMES;
    inspection
        .requirements
        .iter()
        .flat_map(|file| {
            let entries = file.read.entries.iter();
            let glued = entries.clone().filter_map(|entry| find_glued_entry(file, entry, known));
            let behind = entries.filter_map(|entry| behind_version(file, entry, known));
            let joined = file.read.pasted.iter().filter_map(|line| find_joined_names(file, line));
            let adjacent =
                file.read.unreadable.iter().filter_map(|line| find_adjacent_names(file, line));
            let found: Vec<RuleHit> = glued.chain(behind).chain(joined).chain(adjacent).collect();
            found
        })
        .collect()
}

fn find_glued_entry(
    file: &RequirementsFile,
    entry: &RequirementEntry,
    known: &[String],
) -> Option<RuleHit> {
    let (first, second) = split_glued_names(&entry.name, known)?;
    if !known.contains(&first) || !known.contains(&second) {
        return None;
    }
    let at = file.offset(entry.line) + first.len();
    Some(
        glued_names_hit(file, entry.line, &first, &second)
            .fixed_by(vec![TextPatch::insert(at, "\n")]),
    )
}

/// Reports `flask==2.2opentelemetry-api`.
fn behind_version(
    file: &RequirementsFile,
    entry: &RequirementEntry,
    known: &[String],
) -> Option<RuleHit> {
    let pin = entry.pin.as_deref()?;
    let second =
        known.iter().filter(|name| pin.ends_with(name.as_str())).max_by_key(|name| name.len())?;
    let at = file.offset(entry.line) + file.line(entry.line).find(second.as_str())?;
    Some(
        glued_names_hit(file, entry.line, &entry.name, second)
            .fixed_by(vec![TextPatch::insert(at, "\n")]),
    )
}

fn glued_names_hit(file: &RequirementsFile, line: usize, first: &str, second: &str) -> RuleHit {
    RuleHit::new(
        &file.file,
        file.offset(line),
        format!("{first} and {second} are on one line"),
        "put each on its own line",
    )
}

/// Reports adjacent names, as left by a backslash at the end of a line.
fn find_joined_names(file: &RequirementsFile, pasted: &PastedCommand) -> Option<RuleHit> {
    let [first, second, ..] = pasted.requirements.as_slice() else {
        return None;
    };
    let names = pasted.requirements.join("\n");
    (!file.is_command(pasted)).then(|| {
        glued_names_hit(file, pasted.line, first, second)
            .fixed_by(vec![TextPatch::replace(pasted.range.clone(), names)])
    })
}

/// Reports two names separated by a blank.
fn find_adjacent_names(file: &RequirementsFile, line: &UnreadableLine) -> Option<RuleHit> {
    let mut words = line.text.split_whitespace();
    let is_name = |word: &str| {
        let mut characters = word.chars();
        characters.next().is_some_and(|first| first.is_ascii_alphabetic())
            && characters.all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    let first = words.next().filter(|word| is_name(word))?;
    let second = words.next().filter(|word| is_name(word))?;
    words.all(is_name).then(|| glued_names_hit(file, line.line, first, second))
}
