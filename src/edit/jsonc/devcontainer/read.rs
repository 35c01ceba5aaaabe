//! Reads the ports that a `devcontainer.json` already configures.

use regex_lite::Regex;

use super::super::tree::{JsonNode, JsonTree};
use super::start::{self, PostStartState};
use super::{ATTRIBUTES, FORWARDS};
use crate::edit::refusal::EditRefusal;

/// The port configuration of a `devcontainer.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DevcontainerPort {
    /// The ports it forwards.
    pub forwards: Vec<u16>,
    /// The keys of its `portsAttributes` and their labels, in their order.
    pub attributes: Vec<(String, Option<String>)>,
    /// The state of `postStartCommand` with regard to ports.
    pub at_start: PostStartState,
}

impl DevcontainerPort {
    /// Returns the label of a port; an entry for exactly this port takes precedence over a range.
    pub fn label(&self, port: u16) -> Option<&str> {
        let exact = port.to_string();
        let exact_attribute = self.attributes.iter().find(|(key, _)| *key == exact);
        let wider = || self.attributes.iter().find(|(key, _)| speaks_for(key, port));
        exact_attribute.or_else(wider).and_then(|(_, label)| label.as_deref())
    }
}

/// Reads a `devcontainer.json`.
///
/// # Errors
/// Fails if the text is not JSON.
pub fn read_devcontainer(source: &str) -> Result<DevcontainerPort, EditRefusal> {
    let tree = JsonTree::parse(source.trim_start_matches('\u{feff}'))?;
    let root = &tree.root;
    let attributes = root.get(ATTRIBUTES).map(JsonNode::members).unwrap_or_default();
    let labelled = attributes.iter().map(|member| {
        let label = member.value.get("label").and_then(JsonNode::text);
        (member.name.clone(), label.map(str::to_owned))
    });
    Ok(DevcontainerPort {
        forwards: root.get(FORWARDS).map(forwards).unwrap_or_default(),
        attributes: labelled.collect(),
        at_start: start::read(root),
    })
}

/// Returns the ports of a list whose items are numbers or `host:port` strings.
pub(super) fn forwards(list: &JsonNode) -> Vec<u16> {
    let ports = list.elements().iter().filter_map(|element| {
        let text = match element.text() {
            Some(text) => text.rsplit(':').next().unwrap_or(text).to_owned(),
            None => element.word()?.to_owned(),
        };
        text.trim().parse().ok()
    });
    ports.collect()
}

/// Returns whether a key of `portsAttributes` applies to this port. A key is a port, a range, `host:port` or a regular
/// expression. Editors match an expression against the command line of the listening process, which is unknown here, so
/// an expression that matches the port number counts.
pub(super) fn speaks_for(key: &str, port: u16) -> bool {
    let number = |text: &str| text.trim().parse::<u16>().ok();
    if let Some(single) = number(key.rsplit(':').next().unwrap_or(key)) {
        return single == port;
    }
    if let Some((first, last)) = key.split_once('-')
        && let (Some(first), Some(last)) = (number(first), number(last))
    {
        return (first..=last).contains(&port);
    }
    Regex::new(key).is_ok_and(|expression| expression.is_match(&port.to_string()))
}
