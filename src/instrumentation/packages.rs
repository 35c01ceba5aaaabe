//! The packages that a program can import, according to package lists in its folders and the commands of its image.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Language;
use crate::compose::{ProjectSources, ShellCommand, Startup, clean_path};
use crate::edit::requirements::{RequirementEntry, Requirements};
use crate::edit::{locks, pyproject};

/// Maximum number of included lists; real ones include fewer.
const MAX_LISTS: usize = 16;

/// Returns the names of the installed packages; `None` if there is no list of them.
pub(super) fn read_packages(
    language: Language,
    startup: &Startup,
    sources: &dyn ProjectSources,
) -> Option<BTreeSet<String>> {
    let code_folders = startup.code_folders(sources);
    let mut folders = code_folders.iter().map(|(folder, _)| folder.as_path());
    match language {
        Language::Python => {
            let entries = python_requirements(folders, startup, sources)?;
            Some(entries.into_iter().map(|entry| entry.name).collect())
        }
        Language::Node => folders.find_map(|folder| {
            let text = read_text(&folder.join("package.json"), sources)?;
            list_node_packages(&text)
        }),
        _ => None,
    }
}

/// Returns path and text of a manifest in the first code folder that has one.
pub(super) fn find_manifest(
    names: &[&str],
    startup: &Startup,
    sources: &dyn ProjectSources,
) -> Option<(PathBuf, String)> {
    let folders = startup.code_folders(sources);
    let mut paths =
        folders.iter().flat_map(|(folder, _)| names.iter().map(|name| folder.join(name)));
    paths.find_map(|path| read_text(&path, sources).map(|text| (path, text)))
}

/// Returns the text of a file, if it exists and can be read.
pub(super) fn read_text(path: &Path, sources: &dyn ProjectSources) -> Option<String> {
    sources.text(path).found().map(|text| text.to_string())
}

/// Returns whether one of these Python packages is required in a version older than `bound`.
pub(super) fn is_required_below(
    names: &[&str],
    bound: &[u32],
    startup: &Startup,
    sources: &dyn ProjectSources,
) -> bool {
    let folders = startup.code_folders(sources);
    let folders = folders.iter().map(|(folder, _)| folder.as_path());
    let entries = python_requirements(folders, startup, sources).unwrap_or_default();
    entries.iter().any(|entry| names.contains(&&*entry.name) && entry.is_older_than(bound))
}

/// Returns what the lists in the first folder that has some, and the commands that install packages, require; `None`
/// without a list.
fn python_requirements<'f>(
    folders: impl Iterator<Item = &'f Path>,
    startup: &Startup,
    sources: &dyn ProjectSources,
) -> Option<Vec<RequirementEntry>> {
    let installs: Vec<&ShellCommand> = startup
        .build_commands
        .iter()
        .chain(&startup.commands)
        .filter(|command| is_pip(command))
        .collect();
    let listed: Vec<&str> = installs.iter().flat_map(|command| lists_of(command)).collect();
    let mut entries: Vec<RequirementEntry> = Vec::new();
    let mut found = false;
    for folder in folders {
        let list_paths = ["requirements.txt"].into_iter().chain(listed.iter().copied());
        for list in list_paths {
            let path = clean_path(&folder.join(list.trim_start_matches("./")));
            if let Some(listed_entries) = read_list(&path, sources) {
                entries.extend(listed_entries);
                found = true;
            }
        }
        let project = read_text(&folder.join("pyproject.toml"), sources)
            .and_then(|text| pyproject::parse_pyproject(&text).ok().flatten());
        let pipfile =
            read_text(&folder.join("Pipfile"), sources).and_then(|text| locks::pipfile(&text));
        for listed_entries in project.map(|read| read.entries).into_iter().chain(pipfile) {
            entries.extend(listed_entries);
            found = true;
        }
        if found {
            break;
        }
    }
    for command in installs {
        let at = command.words.iter().position(|word| word == "install").unwrap_or_default();
        let names: Vec<&str> = command.words[at + 1..]
            .iter()
            .filter(|word| !word.starts_with('-'))
            .map(String::as_str)
            .collect();
        entries.extend(Requirements::parse(&names.join("\n")).entries);
    }
    found.then_some(entries)
}

/// Reads a requirements file and the files that it includes.
fn read_list(path: &Path, sources: &dyn ProjectSources) -> Option<Vec<RequirementEntry>> {
    let mut read: Vec<PathBuf> = Vec::new();
    let mut open = vec![path.to_owned()];
    let mut entries = None;
    while let Some(path) = open.pop() {
        if read.contains(&path) || read.len() > MAX_LISTS {
            continue;
        }
        if let Some(text) = read_text(&path, sources) {
            let list = Requirements::parse(&text);
            let folder = path.parent().unwrap_or(&path).to_owned();
            open.extend(list.includes.iter().map(|name| clean_path(&folder.join(name))));
            entries.get_or_insert_with(Vec::new).extend(list.entries);
        }
        read.push(path);
    }
    entries
}

fn is_pip(command: &ShellCommand) -> bool {
    let words = &command.words;
    let pip = |word: &String| {
        let name = word.rsplit('/').next().unwrap_or(word);
        name.strip_prefix("pip").is_some_and(|rest| {
            rest.chars().all(|character| character.is_ascii_digit() || character == '.')
        })
    };
    words.iter().any(pip) && words.iter().any(|word| word == "install")
}

/// Returns the requirements files that a command names.
fn lists_of(command: &ShellCommand) -> impl Iterator<Item = &str> {
    let words = &command.words;
    words.iter().enumerate().filter_map(move |(at, word)| match word.as_str() {
        "-r" | "--requirement" => words.get(at + 1).map(String::as_str),
        word => word.strip_prefix("--requirement="),
    })
}

/// Returns the packages that a package.json lists; `None` if it is not a JSON object.
pub fn list_node_packages(text: &str) -> Option<BTreeSet<String>> {
    let package: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let tables = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"]
        .iter()
        .filter_map(|table| package.get(table)?.as_object());
    package.as_object()?;
    Some(tables.flat_map(|table| table.keys().cloned()).collect())
}
