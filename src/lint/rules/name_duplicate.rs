//! `name-duplicate`: two services that say they are one.

use super::telemetry::NAME;
use crate::lint::{Hit, Rule, Severity, Subject};

pub(super) static RULE: Rule = Rule {
    code: "name-duplicate",
    severity: Severity::Warning,
    why: "two programs under one name share a dataset, and nobody can tell which of them was slow",
    explanation: "OTEL_SERVICE_NAME tells one program from another; only replicas of one program share it. Two services \
        that are built from different folders, or run different images, need a name each. It often comes from copying \
        the block of one service to the next.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    build: ./api\n    environment:\n      OTEL_SERVICE_NAME: api\n  worker:\n    build: ./worker\n    environment:\n      - OTEL_SERVICE_NAME=api # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    build: ./api\n    environment:\n      OTEL_SERVICE_NAME: api\n  api-2:\n    build: ./api\n    environment:\n      OTEL_SERVICE_NAME: api\n",
    )],
    check,
};

fn check(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for file in subject.main() {
        for (at, service) in file.services.iter().enumerate() {
            let Some(name) = service.setting(NAME).filter(|name| is_literal(name.text())) else {
                continue;
            };
            let other = file.services[..at].iter().find(|other| {
                let same = other
                    .setting(NAME)
                    .is_some_and(|theirs| theirs.text() == name.text());
                let replica = other.build == service.build && other.image == service.image;
                same && !replica
            });
            if let Some(other) = other {
                hits.push(Hit::new(
                    &file.file.path,
                    name.value_at,
                    format!(
                        "{} and {} are both called {}",
                        other.name,
                        service.name,
                        name.text()
                    ),
                    format!(
                        "name it after the service: `OTEL_SERVICE_NAME: \"{}\"`",
                        service.name
                    ),
                ));
            }
        }
    }
    hits
}

fn is_literal(name: &str) -> bool {
    !name.is_empty() && !name.contains('$')
}
