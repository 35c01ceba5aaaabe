//! `compose-refused`: docker compose does not load the project.

use crate::lint::{Hit, Rule, Severity, Subject};

pub(super) static RULE: Rule = Rule {
    code: "compose-refused",
    severity: Severity::Error,
    why: "docker compose starts nothing of a project with one such line in it",
    explanation: "What stands here is against the Compose Specification, or refers to something that the project does not define: a \
        misspelt key, a value of the wrong type, a network, volume, secret or service that is not there, services that wait for \
        each other, an `env_file` or an included file that is missing. `docker compose config` says the same.",
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

fn check(subject: &Subject) -> Vec<Hit> {
    let refused = subject.refused.iter();
    // A key that is set twice has a rule of its own.
    let repeated = |path: &std::path::Path, offset: usize| {
        let mut files = subject.main().filter(|file| file.file.path == path);
        files.any(|file| file.repeated.iter().any(|(at, _)| *at == offset))
    };
    refused
        .filter(|one| !repeated(&one.path, one.offset))
        .map(|one| {
            let advice = "correct it; `docker compose config --quiet` tells when it is right";
            Hit::new(&one.path, one.offset, &one.text, advice)
        })
        .collect()
}
