//! After the edit: two parsers read the new text, and it means the old one without the members that were to go.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::EditRefusal;
use super::super::draft::YamlDraft;
use super::super::meaning::{ChangedNode, NodePair, TreeComparison};
use super::super::tree::{YamlKind, YamlTree};
use super::Positions;

/// The tree of the new text, once it is proven.
pub(super) fn proven(
    draft: &YamlDraft<'_>,
    gone: &Positions,
) -> Result<Arc<YamlTree>, EditRefusal> {
    let at = draft.begin();
    let more = "the edit would change more than it takes out";
    draft.proven(at, |after| {
        let roots = draft.tree.root().zip(after.root());
        let Some(roots) = roots.filter(|_| after.documents() <= 1) else {
            // Nothing is left of a document that held nothing else.
            let all = draft.tree.root().map_or(0, |root| draft.tree.entries(root).len());
            let is_all = gone.get(&Vec::new()).is_some_and(|members| members.len() == all);
            return if is_all { Ok(()) } else { Err(draft.refuse(at, more)) };
        };
        let mut all = TreeComparison::new(draft.tree, after);
        compare(&mut all, roots, &mut Vec::new(), gone)
            .map_err(|ChangedNode(id)| draft.refuse_node(id, more))
    })
}

fn compare(
    all: &mut TreeComparison<'_>,
    (was, is): NodePair,
    path: &mut Vec<String>,
    gone: &Positions,
) -> Result<(), ChangedNode> {
    let below: Vec<&Vec<String>> = gone
        .range(path.clone()..)
        .map(|(other, _)| other)
        .take_while(|other| other.starts_with(path))
        .collect();
    if below.is_empty() {
        return all.same((was, is));
    }
    let (before, after) = (all.before, all.after);
    let own = gone.get(path);
    let is_gone = |at: usize| own.is_some_and(|own| own.contains(&at));
    if let YamlKind::Sequence(items, _) = &before.node(was).kind {
        let kept: Vec<_> = items
            .iter()
            .enumerate()
            .filter(|(at, _)| !is_gone(*at))
            .map(|(_, item)| *item)
            .collect();
        let now = after.items(is);
        return if kept.len() == now.len() {
            all.each(kept.into_iter().zip(now.iter().copied()))
        } else {
            Err(ChangedNode(was))
        };
    }
    let entries = before.entries(was).iter().enumerate();
    let taken: BTreeSet<&str> = entries
        .filter(|(at, _)| is_gone(*at))
        .filter_map(|(_, (key, _))| before.scalar(*key))
        .collect();
    let is_emptied = own.is_some_and(|own| own.len() == before.entries(was).len());
    if is_emptied && (after.is_null(is) || after.entries(is).is_empty()) {
        return Ok(());
    }
    let next: BTreeSet<&str> =
        below.iter().filter_map(|other| other.get(path.len())).map(String::as_str).collect();
    let others = all.members((was, is), |key| taken.contains(&key) || next.contains(&key))?;
    all.each(others)?;
    if taken.iter().any(|key| after.get(is, key).is_some()) {
        return Err(ChangedNode(was));
    }
    for key in next.into_iter().filter(|key| !taken.contains(key)) {
        let pair = before.get(was, key).zip(after.get(is, key)).ok_or(ChangedNode(was))?;
        path.push(key.to_owned());
        compare(all, pair, path, gone)?;
        path.pop();
    }
    Ok(())
}
