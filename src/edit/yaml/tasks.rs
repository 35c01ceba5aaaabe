//! Tasks added to a `.gitpod.yml`, behind those that are there.

use super::draft::YamlDraft;
use super::fresh::{NewYamlValue, entry_lines};
use super::meaning::{ChangedNode, TreeComparison};
use super::tree::{CollectionLayout, YamlKind, YamlTree};
use super::{EditRefusal, EditedText};

const KEY: &str = "tasks";

/// A task that a `.gitpod.yml` is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WantedTask {
    /// The name of its terminal.
    pub name: String,
    /// The command to run at each start, in one line.
    pub command: String,
}

/// Adds tasks as the last ones.
///
/// # Errors
/// A refusal that points at the place the edit cannot be done.
pub(crate) fn add(source: &str, wanted: &[WantedTask]) -> Result<EditedText, EditRefusal> {
    let tree = super::parse_yaml_tree(source)?;
    let mut after = None;
    if !wanted.is_empty() {
        let mut draft = YamlDraft::open(&tree)?;
        plan(&mut draft, wanted)?;
        let reason = "the edit would change more than it adds";
        after = Some(
            draft.proven_by(reason, |before, after| is_extended(before, after, wanted.len()))?,
        );
    }
    Ok(EditedText::of(&tree, after))
}

fn plan(draft: &mut YamlDraft<'_>, wanted: &[WantedTask]) -> Result<(), EditRefusal> {
    let tree = draft.tree;
    let task = |task: &WantedTask| {
        NewYamlValue::Map(vec![
            ("name".to_owned(), NewYamlValue::word(&task.name, CollectionLayout::Flow)),
            ("command".to_owned(), NewYamlValue::word(&task.command, CollectionLayout::Flow)),
        ])
    };
    let items: Vec<NewYamlValue> = wanted.iter().map(task).collect();
    let root = tree.root().filter(|root| !tree.is_null(*root));
    let Some((key, list)) = root.and_then(|root| tree.entry(root, KEY)) else {
        let entry = (KEY.to_owned(), NewYamlValue::List(items));
        return match root.filter(|root| draft.layout(*root) == CollectionLayout::Flow) {
            Some(root) => draft.add_entries(root, &[entry], 2),
            None => draft.append_to_document(&entry_lines(&entry, 0, 2)),
        };
    };
    match &tree.node(list).kind {
        YamlKind::Sequence(have, _) if !have.is_empty() => draft.add_items(list, &items, 2),
        YamlKind::Sequence(..) => {
            draft.replace_value((key, list), CollectionLayout::Block, &NewYamlValue::List(items), 2)
        }
        YamlKind::Scalar(..) if tree.is_null(list) => {
            draft.replace_value((key, list), CollectionLayout::Block, &NewYamlValue::List(items), 2)
        }
        _ => Err(draft.refuse_node(list, "`tasks` is not a list")),
    }
}

/// Returns whether the new text means the old one with so many more tasks.
fn is_extended(before: &YamlTree, after: &YamlTree, added: usize) -> Result<bool, ChangedNode> {
    let Some(root) = after.root().filter(|_| after.documents() == 1) else { return Ok(false) };
    let mut comparison = TreeComparison::new(before, after);
    let Some(old) = comparison.others_of_list(root, KEY)? else { return Ok(false) };
    let new = after.get(root, KEY).map_or(&[][..], |list| after.items(list));
    if new.len() != old.len() + added {
        return Ok(false);
    }
    comparison.each(old.iter().copied().zip(new.iter().copied()))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_added_behind_those_that_are_there() {
        let wanted = [WantedTask { name: "web".to_owned(), command: "npm install".to_owned() }];
        let ours = "  - name: web\n    command: npm install\n";
        for (before, after) in [
            ("", format!("tasks:\n{ours}")),
            ("tasks:\n", format!("tasks:\n{ours}")),
            ("tasks: []\nports: []\n", format!("tasks:\n{ours}ports: []\n")),
            (
                "# mine\ntasks:\n  - command: ls # x\nports: []\n",
                format!("# mine\ntasks:\n  - command: ls # x\n{ours}ports: []\n"),
            ),
            ("ports:\n  - port: 1", format!("ports:\n  - port: 1\ntasks:\n{}", ours.trim_end())),
        ] {
            assert_eq!(&*add(before, &wanted).unwrap().text, after, "{before}");
        }
        assert!(add("tasks: {a: 1}\n", &wanted).is_err());
        assert_eq!(&*add("tasks: x\n", &[]).unwrap().text, "tasks: x\n");
    }
}
