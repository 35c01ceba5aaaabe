//! Detects aliases that docker compose rejects: a node that contains itself through aliases, and too many visited
//! values.

use std::fmt::Write as _;

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use crate::edit::yaml::tree::{NodeId, YamlKind, YamlTree};

/// Maximum number of values that docker compose visits in one document.
const MAX_VISITED_VALUES: usize = 100_000;

/// Replaces a dot in a key, because paths are split at dots.
const DOT: &str = "\u{1f47b}";

/// Returns the position and reason if docker compose rejects the aliases of the document below `root`.
pub(super) fn check_aliases(tree: &YamlTree, root: NodeId) -> Option<(NodeId, String)> {
    // For one of several documents, the walk is cheaper than this check of the whole text.
    let is_small = tree.documents() == 1 && tree.node_count() <= MAX_VISITED_VALUES;
    if is_small && !is_shared(tree) {
        return None;
    }
    // Each value is visited at most once, so a small text has no other fault than an alias.
    let aliases = is_small.then(|| find_aliases(tree));
    let leads_to_alias = |id: NodeId| {
        aliases.as_ref().is_none_or(|starts| {
            let range = &tree.node(id).range;
            let first = starts.partition_point(|start| *start < range.start);
            starts.get(first).is_some_and(|start| *start < range.end)
        })
    };
    let mut walk = AliasWalk { tree, path: String::new(), places: HashMap::new() };
    let mut entered = HashSet::new();
    let mut visits = 0;
    let mut steps = vec![AliasStep::Enter(root, AliasKey::None)];
    while let Some(step) = steps.pop() {
        let (id, key) = match step {
            AliasStep::Shorten(length) => {
                walk.path.truncate(length);
                continue;
            }
            AliasStep::Restore(path) => {
                walk.path = path;
                continue;
            }
            AliasStep::Enter(id, key) => (id, key),
        };
        visits += 1;
        if visits > MAX_VISITED_VALUES {
            let text = format!(
                "docker compose refuses a document of more than {MAX_VISITED_VALUES} values"
            );
            return Some((root, text));
        }
        let target = tree.resolve(id);
        let is_leaf = matches!(tree.node(id).kind, YamlKind::Scalar(..));
        if is_leaf || is_marked(tree, id) {
            continue;
        }
        steps.push(walk.enter(key));
        if let YamlKind::Alias(direct) = tree.node(id).kind
            && let Some(text) = walk.note_alias(direct)
        {
            return Some((id, text));
        }
        if !is_marked(tree, target) && entered.insert(target) {
            let from = steps.len();
            let entries = tree.entries(target).iter().filter(|(_, value)| leads_to_alias(*value));
            steps
                .extend(entries.map(|(key, value)| AliasStep::Enter(*value, AliasKey::Node(*key))));
            let items =
                tree.items(target).iter().enumerate().filter(|(_, item)| leads_to_alias(**item));
            steps.extend(items.map(|(at, item)| AliasStep::Enter(*item, AliasKey::Index(at))));
            steps[from..].reverse();
        }
    }
    None
}

/// A step of the traversal.
enum AliasStep {
    /// Enter a value, below its key.
    Enter(NodeId, AliasKey),
    /// Shorten the path to this length.
    Shorten(usize),
    /// Restore an earlier path.
    Restore(String),
}

#[derive(Clone, Copy)]
enum AliasKey {
    None,
    Node(NodeId),
    Index(usize),
}

/// Returns the first byte of each alias, in order.
fn find_aliases(tree: &YamlTree) -> Vec<usize> {
    let nodes = tree.ids().map(|id| tree.node(id));
    nodes
        .filter(|node| matches!(node.kind, YamlKind::Alias(_)))
        .map(|node| node.range.start)
        .collect()
}

/// Returns whether two aliases refer to the same node.
fn is_shared(tree: &YamlTree) -> bool {
    let mut seen = HashSet::new();
    tree.ids().any(|id| match tree.node(id).kind {
        YamlKind::Alias(target) => !seen.insert(target),
        _ => false,
    })
}

fn is_marked(tree: &YamlTree, id: NodeId) -> bool {
    let tag = tree.node(id).tag.as_ref();
    tag.is_some_and(|tag| matches!(tag.text.as_str(), "!reset" | "!override"))
}

struct AliasWalk<'t> {
    tree: &'t YamlTree,
    /// Keys separated by dots; a dot in a key is written as [`DOT`] until a merge key is passed.
    path: String,
    places: HashMap<NodeId, AliasPaths>,
}

/// The paths at which aliases of one node occur.
#[derive(Default)]
struct AliasPaths {
    paths: HashSet<String>,
    /// The paths of the nodes that contain them.
    around: HashSet<String>,
}

impl AliasWalk<'_> {
    /// Appends a key to the path, omitting `<<` as docker compose does; returns the step that undoes it.
    fn enter(&mut self, key: AliasKey) -> AliasStep {
        let length = self.path.len();
        if length > 0 && !matches!(key, AliasKey::None) {
            self.path.push('.');
        }
        match key {
            AliasKey::None => {}
            AliasKey::Index(at) => drop(write!(self.path, "{at}")),
            AliasKey::Node(key) => {
                let key = self.tree.scalar(key).unwrap_or_default();
                if length > 0 && key.contains('.') {
                    self.path.push_str(&key.replace('.', DOT))
                } else {
                    self.path.push_str(key)
                }
            }
        }
        if !self.path.contains(".<<") {
            return AliasStep::Shorten(length);
        }
        let before = self.path[..length].to_owned();
        self.path = self.path.replace(DOT, ".").replacen(".<<", "", 1);
        AliasStep::Restore(before)
    }

    /// Records an alias of `target`; returns the reason if docker compose considers it a cycle.
    fn note_alias(&mut self, target: NodeId) -> Option<String> {
        let path = self.path.as_str();
        if path.contains("<<") {
            return None;
        }
        let places = self.places.entry(target).or_default();
        let around = || path.match_indices('.').map(|(dot, _)| &path[..dot]);
        let outer = around().find(|outer| places.paths.contains(*outer));
        if outer.is_some() || places.around.contains(path) {
            return Some(format!(
                "docker compose reports this alias as a cycle: one anchor is used at `{}` and inside of it",
                outer.unwrap_or(path).replace(DOT, ".")
            ));
        }
        for outer in around() {
            if !places.around.contains(outer) {
                places.around.insert(outer.to_owned());
            }
        }
        places.paths.insert(path.to_owned());
        None
    }
}
