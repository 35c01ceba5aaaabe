//! What the targets share: readers of their own, a screen, and the promise that other lines stay.

pub mod screen;

use std::collections::BTreeMap;
use std::ops::Range;

use cruddur_ops::edit::yaml::EditedText;
use cruddur_ops::edit::yaml::tree::{NodeId, YamlKind, YamlTree};
use serde_yaml::Value;
use similar::DiffableStr;

/// The text that is fuzzed, and what `edit` makes of it; nothing where it is refused. An edit that is done twice is done
/// once.
#[track_caller]
pub fn edited(data: &[u8], edit: impl Fn(&str) -> Option<EditedText>) -> Option<(&str, String)> {
    let before = std::str::from_utf8(data).ok()?;
    let after = edit(before)?.text.to_string();
    let again = edit(&after).map(|edit| edit.text);
    assert_eq!(again.as_deref(), Some(&*after));
    Some((before, after))
}

/// The first line of `before` that is to be kept and is not in `after`; the last one only where it ends with a line feed,
/// since what follows it completes its ending. A diff is not asked: of two lines alike it chooses one.
pub fn lost<'a>(before: &'a str, after: &str, is_kept: impl Fn(&str) -> bool) -> Option<&'a str> {
    let mut old = before.tokenize_lines();
    old.pop_if(|line| !line.ends_with('\n'));
    let mut new = after.tokenize_lines().into_iter();
    let mut kept = old.into_iter().filter(|line| is_kept(line));
    kept.find(|line| !new.any(|other| other == *line))
}

/// A line with one of these may have to be written in another way before anything can be added to it.
const SHAPES: [&str; 9] = ["{", "}", "[", "]", "~", "null", "Null", "NULL", "!"];

/// Fails where the result is no YAML, or where a line went that has none of `marks` or [`SHAPES`] in it and is no rest of
/// a scalar that begins on a line with one, or behind a key that does.
#[track_caller]
pub fn keeps(before: &str, after: &str, marks: &[&str]) {
    assert!(YamlTree::parse(after).is_ok());
    let is_marked = |line: &str| SHAPES.iter().chain(marks).any(|mark| line.contains(mark));
    let rest = without_rests(before, is_marked);
    let lost = lost(&rest, after, |line| !is_marked(line));
    assert_eq!(lost, None, "is lost: {after:?}");
}

/// `text` without what follows the first line of scalars that begin on a marked one.
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

/// The line that holds the byte `at`.
fn line_of(text: &str, at: usize) -> &str {
    let start = text[..at].rfind(['\n', '\r']).map_or(0, |end| end + 1);
    text[start..].split(['\n', '\r']).next().unwrap_or_default()
}

/// The bytes of every scalar that is an item, and of every key with the scalar behind it.
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
