//! Random files: an edit means its plan to a reader of its own, keeps every other line, and is done once; and undo after
//! an apply is as if nothing had been.

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

/// The first line of `before` that is not in `after`, those with one of `marks` left aside. What a diff calls gone is a
/// choice of its own where two lines are alike.
fn lost<'a>(before: &'a str, after: &str, marks: &[&str]) -> Option<&'a str> {
    let mut left = after.split_inclusive('\n');
    let lines = before.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let mut kept = lines.filter(|line| !marks.iter().any(|mark| line.contains(mark)));
    kept.find(|line| !left.any(|other| other == *line))
}

/// Some of `parts`, in their order, each with the line endings and the end of file that were drawn.
fn text(parts: Vec<&'static str>, most: usize) -> impl Strategy<Value = String> {
    let chosen = prop::collection::vec(prop::sample::select(parts), 0..most);
    (chosen, any::<bool>(), any::<bool>()).prop_map(|(chosen, windows, open)| {
        let text = chosen.concat();
        let text = if open { text.trim_end().to_owned() } else { text };
        if windows { text.replace('\n', "\r\n") } else { text }
    })
}
