//! `secret-in-frontend`: a key among the variables that a bundler writes into the browser's code.

use super::secret_literal::names_a_key;
use crate::compose::{bundler_prefix, find_references};
use crate::lint::scope::Assignment;
use crate::lint::{Hit, Inspection, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    code: "secret-in-frontend",
    severity: Severity::Error,
    why: "what a bundler replaces ends up in the page's source, where every visitor can read it",
    explanation: "REACT_APP_, VITE_, NEXT_PUBLIC_ and their kin are written into the JavaScript that browsers load. A key of \
        Honeycomb, a server token of Rollbar or a secret of AWS must not pass through them; let the page send its \
        telemetry to an OpenTelemetry Collector that holds the key.",
    failing: &[(
        "compose.yaml",
        "services:\n  web:\n    environment:\n      REACT_APP_HONEYCOMB_API_KEY: \"$HONEYCOMB_API_KEY\" # <-\n      NEXT_PUBLIC_TEAM: ${HONEYCOMB_API_KEY:-} # <-\n      EXPO_PUBLIC_TEAM: ${HONEYCOMB_API_KEY} # <-\n      NG_APP_TEAM: ${HONEYCOMB_API_KEY} # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  web:\n    environment:\n      REACT_APP_BACKEND_URL: http://localhost:4567\n      REACT_APP_CLIENT_ID: ${CLIENT_ID}\n      HONEYCOMB_API_KEY: ${HONEYCOMB_API_KEY}\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<Hit> {
    let mut hits = Vec::new();
    for scope in inspection.scopes() {
        let settings = scope.assignments.iter().chain(&scope.build_args);
        for setting in settings.filter(|one| bundler_prefix(one.name).is_some()) {
            if let Some(key) = key_in(setting) {
                hits.push(Hit::new(
                    setting.file,
                    setting.name_range.start,
                    format!("{} carries {key} into the browser", setting.name),
                    "take it out, and send the page's telemetry through a collector that holds the key",
                ));
            }
        }
    }
    hits
}

/// The key that a bundled variable carries, by its own name or by what it refers to.
fn key_in(setting: &Assignment<'_>) -> Option<String> {
    let referred = find_references(setting.text())
        .into_iter()
        .find(|reference| names_a_key(reference.name) && !is_public(reference.name));
    if let Some(reference) = referred {
        return Some(reference.name.to_owned());
    }
    let own = setting
        .name
        .find("HONEYCOMB_API_KEY")
        .or_else(|| setting.name.find("AWS_SECRET_ACCESS_KEY"))?;
    (setting.value != Some("")).then(|| setting.name[own..].to_owned())
}

/// An access key's id is no secret by itself.
fn is_public(name: &str) -> bool {
    name == "AWS_ACCESS_KEY_ID"
}
