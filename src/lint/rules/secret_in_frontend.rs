//! `secret-in-frontend`: a key among the variables that a bundler embeds into the browser's code.

use std::collections::HashSet;

use super::secret_literal::{is_key, names_a_key};
use crate::compose::{
    DotenvStatement, ProjectTextFile, ServiceRole, bundler_prefix, find_references,
};
use crate::lint::scope::VariableAssignment;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "secret-in-frontend",
    severity: Severity::Error,
    why: "a bundler writes the value into the page's source, where every visitor can read it",
    explanation: "Variables whose names begin with REACT_APP_, VITE_, NEXT_PUBLIC_ or the like are written into the \
        JavaScript that browsers load. They must not hold a Honeycomb key, a Rollbar server token or an AWS secret; \
        let the page send its telemetry to an OpenTelemetry Collector that holds the key.",
    failing: &[
        (
            "web/Dockerfile",
            "FROM node\nARG REACT_APP_HONEYCOMB_API_KEY # <-\nENV REACT_APP_HONEYCOMB_API_KEY=$REACT_APP_HONEYCOMB_API_KEY\n",
        ),
        (
            "compose.yaml",
            "services:\n  web:\n    environment:\n      REACT_APP_HONEYCOMB_API_KEY: \"$HONEYCOMB_API_KEY\" # <-\n      NEXT_PUBLIC_TEAM: ${HONEYCOMB_API_KEY:-} # <-\n      EXPO_PUBLIC_TEAM: ${HONEYCOMB_API_KEY} # <-\n      NG_APP_TEAM: ${HONEYCOMB_API_KEY} # <-\n",
        ),
    ],
    passing: &[
        ("web/Dockerfile", "FROM node\nARG REACT_APP_BACKEND_URL\nARG HONEYCOMB_API_KEY\n"),
        (
            "compose.yaml",
            "services:\n  web:\n    environment:\n      REACT_APP_BACKEND_URL: http://localhost:4567\n      REACT_APP_CLIENT_ID: ${CLIENT_ID}\n      HONEYCOMB_API_KEY: ${HONEYCOMB_API_KEY}\n",
        ),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for scope in inspection.scopes() {
        let settings = scope.assignments.iter().chain(&scope.build_args);
        for setting in settings.filter(|assignment| bundler_prefix(assignment.name).is_some()) {
            if let Some(key) = key_in(setting) {
                hits.push(RuleHit::new(
                    setting.file,
                    setting.name_range.start,
                    format!("{} carries {key} into the browser", setting.name),
                    ADVICE,
                ));
            }
        }
    }
    hits.extend(files_with_keys(inspection));
    for file in &inspection.texts {
        let found = bundled_arguments(file);
        hits.extend(found.map(|(at, name)| {
            let message = format!("{name} carries a key into the browser");
            RuleHit::new(file, at, message, ADVICE)
        }));
    }
    hits
}

/// Returns a hit for each `env_file` of a frontend that contains a key, which a page's container does not need.
fn files_with_keys(inspection: &Inspection) -> Vec<RuleHit> {
    let Some(model) = &inspection.model else { return Vec::new() };
    let pages = model
        .services
        .iter()
        .filter(|service| inspection.role(service) == Some(ServiceRole::Frontend));
    let named = pages.flat_map(|service| service.env_files.iter().map(move |file| (service, file)));
    let hits = named.filter_map(|(service, file)| {
        let (_, statements) = file.state.statements()?;
        let is_held = |statement: &&DotenvStatement| {
            bundler_prefix(&statement.name).is_none()
                && is_key(&statement.name, statement.raw().unwrap_or_default())
        };
        let key = statements.iter().find(is_held)?;
        let message =
            format!("{} hands {} to {}, which serves a page", file.written, key.name, service.name);
        let advice = "use a separate file without keys for the frontend";
        let hit = RuleHit::new(model.file(&file.span), file.span.range.start, message, advice);
        Some(hit.as_severe_as(Severity::Warning))
    });
    hits.collect()
}

const ADVICE: &str =
    "remove it, and send the page's telemetry through a collector that holds the key";

/// Returns the `ARG` and `ENV` of a Dockerfile that a bundler embeds into a page and whose name is that of a key, each
/// name once.
fn bundled_arguments(file: &ProjectTextFile) -> impl Iterator<Item = (usize, &str)> {
    let is_dockerfile = file.is_dockerfile();
    let mut seen = HashSet::new();
    let lines = file.lines().filter(move |_| is_dockerfile);
    lines.filter_map(move |(at, line)| {
        let (instruction, rest) = line.trim_start().split_once(' ')?;
        let is_setting =
            ["ARG", "ENV"].iter().any(|keyword| instruction.eq_ignore_ascii_case(keyword));
        let name = rest.trim_start().split(['=', ' ']).next().filter(|_| is_setting)?.trim();
        let is_key = bundler_prefix(name).is_some() && key_name(name).is_some();
        let indent = line.len() - line.trim_start().len();
        (is_key && seen.insert(name)).then_some((at + indent, name))
    })
}

/// Returns whether a Dockerfile embeds a key into a page.
pub(in crate::lint) fn bundles_key(file: &ProjectTextFile) -> bool {
    bundled_arguments(file).next().is_some()
}

/// Returns the part of a variable's name that names a server key.
fn key_name(name: &str) -> Option<&str> {
    let at = name.find("HONEYCOMB_API_KEY").or_else(|| name.find("AWS_SECRET_ACCESS_KEY"))?;
    Some(&name[at..])
}

/// Returns the key that a bundled variable contains, by its own name or by its reference.
fn key_in(setting: &VariableAssignment<'_>) -> Option<String> {
    let referred = find_references(setting.text())
        .into_iter()
        .find(|reference| names_a_key(reference.name) && !is_public(reference.name));
    if let Some(reference) = referred {
        return Some(reference.name.to_owned());
    }
    let key = key_name(setting.name)?;
    (setting.value != Some("")).then(|| key.to_owned())
}

/// Returns whether a name is that of an access key ID, which is not a secret.
fn is_public(name: &str) -> bool {
    name == "AWS_ACCESS_KEY_ID"
}
