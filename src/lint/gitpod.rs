//! `.gitpod.yml` as it is written: its ports, the variables it sets, and the shell lines of its tasks.

use super::services::repeated;
use super::setting::{Setting, settings};
use super::text::Text;
use crate::edit::yaml::tree::{Kind, NodeId, Style, Tree};

/// A `.gitpod.yml`.
#[derive(Debug, Clone)]
pub struct GitpodFile {
    /// The file.
    pub file: Text,
    /// `ports`, in the order they stand.
    pub ports: Vec<PortEntry>,
    /// `env`, of the workspace and of each task.
    pub environments: Vec<Vec<Setting>>,
    /// Shell lines of the tasks, and where each stands.
    pub shell_lines: Vec<(usize, String)>,
    /// Keys that stand further up in their mapping already, and where each stands again.
    pub repeated: Vec<(usize, String)>,
}

/// An entry of `ports`.
#[derive(Debug, Clone)]
pub struct PortEntry {
    /// Where the entry begins.
    pub at: usize,
    /// `port` and where it stands; `None` for a range, a variable or nothing.
    pub port: Option<(u16, usize)>,
    /// `port` as written.
    pub written: Option<String>,
    /// `name`.
    pub name: String,
    /// `visibility` and where its value stands.
    pub visibility: Option<Setting>,
    /// A key that belongs to a task: `before`, `init`, `command`.
    pub task_key: Option<String>,
}

impl GitpodFile {
    /// Reads a file that parses.
    pub fn read(tree: &Tree, file: Text) -> Self {
        let field = |key: &str| tree.root().and_then(|root| tree.get(root, key));
        let tasks: Vec<NodeId> =
            field("tasks").map(|tasks| tree.items(tasks).to_vec()).unwrap_or_default();
        let environments = field("env")
            .into_iter()
            .chain(tasks.iter().filter_map(|task| tree.get(*task, "env")))
            .map(|environment| settings(tree, environment))
            .collect();
        let ports = field("ports")
            .map(|ports| tree.items(ports).iter().map(|entry| port(tree, *entry)).collect())
            .unwrap_or_default();
        let shell_lines = tasks.iter().flat_map(|task| shell_lines(tree, *task)).collect();
        Self { file, ports, environments, shell_lines, repeated: repeated(tree) }
    }
}

const TASK_KEYS: [&str; 4] = ["before", "init", "prebuild", "command"];

fn port(tree: &Tree, entry: NodeId) -> PortEntry {
    let number = tree.get(entry, "port");
    let written = number.and_then(|node| tree.scalar(node)).map(str::to_owned);
    PortEntry {
        at: tree.node(entry).range.start,
        port: number
            .zip(written.as_deref().and_then(|text| text.parse().ok()))
            .map(|(node, port)| (port, tree.node(node).range.start)),
        written,
        name: tree
            .get(entry, "name")
            .and_then(|name| tree.scalar(name))
            .unwrap_or_default()
            .to_owned(),
        visibility: settings(tree, entry).into_iter().find(|one| one.name == "visibility"),
        task_key: TASK_KEYS
            .iter()
            .find(|key| tree.get(entry, key).is_some())
            .map(|key| (*key).to_owned()),
    }
}

fn shell_lines(tree: &Tree, task: NodeId) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for node in TASK_KEYS.iter().filter_map(|key| tree.get(task, key)) {
        let node = tree.node(tree.resolve(node));
        // A block scalar begins with its indicator, on a line of its own.
        let indicator = usize::from(matches!(node.kind, Kind::Scalar(_, Style::Block)));
        let mut at = node.range.start;
        let text = tree.source.get(node.range.clone()).unwrap_or_default();
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let body = line.trim_start();
            if index >= indicator {
                found.push((at + line.len() - body.len(), body.trim_end().to_owned()));
            }
            at += line.len();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_tasks_and_variables_are_read_with_their_places() {
        let text = "env: {A: b}\ntasks:\n  - before: |\n      cd x\n      export Y=1\nports:\n  - port: 3000\n    visibility: public\n  - port: 1-2\n  - name: t\n    command: ls\n";
        let tree = Tree::parse(text).unwrap();
        let read =
            GitpodFile::read(&tree, Text { path: ".gitpod.yml".into(), text: text.to_owned() });
        assert_eq!(read.environments[0][0].name, "A");
        assert_eq!(read.ports[0].port.map(|(port, _)| port), Some(3000));
        assert_eq!(read.ports[1].port, None);
        assert_eq!(read.ports[2].task_key.as_deref(), Some("command"));
        let (at, line) = &read.shell_lines[1];
        assert_eq!((line.as_str(), &text[*at..*at + 6]), ("export Y=1", "export"));
    }
}
