//! `variable-unstored`: a key that the compose file refers to and nobody keeps.

use crate::lint::{Hit, Rule, Severity, Subject};

pub(super) static RULE: Rule = Rule {
    code: "variable-unstored",
    severity: Severity::Warning,
    why: "docker compose puts nothing in the place of a variable that is set nowhere, and only mentions it in passing",
    explanation: "A `${HONEYCOMB_API_KEY}` that neither the shell nor .env nor a store of cruddur-ops holds becomes an empty \
        header. Only keys of telemetry are looked at; a reference with a default, or with `:?`, says itself what happens. \
        Where the keys come from somewhere else, as in CI, this is expected.",
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

fn check(subject: &Subject) -> Vec<Hit> {
    let Some(outside) = &subject.outside else {
        return Vec::new();
    };
    let mut seen: Vec<String> = Vec::new();
    let mut hits = Vec::new();
    for one in super::outside::references_of(subject) {
        let in_file = subject
            .dotenvs
            .iter()
            .any(|file| file.settings.iter().any(|have| have.name == one.name));
        let kept = in_file
            || outside.shell.contains_key(&one.name)
            || outside.stored.contains_key(&one.name);
        if kept || one.has_default || !super::outside::is_key(&one.name) || seen.contains(&one.name)
        {
            continue;
        }
        hits.push(Hit::new(
            &one.scope.file.path,
            one.at,
            format!(
                "{} is set nowhere: not in the shell, not in .env, not in a store",
                one.name
            ),
            format!("`cruddur-ops key set --variable {}`", one.name),
        ));
        seen.push(one.name);
    }
    hits
}
