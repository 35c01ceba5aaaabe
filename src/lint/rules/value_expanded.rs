//! `value-expanded`: a secret in a file of variables that docker compose partly interpolates.

use crate::compose::has_pasted_dollar;
use crate::edit::patch::TextPatch;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};
use crate::secret::is_secret_name;

pub(super) static RULE: LintRule = LintRule {
    code: "value-expanded",
    severity: Severity::Warning,
    why: "docker compose reads `$cd34` as a variable and replaces it with nothing, so another key is sent",
    explanation: "In .env and in files of `env_file`, `$NAME` is replaced unless the value is in single quotes: \
        `ACME_KEY='ab12$cd34ef'`. Only variables whose names say that they hold a secret are checked.",
    failing: &[
        ("compose.yaml", "services:\n  api: {image: x, env_file: api.env}\n"),
        (".env", "ACME_KEY=ab12$cd34ef # <-\n"),
        ("api.env", "ACME_TOKEN=\"ab12$cd34ef\" # <-\n"),
    ],
    passing: &[
        ("compose.yaml", "services:\n  api: {image: x, env_file: api.env}\n"),
        (".env", "ACME_KEY='ab12$cd34ef'\nOTHER_KEY=$ACME_KEY\nURL=http://x$PORT\n"),
        ("api.env", "ACME_TOKEN=${PREFIX}cd34ef\n"),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for (file, statements) in inspection.variable_files() {
        for statement in statements.iter().filter(|statement| is_secret_name(&statement.name)) {
            let Some(value) = statement.verbatim(&file.text) else { continue };
            let before = &file.text[..value.start];
            if before.ends_with('\'') || !has_pasted_dollar(&file.text[value.clone()]) {
                continue;
            }
            let hit = RuleHit::new(
                file,
                statement.range.start,
                format!("docker compose replaces the `$…` in the value of {}", statement.name),
                "put the value in single quotes",
            );
            let is_bare = !before.ends_with('"') && !file.text[value.clone()].contains('\'');
            hits.push(if is_bare {
                hit.fixed_by(vec![
                    TextPatch::insert(value.start, "'"),
                    TextPatch::insert(value.end, "'"),
                ])
            } else {
                hit
            });
        }
    }
    hits
}
