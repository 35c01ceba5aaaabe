//! Checks the tree against a second YAML parser.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::parallel::run_both;

use super::tree::{NodeId, ScalarQuoting, YamlKind, YamlTree};

/// Length in bytes above which a second thread is worth its cost.
const MIN_BYTES_FOR_THREAD: usize = 64 * 1024;

/// A text as read by the second parser, not yet compared.
pub(super) struct SecondParse<'a>(Vec<serde_yaml::Deserializer<'a>>);

/// Runs the second parser over the first `documents` of `text` in addition to `parse_own`, in parallel if the text is
/// long.
pub(super) fn parse_twice<T: Send>(
    text: &str,
    documents: usize,
    parse_own: impl Fn() -> T + Sync,
) -> (T, SecondParse<'_>) {
    if text.len() < MIN_BYTES_FOR_THREAD {
        return (parse_own(), SecondParse::read(text, documents));
    }
    run_both(parse_own, || SecondParse::read(text, documents))
}

impl<'a> SecondParse<'a> {
    fn read(text: &'a str, documents: usize) -> Self {
        let text = text.trim_start_matches('\u{feff}');
        Self(serde_yaml::Deserializer::from_str(text).take(documents).collect())
    }

    /// Checks that `serde_yaml` reads the text as `tree` does; returns its message if not.
    ///
    /// Aliases are not expanded: both parsers resolve a name to the preceding anchor, so a "billion laughs" text stays
    /// small.
    pub(super) fn agrees(self, tree: &YamlTree) -> Result<(), String> {
        let mut documents = tree.roots().iter().zip(self.0);
        documents.try_for_each(|(id, read)| {
            let seed = ExpectedNode { tree, id: *id };
            seed.deserialize(read).map_err(|error| error.to_string())
        })
    }
}

/// The node that must come next.
#[derive(Clone, Copy)]
struct ExpectedNode<'t> {
    tree: &'t YamlTree,
    id: NodeId,
}

impl<'de> DeserializeSeed<'de> for ExpectedNode<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        match &self.tree.node(self.id).kind {
            YamlKind::Scalar(..) => reader.deserialize_str(self),
            YamlKind::Mapping(..) => reader.deserialize_map(self),
            YamlKind::Sequence(..) => reader.deserialize_seq(self),
            YamlKind::Alias(_) => reader.deserialize_ignored_any(IgnoredAny).map(|_| ()),
        }
    }
}

impl<'de> Visitor<'de> for ExpectedNode<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tree.node(self.id).kind {
            YamlKind::Scalar(text, _) => write!(f, "{:?}", self.tree.text(text)),
            YamlKind::Mapping(entries, _) => write!(f, "a mapping of {}", entries.len()),
            YamlKind::Sequence(items, _) => write!(f, "a sequence of {}", items.len()),
            YamlKind::Alias(_) => write!(f, "an alias"),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let same = match &self.tree.node(self.id).kind {
            YamlKind::Scalar(_, ScalarQuoting::Absent) => matches!(text, "" | "~"),
            YamlKind::Scalar(expected, _) => self.tree.text(expected) == text,
            _ => false,
        };
        if same {
            Ok(())
        } else {
            Err(E::custom(format!("another parser reads {text:?} instead of {self:?}")))
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let tree = self.tree;
        for (key, value) in list_own_entries(tree, self.id) {
            if map.next_key_seed(ExpectedNode { tree, id: *key })?.is_none() {
                return Err(A::Error::custom("another parser reads fewer entries"));
            }
            map.next_value_seed(ExpectedNode { tree, id: *value })?;
        }
        match map.next_key::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(A::Error::custom("another parser reads more entries")),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        let tree = self.tree;
        if let YamlKind::Sequence(items, _) = &tree.node(self.id).kind {
            for id in items {
                if sequence.next_element_seed(ExpectedNode { tree, id: *id })?.is_none() {
                    return Err(A::Error::custom("another parser reads fewer items"));
                }
            }
        }
        match sequence.next_element::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(A::Error::custom("another parser reads more items")),
        }
    }
}

impl fmt::Debug for ExpectedNode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expecting(f)
    }
}

fn list_own_entries(tree: &YamlTree, mapping: NodeId) -> &[(NodeId, NodeId)] {
    match &tree.node(mapping).kind {
        YamlKind::Mapping(entries, _) => entries,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parsers_find_the_same_in_every_shape() {
        for text in [
            "a: 1\nb:\nc: ~\nd: ''\n",
            "\u{feff}a: |\n  x\n\n  y\nb: >-\n  z\n  z\n",
            "a: &a {x: [1, 'é', \"\\t\"]}\nb: {<<: *a}\nc: *a\n",
            "a: !reset []\nb: !override {x: 1}\nc: !reset null\n",
            "a: 1\na: 2\n? [x]\n: y\n",
            "# nothing\n",
            "a: |\n  no line break",
        ] {
            let (tree, witness) = parse_twice(text, 1, || YamlTree::parse(text).unwrap());
            assert_eq!(witness.agrees(&tree), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_different_reading_is_reported() {
        let tree = YamlTree::parse("a: 1\n").unwrap();
        for lie in ["a: 2\n", "b: 1\n", "a: 1\nb: 1\n", "[a, 1]", "["] {
            assert!(SecondParse::read(lie, 1).agrees(&tree).is_err(), "{lie}");
        }
    }

    #[test]
    fn a_long_text_is_read_in_parallel_with_the_same_result() {
        let text = "a: 1\n".repeat(MIN_BYTES_FOR_THREAD / 4);
        let (tree, witness) = parse_twice(&text, 1, || YamlTree::parse(text.as_str()).unwrap());
        assert_eq!(witness.agrees(&tree), Ok(()));
        assert!(SecondParse::read(&text[5..], 1).agrees(&tree).is_err());
        let broken = text + "[";
        assert!(parse_twice(&broken, 1, || YamlTree::parse(broken.as_str())).0.is_err());
    }
}
