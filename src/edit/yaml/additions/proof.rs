//! After the edit: two parsers read the new text, and it means the old one with the addition.

use std::sync::Arc;

use super::super::Refusal;
use super::super::draft::Draft;
use super::super::meaning::{Changed, Comparison, Pair};
use super::super::tree::{Kind, NodeId, Tree};
use super::Addition;

/// Whether a value means the same as a body.
pub(super) fn means(tree: &Tree, value: NodeId, body: &str) -> bool {
    let Ok(wanted) = Tree::parse(body) else {
        return false;
    };
    match wanted.root() {
        None => tree.is_null(value),
        Some(root) => Comparison::new(tree, &wanted).same((value, root)).is_ok(),
    }
}

/// The new text, once it is proven.
pub(super) fn proven(draft: &Draft<'_>, addition: &Addition) -> Result<Arc<Tree>, Refusal> {
    let at = draft.begin();
    let more = "the edit would change more than it adds";
    draft.proven(at, |after| match document(draft.tree, after, addition) {
        Ok(true) => Ok(()),
        Ok(false) => Err(draft.refuse(at, more)),
        Err(Changed(id)) => Err(draft.refuse_node(id, more)),
    })
}

/// Whether the addition is there; fails where anything else changed.
fn document(before: &Tree, after: &Tree, addition: &Addition) -> Result<bool, Changed> {
    let Some(mut new) = after.root().filter(|_| after.documents() == 1) else {
        return Ok(false);
    };
    let (path, added) = match addition {
        Addition::Entry { path, key, .. } => (path, Some(key)),
        Addition::Item { path, .. } => (path, None),
    };
    let mut old = before.root().filter(|root| !before.is_null(*root));
    let mut all = Comparison::new(before, after);
    for key in path.iter().chain(added) {
        if !kept(&mut all, old, new, key)? {
            return Ok(false);
        }
        let Some(value) = after.get(new, key) else {
            return Ok(false);
        };
        new = value;
        let below = old.and_then(|old| before.get(old, key));
        old = below.filter(|value| !before.is_null(*value));
    }
    match addition {
        Addition::Entry { body, .. } => Ok(old.is_none() && means(after, new, body)),
        Addition::Item { item, entry, .. } => member(&mut all, old, new, (item, &entry.0)),
    }
}

/// Whether a mapping has what it had, `key` left aside.
fn kept(
    all: &mut Comparison<'_>,
    old: Option<NodeId>,
    new: NodeId,
    key: &str,
) -> Result<bool, Changed> {
    let entries = all.after.entries(new);
    match old {
        None => Ok(entries.len() == 1),
        Some(old) => {
            let others = all.members((old, new), |other| other == key)?;
            all.each(others)?;
            Ok(true)
        }
    }
}

/// Whether a list or mapping has what it had, and our item or entry after it.
fn member(
    all: &mut Comparison<'_>,
    old: Option<NodeId>,
    new: NodeId,
    (item, key): (&str, &str),
) -> Result<bool, Changed> {
    let after = all.after;
    if let Kind::Mapping(..) = after.node(new).kind {
        return Ok(after.get(new, key).is_some() && kept(all, old, new, key)?);
    }
    let was = old.map_or(&[][..], |old| all.before.items(old));
    let is = after.items(new);
    let pairs: Vec<Pair> = was.iter().copied().zip(is.iter().copied()).collect();
    all.each(pairs)?;
    let last = is.last().and_then(|last| after.scalar(*last));
    Ok(is.len() == was.len() + 1 && last == Some(item))
}
