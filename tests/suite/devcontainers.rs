//! Real devcontainer.json files from a folder next to this checkout: each gets its ports and its command, and keeps
//! every other line.

use std::path::{Path, PathBuf};

use cruddur_ops::edit::jsonc::devcontainer::{
    Forward, PortVisibilities, PostStartState, Wanted, read_devcontainer, set,
};
use cruddur_ops::edit::yaml::ports::Visibility;

#[test]
fn real_files_gain_their_ports_or_are_refused() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let mut files = Vec::new();
    collect(&corpus, &mut files);
    if files.is_empty() {
        println!("skipped: no real files beside this checkout");
        return;
    }
    let opened = PortVisibilities::from([(61234, Visibility::Public)]);
    let forward = |port, opens_browser| Forward {
        port,
        label: Some(format!("service-{port}")),
        opens_browser,
    };
    let wanted = Wanted {
        forwards: vec![forward(61234, true), forward(61235, false)],
        at_start: Some(opened.clone()),
    };
    let mut refused = Vec::new();
    for path in &files {
        let name = path.display();
        let text = std::fs::read_to_string(path).unwrap();
        match set(&text, &wanted) {
            Ok(edit) => {
                let (was, is) =
                    (read_devcontainer(&text).unwrap(), read_devcontainer(&edit.text).unwrap());
                assert_eq!(is.forwards, [was.forwards, vec![61234, 61235]].concat(), "{name}");
                assert_eq!(is.label(61235), Some("service-61235"), "{name}");
                assert_eq!(is.at_start, PostStartState::Ours(opened.clone()), "{name}");
                assert!(keeps_lines(&text, &edit.text), "{name}");
                assert_eq!(set(&edit.text, &wanted).unwrap().text, edit.text, "{name}");
            }
            Err(refusal) => refused.push(format!("{name}: {}", refusal.reason)),
        }
    }
    println!("{} files, refused: {refused:#?}", files.len());
    assert!(refused.len() * 20 <= files.len(), "{refused:#?}");
}

/// Checks that the new text contains every line of the old one, in order, except for a comma after a value and for
/// lines that contain the continued value.
fn keeps_lines(before: &str, after: &str) -> bool {
    const CONTINUED: [&str; 3] = ["forwardPorts", "portsAttributes", "postStartCommand"];
    let bare = |line: &str| line.replace(',', "");
    let mut lines = after.split('\n');
    before.split('\n').all(|line| {
        let continued = CONTINUED.iter().any(|key| line.contains(key));
        continued || lines.any(|new| bare(new) == bare(line))
    })
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
