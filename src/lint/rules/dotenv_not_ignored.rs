//! `dotenv-not-ignored`: a file with keys that git would take along.

use crate::edit::patch::Patch;
use crate::lint::{Fix, Hit, Inspection, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    code: "dotenv-not-ignored",
    severity: Severity::Error,
    why: "the next `git add .` publishes the key with the history that keeps it for ever",
    explanation: "A .env that holds a key must be named in .gitignore. If git already tracks the file, ignoring it is not enough: \
        `git rm --cached .env` takes it out, and the key must be replaced, since the history still has it.",
    failing: &[(".env", "HONEYCOMB_API_KEY='abc' # <-\n"), ("(git)", ".env\n")],
    passing: &[(".env", "HONEYCOMB_API_KEY='abc'\n")],
    check,
};

fn check(inspection: &Inspection) -> Vec<Hit> {
    let Some(outside) = &inspection.outside else {
        return Vec::new();
    };
    let mut hits = Vec::new();
    for path in &outside.unignored {
        let whole = inspection.root.join(path);
        let Some(dotenv) = inspection.dotenvs.iter().find(|one| one.file.path == whole) else {
            continue;
        };
        let secret = dotenv.statements.iter().find(|one| {
            super::secret_literal::names_a_key(&one.name)
                && one.raw().is_some_and(|raw| !raw.is_empty())
        });
        if let Some(secret) = secret {
            let holds = format!("{path} holds {} and", secret.name);
            let message = match &outside.git_doubt {
                Some(why) => format!("{holds} git may have it or take it: {why}"),
                None => format!("{holds} is not ignored by git"),
            };
            let hint = format!("add `{path}` to .gitignore");
            let mut hit = Hit::new(&dotenv.file, secret.range.start, message, hint);
            hit.fix = Some(Fix {
                path: inspection.root.join(".gitignore"),
                patches: vec![at_the_end(inspection, path)],
            });
            hits.push(hit);
        }
    }
    hits
}

/// At the end, where no later line takes it back.
fn at_the_end(inspection: &Inspection, path: &str) -> Patch {
    let text = inspection.gitignore.as_ref().map_or("", |file| &file.text);
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let open = if text.is_empty() || text.ends_with('\n') { "" } else { ending };
    Patch::insert(text.len(), format!("{open}{path}{ending}"))
}
