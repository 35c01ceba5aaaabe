//! A change that goes wrong at its end is taken back, and no line of anybody else is lost on the way.

use std::sync::Arc;

use super::*;

const BEFORE: &str = "a: 1\n";
const AFTER: &str = "a: 2\n";

/// Applies a change to three files and fails at the end, once `meanwhile` was done; the error and the texts that are left.
fn fail_at_the_end(meanwhile: impl FnOnce(&Path)) -> (Error, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project");
    std::fs::create_dir(&project).unwrap();
    let mut plan = Plan::default();
    let paths = ["one", "two", "three"].map(|name| project.join(name));
    for path in &paths {
        std::fs::write(path, BEFORE).unwrap();
        plan.change(Change {
            path: path.clone(),
            before: Some(Arc::from(BEFORE)),
            after: Some(Arc::from(AFTER)),
            writing: Writing::Replace,
        });
    }
    let boundary = Boundary::new(&project);
    let state = folder.path().join("state");
    let journal = Journal::open(&state, &project, &boundary, &Redactor::default());
    let store = || {
        for path in &paths {
            assert_eq!(std::fs::read_to_string(path).unwrap(), AFTER);
        }
        meanwhile(&paths[0]);
        Err(Error::new(ErrorCode::StoreFailed, "the store failed"))
    };
    let error = journal.apply_then(&plan, "init", &[], store).unwrap_err();
    let is_remembered = journal.last().unwrap().is_some();
    let texts: Vec<String> =
        paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    assert_eq!(is_remembered, texts[0] != BEFORE, "undo is offered where something is left");
    (error, texts)
}

#[test]
fn every_file_is_as_it_was_when_the_store_fails() {
    let (error, texts) = fail_at_the_end(|_| {});
    assert_eq!(error.code, ErrorCode::StoreFailed);
    assert_eq!(texts, [BEFORE; 3]);
}

#[test]
fn a_line_that_was_added_in_the_meantime_stays() {
    let edited = "a: 2\nb: 3\n";
    let (_, texts) = fail_at_the_end(|path| std::fs::write(path, edited).unwrap());
    assert_eq!(texts, [edited, BEFORE, BEFORE]);
}
