//! `NAME=value` as it is written, wherever it stands, and the variables a value refers to.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::edit::yaml::tree::{Kind, NodeId, Style, Tree};
use crate::limits;

/// One variable as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// As written.
    pub name: String,
    /// Bytes of the name.
    pub name_range: Range<usize>,
    /// The value, quotes taken off, references as they stand; `None` where only a name stands.
    pub value: Option<String>,
    /// Bytes of the value inside its quotes, where they are the value letter by letter.
    pub value_range: Option<Range<usize>>,
    /// The byte the value begins at, or the name where there is none.
    pub value_at: usize,
}

impl Setting {
    /// The value, or nothing where only a name stands.
    pub fn text(&self) -> &str {
        self.value.as_deref().unwrap_or_default()
    }
}

/// The settings of a mapping or of a list of `NAME=value`; merge keys are followed, own entries win.
pub fn settings(tree: &Tree, id: NodeId) -> Vec<Setting> {
    let mut merging = HashSet::new();
    collect(tree, id, &mut merging)
}

/// Each mapping is merged once, however often it is named: the first time decides.
fn collect(tree: &Tree, id: NodeId, merging: &mut HashSet<NodeId>) -> Vec<Setting> {
    let listed = tree.items(id).iter().filter_map(|item| listed(tree, *item));
    let mut found: Vec<Option<Setting>> = listed.map(Some).collect();
    let mut names = HashSet::new();
    // Where those that another mapping brought are, by name: an own entry takes their place.
    let mut brought: HashMap<String, Vec<usize>> = HashMap::new();
    let begin = tree.node(id).range.start;
    for (key, value) in tree.entries(id) {
        match tree.scalar(*key) {
            Some("<<") => {
                let mut merged = Vec::new();
                for from in std::iter::once(value).chain(tree.items(*value)) {
                    if merging.len() < limits::MERGES && merging.insert(tree.resolve(*from)) {
                        merged.extend(collect(tree, *from, merging));
                    }
                }
                merged.retain(|one| !names.contains(&one.name));
                for one in merged {
                    names.insert(one.name.clone());
                    if one.name_range.start <= begin {
                        brought.entry(one.name.clone()).or_default().push(found.len());
                    }
                    found.push(Some(one));
                }
            }
            Some(name) => {
                for at in brought.remove(name).unwrap_or_default() {
                    found[at] = None;
                }
                names.insert(name.to_owned());
                found.push(Some(mapped(tree, name.to_owned(), *key, *value)));
            }
            None => {}
        }
    }
    found.into_iter().flatten().collect()
}

fn mapped(tree: &Tree, name: String, key: NodeId, value: NodeId) -> Setting {
    let value = tree.resolve(value);
    let null = tree.is_null(value);
    Setting {
        name,
        name_range: inner(tree, key).unwrap_or_else(|| tree.node(key).range.clone()),
        value: if null { None } else { tree.scalar(value).map(str::to_owned) },
        value_range: if null { None } else { inner(tree, value) },
        value_at: tree.node(value).range.start,
    }
}

fn listed(tree: &Tree, item: NodeId) -> Option<Setting> {
    let item = tree.resolve(item);
    let text = tree.scalar(item)?;
    let bytes = inner(tree, item);
    let start = bytes.as_ref().map_or(tree.node(item).range.start, |bytes| bytes.start);
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    Some(Setting {
        name: name.to_owned(),
        name_range: start..start + name.len(),
        value: value.map(str::to_owned),
        value_range: value.and_then(|_| bytes.map(|bytes| bytes.start + name.len() + 1..bytes.end)),
        value_at: start + value.map_or(0, |_| name.len() + 1),
    })
}

/// The bytes of a scalar inside its quotes, if they are its value letter by letter.
pub fn inner(tree: &Tree, id: NodeId) -> Option<Range<usize>> {
    let node = tree.node(tree.resolve(id));
    match &node.kind {
        Kind::Scalar(text, style) if *style != Style::Absent => text.range(),
        _ => None,
    }
}

/// A variable that a value refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference<'a> {
    /// The name.
    pub name: &'a str,
    /// What follows the name inside the braces: `:-default`, or nothing.
    pub rest: &'a str,
    /// Bytes of the whole reference in the value.
    pub range: Range<usize>,
}

/// Every `$NAME` and `${NAME…}` of a value; `$$` is none.
pub fn references(value: &str) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = value[at..].find('$') {
        let start = at + next;
        let after = &value[start + 1..];
        if after.starts_with('$') {
            at = start + 2;
            continue;
        }
        let braced = after.starts_with('{');
        let name_start = start + 1 + usize::from(braced);
        let name = name_of(&value[name_start..]);
        let name_end = name_start + name.len();
        let end = if braced {
            value[name_end..].find('}').map_or(value.len(), |close| name_end + close)
        } else {
            name_end
        };
        if !name.is_empty() {
            found.push(Reference {
                name,
                rest: &value[name_end..end],
                range: start..(end + usize::from(braced)).min(value.len()),
            });
        }
        at = name_end.max(start + 1);
    }
    found
}

fn name_of(text: &str) -> &str {
    let end = text
        .find(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
        .unwrap_or(text.len());
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return "";
    }
    &text[..end]
}

/// The one variable that a value is, with nothing around it: `${NAME}`, `$NAME`.
pub fn only_reference(value: &str) -> Option<Reference<'_>> {
    let found = references(value).into_iter().next()?;
    (found.range == (0..value.len())).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, Option<String>)> {
        let tree = Tree::parse(text).unwrap();
        let environment = tree.get(tree.root().unwrap(), "e").unwrap();
        settings(&tree, environment)
            .into_iter()
            .map(|one| {
                let own = one.value_range.clone().map(|range| text[range].to_owned());
                assert_eq!(own, one.value, "{text}");
                assert_eq!(text[one.name_range.clone()], one.name);
                (one.name, one.value)
            })
            .collect()
    }

    #[test]
    fn maps_lists_and_merges_are_read_with_their_places() {
        let pair = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        assert_eq!(read("e: {A: 'x', B: \"y\"}\n"), [pair("A", "x"), pair("B", "y")]);
        assert_eq!(
            read("e:\n  - A=x=1\n  - 'B=y'\n  - C\n"),
            [pair("A", "x=1"), pair("B", "y"), ("C".to_owned(), None)]
        );
        assert_eq!(
            read("x: &x {A: 1, B: 2}\ne:\n  <<: *x\n  A: 3\n"),
            [pair("B", "2"), pair("A", "3")]
        );
    }

    #[test]
    fn references_are_found_in_both_forms() {
        let found = references("a${B:-c}$D$$E${F}");
        let names: Vec<_> = found.iter().map(|one| (one.name, one.rest)).collect();
        assert_eq!(names, [("B", ":-c"), ("D", ""), ("F", "")]);
        assert!(only_reference("${A}").is_some());
        assert!(only_reference("${A}-b").is_none());
    }
}
