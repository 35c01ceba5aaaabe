//! `requirement-glued`: two packages on one line.

use crate::edit::patch::Patch;
use crate::edit::requirements::{Entry, Pasted, Unreadable, glued};
use crate::lint::packages::RequirementsFile;
use crate::lint::{Hit, Inspection, Rule, Severity};

pub(super) static RULE: Rule = Rule {
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

fn check(inspection: &Inspection) -> Vec<Hit> {
    let known = &*super::names::NAMES;
    inspection
        .requirements
        .iter()
        .flat_map(|file| {
            let entries = file.read.entries.iter();
            let glued = entries.clone().filter_map(|entry| names(file, entry, known));
            let behind = entries.filter_map(|entry| behind_version(file, entry, known));
            let joined = file.read.pasted.iter().filter_map(|line| joined(file, line));
            let beside = file.read.unreadable.iter().filter_map(|line| beside(file, line));
            let found: Vec<Hit> = glued.chain(behind).chain(joined).chain(beside).collect();
            found
        })
        .collect()
}

fn names(file: &RequirementsFile, entry: &Entry, known: &[String]) -> Option<Hit> {
    let (first, second) = glued(&entry.name, known)?;
    if !known.contains(&first) || !known.contains(&second) {
        return None;
    }
    let at = file.offset(entry.line) + first.len();
    Some(hit(file, entry.line, &first, &second).mended_by(vec![Patch::insert(at, "\n")]))
}

/// Reports `flask==2.2opentelemetry-api`.
fn behind_version(file: &RequirementsFile, entry: &Entry, known: &[String]) -> Option<Hit> {
    let pin = entry.pin.as_deref()?;
    let second =
        known.iter().filter(|name| pin.ends_with(name.as_str())).max_by_key(|name| name.len())?;
    let at = file.offset(entry.line) + file.line(entry.line).find(second.as_str())?;
    Some(hit(file, entry.line, &entry.name, second).mended_by(vec![Patch::insert(at, "\n")]))
}

fn hit(file: &RequirementsFile, line: usize, first: &str, second: &str) -> Hit {
    Hit::new(
        &file.file,
        file.offset(line),
        format!("{first} and {second} are on one line"),
        "put each on its own line",
    )
}

/// Reports adjacent names, as left by a backslash at the end of a line.
fn joined(file: &RequirementsFile, pasted: &Pasted) -> Option<Hit> {
    let [first, second, ..] = pasted.requirements.as_slice() else {
        return None;
    };
    let names = pasted.requirements.join("\n");
    (!file.is_command(pasted)).then(|| {
        hit(file, pasted.line, first, second)
            .mended_by(vec![Patch::replace(pasted.range.clone(), names)])
    })
}

/// Reports two names separated by a blank.
fn beside(file: &RequirementsFile, line: &Unreadable) -> Option<Hit> {
    let mut words = line.text.split_whitespace();
    let is_name = |word: &str| {
        let mut characters = word.chars();
        characters.next().is_some_and(|first| first.is_ascii_alphabetic())
            && characters.all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    let first = words.next().filter(|word| is_name(word))?;
    let second = words.next().filter(|word| is_name(word))?;
    words.all(is_name).then(|| hit(file, line.line, first, second))
}
