//! `task-in-ports`: a task under the wrong key.

use crate::lint::{Inspection, LintRule, RuleHit, Severity, WorkspaceFile};

pub(super) static RULE: LintRule = LintRule {
    code: "task-in-ports",
    severity: Severity::Error,
    why: "an entry of `ports` without a port is silently skipped, so the task never runs",
    explanation: "`before`, `init` and `command` belong to an entry of `tasks`. Under `ports`, where a copied block easily lands, \
        Gitpod ignores them.",
    failing: &[(
        ".gitpod.yml",
        "ports:\n  - port: 3000\n  - name: flask # <-\n    command: |\n      pip install -r requirements.txt\n",
    )],
    passing: &[
        ("requirements.txt", "flask\n"),
        (
            ".gitpod.yml",
            "tasks:\n  - name: flask\n    command: pip install -r requirements.txt\nports:\n  - port: 3000\n",
        ),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let Some(WorkspaceFile { file, contents, .. }) = &inspection.gitpod else {
        return Vec::new();
    };
    contents
        .ports
        .iter()
        .filter_map(|entry| Some((entry, entry.task_key?)))
        .map(|(entry, key)| {
            RuleHit::new(
                file,
                entry.at,
                format!("a task (`{key}`) is among the ports"),
                "move it below `tasks`",
            )
        })
        .collect()
}
