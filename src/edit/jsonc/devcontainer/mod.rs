//! The ports of a `devcontainer.json`, and the command that opens them again at each start.
//!
//! Who may open a port is in no such file: it says which ports are forwarded and what they are called. What the user
//! wrote of a port stays as it is.

mod read;
mod start;
#[cfg(test)]
mod tests;

pub use read::{Configured, read};
pub use start::{AtStart, Opened, command};

use super::draft::{Draft, Fresh};
use super::meaning::{Meaning, Style};
use super::tree::{Kind, Node};
use crate::edit::refusal::{Edit, Refusal};

const FORWARDS: &str = "forwardPorts";
const ATTRIBUTES: &str = "portsAttributes";

/// What the file is to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The ports to forward.
    pub forwards: Vec<Forward>,
    /// What to open at each start, never nothing at all; `None` leaves `postStartCommand` alone.
    pub at_start: Option<Opened>,
}

/// A port to forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// The port.
    pub port: u16,
    /// What it is called where the user has not said anything of it.
    pub label: Option<String>,
    /// A browser opens it once something listens.
    pub opens_browser: bool,
}

/// Sets what is wanted.
///
/// # Errors
/// A refusal that points at the place the edit cannot be done, with the lines to paste unless the text cannot be read.
pub fn set(source: &str, wanted: &Wanted) -> Result<Edit, Refusal> {
    let mut draft = Draft::open(source)?;
    let mut edit = || {
        let before = draft.planned.clone();
        plan(&mut draft, wanted)?;
        let text = match draft.planned == before {
            true => source.to_owned(),
            false => draft.proven()?,
        };
        Ok(Edit { text: text.into(), tree: None, warnings: Vec::new() })
    };
    edit().map_err(|refusal: Refusal| refusal.paste(paste(wanted)))
}

/// The lines that do by hand what [`set`] was to do.
pub fn paste(wanted: &Wanted) -> String {
    let ports = wanted.forwards.iter().map(|forward| forward.port);
    let mut members = Vec::new();
    if !wanted.forwards.is_empty() {
        members.push(forwards(ports));
        let entries = wanted.forwards.iter().filter_map(attributes).collect();
        members.push((ATTRIBUTES.to_owned(), Meaning::Object(entries)));
    }
    if let Some(opened) = &wanted.at_start {
        members.push((start::KEY.to_owned(), Meaning::Text(command(opened))));
    }
    let style = Style { newline: "\n", step: "  " };
    let lines = members.iter().map(|(name, value)| {
        let text = super::meaning::named(name, value, &style, Some("  "));
        format!("  {text}\n")
    });
    lines.collect::<Vec<_>>().join(",\n").replace("\n,", ",")
}

fn plan(draft: &mut Draft<'_>, wanted: &Wanted) -> Result<(), Refusal> {
    let root = draft.tree.root.clone();
    if !matches!(root.kind, Kind::Object(_)) {
        let reason = "a `devcontainer.json` is an object";
        return Err(draft.tree.refuse(root.range.start, reason));
    }
    for key in [FORWARDS, ATTRIBUTES, start::KEY] {
        let mut named = root.members().iter().filter(|member| member.name == key);
        if let (Some(_), Some(second)) = (named.next(), named.next()) {
            let reason = format!("`{key}` stands here twice");
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
    let named: Vec<Fresh> =
        fresh.iter().map(|(name, value)| (Some(name.clone()), value.clone())).collect();
    draft.append(&root, &named);
    for (name, value) in fresh {
        draft.planned.push(Some(&name), value);
    }
    Ok(())
}

/// Adds to the list that is there, or gives a list of its own.
fn missing_forwards(
    draft: &mut Draft<'_>,
    root: &Node,
    wanted: &[Forward],
) -> Result<Option<(String, Meaning)>, Refusal> {
    let list = root.get(FORWARDS);
    let there = list.map(read::forwards).unwrap_or_default();
    let mut ports: Vec<u16> = Vec::new();
    for forward in wanted {
        if !there.contains(&forward.port) && !ports.contains(&forward.port) {
            ports.push(forward.port);
        }
    }
    let Some(list) = list else {
        return Ok((!ports.is_empty()).then(|| forwards(ports.into_iter())));
    };
    if !matches!(list.kind, Kind::Array(_)) {
        let reason = format!("`{FORWARDS}` is no list");
        return Err(draft.tree.refuse(list.range.start, reason));
    }
    let fresh: Vec<Fresh> = ports.iter().map(|port| (None, Meaning::number(*port))).collect();
    draft.append(list, &fresh);
    if let Some(planned) = draft.planned.member(FORWARDS) {
        for (_, value) in fresh {
            planned.push(None, value);
        }
    }
    Ok(None)
}

/// Adds to the entries that are there, or gives an object of its own.
fn missing_attributes(
    draft: &mut Draft<'_>,
    root: &Node,
    wanted: &[Forward],
) -> Result<Option<(String, Meaning)>, Refusal> {
    let entries = root.get(ATTRIBUTES);
    let mut said: Vec<String> = entries
        .map(Node::members)
        .unwrap_or_default()
        .iter()
        .map(|member| member.name.clone())
        .collect();
    let mut missing = Vec::new();
    for forward in wanted {
        if !said.iter().any(|key| read::speaks_for(key, forward.port))
            && let Some(entry) = attributes(forward)
        {
            said.push(entry.0.clone());
            missing.push(entry);
        }
    }
    let Some(entries) = entries else {
        return Ok((!missing.is_empty()).then(|| (ATTRIBUTES.to_owned(), Meaning::Object(missing))));
    };
    if !matches!(entries.kind, Kind::Object(_)) {
        let reason = format!("`{ATTRIBUTES}` is no object");
        return Err(draft.tree.refuse(entries.range.start, reason));
    }
    let fresh: Vec<Fresh> =
        missing.iter().map(|(name, value)| (Some(name.clone()), value.clone())).collect();
    draft.append(entries, &fresh);
    if let Some(planned) = draft.planned.member(ATTRIBUTES) {
        for (name, value) in missing {
            planned.push(Some(&name), value);
        }
    }
    Ok(None)
}

fn forwards(ports: impl Iterator<Item = u16>) -> (String, Meaning) {
    let ports = ports.map(Meaning::number).collect();
    (FORWARDS.to_owned(), Meaning::Array(ports))
}

/// The entry of a port, if there is anything to say of it.
fn attributes(forward: &Forward) -> Option<(String, Meaning)> {
    let mut said = Vec::new();
    if let Some(label) = &forward.label {
        said.push(("label".to_owned(), Meaning::Text(label.clone())));
    }
    if forward.opens_browser {
        let word = Meaning::Text("openBrowser".to_owned());
        said.push(("onAutoForward".to_owned(), word));
    }
    (!said.is_empty()).then(|| (forward.port.to_string(), Meaning::Object(said)))
}
