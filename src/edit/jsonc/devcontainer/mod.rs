//! Adds forwarded ports to a `devcontainer.json`, and the command that restores their visibility at each start.
//!
//! A `devcontainer.json` cannot state a port's visibility: it only lists the forwarded ports and their labels. Whatever
//! the user wrote about a port is kept.

mod create;
mod read;
mod start;
#[cfg(test)]
mod tests;

pub use create::{add_create, read_create};
pub use read::{DevcontainerPort, read_devcontainer};
pub use start::{PortVisibilities, PostStartState, render_start_command};

use super::draft::{JsonDraft, NewJsonMember};
use super::meaning::{JsonMeaning, JsonStyle};
use super::tree::{JsonKind, JsonNode};
use crate::edit::refusal::{EditRefusal, EditedText};

const FORWARDS: &str = "forwardPorts";
const ATTRIBUTES: &str = "portsAttributes";

/// The ports and the start command that a `devcontainer.json` should contain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The ports to forward.
    pub forwards: Vec<Forward>,
    /// The ports to open at each start, at least one; `None` leaves `postStartCommand` unchanged.
    pub at_start: Option<PortVisibilities>,
}

/// A port to forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// The port.
    pub port: u16,
    /// The label, used only if the file has none for this port.
    pub label: Option<String>,
    /// Whether a browser opens once a process listens on the port.
    pub opens_browser: bool,
}

/// Adds the wanted ports and the start command.
///
/// # Errors
/// Returns a refusal that points at the place where the edit fails, with the lines to paste unless the file cannot be
/// parsed.
pub fn set(source: &str, wanted: &Wanted) -> Result<EditedText, EditRefusal> {
    let mut draft = JsonDraft::open(source)?;
    let mut edit = || {
        let before = draft.planned.clone();
        plan(&mut draft, wanted)?;
        let text = if draft.planned == before { source.to_owned() } else { draft.proven()? };
        Ok(EditedText { text: text.into(), tree: None, warnings: Vec::new() })
    };
    edit().map_err(|refusal: EditRefusal| refusal.paste(paste(wanted)))
}

/// Returns the lines to paste by hand where [`set`] refuses.
pub fn paste(wanted: &Wanted) -> String {
    let ports = wanted.forwards.iter().map(|forward| forward.port);
    let mut members = Vec::new();
    if !wanted.forwards.is_empty() {
        members.push(forwards(ports));
        let entries = wanted.forwards.iter().filter_map(attributes).collect();
        members.push((ATTRIBUTES.to_owned(), JsonMeaning::Object(entries)));
    }
    if let Some(opened) = &wanted.at_start {
        members.push((start::KEY.to_owned(), JsonMeaning::Text(render_start_command(opened))));
    }
    let style = JsonStyle { newline: "\n", step: "  " };
    let lines = members.iter().map(|(name, value)| {
        let text = super::meaning::render_member(name, value, &style, Some("  "));
        format!("  {text}\n")
    });
    lines.collect::<Vec<_>>().join(",\n").replace("\n,", ",")
}

fn plan(draft: &mut JsonDraft<'_>, wanted: &Wanted) -> Result<(), EditRefusal> {
    let root = draft.tree.root.clone();
    if !matches!(root.kind, JsonKind::Object(_)) {
        let reason = "a `devcontainer.json` must be an object";
        return Err(draft.tree.refuse(root.range.start, reason));
    }
    for key in [FORWARDS, ATTRIBUTES, start::KEY] {
        let mut named = root.members().iter().filter(|member| member.name == key);
        if let (Some(_), Some(second)) = (named.next(), named.next()) {
            let reason = format!("`{key}` appears here twice");
            return Err(draft.tree.refuse(second.start, reason));
        }
    }
    let mut fresh = Vec::new();
    if let Some(missing) = missing_forwards(draft, &root, &wanted.forwards)? {
        fresh.push(missing);
    }
    if let Some(missing) = missing_attributes(draft, &root, &wanted.forwards)? {
        fresh.push(missing);
    }
    if let Some(opened) = &wanted.at_start
        && let Some(missing) = start::plan(draft, &root, opened)?
    {
        fresh.push(missing);
    }
    let named: Vec<NewJsonMember> =
        fresh.iter().map(|(name, value)| (Some(name.clone()), value.clone())).collect();
    draft.append(&root, &named);
    for (name, value) in fresh {
        draft.planned.push(Some(&name), value);
    }
    Ok(())
}

/// Adds the missing ports to `forwardPorts`, creating the list if needed.
fn missing_forwards(
    draft: &mut JsonDraft<'_>,
    root: &JsonNode,
    wanted: &[Forward],
) -> Result<Option<(String, JsonMeaning)>, EditRefusal> {
    let list = root.get(FORWARDS);
    let existing = list.map(read::forwards).unwrap_or_default();
    let mut ports: Vec<u16> = Vec::new();
    for forward in wanted {
        if !existing.contains(&forward.port) && !ports.contains(&forward.port) {
            ports.push(forward.port);
        }
    }
    let Some(list) = list else {
        return Ok((!ports.is_empty()).then(|| forwards(ports.into_iter())));
    };
    if !matches!(list.kind, JsonKind::Array(_)) {
        let reason = format!("`{FORWARDS}` is not a list");
        return Err(draft.tree.refuse(list.range.start, reason));
    }
    let fresh: Vec<NewJsonMember> =
        ports.iter().map(|port| (None, JsonMeaning::number(*port))).collect();
    draft.append(list, &fresh);
    if let Some(planned) = draft.planned.member(FORWARDS) {
        for (_, value) in fresh {
            planned.push(None, value);
        }
    }
    Ok(None)
}

/// Adds the missing entries to `portsAttributes`, creating the object if needed.
fn missing_attributes(
    draft: &mut JsonDraft<'_>,
    root: &JsonNode,
    wanted: &[Forward],
) -> Result<Option<(String, JsonMeaning)>, EditRefusal> {
    let entries = root.get(ATTRIBUTES);
    let mut keys: Vec<String> = entries
        .map(JsonNode::members)
        .unwrap_or_default()
        .iter()
        .map(|member| member.name.clone())
        .collect();
    let mut missing = Vec::new();
    for forward in wanted {
        if !keys.iter().any(|key| read::speaks_for(key, forward.port))
            && let Some(entry) = attributes(forward)
        {
            keys.push(entry.0.clone());
            missing.push(entry);
        }
    }
    let Some(entries) = entries else {
        return Ok(
            (!missing.is_empty()).then(|| (ATTRIBUTES.to_owned(), JsonMeaning::Object(missing)))
        );
    };
    if !matches!(entries.kind, JsonKind::Object(_)) {
        let reason = format!("`{ATTRIBUTES}` is not an object");
        return Err(draft.tree.refuse(entries.range.start, reason));
    }
    let fresh: Vec<NewJsonMember> =
        missing.iter().map(|(name, value)| (Some(name.clone()), value.clone())).collect();
    draft.append(entries, &fresh);
    if let Some(planned) = draft.planned.member(ATTRIBUTES) {
        for (name, value) in missing {
            planned.push(Some(&name), value);
        }
    }
    Ok(None)
}

fn forwards(ports: impl Iterator<Item = u16>) -> (String, JsonMeaning) {
    let ports = ports.map(JsonMeaning::number).collect();
    (FORWARDS.to_owned(), JsonMeaning::Array(ports))
}

/// Returns the `portsAttributes` entry of a port; `None` if it would be empty.
fn attributes(forward: &Forward) -> Option<(String, JsonMeaning)> {
    let mut members = Vec::new();
    if let Some(label) = &forward.label {
        members.push(("label".to_owned(), JsonMeaning::Text(label.clone())));
    }
    if forward.opens_browser {
        let word = JsonMeaning::Text("openBrowser".to_owned());
        members.push(("onAutoForward".to_owned(), word));
    }
    (!members.is_empty()).then(|| (forward.port.to_string(), JsonMeaning::Object(members)))
}
