//! Reads a `.gitpod.yml` as Gitpod does: its ports, variables and task commands, with their positions.

use std::ops::Range;

use super::merge;
use super::ports::{GitpodPortEntry, read_entry};
use super::tree::{NodeId, ScalarQuoting, YamlKind, YamlSyntaxError, YamlTree};

/// The content of a `.gitpod.yml`.
#[derive(Debug, Clone, Default)]
pub struct GitpodFile {
    /// The entries of `ports` in source order, including those that Gitpod ignores.
    pub ports: Vec<GitpodPort>,
    /// The `env` of the workspace and of each task.
    pub environments: Vec<Vec<GitpodVariable>>,
    /// The command lines of the tasks, and the byte each begins at.
    pub shell_lines: Vec<(usize, String)>,
    /// The start of each script among these lines.
    pub scripts: Vec<ScriptStart>,
    /// Keys that repeat within their mapping, and the byte of each repetition.
    pub repeated: Vec<(usize, String)>,
}

/// An entry of `ports`.
#[derive(Debug, Clone)]
pub struct GitpodPort {
    /// The configuration Gitpod reads from it; `None` if Gitpod ignores the entry.
    pub configured: Option<GitpodPortEntry>,
    /// The byte the entry begins at.
    pub at: usize,
    /// The byte its port begins at.
    pub port_at: usize,
    /// The position of its `visibility`, if given.
    pub visibility: Option<VisibilityPlace>,
    /// A key in it that belongs in a task: `before`, `init`, `command`.
    pub task_key: Option<&'static str>,
}

/// The position of the `visibility` of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibilityPlace {
    /// The byte the key begins at.
    pub key_at: usize,
    /// Byte range of the value without quotes, if the source contains it verbatim.
    pub value: Option<Range<usize>>,
}

/// A variable that `env` sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitpodVariable {
    /// Its name.
    pub name: String,
    /// Byte range of the name.
    pub name_range: Range<usize>,
    /// Its value without quotes; `None` for a name without a value.
    pub value: Option<String>,
    /// The byte the value begins at.
    pub value_at: usize,
    /// Byte range of the value without quotes, if the source contains it verbatim.
    pub verbatim: Option<Range<usize>>,
}

/// The start of one script of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScriptStart {
    /// Index of its first line in [`GitpodFile::shell_lines`].
    pub line: usize,
    /// It is the first script of its task, which starts in the repository's folder.
    pub begins_task: bool,
}

/// The keys of a task that hold shell commands.
const TASK_KEYS: [&str; 4] = ["before", "init", "prebuild", "command"];

impl GitpodFile {
    /// Parses the first document of a text.
    ///
    /// # Errors
    /// Fails if the text is not YAML.
    pub fn parse(text: &str) -> Result<Self, YamlSyntaxError> {
        let tree = YamlTree::parse(text)?;
        let Some(root) = tree.root() else { return Ok(Self::default()) };
        let field = |key: &str| merge::get(&tree, root, key);
        let items = |node: Option<NodeId>| node.map(|node| tree.items(node)).unwrap_or_default();
        let tasks = items(field("tasks"));
        let task_environments = tasks.iter().filter_map(|task| merge::get(&tree, *task, "env"));
        let environments = field("env").into_iter().chain(task_environments);
        let (mut shell_lines, mut scripts) = (Vec::new(), Vec::new());
        for task in tasks {
            for (number, lines) in read_scripts(&tree, *task).into_iter().enumerate() {
                scripts.push(ScriptStart { line: shell_lines.len(), begins_task: number == 0 });
                shell_lines.extend(lines);
            }
        }
        Ok(Self {
            ports: items(field("ports")).iter().map(|entry| read_port(&tree, *entry)).collect(),
            environments: environments.map(|env| read_variables(&tree, env)).collect(),
            shell_lines,
            scripts,
            repeated: repeated_keys(&tree),
        })
    }
}

/// Returns the keys that repeat within their mapping, and the byte of each repetition.
pub(crate) fn repeated_keys(tree: &YamlTree) -> Vec<(usize, String)> {
    let place = |key| {
        let name = tree.scalar(key).unwrap_or_default();
        (tree.node(key).range.start, name.to_owned())
    };
    tree.repeated_keys().map(place).collect()
}

fn read_port(tree: &YamlTree, entry: NodeId) -> GitpodPort {
    let entries = merge::effective(tree, entry);
    let named = |key: &str| entries.iter().find(|(name, _)| tree.scalar(*name) == Some(key));
    let start = |id: NodeId| tree.node(id).range.start;
    GitpodPort {
        configured: read_entry(tree, entry),
        at: start(entry),
        port_at: named("port").map_or_else(|| start(entry), |(_, port)| start(*port)),
        visibility: named("visibility").map(|(key, value)| VisibilityPlace {
            key_at: start(*key),
            value: find_verbatim_range(tree, *value),
        }),
        task_key: TASK_KEYS.into_iter().find(|key| named(key).is_some()),
    }
}

fn read_variables(tree: &YamlTree, environment: NodeId) -> Vec<GitpodVariable> {
    let entries = merge::effective(tree, environment).into_iter();
    let variables = entries.filter_map(|(key, value)| {
        let is_null = tree.is_null(value);
        Some(GitpodVariable {
            name: tree.scalar(key)?.to_owned(),
            name_range: find_verbatim_range(tree, key)
                .unwrap_or_else(|| tree.node(key).range.clone()),
            value: tree.scalar(value).filter(|_| !is_null).map(str::to_owned),
            value_at: tree.node(tree.resolve(value)).range.start,
            verbatim: find_verbatim_range(tree, value).filter(|_| !is_null),
        })
    });
    variables.collect()
}

fn find_verbatim_range(tree: &YamlTree, id: NodeId) -> Option<Range<usize>> {
    match &tree.node(tree.resolve(id)).kind {
        YamlKind::Scalar(text, style) if *style != ScalarQuoting::Absent => text.range(),
        _ => None,
    }
}

/// Returns the lines of each script of a task, with the byte each begins at.
fn read_scripts(tree: &YamlTree, task: NodeId) -> Vec<Vec<(usize, String)>> {
    let scripts = TASK_KEYS.iter().filter_map(|key| merge::get(tree, task, key));
    let lines = scripts.map(|node| {
        let node = tree.node(tree.resolve(node));
        // A block scalar begins with its indicator, which has its own line.
        let indicator = usize::from(matches!(node.kind, YamlKind::Scalar(_, ScalarQuoting::Block)));
        let text = tree.source.get(node.range.clone()).unwrap_or_default();
        let mut at = node.range.start;
        let mut found = Vec::new();
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let body = line.trim_start();
            if index >= indicator {
                found.push((at + line.len() - body.len(), body.trim_end().to_owned()));
            }
            at += line.len();
        }
        found
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_tasks_and_variables_are_read_with_their_places() {
        let text = "x: &open {visibility: public}\nenv: {A: b}\ntasks:\n  - before: |\n      cd x\n      export Y=1\nports:\n  - port: 3000\n    visibility: 'public'\n  - <<: *open\n    port: 1-2\n  - name: t\n    command: ls\n";
        let read = GitpodFile::parse(text).unwrap();
        let variable = &read.environments[0][0];
        assert_eq!(&text[variable.verbatim.clone().unwrap()], "b");
        let first = read.ports[0].configured.as_ref().unwrap();
        assert_eq!((first.first, first.last), (3000, 3000));
        let place = read.ports[0].visibility.clone().unwrap();
        assert_eq!(&text[place.key_at..place.key_at + 4], "visi");
        assert_eq!(&text[place.value.unwrap()], "public");
        assert!(read.ports[1].configured.as_ref().unwrap().covers(2));
        assert!(read.ports[1].visibility.is_some());
        assert_eq!(read.ports[2].task_key, Some("command"));
        assert!(read.ports[2].configured.is_none());
        let (at, line) = &read.shell_lines[1];
        assert_eq!((line.as_str(), &text[*at..*at + 6]), ("export Y=1", "export"));
    }

    #[test]
    fn a_file_that_is_not_a_mapping_is_empty() {
        for text in ["", "a", "- 1\n", "ports: 3000\ntasks: x\nenv: []\n"] {
            let read = GitpodFile::parse(text).unwrap();
            assert!(read.ports.is_empty() && read.shell_lines.is_empty(), "{text}");
        }
        assert!(GitpodFile::parse("a: [").is_err());
    }
}
