//! Compares the meaning of two texts: resolves aliases and merge keys, ignores comments and layout.

use std::borrow::Cow;

use foldhash::HashMap;

use super::merge;
use super::tree::{NodeId, ScalarQuoting, YamlKind, YamlTree};

/// Maximum nesting compared, aliases followed.
const DEPTH: usize = 600;
/// Maximum number of merged entries compared.
const BUDGET: usize = 5_000_000;

/// A comparison of two trees.
#[derive(Debug)]
pub(super) struct TreeComparison<'t> {
    pub(super) before: &'t YamlTree,
    pub(super) after: &'t YamlTree,
    /// For each node of the first tree, the node of the second tree it was last compared with.
    equal: Vec<Option<NodeId>>,
    depth: usize,
    merged: usize,
}

/// The node of the first text whose meaning differs in the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChangedNode(pub(super) NodeId);

/// A node of the first text and its counterpart in the second.
pub(super) type NodePair = (NodeId, NodeId);

type NodeEntry = (NodeId, NodeId);

impl<'t> TreeComparison<'t> {
    /// Starts a comparison without comparing anything.
    pub(super) fn new(before: &'t YamlTree, after: &'t YamlTree) -> Self {
        Self { before, after, equal: vec![None; before.node_count()], depth: 0, merged: 0 }
    }

    /// Compares two nodes; fails with the first node whose meaning differs.
    pub(super) fn same(&mut self, (old, new): NodePair) -> Result<(), ChangedNode> {
        let (a, b) = (self.before.resolve(old), self.after.resolve(new));
        if read_tag(self.before, a) != read_tag(self.after, b) {
            return Err(ChangedNode(old));
        }
        match (&self.before.node(a).kind, &self.after.node(b).kind) {
            (YamlKind::Scalar(x, s), YamlKind::Scalar(y, t))
                if self.before.text(x) == self.after.text(y)
                    && infers_type(*s) == infers_type(*t) =>
            {
                Ok(())
            }
            (YamlKind::Sequence(x, _), YamlKind::Sequence(y, _)) if x.len() == y.len() => {
                let pairs = x.iter().copied().zip(y.iter().copied());
                self.enter((a, b), |comparison| comparison.each(pairs))
            }
            (YamlKind::Mapping(..), YamlKind::Mapping(..)) => self.enter((a, b), |comparison| {
                let members = comparison.members((a, b), |_| false)?;
                comparison.each(members)
            }),
            _ => Err(ChangedNode(old)),
        }
    }

    /// Compares each pair with [`Self::same`].
    pub(super) fn each(
        &mut self,
        pairs: impl IntoIterator<Item = NodePair>,
    ) -> Result<(), ChangedNode> {
        pairs.into_iter().try_for_each(|pair| self.same(pair))
    }

    /// Compares the entries of both roots but for one list, and returns the items of that list in the first text;
    /// `None` where the first is empty and the second, whose root is given, has more than one entry.
    pub(super) fn others_of_list(
        &mut self,
        root: NodeId,
        key: &str,
    ) -> Result<Option<&'t [NodeId]>, ChangedNode> {
        let (before, after) = (self.before, self.after);
        let Some(old_root) = before.root().filter(|root| !before.is_null(*root)) else {
            return Ok((after.entries(root).len() == 1).then_some(&[]));
        };
        let others = self.members((old_root, root), |other| other == key)?;
        self.each(others)?;
        Ok(Some(before.get(old_root, key).map_or(&[], |list| before.items(list))))
    }

    /// Compares two collections once, regardless of how many aliases lead to them, and at most [`DEPTH`] levels deep.
    fn enter(
        &mut self,
        (a, b): NodePair,
        compare: impl FnOnce(&mut Self) -> Result<(), ChangedNode>,
    ) -> Result<(), ChangedNode> {
        if self.equal[a.number()] == Some(b) {
            return Ok(());
        }
        if self.depth >= DEPTH {
            return Err(ChangedNode(a));
        }
        self.equal[a.number()] = Some(b);
        self.depth += 1;
        let result = compare(self);
        self.depth -= 1;
        result
    }

    /// Pairs the keys and the values of two mappings in any order, skipping keys for which `without` is true; fails if
    /// a key is missing on one side.
    pub(super) fn members(
        &mut self,
        (a, b): NodePair,
        without: impl Fn(&str) -> bool,
    ) -> Result<Vec<NodePair>, ChangedNode> {
        let old_entries = list_effective_entries(self.before, a, &without);
        let new_entries = list_effective_entries(self.after, b, &without);
        self.merged += old_entries.len() + new_entries.len();
        if self.merged > BUDGET + self.before.node_count() + self.after.node_count() {
            return Err(ChangedNode(a));
        }
        let name = |entry: &NodeEntry| self.before.scalar(entry.0);
        let counterpart = |entry: &NodeEntry| self.after.scalar(entry.0);
        let in_order = old_entries.len() == new_entries.len()
            && old_entries.iter().zip(new_entries.iter()).all(|(x, y)| name(x) == counterpart(y));
        if in_order {
            let pairs = old_entries.iter().zip(new_entries.iter());
            return Ok(pairs.flat_map(|(x, y)| [(x.0, y.0), (x.1, y.1)]).collect());
        }
        let old_by_name: HashMap<_, _> =
            old_entries.iter().map(|entry| (name(entry), *entry)).collect();
        let new_by_name: HashMap<_, _> =
            new_entries.iter().map(|entry| (counterpart(entry), *entry)).collect();
        if old_by_name.len() != new_by_name.len() || old_by_name.contains_key(&None) {
            return Err(ChangedNode(a));
        }
        let paired = old_by_name.into_iter().map(|(name, x)| {
            let y = new_by_name.get(&name).ok_or(ChangedNode(x.0))?;
            Ok([(x.0, y.0), (x.1, y.1)])
        });
        paired.collect::<Result<Vec<_>, _>>().map(|pairs| pairs.concat())
    }
}

/// Returns the entries of a mapping with merge keys resolved, except keys for which `without` is true.
fn list_effective_entries<'t>(
    tree: &'t YamlTree,
    mapping: NodeId,
    without: impl Fn(&str) -> bool,
) -> Cow<'t, [NodeEntry]> {
    let direct_entries = tree.entries(mapping);
    let merges = direct_entries.iter().any(|(key, _)| tree.is_merge_key(*key));
    let mut entries = if merges {
        Cow::Owned(merge::effective(tree, mapping))
    } else {
        Cow::Borrowed(direct_entries)
    };
    let other = |(key, _): &NodeEntry| !tree.scalar(*key).is_some_and(&without);
    if !entries.iter().all(other) {
        entries.to_mut().retain(other);
    }
    entries
}

fn read_tag(tree: &YamlTree, id: NodeId) -> Option<&str> {
    tree.node(id).tag.as_ref().map(|tag| tag.text.as_str())
}

/// Returns whether the type of a scalar is inferred from its text; `None` for an absent scalar, which is null.
fn infers_type(style: ScalarQuoting) -> Option<bool> {
    match style {
        ScalarQuoting::Absent => None,
        ScalarQuoting::Plain => Some(true),
        ScalarQuoting::Single | ScalarQuoting::Double | ScalarQuoting::Block => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, two: &str) -> bool {
        let (one, two) = (YamlTree::parse(one).unwrap(), YamlTree::parse(two).unwrap());
        let roots = (one.root().unwrap(), two.root().unwrap());
        TreeComparison::new(&one, &two).same(roots).is_ok()
    }

    #[test]
    fn layout_order_aliases_and_merges_change_no_meaning() {
        assert!(same("a: 'x'\nb: [1, 2]\n", "b:\n- 1\n- 2\na: \"x\" # c\n"));
        assert!(same("a: &a {x: 1}\nb: *a\n", "a: {x: 1}\nb: {x: 1}\n"));
        assert!(same("a: &a {x: 1}\nb: {<<: *a, y: 2}\n", "a: {x: 1}\nb: {y: 2, x: 1}\n"));
    }

    #[test]
    fn values_types_keys_and_tags_change_the_meaning() {
        for (one, two) in [
            ("a: 1", "a: 2"),
            ("a: 1", "a: '1'"),
            ("a: ", "a: ''"),
            ("a: 1", "b: 1"),
            ("a: 1", "a: 1\nb: 2"),
            ("[1, 2]", "[2, 1]"),
            ("a: {}", "a: []"),
            ("a: !x 1", "a: 1"),
            ("? [a]\n: 1", "? [b]\n: 1"),
            ("a: |\n  x", "a: |\n  x\n"),
        ] {
            assert!(!same(one, two), "{one:?} {two:?}");
        }
    }

    #[test]
    fn wide_collections_are_compared_without_limit() {
        let beside = "- {a: [1]}\n".repeat(2 * DEPTH);
        assert!(same(&beside, &beside));
    }

    #[test]
    fn only_merged_entries_count_towards_the_limit() {
        let text = "a: {x: 1, y: 2}\nb: {<<: {x: 1}, z: 3}\n";
        let (one, two) = (YamlTree::parse(text).unwrap(), YamlTree::parse(text).unwrap());
        let roots = (one.root().unwrap(), two.root().unwrap());
        for (merged, is_compared) in
            [(0, true), (BUDGET, true), (BUDGET + one.node_count() + two.node_count(), false)]
        {
            let mut comparison = TreeComparison { merged, ..TreeComparison::new(&one, &two) };
            assert_eq!(comparison.same(roots).is_ok(), is_compared, "{merged}");
        }
    }

    #[test]
    fn cycles_and_alias_bombs_terminate() {
        assert!(same("a: &a [*a]", "a: &a [*a]"));
        let mut laughs = String::from("a0: &a0 [x]\n");
        for level in 1..100 {
            let below = level - 1;
            laughs += &format!("a{level}: &a{level} [*a{below}, *a{below}]\n");
        }
        assert!(same(&laughs, &laughs));
    }
}
