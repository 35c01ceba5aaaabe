//! Sets and removes variables of compose services in place.
//!
//! A service's `environment` keeps its form: a mapping stays a mapping, a list stays a list. A service that gets its
//! environment from an alias or a merge key gets its own copy; every other service that uses the same source is
//! unaffected.

mod amend;
mod bystanders;
mod place;
mod plan;
mod proof;
mod take;
#[cfg(test)]
mod tests;
mod written;

use std::sync::Arc;

use super::documents::DocumentParts;
use super::draft::YamlDraft;
use super::scalar::{quote_double, quote_in_style};
use super::services::ServiceNodes;
use super::tree::{CollectionLayout, NodeId, ScalarQuoting, YamlKind, YamlTree};
use super::{EditRefusal, EditedText, merge};

/// The variables to set and remove in one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The service's key below `services`.
    pub service: String,
    /// Names and literal values as they must parse from YAML, before compose interpolates them; names are unique.
    pub set: Vec<(String, String)>,
    /// Names to remove, none of them in `set`. Lines of the service are deleted; a variable that a merge would still
    /// supply, or that is the last one, is set to an empty value instead.
    pub unset: Vec<String>,
}

/// Names and literal values.
type Set = [(String, String)];

/// Sets and removes the variables of each wanted service; variables with the right value keep every byte.
///
/// # Errors
/// Returns a refusal that points at the place where the edit fails, with the lines to paste.
pub fn set(source: &str, wanted: &[Wanted]) -> Result<EditedText, EditRefusal> {
    let tree = super::parse_yaml_tree(source).map_err(|refusal| refusal.paste(paste(wanted)))?;
    set_in(&tree, wanted)
}

/// Works like [`set`] on a parsed text.
///
/// # Errors
/// As [`set`].
pub fn set_in(tree: &YamlTree, wanted: &[Wanted]) -> Result<EditedText, EditRefusal> {
    let edited = match tree.documents() {
        0 | 1 => set_in_document(tree, wanted),
        _ => set_in_documents(tree, wanted),
    };
    let after = edited.map_err(|refusal| refusal.paste(paste(wanted)))?;
    Ok(EditedText::of(tree, after))
}

fn set_in_document(
    tree: &YamlTree,
    wanted: &[Wanted],
) -> Result<Option<Arc<YamlTree>>, EditRefusal> {
    let mut draft = YamlDraft::open(tree)?;
    let services = ServiceNodes::find(&draft)?;
    let covered = take::covered(&draft, &services, wanted)?;
    plan::plan(&mut draft, &services, &covered)?;
    let set =
        if draft.is_untouched() { None } else { Some(proof::proven(&draft, &services, &covered)?) };
    // A refusal should point into the text that the user sees.
    let explain = |refusal| take::away(tree, wanted).err().unwrap_or(refusal);
    let taken = take::away(set.as_deref().unwrap_or(tree), wanted).map_err(explain)?;
    Ok(taken.or(set))
}

/// Edits the documents of a text. Docker compose merges later documents over earlier ones, so variables are set in the
/// last document that defines a service, and removed from all.
fn set_in_documents(
    tree: &YamlTree,
    wanted: &[Wanted],
) -> Result<Option<Arc<YamlTree>>, EditRefusal> {
    let documents = DocumentParts::cut(tree)?;
    let mut shares: Vec<Vec<Wanted>> = vec![Vec::new(); documents.trees().len()];
    for wanted in wanted {
        let last = documents.last_with(&wanted.service)?;
        for number in documents.with_service(&wanted.service) {
            let set = if number == last { wanted.set.clone() } else { Vec::new() };
            let (service, unset) = (wanted.service.clone(), wanted.unset.clone());
            shares[number].push(Wanted { service, set, unset });
        }
    }
    documents.edit(|number, part| match shares[number].as_slice() {
        [] => Ok(None),
        share => set_in_document(part, share),
    })
}

/// Returns the lines to paste by hand where [`set`] refuses.
pub fn paste(wanted: &[Wanted]) -> String {
    let mut lines = String::from("services:\n");
    for wanted in wanted {
        let service =
            quote_in_style(&wanted.service, ScalarQuoting::Plain, CollectionLayout::Block);
        lines += &format!("  {service}:\n    environment:\n");
        for (name, value) in &wanted.set {
            lines += &format!("      {name}: {}\n", quote_double(value));
        }
        for name in &wanted.unset {
            lines += &format!("      {name}: \"\"\n");
        }
    }
    lines
}

/// Returns the variable name of a list item, also for `- NAME: value` and `- NAME = value`, which docker compose
/// rejects.
fn item_name(tree: &YamlTree, item: NodeId) -> Option<&str> {
    match tree.entries(item) {
        [(key, _)] => tree.scalar(*key),
        _ => tree.scalar(item)?.split('=').next().map(str::trim_end),
    }
}

/// Returns whether docker compose rejects an item of a list of variables.
fn is_refused_item(tree: &YamlTree, item: NodeId) -> bool {
    let name = tree.scalar(item).and_then(|text| text.split('=').next());
    name.is_none_or(|name| name.ends_with(' '))
}

/// Returns whether a variable is missing or empty; every SDK treats an empty variable as unset.
fn lacks(tree: &YamlTree, environment: NodeId, name: &str) -> bool {
    match &tree.node(tree.resolve(environment)).kind {
        YamlKind::Sequence(items, _) => items
            .iter()
            .filter(|item| item_name(tree, **item) == Some(name))
            .all(|item| tree.scalar(*item) == Some(&format!("{name}="))),
        _ => merge::get(tree, environment, name).is_none_or(|value| reads(tree, value, "")),
    }
}

/// Returns whether a mapping's value parses as exactly `literal`.
fn reads(tree: &YamlTree, value: NodeId, literal: &str) -> bool {
    let target = tree.node(tree.resolve(value));
    let tagged = target.tag.as_ref().is_some_and(|tag| tag.text != "!!str");
    match &target.kind {
        _ if tagged => false,
        YamlKind::Scalar(text, ScalarQuoting::Plain) => {
            tree.text(text) == literal && plain_reads(literal)
        }
        YamlKind::Scalar(_, ScalarQuoting::Absent) => false,
        YamlKind::Scalar(text, _) => tree.text(text) == literal,
        _ => false,
    }
}

/// Returns whether every YAML reader keeps this text as a plain scalar; `1.0` and `on` change.
fn plain_reads(text: &str) -> bool {
    super::scalar::is_plain_string(text, super::tree::CollectionLayout::Block)
        || (!text.starts_with('0') || text == "0") && text.bytes().all(|byte| byte.is_ascii_digit())
}
