//! Real files beside this checkout: each is edited as planned, with its comments and its other lines, or refused.

use std::path::{Path, PathBuf};

use super::properties::{expected, plain};
use super::*;

#[test]
fn real_files_are_edited_as_planned_or_refused() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let mut files = Vec::new();
    collect(&corpus, &mut files);
    if files.is_empty() {
        println!("skipped: no real files beside this checkout");
        return;
    }
    let wanted = Wanted {
        at_start: at_start(&[61234]).at_start,
        forwards: vec![forward(61234, "web", true), forward(61235, "api", false)],
    };
    let mut refused = Vec::new();
    for path in &files {
        let text = std::fs::read_to_string(path).unwrap();
        match set(&text, &wanted) {
            Ok(edit) => {
                let name = path.display();
                let changed = ["forwardPorts", "portsAttributes", "postStartCommand"];
                assert_eq!(plain(&edit.text), expected(plain(&text), &wanted), "{name}");
                assert!(keeps_lines(&text, &edit.text, &changed), "{name}");
                assert_eq!(set(&edit.text, &wanted).unwrap().text, edit.text, "{name}");
            }
            Err(refusal) => refused.push(format!("{}: {}", path.display(), refusal.reason)),
        }
    }
    println!("{} files, refused: {refused:#?}", files.len());
    assert!(refused.len() * 20 <= files.len(), "{refused:#?}");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        match path.file_name().and_then(|name| name.to_str()) {
            _ if path.is_dir() => collect(&path, files),
            Some("devcontainer.json" | ".devcontainer.json") => files.push(path),
            _ => {}
        }
    }
}

/// Every line of the old text is a line of the new one, in its order, but for a comma behind a value, and but for lines that
/// hold what was replaced.
fn keeps_lines(before: &str, after: &str, changed: &[&str]) -> bool {
    let mut lines = after.split('\n');
    before.split('\n').all(|line| {
        let excused = changed.iter().any(|key| line.contains(key));
        excused || lines.any(|new| without_commas(new) == without_commas(line))
    })
}

fn without_commas(line: &str) -> String {
    line.replace(',', "")
}
