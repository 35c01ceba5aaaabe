//! devcontainer.json: the requested ports are forwarded, every comment line is kept, and a second run changes
//! nothing.

#![no_main]

use cruddur_ops::edit::jsonc::devcontainer::{Forward, Wanted, read_devcontainer, set};
use cruddur_ops_fuzz::{edited, lost};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let forward = |port, label: Option<&str>| Forward {
        port,
        label: label.map(str::to_owned),
        opens_browser: port == 3000,
    };
    let wanted =
        Wanted { forwards: vec![forward(3000, Some("web")), forward(4567, None)], at_start: None };
    let Some((before, after)) = edited(data, |text| set(text, &wanted).ok()) else {
        return;
    };
    let read = read_devcontainer(&after).expect("the result is no JSON");
    for port in [3000, 4567] {
        assert!(read.forwards.contains(&port), "{port} is not forwarded");
    }
    // With a mark in it, it may be the rest of a text that began above.
    let is_comment = |line: &str| line.trim().starts_with("//") && !line.contains(['"', '*']);
    assert_eq!(lost(before, &after, is_comment), None, "is lost: {after:?}");
});
