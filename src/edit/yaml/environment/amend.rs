//! Edits an environment that already has variables: ours are replaced on their lines or added, and duplicates are
//! removed.

use super::super::EditRefusal;
use super::super::draft::YamlDraft;
use super::super::fresh::NewYamlValue;
use super::super::merge;
use super::super::scalar::{is_plain_string, quote_double, quote_in_style};
use super::super::tree::{CollectionLayout, NodeId, ScalarQuoting, YamlKind, YamlTree};
use super::{Set, is_refused_item, item_name, reads};

type PlannedAmendment = Result<(), EditRefusal>;

/// Returns whether `name` has the value `literal` in an environment, and occurs at most once in its own lines.
pub(super) fn reads_once(tree: &YamlTree, value: NodeId, name: &str, literal: &str) -> bool {
    match &tree.node(tree.resolve(value)).kind {
        YamlKind::Mapping(entries, _) => {
            let matching = entries.iter().filter(|(key, _)| tree.scalar(*key) == Some(name));
            let found = merge::get(tree, value, name);
            matching.count() <= 1 && found.is_some_and(|found| reads(tree, found, literal))
        }
        YamlKind::Sequence(items, _) => {
            let mut matching = items.iter().filter(|item| item_name(tree, **item) == Some(name));
            let found = matching.next().and_then(|item| tree.scalar(*item));
            matching.next().is_none() && found == Some(format!("{name}={literal}").as_str())
        }
        _ => false,
    }
}

/// Sets variables in a mapping that is not empty.
pub(super) fn amend_mapping(
    draft: &mut YamlDraft<'_>,
    mapping: NodeId,
    set: &Set,
    step: usize,
) -> PlannedAmendment {
    let layout = draft.layout(mapping);
    let entries = draft.tree.entries(mapping).to_vec();
    let mut missing = Vec::new();
    for (name, literal) in set {
        let named = entries.iter().enumerate();
        let mut matching: Vec<_> =
            named.filter(|(_, (key, _))| draft.tree.scalar(*key) == Some(name)).collect();
        let Some((_, last)) = matching.pop() else {
            if !reads_once(draft.tree, mapping, name, literal) {
                missing.push((name.clone(), literal.clone()));
            }
            continue;
        };
        for (index, entry) in matching {
            let next = entries.get(index + 1).map_or(0, |next| draft.tree.start(next.0));
            let from = draft.tree.start(entry.0);
            draft.remove(layout, from, draft.tree.pair_end(*entry), next)?;
        }
        if !reads(draft.tree, last.1, literal) {
            draft.set_scalar(*last, layout, literal)?;
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let added = build_mapping_entries(&missing, &|name| draft.key(mapping, name));
    draft.add_entries(mapping, &added, step)
}

/// Sets variables in a list that is not empty.
pub(super) fn amend_list(
    draft: &mut YamlDraft<'_>,
    list: NodeId,
    set: &Set,
    step: usize,
) -> PlannedAmendment {
    let layout = draft.layout(list);
    let items = draft.tree.items(list).to_vec();
    let mut missing = Vec::new();
    for (name, literal) in set {
        let named = items.iter().enumerate();
        let mut matching: Vec<_> =
            named.filter(|(_, item)| item_name(draft.tree, **item) == Some(name)).collect();
        let Some((_, last)) = matching.pop() else {
            missing.push((name.clone(), literal.clone()));
            continue;
        };
        for (index, item) in matching {
            let next = items.get(index + 1).map_or(0, |next| draft.item_start(*next, layout));
            let from = draft.item_start(*item, layout);
            draft.remove(layout, from, draft.tree.end(*item), next)?;
        }
        let text = format!("{name}={literal}");
        if draft.tree.scalar(*last) != Some(text.as_str()) {
            draft.set_item(*last, layout, &text)?;
        }
    }
    let is_ours = |item: NodeId| {
        let name = item_name(draft.tree, item);
        set.iter().any(|(set_name, _)| name == Some(set_name))
    };
    let mut others = items.iter().filter(|item| !is_ours(**item));
    if let Some(item) = others.find(|item| is_refused_item(draft.tree, **item)) {
        let reason = "docker compose refuses this item: write it as `- NAME=value`";
        return Err(draft.refuse_node(*item, reason));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let style = usual_style(draft, &items, &missing, layout);
    draft.add_items(list, &items_of(&missing, style, layout), step)
}

/// Converts `set` into entries of a mapping.
pub(super) fn build_mapping_entries(
    set: &Set,
    key: &dyn Fn(&str) -> String,
) -> Vec<(String, NewYamlValue)> {
    set.iter()
        .map(|(name, literal)| (key(name), NewYamlValue::Text(quote_double(literal))))
        .collect()
}

/// Converts `set` into items of a list.
pub(super) fn items_of(
    set: &Set,
    style: ScalarQuoting,
    layout: CollectionLayout,
) -> Vec<NewYamlValue> {
    let items = set.iter().map(|(name, literal)| format!("{name}={literal}"));
    items.map(|item| NewYamlValue::Text(quote_in_style(&item, style, layout))).collect()
}

/// Returns the quoting style that all items share; plain if they differ.
fn usual_style(
    draft: &YamlDraft<'_>,
    items: &[NodeId],
    set: &Set,
    layout: CollectionLayout,
) -> ScalarQuoting {
    let style = |item: &NodeId| match draft.tree.node(*item).kind {
        YamlKind::Scalar(_, style) => style,
        _ => ScalarQuoting::Plain,
    };
    let first = items.first().map_or(ScalarQuoting::Plain, style);
    let plain =
        |(name, literal): &(String, String)| is_plain_string(&format!("{name}={literal}"), layout);
    match first {
        ScalarQuoting::Single | ScalarQuoting::Double
            if items.iter().all(|item| style(item) == first) =>
        {
            first
        }
        _ if layout == CollectionLayout::Flow && !set.iter().all(plain) => ScalarQuoting::Double,
        _ => ScalarQuoting::Plain,
    }
}
