//! Renames strings throughout a file: the name of a volume wherever it is defined or mounted.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::documents::DocumentParts;
use super::draft::YamlDraft;
use super::tree::{YamlKind, YamlTree};
use super::{EditRefusal, EditedText, duplicates};

/// New strings by old ones.
pub(crate) type Renames = BTreeMap<String, String>;

/// Renames every string that equals an old one or continues it with a colon, such as `VOLUME:/data`. Keys are strings
/// too.
///
/// # Errors
/// Returns a refusal where such a string is written with escapes or over several lines.
pub(crate) fn rename(source: &str, renames: &Renames) -> Result<EditedText, EditRefusal> {
    let tree = Arc::new(super::parse_yaml_tree(source)?);
    let after = if tree.documents() <= 1 {
        rename_in_document(&tree, renames)?
    } else {
        DocumentParts::cut(&tree)?.edit(|_, part| rename_in_document(part, renames))?
    };
    let tree = after.unwrap_or(tree);
    let warnings = duplicates::find(&YamlDraft::of(&tree));
    Ok(EditedText { text: Arc::clone(&tree.source), tree: Some(tree), warnings })
}

/// Returns a string under its new name; `None` if it is not renamed.
pub(crate) fn renamed(text: &str, renames: &Renames) -> Option<String> {
    let (old, new) = renames.iter().find(|(old, _)| {
        let rest = text.strip_prefix(old.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    })?;
    Some(format!("{new}{}", &text[old.len()..]))
}

fn rename_in_document(
    tree: &YamlTree,
    renames: &Renames,
) -> Result<Option<Arc<YamlTree>>, EditRefusal> {
    let mut draft = YamlDraft::open(tree)?;
    for id in tree.ids() {
        let YamlKind::Scalar(text, _) = &tree.node(id).kind else { continue };
        let Some(new) = renamed(tree.text(text), renames) else { continue };
        let Some(range) = text.range() else {
            return Err(draft.refuse_node(id, "this value is not written on one line"));
        };
        draft.replace(range, new);
    }
    if draft.is_untouched() {
        return Ok(None);
    }
    let texts = |tree: &YamlTree| -> Vec<Option<String>> {
        tree.ids().map(|id| tree.scalar(id).map(str::to_owned)).collect()
    };
    let planned: Vec<Option<String>> = texts(tree)
        .into_iter()
        .map(|text| text.map(|text| renamed(&text, renames).unwrap_or(text)))
        .collect();
    let at = draft.begin();
    draft
        .proven(at, |after| {
            if texts(after) == planned {
                Ok(())
            } else {
                Err(draft.refuse(at, "the names would not be read as planned"))
            }
        })
        .map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renames() -> Renames {
        [("agent-1".to_owned(), "agent-2".to_owned())].into()
    }

    #[test]
    fn names_are_replaced_where_they_stand_and_nothing_else_is() {
        let text = "# agent-1\nservices:\n  a:\n    image: x/agent-1\n    volumes:\n      - \"agent-1:/m:ro\" # agent-1\n      - {source: 'agent-1', target: /n}\n      - agent-10:/o\nvolumes:\n  agent-1:\n  agent-10: {name: agent-1x}\n";
        let after = rename(text, &renames()).unwrap();
        let wanted = "# agent-1\nservices:\n  a:\n    image: x/agent-1\n    volumes:\n      - \"agent-2:/m:ro\" # agent-1\n      - {source: 'agent-2', target: /n}\n      - agent-10:/o\nvolumes:\n  agent-2:\n  agent-10: {name: agent-1x}\n";
        assert_eq!(&*after.text, wanted);
        assert_eq!(&*rename(wanted, &renames()).unwrap().text, wanted);
        let documents = "a: agent-1\n---\nb: [agent-1]\n";
        assert_eq!(
            &*rename(documents, &renames()).unwrap().text,
            "a: agent-2\n---\nb: [agent-2]\n"
        );
    }

    #[test]
    fn a_name_with_escapes_is_refused() {
        assert!(rename("a: \"agent\\x2d1\"\n", &renames()).is_err());
        assert!(rename("a: [\n", &renames()).is_err());
    }
}
