//! The editor of `.gitpod.yml`: every requested port gets its visibility, everything else is kept, and a second run
//! changes nothing.

#![no_main]

use cruddur_ops::edit::yaml::ports::{PortEntry, Visibility, read_gitpod_ports, set};
use cruddur_ops_fuzz::{edited, keeps, without, yaml};
use libfuzzer_sys::fuzz_target;
use serde_yaml::Value;

fn wanted() -> Vec<PortEntry> {
    let entry = |port, name: &str, visibility| PortEntry {
        port,
        name: Some(name.to_owned()),
        visibility,
        on_open: (port == 3000).then(|| "open-browser".to_owned()),
    };
    vec![
        entry(3000, "front: end", Some(Visibility::Public)),
        entry(5432, "db", Some(Visibility::Private)),
        entry(8080, "more", None),
    ]
}

fuzz_target!(|data: &[u8]| {
    let Some((before, after)) = edited(data, |text| set(text, &wanted()).ok()) else {
        return;
    };
    let _ = read_gitpod_ports(&after);
    keeps(before, &after, &["ports", "visibility", "port"]);
    let (Some(old), Some(new)) = (yaml(before), yaml(&after)) else {
        return;
    };
    if old.is_mapping() {
        assert_eq!(without(&old, "ports"), without(&new, "ports"));
    }
    let none = Vec::new();
    let list =
        |value: &Value| value.get("ports").and_then(Value::as_sequence).unwrap_or(&none).clone();
    let (old, new) = (list(&old), list(&new));
    assert!(new.len() >= old.len());
    for (was, is) in old.iter().zip(&new) {
        assert_eq!(without(was, "visibility"), without(is, "visibility"));
    }
});
