//! Finds errors in a requirements file: unreadable lines, joined names, misspelt names.

use super::catalogue::PythonCatalogue;
use crate::edit::requirements::{RequirementEntry, Requirements, split_glued_names};
use crate::plan::{Note, compare};

/// Reads a requirements file with notes on its errors; joined names are read as two.
pub(super) fn read(
    catalogue: &PythonCatalogue,
    file: &str,
    text: &str,
) -> (Requirements, Vec<Note>) {
    let mut read = Requirements::parse(text);
    let mut notes = Vec::new();
    for pasted in &read.pasted {
        notes.push(Note::fact(format!(
            "{file}:{}: pip cannot read a pasted command; its packages get lines of their own",
            pasted.line
        )));
        let lines = pasted.requirements.join("\n");
        read.entries.extend(Requirements::parse(&lines).entries);
    }
    for line in &read.unreadable {
        notes.push(Note::warning(format!("{file}:{}: pip cannot read `{}`", line.line, line.text)));
    }
    let known = known_names(catalogue);
    notes.extend(misspelt_package_notes(file, &read.entries, &known));
    let mut halves = Vec::new();
    for entry in &read.entries {
        if let Some((first, second)) = split_glued_names(&entry.name, &known) {
            notes.push(
                Note::warning(format!(
                    "{file}:{}: `{}` reads as one package, but looks like `{first}` and `{second}`",
                    entry.line, entry.name
                ))
                .hint("give each its own line"),
            );
            halves.extend([first, second].map(|name| RequirementEntry { name, ..entry.clone() }));
        }
    }
    read.entries.extend(halves);
    (read, notes)
}

/// Returns notes on names that are one or two letters away from one of ours.
fn misspelt_package_notes(file: &str, entries: &[RequirementEntry], known: &[String]) -> Vec<Note> {
    /// The similarity above which two names count as misspellings of each other.
    const MIN_SIMILARITY: f32 = 0.96;
    let near = |entry: &RequirementEntry| {
        known.iter().find(|name| compare::word_similarity(name, &entry.name) > MIN_SIMILARITY)
    };
    entries
        .iter()
        .filter(|entry| entry.name.contains("telemetry") && !known.contains(&entry.name))
        .filter_map(|entry| {
            let meant = near(entry)?;
            let note =
                Note::warning(format!("{file}:{}: `{}` may be misspelt", entry.line, entry.name));
            Some(note.hint(format!("it looks like `{meant}`")))
        })
        .collect()
}

/// Returns the names of all packages that tracing may add.
fn known_names(catalogue: &PythonCatalogue) -> Vec<String> {
    let mut names: Vec<String> = catalogue
        .core
        .iter()
        .chain(&catalogue.contrib)
        .map(|package| package.package.clone())
        .collect();
    names.extend(catalogue.libraries.iter().map(|library| library.package.clone()));
    names
}
