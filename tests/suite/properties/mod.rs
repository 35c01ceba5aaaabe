//! Random files: another reader finds the planned meaning after an edit, every other line is kept, and a second edit
//! changes nothing; after an apply and undo everything is as before.

use proptest::prelude::*;
use serde_yaml::Value;

mod additions;
mod environment;
mod ports;
mod python;
mod undo;

fn read(text: &str) -> Value {
    let mut value: Value = serde_yaml::from_str(text).unwrap();
    value.apply_merge().unwrap();
    value
}

fn without(value: &Value, key: &str) -> Value {
    let mut value = value.clone();
    if let Value::Mapping(mapping) = &mut value {
        mapping.remove(key);
    }
    value
}

/// Returns the first line of `before` that is missing in `after`, except for lines with one of `marks`. A diff is not
/// used, because it chooses one of two equal lines.
fn lost<'a>(before: &'a str, after: &str, marks: &[&str]) -> Option<&'a str> {
    let mut left = after.split_inclusive('\n');
    let lines = before.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let mut kept = lines.filter(|line| !marks.iter().any(|mark| line.contains(mark)));
    kept.find(|line| !left.any(|other| other == *line))
}

/// Generates a text of some of `parts`, in order, with random line endings and end of file.
fn text(parts: Vec<&'static str>, most: usize) -> impl Strategy<Value = String> {
    let chosen = prop::collection::vec(prop::sample::select(parts), 0..most);
    (chosen, any::<bool>(), any::<bool>()).prop_map(|(chosen, windows, open)| {
        let text = chosen.concat();
        let text = if open { text.trim_end().to_owned() } else { text };
        if windows { text.replace('\n', "\r\n") } else { text }
    })
}
