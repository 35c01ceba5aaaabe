//! Undo after an apply.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cruddur_ops::apply::{EntryDirection, Journal};
use cruddur_ops::plan::{FileChange, Plan, WriteMethod};
use cruddur_ops::project::ProjectBoundary;
use cruddur_ops::secret::Redactor;
use proptest::prelude::*;

use crate::sandbox::list_files;

proptest! {
    #[test]
    fn undo_after_apply_is_as_if_nothing_had_been(files in prop::collection::vec(file(), 1..6)) {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("project");
        let mut plan = Plan::default();
        for (at, file) in files.iter().enumerate() {
            let path = project.join(format!("f{}/{at}.txt", at % 2));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            if let Some(text) = &file.before {
                std::fs::write(&path, text).unwrap();
                mode(&path, file.mode);
            }
            let text = |text: &Option<String>| text.as_deref().map(Into::into);
            plan.change(FileChange { path, before: text(&file.before), after: text(&file.after), writing: file.writing });
        }
        let before = tree(&project);
        let journal = Journal::open(&folder.path().join("state"), &project, &ProjectBoundary::new(&project), &Redactor::default());
        journal.apply(&plan, "test").unwrap();
        for change in &plan.changes {
            let now = std::fs::read_to_string(&change.path).ok();
            prop_assert_eq!(now.as_deref(), change.after.as_deref());
        }
        if let Some(entry) = journal.last().unwrap() {
            let back = journal.settle(&entry, EntryDirection::Back).unwrap();
            journal.settled(&entry, &back, EntryDirection::Back).unwrap();
        }
        prop_assert_eq!(tree(&project), before);
        prop_assert!(journal.last().unwrap().is_none());
    }
}

#[derive(Debug, Clone)]
struct File {
    before: Option<String>,
    after: Option<String>,
    writing: WriteMethod,
    mode: u32,
}

fn file() -> impl Strategy<Value = File> {
    let text = || {
        prop::option::of(
            prop::collection::vec(
                prop::sample::select(vec![
                    "a\n",
                    "b\r\n",
                    "é",
                    "\u{feff}",
                    "same\n",
                    "\n",
                    "long ".repeat(999).leak(),
                ]),
                0..9,
            )
            .prop_map(|parts| parts.concat()),
        )
    };
    let writing = prop::sample::select(vec![WriteMethod::Replace, WriteMethod::InPlace]);
    let mode = prop::sample::select(vec![0o644, 0o600, 0o755, 0o664]);
    // No command takes a file of the user's away.
    (text(), text(), writing, mode).prop_map(|(before, after, writing, mode)| File {
        after: after.or_else(|| before.clone()),
        before,
        writing,
        mode,
    })
}

#[cfg(unix)]
fn mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn mode(_: &Path, _: u32) {}

/// Returns every file in a folder with its bytes and its mode.
fn tree(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, String)> {
    let files = list_files(folder).into_iter().map(|path| {
        let permissions = format!("{:?}", path.metadata().unwrap().permissions());
        let bytes = std::fs::read(&path).unwrap();
        (path, (bytes, permissions))
    });
    files.collect()
}
