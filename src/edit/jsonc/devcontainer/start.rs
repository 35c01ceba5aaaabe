//! The `postStartCommand` that restores port visibility, which a codespace loses when it stops.
//!
//! The command requires only `gh`, which every codespace has, and does nothing outside a codespace.

use std::collections::BTreeMap;

use super::super::draft::JsonDraft;
use super::super::meaning::JsonMeaning;
use super::super::tree::{JsonKind, JsonNode};
use crate::edit::refusal::EditRefusal;
use crate::edit::yaml::ports::Visibility;

pub(super) const KEY: &str = "postStartCommand";

/// Key of our command when `postStartCommand` is an object.
const OUR_COMMAND_NAME: &str = "open-ports";

/// Key given to the user's single command when ours is added beside it.
const USER_COMMAND_NAME: &str = "start";

const GUARD: &str = "test -z \"$CODESPACE_NAME\" || ";
const PROGRAM: &str = "gh codespace ports visibility";
const CODESPACE: &str = " -c \"$CODESPACE_NAME\"";

/// Ports and the visibility that a command gives them.
pub type PortVisibilities = BTreeMap<u16, Visibility>;

/// The state of `postStartCommand` with regard to ports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PostStartState {
    /// Nothing.
    #[default]
    Nothing,
    /// It contains a command that we wrote earlier.
    Ours(PortVisibilities),
    /// It contains a command of the user's that sets port visibility.
    Theirs,
}

/// Returns the shell command that gives these ports their visibility.
pub fn render_start_command(opened: &PortVisibilities) -> String {
    let ports: String = opened
        .iter()
        .map(|(port, visibility)| format!(" {port}:{}", visibility.as_str()))
        .collect();
    format!("{GUARD}{PROGRAM}{ports}{CODESPACE}")
}

fn parse_start_command(command: &str) -> Option<PortVisibilities> {
    let ports = command.strip_prefix(GUARD)?.strip_prefix(PROGRAM)?.strip_suffix(CODESPACE)?;
    let parse_word = |word: &str| {
        let (port, visibility) = word.split_once(':')?;
        let visibility = match visibility {
            "public" => Visibility::Public,
            "private" => Visibility::Private,
            _ => return None,
        };
        Some((port.parse().ok()?, visibility))
    };
    ports.split_whitespace().map(parse_word).collect()
}

pub(super) fn read(root: &JsonNode) -> PostStartState {
    let Some(value) = root.get(KEY) else {
        return PostStartState::Nothing;
    };
    if let Some((_, opened)) = find_own_command(value) {
        return PostStartState::Ours(opened);
    }
    let mut texts = Vec::new();
    collect_command_texts(value, &mut texts);
    let words = texts.join(" ");
    match words.split_whitespace().collect::<Vec<_>>().join(" ") {
        words if words.contains(PROGRAM) => PostStartState::Theirs,
        _ => PostStartState::Nothing,
    }
}

/// Finds our command, alone or among others, and the ports it opens.
fn find_own_command(value: &JsonNode) -> Option<(&JsonNode, PortVisibilities)> {
    let alone = std::iter::once(value);
    let among = value.members().iter().map(|member| &member.value);
    let mut commands = alone.chain(among);
    commands.find_map(|command| Some((command, parse_start_command(command.text()?)?)))
}

fn collect_command_texts<'a>(value: &'a JsonNode, found: &mut Vec<&'a str>) {
    found.extend(value.text());
    for element in value.elements() {
        collect_command_texts(element, found);
    }
    for member in value.members() {
        collect_command_texts(&member.value, found);
    }
}

/// Plans our command in `postStartCommand`, adding the member if it is missing. The user's own commands are unchanged
/// and run in parallel with ours.
pub(super) fn plan(
    draft: &mut JsonDraft<'_>,
    root: &JsonNode,
    opened: &PortVisibilities,
) -> Result<Option<(String, JsonMeaning)>, EditRefusal> {
    let text = render_start_command(opened);
    let meant = JsonMeaning::Text(text.clone());
    let Some(value) = root.get(KEY) else {
        return Ok(Some((KEY.to_owned(), meant)));
    };
    if let Some((old, existing)) = find_own_command(value) {
        if existing != *opened {
            let before = JsonMeaning::of(old);
            draft.replace_text(old, &text);
            replace_start_command(draft, &before, meant);
        }
        return Ok(None);
    }
    match &value.kind {
        JsonKind::Text(_) | JsonKind::Array(_) => {
            let fresh = (Some(OUR_COMMAND_NAME.to_owned()), meant.clone());
            draft.wrap(value, USER_COMMAND_NAME, &[fresh]);
            let both = vec![
                (USER_COMMAND_NAME.to_owned(), JsonMeaning::of(value)),
                (OUR_COMMAND_NAME.to_owned(), meant),
            ];
            if let Some(planned) = draft.planned.member(KEY) {
                *planned = JsonMeaning::Object(both);
            }
            Ok(None)
        }
        JsonKind::Object(members)
            if members.iter().all(|member| member.name != OUR_COMMAND_NAME) =>
        {
            let fresh = (Some(OUR_COMMAND_NAME.to_owned()), meant.clone());
            draft.append(value, &[fresh]);
            if let Some(planned) = draft.planned.member(KEY) {
                planned.push(Some(OUR_COMMAND_NAME), meant);
            }
            Ok(None)
        }
        JsonKind::Object(_) => Err(draft.tree.refuse(
            value.range.start,
            format!("`{KEY}` has a command `{OUR_COMMAND_NAME}` of its own"),
        )),
        JsonKind::Word(_) => {
            Err(draft.tree.refuse(value.range.start, format!("`{KEY}` is not a command")))
        }
    }
}

/// Replaces one command in the planned `postStartCommand`.
fn replace_start_command(draft: &mut JsonDraft<'_>, before: &JsonMeaning, after: JsonMeaning) {
    let Some(planned) = draft.planned.member(KEY) else {
        return;
    };
    if planned == before {
        *planned = after;
    } else if let JsonMeaning::Object(members) = planned
        && let Some((_, value)) = members.iter_mut().find(|(_, value)| value == before)
    {
        *value = after;
    }
}
