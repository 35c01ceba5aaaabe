//! What the targets share: readers of their own, and the promise that other lines stay.

use std::collections::BTreeMap;

use serde_yaml::Value;
use similar::{ChangeTag, TextDiff};

/// Lines of `before` that are not in `after`, one that ends the file without a line break left aside.
pub fn lost(before: &str, after: &str) -> Vec<String> {
    let diff = TextDiff::from_lines(before, after);
    let gone = diff
        .iter_all_changes()
        .filter(|change| change.tag() == ChangeTag::Delete)
        .map(|change| change.value().to_owned())
        .filter(|line| line.ends_with(['\n', '\r']));
    gone.collect()
}

/// Fails where a line went that has none of `marks` in it.
#[track_caller]
pub fn keeps(before: &str, after: &str, marks: &[&str]) {
    for line in lost(before, after) {
        let ours = marks.iter().any(|mark| line.contains(mark));
        assert!(ours, "{line:?} is lost");
    }
}

/// A YAML text as another reader has it, merge keys applied and tags left out; nothing where it refuses.
pub fn yaml(text: &str) -> Option<Value> {
    let value: Value = serde_yaml::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let mut value = untagged(value);
    value.apply_merge().ok()?;
    Some(value)
}

fn untagged(value: Value) -> Value {
    match value {
        Value::Tagged(tagged) => untagged(tagged.value),
        Value::Sequence(items) => items.into_iter().map(untagged).collect(),
        Value::Mapping(entries) => {
            let entries = entries.into_iter();
            let entries = entries.map(|(key, value)| (untagged(key), untagged(value)));
            Value::Mapping(entries.collect())
        }
        other => other,
    }
}

/// `value` without one key.
pub fn without(value: &Value, key: &str) -> Value {
    let mut value = value.clone();
    if let Value::Mapping(mapping) = &mut value {
        mapping.remove(key);
    }
    value
}

/// The variables of a service, the last of two counting; nothing where its environment is neither mapping nor list.
pub fn variables(service: &Value) -> Option<BTreeMap<String, Value>> {
    match service.get("environment") {
        None | Some(Value::Null) => Some(BTreeMap::new()),
        Some(Value::Mapping(mapping)) => {
            let entries = mapping.iter();
            entries
                .map(|(key, value)| Some((key.as_str()?.to_owned(), value.clone())))
                .collect()
        }
        Some(Value::Sequence(items)) => {
            let items = items.iter();
            items
                .map(|item| {
                    let (name, value) = match item.as_str()?.split_once('=') {
                        Some((name, value)) => (name, Value::from(value)),
                        None => (item.as_str()?, Value::Null),
                    };
                    Some((name.to_owned(), value))
                })
                .collect()
        }
        Some(_) => None,
    }
}
