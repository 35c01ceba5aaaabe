//! `compose-refused`: docker compose does not load the project.

use std::collections::HashMap;

use crate::compose::{ComposeModel, EnvFile, EnvFileState, FileId};
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "compose-refused",
    severity: Severity::Error,
    why: "with one such line in it, docker compose starts nothing of the project",
    explanation: "The line violates the Compose Specification or refers to something that the project does not \
        define: a misspelt key, a value of the wrong type, a missing network, volume, secret or service, services \
        that depend on each other in a circle, a missing `env_file` or included file. `docker compose config` \
        reports it too.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    build: .\n    enviroment: # <-\n      A: b\n    depends_on: [db] # <-\n    ports: {} # <-\n  web:\n    image: a\n    environment:\n      - OTEL_SERVICE_NAME: web # <-\n    networks:\n      - front # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    build: .\n    environment:\n      A: b\n    depends_on: [db]\n    networks: [front]\n  db:\n    image: \"postgres:16\"\nnetworks:\n  front:\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let advice = "correct the line; `docker compose config --quiet` prints nothing once the project is valid";
    let Some(model) = &inspection.model else {
        let refusal = inspection.refusal.iter();
        let hits = refusal
            .map(|refusal| RuleHit::new(&refusal.file, refusal.offset, &refusal.text, advice));
        return hits.collect();
    };
    let refused = model
        .lasting_refusals()
        .filter(|warning| !is_repeated_key(model, warning.span.file, warning.span.range.start));
    let missing = list_missing_env_files(model);
    let hits = refused.map(|warning| {
        let missing = missing.get(&(warning.span.file, warning.span.range.start));
        let advice =
            missing.map_or_else(|| advice.to_owned(), |file| advise_creation(inspection, file));
        RuleHit::new(model.file(&warning.span), warning.span.range.start, &warning.text, advice)
    });
    hits.collect()
}

/// Returns the `env_file`s that do not exist, by the file and the byte that name them.
fn list_missing_env_files(model: &ComposeModel) -> HashMap<(FileId, usize), &EnvFile> {
    let files = model.services.iter().flat_map(|service| &service.env_files);
    let missing = files.filter(|file| matches!(file.state, EnvFileState::Missing(_)));
    missing.map(|file| ((file.span.file, file.span.range.start), file)).collect()
}

/// Returns the advice for an `env_file` that does not exist.
fn advise_creation(inspection: &Inspection, file: &EnvFile) -> String {
    let source = match &file.state {
        EnvFileState::Missing(Some(template)) => {
            format!(" from {}", inspection.shown(&template.path).display())
        }
        _ => String::new(),
    };
    format!(
        "create {}{source}, or let docker compose start without it: `- {{path: {}, required: false}}`",
        file.written, file.written
    )
}

/// Returns whether the error is a repeated key, which another rule reports.
fn is_repeated_key(model: &ComposeModel, file: FileId, offset: usize) -> bool {
    let tree = model.file_of(file).tree();
    tree.is_ok_and(|tree| tree.repeated_keys().any(|key| tree.node(key).range.start == offset))
}
