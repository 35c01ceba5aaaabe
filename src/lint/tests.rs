//! Every rule against its own examples.

use std::path::{Path, PathBuf};

use super::*;
use crate::edit::patch;

/// Files named in brackets say what is known outside: `NAME STANDPOINT`, `NAME STORE`, `PATH`.
fn subject(files: &[(PathBuf, String)]) -> Subject {
    let is_outside = |path: &Path| path.to_string_lossy().starts_with('(');
    let read = files.iter().filter(|(path, _)| !is_outside(path)).map(|(path, text)| {
        let role = role(path).unwrap_or(Role::Dotenv);
        (role, Text { path: path.clone(), text: text.clone() })
    });
    let mut subject = Subject::read(read.collect());
    subject.refused = refused(files, &subject);
    for (path, text) in files.iter().filter(|(path, _)| is_outside(path)) {
        let outside = subject.outside.get_or_insert_default();
        for line in text.lines() {
            let (name, said) = line.split_once(' ').unwrap_or((line, ""));
            let stands = match said {
                "empty" => Standpoint::Empty,
                "stale" => Standpoint::Stale,
                _ => Standpoint::Set,
            };
            match path.to_str().unwrap() {
                "(shell)" => drop(outside.shell.insert(name.to_owned(), stands)),
                "(store)" => drop(outside.stored.insert(name.to_owned(), said.to_owned())),
                _ => outside.unignored.push(name.to_owned()),
            }
        }
    }
    subject
}

/// What docker compose refuses in these files.
fn refused(files: &[(PathBuf, String)], subject: &Subject) -> Vec<Refused> {
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.to_str().unwrap(), text.as_str())).collect();
    let Ok(model) = crate::compose::texts::load(&files, &[]) else { return Vec::new() };
    let refused = model.lasting_refusals().map(|warning| {
        let path = warning.place.path.strip_prefix("/p").unwrap().to_owned();
        let offset = subject.text(&path).map_or(0, |text| Lines::of(text).offset(&warning.place));
        Refused { path, offset, text: warning.text.clone() }
    });
    refused.collect()
}

fn owned(example: Example) -> Vec<(PathBuf, String)> {
    example.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect()
}

/// Lines of a failing example that end in this mark are the ones its rule must point at.
const MARK: &str = "# <-";

fn marked(files: &[(PathBuf, String)]) -> Vec<(PathBuf, usize)> {
    let mut lines: Vec<_> = files
        .iter()
        .flat_map(|(path, text)| {
            text.lines()
                .enumerate()
                .filter(|(_, line)| line.trim_end().ends_with(MARK))
                .map(|(at, _)| (path.clone(), at + 1))
        })
        .collect();
    lines.sort();
    lines
}

fn found(files: &[(PathBuf, String)], code: &str) -> Vec<Finding> {
    examine(&subject(files)).into_iter().filter(|finding| finding.code == code).collect()
}

fn repaired(files: &[(PathBuf, String)], findings: &[Finding]) -> Vec<(PathBuf, String)> {
    let mut files = files.to_vec();
    for fix in findings.iter().filter_map(|finding| finding.fix.as_ref()) {
        if !files.iter().any(|(path, _)| *path == fix.path) {
            files.push((fix.path.clone(), String::new()));
        }
    }
    for (path, text) in &mut files {
        let patches: Vec<_> = findings
            .iter()
            .filter_map(|finding| finding.fix.as_ref())
            .filter(|fix| fix.path == *path)
            .flat_map(|fix| fix.patches.clone())
            .collect();
        *text = patch::apply(text, &patches).unwrap();
    }
    if files.iter().any(|(path, _)| path == Path::new(".gitignore")) {
        files.retain(|(path, _)| path != Path::new("(git)"));
    }
    files
}

#[test]
fn every_rule_finds_its_failing_example_where_it_is_marked() {
    for rule in RULES {
        let files = owned(rule.failing);
        let lines: Vec<_> = found(&files, rule.code)
            .into_iter()
            .map(|finding| (finding.place.path, finding.place.line))
            .collect();
        assert_eq!(lines, marked(&files), "{}", rule.code);
        assert!(!lines.is_empty(), "{} marks no line", rule.code);
    }
}

#[test]
fn no_rule_finds_anything_in_a_passing_example() {
    for rule in RULES {
        let mut findings = examine(&subject(&owned(rule.passing)));
        // An example shows what its rule asks for, and may leave out the image.
        findings.retain(|one| one.code != "compose-refused" || one.code == rule.code);
        let codes: Vec<_> =
            findings.iter().map(|finding| (finding.code, &finding.message)).collect();
        assert!(codes.is_empty(), "{}: {codes:?}", rule.code);
    }
}

#[test]
fn what_a_fix_leaves_is_clean() {
    for rule in RULES {
        let files = owned(rule.failing);
        let findings = found(&files, rule.code);
        if findings.iter().all(|finding| finding.fix.is_none()) {
            continue;
        }
        let after = repaired(&files, &findings);
        let left: Vec<_> =
            found(&after, rule.code).into_iter().filter(|finding| finding.fix.is_some()).collect();
        assert!(left.is_empty(), "{}: {left:?}\n{after:?}", rule.code);
        assert!(subject(&after).broken.is_empty(), "{}: {after:?}", rule.code);
    }
}

#[test]
fn a_comment_on_the_marked_line_silences_every_rule() {
    for rule in RULES {
        let mut files = owned(rule.failing);
        if matches!(rule.code, "yaml-syntax") {
            continue;
        }
        for (_, text) in &mut files {
            *text = text.replace(MARK, &format!("# cruddur-ops: ignore {}", rule.code));
        }
        assert_eq!(found(&files, rule.code), [], "{}", rule.code);
    }
}

#[test]
fn codes_are_distinct_and_texts_are_written() {
    let mut codes: Vec<_> = RULES.iter().map(|rule| rule.code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), RULES.len());
    for rule in RULES {
        assert!(!rule.why.ends_with('.') && rule.why.len() > 20, "{}", rule.code);
        assert!(rule.explanation.len() > 80, "{}", rule.code);
    }
}

#[test]
fn roles_follow_names_and_folders() {
    assert_eq!(role(Path::new("compose.yaml")), Some(Role::Compose));
    assert_eq!(role(Path::new("docker-compose.prod.yml")), Some(Role::ComposeBeside));
    assert_eq!(role(Path::new("sub/compose.yaml")), None);
    assert_eq!(role(Path::new("backend/requirements.txt")), Some(Role::Requirements));
}
