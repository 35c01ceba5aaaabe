//! `variable-unstored`: a key that the compose file refers to and nobody keeps.

use crate::lint::known::nearly;
use crate::lint::{Hit, Inspection, Rule, Severity};
use crate::secret::is_secret_name;

pub(super) static RULE: Rule = Rule {
    code: "variable-unstored",
    severity: Severity::Warning,
    why: "docker compose puts nothing in the place of a variable that is set nowhere, and only mentions it in passing",
    explanation: "A `${HONEYCOMB_API_KEY}` that neither the shell nor .env nor a store of cruddur-ops holds becomes an empty \
        header. Only keys of telemetry and the region that goes with AWS's are looked at; a reference with a default, or with \
        `:?`, says itself what happens. Where the keys come from somewhere else, as in CI, this is expected.",
    failing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY} # <-\n      ROLLBAR_ACCESS_TOKEN: ${ROLLBAR_ACCESS_TOKEN}\n",
        ),
        ("(store)", "ROLLBAR_ACCESS_TOKEN keyring\n"),
    ],
    passing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY:?run cruddur-ops init}\n      ROLLBAR_ACCESS_TOKEN: ${ROLLBAR_ACCESS_TOKEN}\n",
        ),
        ("(store)", "ROLLBAR_ACCESS_TOKEN keyring\n"),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<Hit> {
    let Some(outside) = &inspection.outside else {
        return Vec::new();
    };
    let mut seen: Vec<&str> = Vec::new();
    let mut hits = Vec::new();
    let uses = super::outside::references_of(inspection);
    for one in &uses {
        let meant = nearly(&one.name).unwrap_or(&one.name);
        let is_kept = |name: &str| {
            let mut files = inspection.dotenvs.iter();
            files.any(|file| file.statements.iter().any(|have| have.name == name))
                || outside.shell.contains_key(name)
                || outside.stored.contains_key(name)
        };
        let kept = is_kept(&one.name) || is_kept(meant);
        if kept || one.has_default || !one.is_needed(meant) || seen.contains(&meant) {
            continue;
        }
        hits.push(Hit::new(
            one.file,
            one.at,
            format!("{meant} is set nowhere: not in the shell, not in .env, not in a store"),
            advice(meant),
        ));
        seen.push(meant);
    }
    hits
}

/// A region or an address is no secret.
fn advice(name: &str) -> String {
    if name.ends_with("_REGION") {
        return format!("a line `{name}=us-east-1` in .env, with your region");
    }
    match is_secret_name(name) {
        true => format!("`cruddur-ops key set --variable {name}`"),
        false => format!("a line `{name}=` in .env, with its value"),
    }
}
