//! `name-in-shell`: a service's name set for the whole workspace.

use crate::lint::{Hit, Rule, Severity, Subject};

pub(super) static RULE: Rule = Rule {
    code: "name-in-shell",
    severity: Severity::Warning,
    why: "a name set for the whole workspace is given to every program started in it",
    explanation: "`gp env OTEL_SERVICE_NAME=…`, an `export` in a task, `env` in .gitpod.yml or `containerEnv` in \
        devcontainer.json reach every program of the workspace: two services started from one shell send their spans \
        under one name. The name belongs into the service's own environment.",
    failing: &[(
        ".gitpod.yml",
        "env:\n  OTEL_SERVICE_NAME: backend # <-\ntasks:\n  - command: |\n      export HONEYCOMB_SERVICE_NAME=Cruddur # <-\n",
    )],
    passing: &[(
        ".gitpod.yml",
        "tasks:\n  - env:\n      AWS_CLI_AUTO_PROMPT: on-partial\n    command: |\n      export PATH=$PATH:/x\n",
    )],
    check,
};

/// Names that every service of a shell shares.
pub(in crate::lint) const NAMES: [&str; 2] = ["OTEL_SERVICE_NAME", "HONEYCOMB_SERVICE_NAME"];
const ADVICE: &str =
    "set `OTEL_SERVICE_NAME` in the service's own environment in the compose file instead";

fn check(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut hit = |path, at, name: &str| {
        hits.push(Hit::new(path, at, format!("{name} is set for the whole workspace"), ADVICE));
    };
    if let Some(gitpod) = &subject.gitpod {
        for setting in gitpod.environments.iter().flatten() {
            if NAMES.contains(&setting.name.as_str()) {
                hit(&gitpod.file.path, setting.name_range.start, &setting.name);
            }
        }
        for (at, line) in &gitpod.shell_lines {
            if let Some(name) = NAMES.iter().find(|name| sets(line, name)) {
                hit(&gitpod.file.path, *at, name);
            }
        }
    }
    for file in &subject.devcontainers {
        for (at, line) in file.lines() {
            let entry = line.trim_start();
            let name = NAMES.iter().find(|name| entry.starts_with(&format!("\"{name}\"")));
            if let Some(name) = name {
                hit(&file.path, at + line.len() - entry.len(), name);
            }
        }
    }
    hits.extend(held_outside(subject));
    hits
}

/// Set in the shell, or stored for every workspace: said at the first service, whose name it would be too.
fn held_outside(subject: &Subject) -> Option<Hit> {
    let outside = subject.outside.as_ref()?;
    let name = NAMES
        .iter()
        .find(|name| outside.shell.contains_key(**name) || outside.stored.contains_key(**name))?;
    let place = match outside.stored.get(*name) {
        Some(store) => format!("the store `{store}`"),
        None => "this shell".to_owned(),
    };
    let (file, service) = subject.services().next()?;
    Some(Hit::new(
        &file.file.path,
        service.at,
        format!("{name} is set in {place}, for every service"),
        ADVICE,
    ))
}

fn sets(line: &str, name: &str) -> bool {
    let rest = ["export ", "gp env "].iter().find_map(|command| line.strip_prefix(command));
    rest.is_some_and(|rest| rest.trim_start().starts_with(&format!("{name}=")))
}
