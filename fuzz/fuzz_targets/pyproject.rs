//! `pyproject.toml`: it has its own dependencies and the added ones, and a second run changes nothing.

#![no_main]

use cruddur_ops::edit::pyproject::{extend, parse_pyproject};
use cruddur_ops::edit::requirements::PackageAddition;
use cruddur_ops_fuzz::lost;
use libfuzzer_sys::fuzz_target;

fn lacking(text: &str) -> Option<Vec<PackageAddition>> {
    let there = parse_pyproject(text).ok()??;
    let wanted = [("opentelemetry-api", None), ("opentelemetry-sdk", Some("1.2.3"))];
    let has = |name: &str| there.entries.iter().any(|entry| entry.name == name);
    let lacking = wanted.into_iter().filter(|(name, _)| !has(name));
    Some(
        lacking
            .map(|(name, version)| PackageAddition {
                name: name.to_owned(),
                version: version.map(str::to_owned),
            })
            .collect(),
    )
}

fuzz_target!(|data: &[u8]| {
    let Ok(before) = std::str::from_utf8(data) else {
        return;
    };
    let Some(added) = lacking(before) else {
        return;
    };
    let Ok(after) = extend(before, &added) else {
        return;
    };
    assert!(lacking(&after).is_some_and(|left| left.is_empty()));
    let names = |text: &str| -> Vec<String> {
        let read = parse_pyproject(text).ok().flatten();
        read.into_iter().flat_map(|read| read.entries).map(|entry| entry.name).collect()
    };
    let new = names(&after);
    for name in names(before) {
        assert!(new.contains(&name), "{name} is lost");
    }
    let marks = ["[", "]", "{", "}", "\"", "'"];
    let bare = |text: &str| text.trim_end().replace(',', "");
    let kept: Vec<String> = after.lines().map(bare).collect();
    // Blank lines between the brackets of an empty list go with them; the last item of a list may get a comma.
    let ours = |line: &str| line.trim().is_empty() || kept.contains(&bare(line));
    let is_kept = |line: &str| !ours(line) && !marks.iter().any(|mark| line.contains(mark));
    assert_eq!(lost(before, &after, is_kept), None, "is lost: {after:?}");
});
