//! Determines the ports `devcontainer.json` should forward, and what it should open at each start.

use std::collections::BTreeMap;

use super::Note;
use super::ports::{PortPolicy, PortRequest, PublishedTcpPort, label_ports, public_port_danger};
use crate::edit::jsonc::devcontainer::{
    self as editor, DevcontainerPort, Forward, PortVisibilities, PostStartState, Wanted,
};
use crate::edit::yaml::ports::Visibility;

/// The initial file for a project without one; it names the image that a codespace uses by default.
pub(crate) const NEW_DEVCONTAINER: &str =
    include_str!("../../templates/.devcontainer/devcontainer.json");

/// Reads a `devcontainer.json`; invalid JSON counts as an empty file.
pub(crate) fn configured(text: &str) -> DevcontainerPort {
    editor::read_devcontainer(text).unwrap_or_default()
}

/// Returns the ports to forward: the published ones, except those that stay private unless they are named.
pub(crate) fn ports_to_forward(
    published: &[PublishedTcpPort],
    policy: PortPolicy,
    requests: &[PortRequest],
) -> Vec<Forward> {
    let labels = label_ports(published);
    let named = |port: u16| requests.iter().find(|request| request.port == port);
    let forward = |port: u16, opens_browser: bool| Forward {
        port,
        label: named(port)
            .and_then(|request| request.name.clone())
            .or_else(|| labels.get(&port).cloned()),
        opens_browser,
    };
    let meant = published.iter().filter(|port| match named(port.port) {
        Some(_) => true,
        None => policy != PortPolicy::Keep && public_port_danger(port).is_none(),
    });
    let mut forwards: Vec<Forward> =
        meant.map(|port| forward(port.port, port.role.has_pages())).collect();
    for request in requests {
        if forwards.iter().all(|forward| forward.port != request.port) {
            forwards.push(forward(request.port, false));
        }
    }
    forwards
}

/// Returns the planned contents of the file. An existing command of ours is updated for the ports it names;
/// `on_start` adds the public ones.
pub(crate) fn planned_contents(
    forwards: Vec<Forward>,
    goals: &BTreeMap<u16, Visibility>,
    configured: &DevcontainerPort,
    on_start: bool,
) -> (Wanted, Option<Note>) {
    let mut opened: PortVisibilities = match &configured.at_start {
        PostStartState::Ours(opened) => opened.clone(),
        PostStartState::Nothing | PostStartState::Theirs => PortVisibilities::new(),
    };
    for (port, goal) in goals {
        let known = opened.contains_key(port);
        if known || (on_start && *goal == Visibility::Public) {
            opened.insert(*port, *goal);
        }
    }
    let theirs = configured.at_start == PostStartState::Theirs;
    let note = (theirs && on_start).then(|| {
        Note::fact("postStartCommand sets the visibility of ports already, and is left alone")
    });
    let wanted = Wanted { forwards, at_start: (!theirs && !opened.is_empty()).then_some(opened) };
    (wanted, note)
}

/// Returns whether every public port in `goals` is already opened at each start.
pub(crate) fn is_opened_at_start(
    goals: &BTreeMap<u16, Visibility>,
    configured: &DevcontainerPort,
) -> bool {
    match &configured.at_start {
        PostStartState::Nothing => false,
        PostStartState::Theirs => true,
        PostStartState::Ours(opened) => goals
            .iter()
            .filter(|(_, goal)| **goal == Visibility::Public)
            .all(|(port, goal)| opened.get(port) == Some(goal)),
    }
}

/// Returns a note on how a dev container can get the key from its user's machine, unless its file already mentions
/// it.
pub(crate) fn recommend_key(variable: &str, text: Option<&str>) -> Option<Note> {
    if text.is_some_and(|text| text.contains(variable)) {
        return None;
    }
    let note = "devcontainer.json can take the key from the machine it is opened on, and ask others for theirs";
    let hint = format!(
        "`\"remoteEnv\": {{\"{variable}\": \"${{localEnv:{variable}}}\"}}, \"secrets\": {{\"{variable}\": {{}}}}`"
    );
    Some(Note::fact(note).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::super::ports::tests::published_port;
    use super::*;
    use crate::compose::ServiceRole;

    fn published() -> Vec<PublishedTcpPort> {
        vec![
            published_port(3000, "frontend-react-js", ServiceRole::Frontend),
            published_port(4567, "backend-flask", ServiceRole::Backend),
            published_port(5432, "db", ServiceRole::Database),
        ]
    }

    fn ports(forwards: &[Forward]) -> Vec<(u16, Option<&str>, bool)> {
        forwards
            .iter()
            .map(|forward| (forward.port, forward.label.as_deref(), forward.opens_browser))
            .collect()
    }

    #[test]
    fn databases_are_forwarded_only_if_named() {
        let forwards = ports_to_forward(&published(), PortPolicy::Public, &[]);
        assert_eq!(
            ports(&forwards),
            [(3000, Some("frontend"), true), (4567, Some("backend"), false)]
        );
        let requests = ["5432=private:pg".parse().unwrap(), "9000=public".parse().unwrap()];
        assert_eq!(
            ports(&ports_to_forward(&published(), PortPolicy::Keep, &requests)),
            [(5432, Some("pg"), false), (9000, None, false)]
        );
    }

    #[test]
    fn our_start_command_is_updated_and_the_users_is_kept() {
        let goals = BTreeMap::from([(3000, Visibility::Private), (4567, Visibility::Public)]);
        let with = |at_start| DevcontainerPort { at_start, ..DevcontainerPort::default() };
        let ours = with(PostStartState::Ours(PortVisibilities::from([(3000, Visibility::Public)])));
        let start = |configured: &DevcontainerPort, on_start| {
            planned_contents(Vec::new(), &goals, configured, on_start).0.at_start
        };
        assert_eq!(
            start(&ours, false),
            Some(PortVisibilities::from([(3000, Visibility::Private)]))
        );
        assert_eq!(start(&ours, true), Some(goals.clone()));
        let nothing = with(PostStartState::Nothing);
        assert_eq!(start(&nothing, false), None);
        assert_eq!(
            start(&nothing, true),
            Some(PortVisibilities::from([(4567, Visibility::Public)]))
        );
        let (left, note) =
            planned_contents(Vec::new(), &goals, &with(PostStartState::Theirs), true);
        assert!(left.at_start.is_none() && note.is_some());
        assert!(!is_opened_at_start(&goals, &ours));
    }
}
