//! `requirements.txt`: it has its own packages and the added ones, every other line is unchanged, and a second run
//! changes nothing.

#![no_main]

use cruddur_ops::edit::requirements::{
    PackageAddition, Requirements, extend, normalize_package_name,
};
use cruddur_ops_fuzz::lost;
use libfuzzer_sys::fuzz_target;

/// Returns the packages that `text` lacks.
fn lacking(text: &str) -> Vec<PackageAddition> {
    let there = Requirements::parse(text);
    let wanted = [("opentelemetry-api", None), ("opentelemetry-sdk", Some("1.2.3"))];
    let lacking = wanted.into_iter().filter(|(name, _)| !there.has(&normalize_package_name(name)));
    lacking
        .map(|(name, version)| PackageAddition {
            name: name.to_owned(),
            version: version.map(str::to_owned),
        })
        .collect()
}

fuzz_target!(|data: &[u8]| {
    let Ok(before) = std::str::from_utf8(data) else {
        return;
    };
    let old = Requirements::parse(before);
    let Ok(after) = extend(before, &lacking(before)) else {
        return;
    };
    let new = Requirements::parse(&after);
    assert!(lacking(&after).is_empty());
    assert!(new.pasted.is_empty());
    for entry in &old.entries {
        assert!(new.has(&entry.name), "{} is lost", entry.name);
    }
    assert_eq!(extend(&after, &[]).as_deref(), Ok(after.as_str()));
    // The lines of pasted commands become lines of their own.
    let mut rest = before.to_owned();
    for pasted in old.pasted.iter().rev() {
        let end = rest[pasted.range.end..].find('\n');
        let end = end.map_or(rest.len(), |at| pasted.range.end + at + 1);
        rest.replace_range(pasted.range.start..end, "");
    }
    let is_kept = |line: &str| !line.trim().is_empty() || old.pasted.is_empty();
    assert_eq!(lost(&rest, &after, is_kept), None, "is lost: {after:?}");
});
