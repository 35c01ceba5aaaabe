//! The environment editor: another reader finds the planned meaning, every other line is kept, and a second run
//! changes nothing.

#![no_main]

use cruddur_ops::edit::yaml::environment::{Wanted, set};
use cruddur_ops::edit::yaml::tree::YamlTree;
use cruddur_ops_fuzz::{edited, keeps, variables, without, yaml};
use libfuzzer_sys::fuzz_target;
use serde_yaml::Value;

const SET: [(&str, &str); 2] = [("OTEL_A", "v"), ("OTEL_B", "k=${X}")];

/// The variable that they must not have.
const GONE: &str = "OTEL_C";

/// Returns a plan in which the first two services of a file get two variables and lose one.
fn wanted(text: &str) -> Vec<Wanted> {
    let Ok(tree) = YamlTree::parse(text) else {
        return Vec::new();
    };
    let services = tree.root().and_then(|root| tree.get(root, "services"));
    let entries = services.map_or(&[][..], |services| tree.entries(services));
    let names = entries.iter().filter_map(|(key, _)| tree.scalar(*key));
    let mut names: Vec<&str> = names.filter(|name| *name != "<<").collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .take(2)
        .map(|name| Wanted {
            service: name.to_owned(),
            unset: vec![GONE.to_owned()],
            set: SET.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        })
        .collect()
}

fuzz_target!(|data: &[u8]| {
    let wanted = std::str::from_utf8(data).map_or_else(|_| Vec::new(), wanted);
    let Some((before, after)) = edited(data, |text| set(text, &wanted).ok()) else {
        return;
    };
    keeps(before, &after, &["OTEL_", "environment", "*", "&", "<<"]);
    let (Some(old), Some(new)) = (yaml(before), yaml(&after)) else {
        return;
    };
    assert_eq!(without(&old, "services"), without(&new, "services"));
    let (Some(Value::Mapping(old)), Some(Value::Mapping(new))) =
        (old.get("services"), new.get("services"))
    else {
        return;
    };
    assert_eq!(old.len(), new.len());
    for (name, was) in old {
        let is = new.get(name).expect("a service is gone");
        // A name that is no string to this reader is one to docker compose.
        if !name.is_string() {
            continue;
        }
        assert_eq!(without(was, "environment"), without(is, "environment"));
        let is_wanted = wanted.iter().any(|one| Some(one.service.as_str()) == name.as_str());
        let (Some(mut planned), Some(read)) = (variables(was), variables(is)) else {
            continue;
        };
        if is_wanted {
            planned.remove(GONE);
            planned.extend(SET.map(|(name, value)| (name.to_owned(), Value::from(value))));
        }
        assert_eq!(planned, read, "of {name:?}");
    }
});
