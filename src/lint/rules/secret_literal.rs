//! `secret-literal`: a key written out in a file of the repository.

use std::sync::LazyLock;

use regex_lite::Regex;

use super::telemetry;
use crate::lint::setting::Setting;
use crate::lint::{Hit, Rule, Severity, Subject, Text};
use crate::provider;

pub(super) static RULE: Rule = Rule {
    code: "secret-literal",
    severity: Severity::Error,
    why: "everybody who can read the repository can use the key, and its history keeps it for ever",
    explanation: "Keys of Honeycomb, Rollbar and AWS belong into a store, not into a file: the compose file refers to them by \
        `${HONEYCOMB_API_KEY}`. A key that was ever committed must be replaced, not only removed. Values that are plainly \
        no keys (`changeme`, `your-key-here`, `test`) are left alone; so is a .env, which has rules of its own.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=abcdEFGH1234ijklMNOP56 # <-\n      ROLLBAR_ACCESS_TOKEN: 0123456789abcdef0123456789abcdef # <-\n      AWS_ACCESS_KEY_ID: AKIAQWERTYUIOPASDFGH # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=your-api-key-123\n      ROLLBAR_ACCESS_TOKEN: ${ROLLBAR_ACCESS_TOKEN}\n      AWS_ACCESS_KEY_ID: dummy\n      AWS_SECRET_ACCESS_KEY: local\n",
    )],
    check,
};

/// A key found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lint) struct Found {
    /// The byte it begins at.
    at: usize,
    /// The key itself; never shown.
    pub(in crate::lint) value: String,
    /// What it is the key of.
    owner: &'static str,
}

fn check(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    let dotenv = |file: &Text| subject.dotenvs.iter().any(|dotenv| dotenv.file.path == file.path);
    for file in subject.texts().filter(|file| !dotenv(file)) {
        for found in keys(subject, file) {
            hits.push(Hit::new(
                &file.path,
                found.at,
                format!("a key of {} stands here", found.owner),
                "replace the key, store the new one with `cruddur-ops key set`, and refer to it by its variable",
            ));
        }
    }
    hits
}

/// Every key that is written out in the subject's files, so that whoever shows a line can hide it.
pub(in crate::lint) fn literals(subject: &Subject) -> Vec<Found> {
    subject.texts().flat_map(|file| keys(subject, file)).collect()
}

fn keys(subject: &Subject, file: &Text) -> Vec<Found> {
    let mut found = shaped(&file.text);
    for scope in subject.scopes().iter().filter(|scope| scope.file.path == file.path) {
        found.extend(scope.settings.iter().filter_map(named));
        let arguments = scope.service.iter().flat_map(|service| &service.build_args);
        found.extend(arguments.filter_map(named));
    }
    found.sort_by_key(|one| one.at);
    found.dedup_by(|later, earlier| later.at < earlier.at + earlier.value.len());
    found
}

/// Keys that are known by their shape wherever they stand, comments apart.
fn shaped(text: &str) -> Vec<Found> {
    /// What a line with such a key holds in any case, the whole of it, and who gave it out.
    type Shape = ([&'static str; 2], Regex, &'static str);
    static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
        [
            (["ik_", "ic_"], r"\bhc[a-z](?:ik|ic)_[0-9a-z]{58}\b", "Honeycomb"),
            (["mk_"; 2], r"\bhc[a-z]mk_[0-9a-z]{26}:[0-9a-zA-Z]{32}\b", "Honeycomb"),
            (["AKIA", "ASIA"], r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", "AWS"),
        ]
        .into_iter()
        .filter_map(|(marks, shape, owner)| Some((marks, Regex::new(shape).ok()?, owner)))
        .collect()
    });
    let mut keys = Vec::new();
    for (marks, shape, owner) in SHAPES.iter() {
        let marked = |text: &str| marks.iter().any(|mark| text.contains(mark));
        if !marked(text) {
            continue;
        }
        let mut begins = 0;
        for line in text.split_inclusive('\n') {
            if marked(line) {
                let found = shape.find_iter(line);
                let real = found.filter(|found| !found.as_str().contains("EXAMPLE"));
                keys.extend(real.map(|found| Found {
                    at: begins + found.start(),
                    value: found.as_str().to_owned(),
                    owner,
                }));
            }
            begins += line.len();
        }
    }
    keys
}

/// Keys that are known by the variable they are the value of.
fn named(setting: &Setting) -> Option<Found> {
    let value = setting.text();
    let key = if telemetry::is_headers(&setting.name) { telemetry::key_of(value)? } else { value };
    let owner = owner(&setting.name)?;
    let offset = value.rfind(key).unwrap_or_default();
    is_written_out(key, owner).then(|| Found {
        at: setting.value_range.as_ref().map_or(setting.value_at, |bytes| bytes.start + offset),
        value: key.to_owned(),
        owner,
    })
}

fn owner(name: &str) -> Option<&'static str> {
    let bare = name
        .trim_start_matches("REACT_APP_")
        .trim_start_matches("VITE_")
        .trim_start_matches("NEXT_PUBLIC_");
    match bare {
        "HONEYCOMB_API_KEY"
        | "HONEYCOMB_TRACES_APIKEY"
        | "HONEYCOMB_METRICS_APIKEY"
        | "HONEYCOMB_WRITEKEY" => Some("Honeycomb"),
        _ if telemetry::is_headers(bare) => Some("Honeycomb"),
        "ROLLBAR_ACCESS_TOKEN" => Some("Rollbar"),
        "AWS_SECRET_ACCESS_KEY" => Some("AWS"),
        _ => provider::of_variable(bare).map(|provider| provider.title.as_str()),
    }
}

/// The variable holds somebody's key.
pub(super) fn names_a_key(name: &str) -> bool {
    owner(name).is_some() || name == "AWS_ACCESS_KEY_ID"
}

fn is_written_out(value: &str, owner: &str) -> bool {
    const PLAINLY_NONE: [&str; 18] = [
        "your",
        "change",
        "xxx",
        "dummy",
        "test",
        "fake",
        "example",
        "local",
        "placeholder",
        "insert",
        "replace",
        "todo",
        "<",
        "...",
        "***",
        "minio",
        "sample",
        "redacted",
    ];
    let lower = value.to_ascii_lowercase();
    let shortest = if owner == "AWS" { 40 } else { 12 };
    let mixed = value.contains(|c: char| c.is_ascii_digit())
        && value.contains(|c: char| c.is_ascii_alphabetic());
    value.len() >= shortest
        && mixed
        && !value.contains(['$', ' '])
        && !PLAINLY_NONE.iter().any(|word| lower.contains(word))
}
