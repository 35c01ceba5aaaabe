//! Code shared by the targets: independent readers, a screen, and checks that other lines are kept.

pub mod screen;

use std::collections::BTreeMap;
use std::ops::Range;

use cruddur_ops::edit::yaml::EditedText;
use cruddur_ops::edit::yaml::tree::{NodeId, YamlKind, YamlTree};
use serde_yaml::Value;
use similar::DiffableStr;

/// Returns the fuzzed text and its edited form; nothing if the edit refuses it. Checks that a second edit changes
/// nothing.
#[track_caller]
pub fn edited(data: &[u8], edit: impl Fn(&str) -> Option<EditedText>) -> Option<(&str, String)> {
    let before = std::str::from_utf8(data).ok()?;
    let after = edit(before)?.text.to_string();
    let again = edit(&after).map(|edit| edit.text);
    assert_eq!(again.as_deref(), Some(&*after));
    Some((before, after))
}

/// Returns the first line of `before` that must be kept and is not in `after`; the last one only if it ends with a
/// line feed, because an added line completes its ending. A diff is not used, because it chooses one of two equal
/// lines.
pub fn lost<'a>(before: &'a str, after: &str, is_kept: impl Fn(&str) -> bool) -> Option<&'a str> {
    let mut old = before.tokenize_lines();
    old.pop_if(|line| !line.ends_with('\n'));
    let mut new = after.tokenize_lines().into_iter();
    let mut kept = old.into_iter().filter(|line| is_kept(line));
    kept.find(|line| !new.any(|other| other == *line))
}

/// Marks of lines that may have to be rewritten before anything can be added to them.
const SHAPES: [&str; 9] = ["{", "}", "[", "]", "~", "null", "Null", "NULL", "!"];

/// Checks that the result is YAML and that every line is kept, except lines with one of `marks` or [`SHAPES`] and the
/// rest of a scalar that begins on such a line or after a key on it.
#[track_caller]
pub fn keeps(before: &str, after: &str, marks: &[&str]) {
    assert!(YamlTree::parse(after).is_ok());
    let is_marked = |line: &str| SHAPES.iter().chain(marks).any(|mark| line.contains(mark));
    let rest = without_rests(before, is_marked);
    let lost = lost(&rest, after, |line| !is_marked(line));
    assert_eq!(lost, None, "is lost: {after:?}");
}

/// Returns `text` without the lines after the first of each scalar that begins on a marked line.
fn without_rests(text: &str, is_marked: impl Fn(&str) -> bool) -> String {
    let mut scalars = scalars(text);
    scalars.sort_by_key(|scalar| scalar.start);
    let (mut rest, mut at) = (String::new(), 0);
    for scalar in scalars {
        let broken = text[scalar.clone()].find(['\n', '\r']);
        if let Some(line) = broken.map(|line| scalar.start + line)
            && line >= at
            && is_marked(line_of(text, scalar.start))
        {
            rest.push_str(&text[at..line]);
            at = scalar.end;
        }
    }
    rest + &text[at..]
}

/// Returns the line that contains the byte `at`.
fn line_of(text: &str, at: usize) -> &str {
    let start = text[..at].rfind(['\n', '\r']).map_or(0, |end| end + 1);
    text[start..].split(['\n', '\r']).next().unwrap_or_default()
}

/// Returns the byte ranges of every scalar that is an item, and of every key with its scalar.
fn scalars(text: &str) -> Vec<Range<usize>> {
    let Ok(tree) = YamlTree::parse(text) else {
        return Vec::new();
    };
    let is_scalar = |id: NodeId| matches!(tree.node(id).kind, YamlKind::Scalar(..));
    let of = |id| {
        let items = tree.items(id).iter().filter(|item| is_scalar(**item));
        let items = items.map(|item| tree.start(*item)..tree.end(*item));
        let entries = tree.entries(id).iter().filter(|entry| is_scalar(entry.1));
        let entries = entries.map(|entry| tree.start(entry.0)..tree.pair_end(*entry));
        items.chain(entries).collect::<Vec<_>>()
    };
    tree.ids().flat_map(of).collect()
}

/// Returns a YAML text as another reader parses it, merge keys applied and tags removed; nothing if it refuses.
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

/// Returns `value` without one key.
pub fn without(value: &Value, key: &str) -> Value {
    let mut value = value.clone();
    if let Value::Mapping(mapping) = &mut value {
        mapping.remove(key);
    }
    value
}

/// Returns the variables of a service, the last of two with one name; nothing if its environment is neither a mapping
/// nor a list.
pub fn variables(service: &Value) -> Option<BTreeMap<String, Value>> {
    match service.get("environment") {
        None | Some(Value::Null) => Some(BTreeMap::new()),
        Some(Value::Mapping(mapping)) => {
            let entries = mapping.iter();
            entries.map(|(key, value)| Some((key.as_str()?.to_owned(), value.clone()))).collect()
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
