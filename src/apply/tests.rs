//! Tests of changes that fail at the end and are undone without losing any other line.

use std::sync::Arc;

use super::attributes::FileAccess;
use super::*;

const BEFORE: &str = "a: 1\n";
const AFTER: &str = "a: 2\n";

/// Applies a change to three files and fails at the end, after calling `meanwhile`; returns the error and the remaining
/// texts.
fn fail_at_the_end(meanwhile: impl FnOnce(&Path)) -> (Error, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project");
    std::fs::create_dir(&project).unwrap();
    let mut plan = Plan::default();
    let paths = ["one", "two", "three"].map(|name| project.join(name));
    for path in &paths {
        std::fs::write(path, BEFORE).unwrap();
        plan.change(FileChange {
            path: path.clone(),
            before: Some(Arc::from(BEFORE)),
            after: Some(Arc::from(AFTER)),
            writing: WriteMethod::Replace,
        });
    }
    let boundary = ProjectBoundary::new(&project);
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

#[test]
fn a_new_file_whose_folder_disappeared_is_not_reported_as_changed() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    let path = inner.join("new");
    let pending =
        PendingWrite::new(&path, (None, Some(AFTER)), WriteMethod::Replace, FileAccess::AsBefore)
            .unwrap();
    std::fs::remove_dir_all(&inner).unwrap();
    assert_eq!(pending.finish().unwrap_err().code, ErrorCode::WriteFailed);
}

#[test]
fn files_overwritten_in_place_are_written_before_replaced_ones() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["one", "two", "three"].map(|name| folder.path().join(name));
    let changes = paths.each_ref().map(|path| {
        std::fs::write(path, BEFORE).unwrap();
        let writing =
            if path.ends_with("two") { WriteMethod::InPlace } else { WriteMethod::Replace };
        FileChange {
            path: path.clone(),
            before: Some(Arc::from(BEFORE)),
            after: Some(Arc::from(AFTER)),
            writing,
        }
    });
    let targets: Vec<WriteTarget> = changes
        .iter()
        .map(|change| WriteTarget { path: &change.path, change, writing: change.writing })
        .collect();
    let order: Vec<&Path> =
        stage_targets(&targets).unwrap().iter().map(PendingWrite::path).collect();
    assert_eq!(order, [&paths[1], &paths[0], &paths[2]]);
}

#[test]
fn ports_are_remembered_as_they_were_at_first_until_another_command_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (state, project) = (folder.path().join("state"), folder.path());
    let journal =
        Journal::open(&state, project, &ProjectBoundary::new(project), &Redactor::default());
    let port = |port: u16, before: &str, after: &str| PortChangeEntry {
        port,
        before: before.to_owned(),
        after: after.to_owned(),
    };
    let seen = || {
        let entry = journal.last().unwrap().unwrap();
        assert_eq!(entry.phase, EntryPhase::Done);
        (entry.command, entry.ports)
    };
    journal.remember_ports("init", vec![port(1, "private", "public")]).unwrap();
    assert_eq!(seen(), ("init".to_owned(), vec![port(1, "private", "public")]));
    journal
        .remember_ports("init", vec![port(1, "public", "org"), port(2, "private", "public")])
        .unwrap();
    let both = vec![port(1, "private", "org"), port(2, "private", "public")];
    assert_eq!(seen(), ("init".to_owned(), both));
    journal.remember_ports("ports", vec![port(3, "private", "public")]).unwrap();
    assert_eq!(seen(), ("ports".to_owned(), vec![port(3, "private", "public")]));
}
