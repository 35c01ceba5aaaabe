//! `task-path-missing`: a Gitpod task that uses a path which is not in the repository.

use std::path::{Path, PathBuf};

use crate::edit::yaml::gitpod::GitpodFile;
use crate::lint::{Inspection, LintRule, RuleHit, Severity, WorkspaceFile};

pub(super) static RULE: LintRule = LintRule {
    code: "task-path-missing",
    severity: Severity::Warning,
    why: "the command fails, and the following commands run in the wrong folder or without it",
    explanation: "Tasks start in the repository's folder, so `cd frontend-react-js` at the beginning of a task, and paths below \
        `$THEIA_WORKSPACE_ROOT` or `$GITPOD_REPO_ROOT`, must exist in the repository. Tasks that clone, unpack or create files are not \
        checked, and neither are paths with other variables.",
    failing: &[
        ("compose.yaml", "services:\n  api: {build: ./api}\n"),
        ("api/Dockerfile", "FROM python\n"),
        (
            ".gitpod.yml",
            "tasks:\n  - command: |\n      cd backend # <-\n      pip install -r requirements.txt\n  - command: |\n      source \"$THEIA_WORKSPACE_ROOT/bin/login\" # <-\n      cd api\n",
        ),
    ],
    passing: &[
        ("compose.yaml", "services:\n  api: {build: ./api}\n"),
        ("api/Dockerfile", "FROM python\n"),
        ("api/src/login.sh", "true\n"),
        (
            ".gitpod.yml",
            "tasks:\n  - command: |\n      cd api\n      cd src\n  - before: |\n      cd /workspace\n      cd aws\n  - init: |\n      git clone https://example.com/x.git\n      cd x\n      bash $THEIA_WORKSPACE_ROOT/api/src/login.sh\n",
        ),
    ],
    check,
};

/// Folders that commands create in a workspace.
const CREATED_FOLDERS: [&str; 4] = ["node_modules", "venv", "env", "dist"];

/// Parts of commands that create files or run conditionally; scripts with one are not checked.
const CREATING_COMMANDS: [&str; 11] =
    ["git ", "mkdir", "unzip", "tar ", "create", "curl", "wget", "cp ", "clone", "||", "if "];

/// Variables that contain the path of the repository.
const ROOTS: [&str; 4] = [
    "$THEIA_WORKSPACE_ROOT",
    "${THEIA_WORKSPACE_ROOT}",
    "$GITPOD_REPO_ROOT",
    "${GITPOD_REPO_ROOT}",
];

/// Returns the paths that the tasks use and that do not exist, except those below another missing folder: the byte of
/// each line, and the path from the repository's folder.
pub(in crate::lint) fn missing_paths(
    contents: &GitpodFile,
    is_there: impl Fn(&Path) -> bool,
) -> Vec<(usize, PathBuf)> {
    let mut missing: Vec<(usize, PathBuf)> = Vec::new();
    for (at, path) in named_paths(contents) {
        let is_below =
            missing.iter().any(|(_, folder)| path != *folder && path.starts_with(folder));
        if !is_below && !is_there(&path) {
            missing.push((at, path));
        }
    }
    missing
}

fn named_paths(contents: &GitpodFile) -> Vec<(usize, PathBuf)> {
    let mut found = Vec::new();
    let mut task_folder = None;
    for (number, script) in contents.scripts.iter().enumerate() {
        let end = contents
            .scripts
            .get(number + 1)
            .map_or(contents.shell_lines.len(), |script| script.line);
        let lines = contents.shell_lines.get(script.line..end).unwrap_or_default();
        // A later script of a task starts where the previous one ended, or in the repository's folder again.
        task_folder = if script.begins_task {
            Some(PathBuf::new())
        } else {
            task_folder.filter(|path: &PathBuf| path.as_os_str().is_empty())
        };
        if lines.iter().any(|(_, line)| CREATING_COMMANDS.iter().any(|word| line.contains(word))) {
            task_folder = None;
            continue;
        }
        for (at, line) in lines.iter().filter(|(_, line)| !line.starts_with('#')) {
            let line = line.split(" #").next().unwrap_or_default();
            for command in line.split(['&', ';', '|']) {
                read_command(command, *at, &mut task_folder, &mut found);
            }
        }
    }
    found
}

/// Adds the path that a command uses to `found`, and follows `cd`.
fn read_command(
    command: &str,
    at: usize,
    task_folder: &mut Option<PathBuf>,
    found: &mut Vec<(usize, PathBuf)>,
) {
    let words: Vec<&str> =
        command.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
    let path = match words.as_slice() {
        ["cd", folder] => {
            let path = below_repository(folder, task_folder.as_deref());
            task_folder.clone_from(&path);
            path
        }
        ["source" | "." | "bash" | "sh" | "ruby", file, ..] if !file.starts_with('-') => {
            below_repository(file, task_folder.as_deref())
        }
        ["pip" | "pip3", "install", "-r", file] => below_repository(file, task_folder.as_deref()),
        _ => None,
    };
    let is_made_there = |path: &PathBuf| {
        path.components().any(|part| {
            let name = part.as_os_str().to_string_lossy();
            name.starts_with('.') || CREATED_FOLDERS.contains(&&*name)
        })
    };
    let path = path.filter(|path| !path.as_os_str().is_empty() && !is_made_there(path));
    found.extend(path.map(|path| (at, path)));
}

/// Returns a path relative to the repository's folder; `None` if it is outside or contains a variable.
fn below_repository(written: &str, task_folder: Option<&Path>) -> Option<PathBuf> {
    let rooted = ROOTS.iter().find_map(|root| written.strip_prefix(root));
    let (base, rest) = match rooted {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            (Path::new(""), rest.trim_start_matches('/'))
        }
        Some(_) => return None,
        None if written.starts_with(['/', '~', '-']) => return None,
        None => (task_folder?, written),
    };
    let is_plain = !rest.contains(['$', '*', '`', '?', '<', '>']) && !rest.contains("..");
    is_plain.then(|| base.join(rest.trim_end_matches('/')))
}

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let Some(WorkspaceFile { file, missing_paths, .. }) = &inspection.gitpod else {
        return Vec::new();
    };
    let hits = missing_paths.iter().map(|(at, path)| {
        let message = format!("{} is not in the repository", path.display());
        RuleHit::new(file, *at, message, "correct the path, or remove the line")
    });
    hits.collect()
}
