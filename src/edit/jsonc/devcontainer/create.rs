//! The command of `postCreateCommand` that installs what a workspace needs.

use super::super::draft::{JsonDraft, NewJsonMember};
use super::super::meaning::JsonMeaning;
use super::super::tree::{JsonKind, JsonNode};
use crate::edit::refusal::{EditRefusal, EditedText};

const KEY: &str = "postCreateCommand";

/// The name of our command among others.
const OUR_COMMAND_NAME: &str = "install-packages";

/// The name that the user's single command gets when ours is added.
const USER_COMMAND_NAME: &str = "create";

/// Returns the text of `postCreateCommand`, one command per line; empty if there is none or the text is not JSON.
pub fn read_create(source: &str) -> String {
    let Ok(draft) = JsonDraft::open(source) else { return String::new() };
    let mut texts = Vec::new();
    if let Some(value) = draft.tree.root.get(KEY) {
        collect(value, &mut texts);
    }
    texts.join("\n")
}

fn collect(value: &JsonNode, texts: &mut Vec<String>) {
    texts.extend(value.text().map(str::to_owned));
    let words: Vec<&str> = value.elements().iter().filter_map(JsonNode::text).collect();
    if !words.is_empty() {
        texts.push(words.join(" "));
    }
    for member in value.members() {
        collect(&member.value, texts);
    }
}

/// Adds a command to `postCreateCommand`, next to the existing ones.
///
/// # Errors
/// A refusal that points at the place where the edit fails.
pub fn add_create(source: &str, command: &str) -> Result<EditedText, EditRefusal> {
    let mut draft = JsonDraft::open(source)?;
    let root = draft.tree.root.clone();
    if !matches!(root.kind, JsonKind::Object(_)) {
        return Err(draft.tree.refuse(root.range.start, "a `devcontainer.json` must be an object"));
    }
    let meant = JsonMeaning::Text(command.to_owned());
    let fresh: NewJsonMember = (Some(OUR_COMMAND_NAME.to_owned()), meant.clone());
    match root.get(KEY).cloned() {
        None => {
            draft.append(&root, &[(Some(KEY.to_owned()), meant.clone())]);
            draft.planned.push(Some(KEY), meant);
        }
        Some(value) => match &value.kind {
            JsonKind::Text(_) | JsonKind::Array(_) => {
                draft.wrap(&value, USER_COMMAND_NAME, &[fresh]);
                let both = vec![
                    (USER_COMMAND_NAME.to_owned(), JsonMeaning::of(&value)),
                    (OUR_COMMAND_NAME.to_owned(), meant),
                ];
                if let Some(planned) = draft.planned.member(KEY) {
                    *planned = JsonMeaning::Object(both);
                }
            }
            JsonKind::Object(members)
                if members.iter().all(|member| member.name != OUR_COMMAND_NAME) =>
            {
                draft.append(&value, &[fresh]);
                if let Some(planned) = draft.planned.member(KEY) {
                    planned.push(Some(OUR_COMMAND_NAME), meant);
                }
            }
            _ => {
                let reason = format!("no command can be added to `{KEY}`");
                return Err(draft.tree.refuse(value.range.start, reason));
            }
        },
    }
    let text = draft.proven()?;
    Ok(EditedText { text: text.into(), tree: None, warnings: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_added_to_existing_ones() {
        for before in [
            "{\n  // mine\n  \"image\": \"x\",\n}\n",
            "{\"postCreateCommand\": \"make\"}\n",
            "{\"postCreateCommand\": [\"make\", \"all\"]}\n",
            "{\"postCreateCommand\": {\"a\": \"make\"}}\n",
        ] {
            let after = add_create(before, "npm install").unwrap().text;
            let command = read_create(&after);
            assert!(command.lines().any(|line| line == "npm install"), "{after}");
            assert_eq!(command.contains("make"), before.contains("make"), "{after}");
        }
        assert!(add_create("{\"postCreateCommand\": 1}", "x").is_err());
        assert!(add_create("[]", "x").is_err());
        assert_eq!(read_create("{"), "");
    }
}
