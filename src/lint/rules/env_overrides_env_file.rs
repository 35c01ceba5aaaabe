//! `env-overrides-env-file`: one variable, two values.

use crate::lint::services::Service;
use crate::lint::subject::DotenvFile;
use crate::lint::{Hit, Rule, Severity, Subject};

pub(super) static RULE: Rule = Rule {
    code: "env-overrides-env-file",
    severity: Severity::Warning,
    why: "`environment` wins over `env_file`, even with an empty value, so the line in the file does nothing",
    explanation: "A variable of telemetry that stands in a service's `environment` and, with another value, in a file of its \
        `env_file`, has the value of `environment`. Whoever edits the file wonders why nothing changes.",
    failing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    env_file: api.env\n    environment:\n      OTEL_SERVICE_NAME: api # <-\n",
        ),
        ("api.env", "OTEL_SERVICE_NAME=backend\n"),
    ],
    passing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    env_file: [./api.env]\n    environment:\n      OTEL_SERVICE_NAME: api\n",
        ),
        ("api.env", "OTEL_SERVICE_NAME='api'\nPORT=1\n"),
    ],
    check,
};

fn check(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (file, service) in subject.services() {
        for setting in &service.environment {
            let judged = ["OTEL_", "HONEYCOMB_", "AWS_XRAY_", "ROLLBAR_"]
                .iter()
                .any(|family| setting.name.starts_with(family));
            let other = files_of(subject, service)
                .filter_map(|other| {
                    Some((other, other.settings.iter().rev().find(|one| one.name == setting.name)?))
                })
                .find(|(_, theirs)| setting.value.is_some() && theirs.text() != setting.text());
            if let (true, Some((other, _))) = (judged, other) {
                hits.push(Hit::new(
                    &file.file.path,
                    setting.name_range.start,
                    format!(
                        "{} has another value in {}, which loses",
                        setting.name,
                        other.file.path.display()
                    ),
                    "keep it in one place",
                ));
            }
        }
    }
    hits
}

fn files_of<'a>(
    subject: &'a Subject,
    service: &'a Service,
) -> impl Iterator<Item = &'a DotenvFile> {
    subject.dotenvs.iter().filter(|file| {
        service.env_files.iter().any(|path| file.file.path == std::path::Path::new(path))
    })
}
