//! `task-in-ports`: a task under the wrong key.

use crate::lint::{Hit, Rule, Severity, Subject};

pub(super) static RULE: Rule = Rule {
    code: "task-in-ports",
    severity: Severity::Error,
    why: "an entry of `ports` without a port is skipped without a word, so the task never runs",
    explanation: "`before`, `init` and `command` belong to an entry of `tasks`. Under `ports`, where a copied block easily lands, \
        Gitpod ignores them.",
    failing: &[(
        ".gitpod.yml",
        "ports:\n  - port: 3000\n  - name: flask # <-\n    command: |\n      pip install -r requirements.txt\n",
    )],
    passing: &[(
        ".gitpod.yml",
        "tasks:\n  - name: flask\n    command: pip install -r requirements.txt\nports:\n  - port: 3000\n",
    )],
    check,
};

fn check(subject: &Subject) -> Vec<Hit> {
    let Some(gitpod) = &subject.gitpod else {
        return Vec::new();
    };
    gitpod
        .ports
        .iter()
        .filter_map(|entry| Some((entry, entry.task_key.as_ref()?)))
        .map(|(entry, key)| {
            Hit::new(
                &gitpod.file.path,
                entry.at,
                format!("a task (`{key}`) stands among the ports"),
                "move it below `tasks`",
            )
        })
        .collect()
}
