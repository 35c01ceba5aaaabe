//! `variable-unstored`: a key that the compose file refers to and that is stored nowhere.

use std::collections::HashSet;

use super::outside::VariableMention;
use crate::lint::finding::is_silenced;
use crate::lint::known::find_intended_variable;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};
use crate::secret::is_secret_name;

pub(super) static RULE: LintRule = LintRule {
    code: "variable-unstored",
    severity: Severity::Warning,
    why: "docker compose starts all the same: `${NAME}` becomes an empty string, and a name without a value reaches no container",
    explanation: "One finding lists all of them. A `${HONEYCOMB_API_KEY}` that neither the shell nor .env nor a \
        store of cruddur-ops holds becomes an empty header. Only telemetry keys and the AWS region that goes with \
        them are checked, and no reference with a default or with `:?`. Where the keys come from somewhere else, as \
        in CI, this is expected.",
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

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let Some(outside) = &inspection.outside else {
        return Vec::new();
    };
    let mut seen = HashSet::new();
    let mut missing: Vec<(&VariableMention<'_>, &str)> = Vec::new();
    let mut hits = Vec::new();
    let uses = super::outside::references_of(inspection);
    for mention in &uses {
        let meant = find_intended_variable(&mention.name).unwrap_or(&mention.name);
        let is_kept = |name: &str| {
            let mut files = inspection.dotenvs.iter();
            files.any(|file| file.statements.iter().any(|have| have.name == name))
                || outside.shell.contains_key(name)
                || outside.stored.contains_key(name)
        };
        let is_stored = is_kept(&mention.name) || is_kept(meant);
        let is_silenced = is_silenced(mention.file, mention.at, RULE.code);
        if is_stored
            || mention.has_default
            || !mention.is_needed(meant)
            || is_silenced
            || !seen.insert(meant)
        {
            continue;
        }
        match kept_by_env_file(inspection, &mention.name) {
            Some(path) => hits.push(RuleHit::new(
                mention.file,
                mention.at,
                format!("{meant} is set in {path}, which `${{…}}` in a compose file does not read"),
                format!("move its line to .env, or store it: {}", advise_storage(meant)),
            )),
            None => missing.push((mention, meant)),
        }
    }
    if let Some((first, _)) = missing.first() {
        let names: Vec<&str> = missing.iter().map(|(_, meant)| *meant).collect();
        let are = if names.len() == 1 { "is" } else { "are" };
        let misspelt = names.iter().filter_map(|name| {
            let typed = outside.misspelt.get(*name)?;
            Some(format!("; the shell has {typed}"))
        });
        let message = format!(
            "{} {are} set nowhere: not in the shell, not in .env, not in a store{}",
            names.join(", "),
            misspelt.collect::<String>()
        );
        let fixes: Vec<String> = names.into_iter().map(advise_storage).collect();
        hits.push(RuleHit::new(first.file, first.at, message, fixes.join("; ")));
    }
    hits
}

/// Returns the path of an `env_file` that sets a variable, as shown to the user.
fn kept_by_env_file(inspection: &Inspection, name: &str) -> Option<String> {
    let model = inspection.model.as_ref()?;
    let files = model.services.iter().flat_map(|service| &service.env_files);
    let mut read = files.filter_map(|file| file.state.statements());
    let (id, _) = read.find(|(_, statements)| {
        statements.iter().any(|statement| {
            statement.name == name && statement.raw().is_some_and(|raw| !raw.is_empty())
        })
    })?;
    Some(inspection.shown(&model.file_of(id).path).display().to_string())
}

/// Returns the advice for a variable; a region or an address is not a secret.
fn advise_storage(name: &str) -> String {
    if name.ends_with("_REGION") {
        return format!("a line `{name}=us-east-1` in .env, with your region");
    }
    if is_secret_name(name) {
        format!("`cruddur-ops key set --variable {name}`")
    } else {
        format!("a line `{name}=` in .env, with its value")
    }
}
