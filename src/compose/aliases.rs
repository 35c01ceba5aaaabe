//! What docker compose refuses of aliases: one node at two places of which one lies in the other, and too many visits.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use crate::edit::yaml::tree::{Kind, NodeId, Tree};

/// Values of one document that docker compose looks at before it gives up.
const VISITS: usize = 100_000;

/// Stands for a dot in a key: a path is split at its dots.
const DOT: &str = "\u{1f47b}";

/// Returns where and why docker compose refuses the aliases of the document below `root`.
pub(super) fn check_aliases(tree: &Tree, root: NodeId) -> Option<(NodeId, String)> {
    // Of one document among several the walk costs less than this look at the whole text.
    if tree.documents() == 1 && tree.len() <= VISITS && !is_shared(tree) {
        return None;
    }
    let mut walk = AliasWalk { tree, path: String::new(), places: HashMap::new() };
    let mut entered = HashSet::new();
    let mut visits = 0;
    let mut steps = vec![AliasStep::Enter(root, Key::None)];
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
        if visits > VISITS {
            let text = format!("docker compose reads no document of more than {VISITS} values");
            return Some((root, text));
        }
        let target = tree.resolve(id);
        let is_leaf = matches!(tree.node(id).kind, Kind::Scalar(..));
        if is_leaf || is_marked(tree, id) {
            continue;
        }
        steps.push(walk.enter(key));
        if let Kind::Alias(direct) = tree.node(id).kind
            && let Some(text) = walk.note_alias(direct)
        {
            return Some((id, text));
        }
        if !is_marked(tree, target) && entered.insert(target) {
            let from = steps.len();
            let entries = tree.entries(target).iter();
            steps.extend(entries.map(|(key, value)| AliasStep::Enter(*value, Key::Node(*key))));
            let items = tree.items(target).iter().enumerate();
            steps.extend(items.map(|(at, item)| AliasStep::Enter(*item, Key::Index(at))));
            steps[from..].reverse();
        }
    }
    None
}

/// A step of the walk.
enum AliasStep {
    /// Into a value, below its key.
    Enter(NodeId, Key),
    /// Back to a path that begins the one there is.
    Shorten(usize),
    /// Back to another path.
    Restore(String),
}

#[derive(Clone, Copy)]
enum Key {
    None,
    Node(NodeId),
    Index(usize),
}

/// Whether two aliases stand for one node.
fn is_shared(tree: &Tree) -> bool {
    let mut seen = HashSet::new();
    tree.ids().any(|id| match tree.node(id).kind {
        Kind::Alias(target) => !seen.insert(target),
        _ => false,
    })
}

fn is_marked(tree: &Tree, id: NodeId) -> bool {
    let tag = tree.node(id).tag.as_ref();
    tag.is_some_and(|tag| matches!(tag.text.as_str(), "!reset" | "!override"))
}

struct AliasWalk<'t> {
    tree: &'t Tree,
    /// Keys with dots between them; a dot in a key is spelt [`DOT`] until a merge key is passed.
    path: String,
    places: HashMap<NodeId, Places>,
}

/// The paths at which aliases of one node stand.
#[derive(Default)]
struct Places {
    paths: HashSet<String>,
    /// What these lie in.
    around: HashSet<String>,
}

impl AliasWalk<'_> {
    /// Appends a key to the path, without `<<` as docker compose does; returns the way back.
    fn enter(&mut self, key: Key) -> AliasStep {
        let length = self.path.len();
        if length > 0 && !matches!(key, Key::None) {
            self.path.push('.');
        }
        match key {
            Key::None => {}
            Key::Index(at) => drop(write!(self.path, "{at}")),
            Key::Node(key) => {
                let key = self.tree.scalar(key).unwrap_or_default();
                match length > 0 && key.contains('.') {
                    true => self.path.push_str(&key.replace('.', DOT)),
                    false => self.path.push_str(key),
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

    /// Takes down an alias of `target`; the reason where docker compose takes it for a circle.
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
                "docker compose takes this alias for a circle: one anchor is used at `{}` and at a place inside of it",
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
