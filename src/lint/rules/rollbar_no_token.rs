//! `rollbar-no-token`: a program that reports to Rollbar and is given no token.

use crate::lint::{Hit, Rule, Severity, Subject};

pub(super) static RULE: Rule = Rule {
    code: "rollbar-no-token",
    severity: Severity::Warning,
    why: "without a token Rollbar drops every report, and the program runs on as if it had reported",
    explanation: "requirements.txt names rollbar, and the service that is built from that folder has no ROLLBAR_ACCESS_TOKEN in its \
        environment, nor an env_file it could come from. If Rollbar is not used any more, drop the package.",
    failing: &[
        (
            "compose.yaml",
            "services:\n  api: # <-\n    build: ./api\n    environment:\n      A: b\n",
        ),
        ("api/requirements.txt", "flask\nrollbar\n"),
    ],
    passing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    build: ./api\n    environment:\n      ROLLBAR_ACCESS_TOKEN: ${ROLLBAR_ACCESS_TOKEN}\n  web:\n    build: ./web\n",
        ),
        ("api/requirements.txt", "flask\nrollbar\n"),
    ],
    check,
};

const TOKEN: &str = "ROLLBAR_ACCESS_TOKEN";

fn check(subject: &Subject) -> Vec<Hit> {
    let supplied = subject.every_service().any(|service| {
        service.setting(TOKEN).is_some() || super::telemetry::misspelt(&service.environment, TOKEN)
    });
    if supplied {
        return Vec::new();
    }
    subject
        .services()
        .filter(|(_, service)| !service.has_unseen_settings())
        .filter(|(_, service)| {
            subject.requirements_of(service).is_some_and(|file| file.read.has("rollbar"))
        })
        .map(|(file, service)| {
            Hit::new(
                &file.file.path,
                service.at,
                format!("{} uses rollbar and has no {TOKEN}", service.name),
                format!("add `{TOKEN}: \"${{{TOKEN}}}\"` to its environment"),
            )
        })
        .collect()
}
