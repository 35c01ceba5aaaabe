//! `name-in-shell`: a service's name that is set for the whole workspace.

use crate::compose::{ProjectTextFile, find_references};
use crate::lint::{Inspection, LintRule, RuleHit, Severity, WorkspaceFile};

pub(super) static RULE: LintRule = LintRule {
    code: "name-in-shell",
    severity: Severity::Warning,
    why: "a name set for the whole workspace is given to every program started in it",
    explanation: "`gp env OTEL_SERVICE_NAME=…`, an `export` in a task, `env` in .gitpod.yml or `containerEnv` in \
        devcontainer.json reach every program of the workspace: two services started from one shell send their spans \
        under one name. The name belongs in the service's own environment.",
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

/// Variables for a service's name, which all services would get from a shell.
pub(in crate::lint) const NAMES: [&str; 2] = ["OTEL_SERVICE_NAME", "HONEYCOMB_SERVICE_NAME"];
const ADVICE: &str =
    "set `OTEL_SERVICE_NAME` in the service's own environment in the compose file instead";

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    let mut hit = |file: &ProjectTextFile, at, name: &str| {
        hits.push(RuleHit::new(file, at, format!("{name} is set for the whole workspace"), ADVICE));
    };
    if let Some(WorkspaceFile { file, contents, .. }) = &inspection.gitpod {
        for variable in contents.environments.iter().flatten() {
            if NAMES.contains(&variable.name.as_str()) {
                hit(file, variable.name_range.start, &variable.name);
            }
        }
        for (at, line) in &contents.shell_lines {
            if let Some(name) = NAMES.iter().find(|name| sets_variable(line, name)) {
                hit(file, *at, name);
            }
        }
    }
    for file in &inspection.devcontainers {
        for (at, line) in file.lines() {
            let entry = line.trim_start();
            let name = NAMES.iter().find(|name| entry.starts_with(&format!("\"{name}\"")));
            if let Some(name) = name {
                hit(file, at + line.len() - entry.len(), name);
            }
        }
    }
    let in_files = in_dotenv(inspection);
    if in_files.is_empty() {
        hits.extend(held_outside(inspection))
    } else {
        hits.extend(in_files)
    }
    hits
}

/// Reports a name in a `.env` that no service reads: docker compose only uses that file for interpolation, and no
/// service refers to the name or has the file mounted, where its program may load it.
fn in_dotenv(inspection: &Inspection) -> Vec<RuleHit> {
    let env_files = || inspection.services().flat_map(|service| &service.env_files);
    let is_mounted = |file: &ProjectTextFile| {
        let mut mounts = inspection.services().flat_map(|service| &service.mounts);
        mounts.any(|mount| file.path.starts_with(&mount.source))
    };
    let scopes: Vec<_> = inspection.service_scopes().map(|(_, _, scope)| scope).collect();
    let is_used = |name: &str| {
        let mut settings = scopes.iter().flat_map(|scope| &scope.assignments);
        settings.any(|assignment| {
            let mut references = find_references(assignment.text()).into_iter();
            assignment.name == name && assignment.value.is_none()
                || references.any(|used| used.name == name)
        })
    };
    let unread = inspection
        .dotenvs
        .iter()
        .filter(|dotenv| env_files().all(|file| file.path != dotenv.file.path))
        .filter(|dotenv| !is_mounted(&dotenv.file));
    let lines = unread
        .flat_map(|dotenv| dotenv.statements.iter().map(move |statement| (dotenv, statement)));
    let named = lines.filter(|(_, statement)| {
        NAMES.contains(&statement.name.as_str()) && !is_used(&statement.name)
    });
    let hits = named.map(|(dotenv, statement)| {
        let message = format!("{} in a .env file reaches no container", statement.name);
        RuleHit::new(&dotenv.file, statement.range.start, message, ADVICE)
    });
    hits.collect()
}

/// Reports a name in the shell or in a store, at the first service that would get it.
fn held_outside(inspection: &Inspection) -> Option<RuleHit> {
    let outside = inspection.outside.as_ref()?;
    let name = NAMES
        .iter()
        .find(|name| outside.shell.contains_key(**name) || outside.stored.contains_key(**name))?;
    let place = match outside.stored.get(*name) {
        Some(store) => store,
        None => "this shell",
    };
    let model = inspection.model.as_ref()?;
    let span = &model.services.first()?.name_span;
    Some(RuleHit::new(
        model.file(span),
        span.range.start,
        format!("{name} is set in {place}, for every service"),
        ADVICE,
    ))
}

fn sets_variable(line: &str, name: &str) -> bool {
    let rest = ["export ", "gp env "].iter().find_map(|command| line.strip_prefix(command));
    rest.is_some_and(|rest| rest.trim_start().starts_with(&format!("{name}=")))
}
