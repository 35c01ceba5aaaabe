//! `dotenv-not-ignored`: a file with keys that git would commit.

use super::secret_literal::{is_key, names_a_key};
use crate::compose::{DotenvStatement, ProjectTextFile};
use crate::edit::patch::TextPatch;
use crate::lint::{FindingFix, Inspection, KeyFileStatus, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "dotenv-not-ignored",
    severity: Severity::Error,
    why: "the next `git add .` publishes the key, and the history keeps it forever",
    explanation: "A file of variables that holds a key, .env or one that `env_file` names, must be named in \
        .gitignore. If git already tracks the file, ignoring it is not enough: `git rm --cached .env` stops tracking \
        it, and the key must be replaced, since the history still has it.",
    failing: &[
        (".env", "HONEYCOMB_API_KEY='abc' # <-\n"),
        ("compose.yaml", "services:\n  api: {image: x, env_file: api.env}\n"),
        ("api.env", "NAME=x\nROLLBAR_ACCESS_TOKEN=0123456789abcdef0123456789abcdef # <-\n"),
        ("secret.env", "AWS_SECRET_ACCESS_KEY=abcdefghij0123456789ABCDEFGHIJ0123456789 # <-\n"),
        ("(git)", ".env\napi.env tracked\nsecret.env\n"),
    ],
    passing: &[
        (".env", "HONEYCOMB_API_KEY='abc'\n"),
        ("compose.yaml", "services:\n  api: {image: x, env_file: api.env}\n"),
        ("api.env", "NAME=x\nROLLBAR_ACCESS_TOKEN=${ROLLBAR_ACCESS_TOKEN:-}\n"),
        ("example.env", "HONEYCOMB_API_KEY=your-key-0123456789abcd\n"),
        ("(git)", "api.env tracked\nexample.env tracked\n"),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for (file, secrets) in find_key_files(inspection) {
        let Some(secret) = secrets.first() else { continue };
        let names: Vec<&str> = secrets.iter().map(|statement| statement.name.as_str()).collect();
        let path = inspection.shown(&file.path);
        let Some(status) = inspection.git.get(path) else { continue };
        let path = path.display().to_string();
        let text = format!("{path} holds {}", names.join(", "));
        let hit = |message, advice| RuleHit::new(file, secret.range.start, message, advice);
        let ignoring = |message| {
            let mut hit = hit(message, format!("add `{path}` to .gitignore"));
            hit.fix = Some(FindingFix {
                path: inspection.root.join(".gitignore"),
                patches: vec![at_the_end(inspection, &path)],
            });
            hit
        };
        hits.push(match status {
            KeyFileStatus::Ignored => continue,
            // A line in .gitignore does not remove a file from the index.
            KeyFileStatus::Tracked => hit(
                format!("{text}, and git tracks the file"),
                format!(
                    "run `git rm --cached {path}`, add it to .gitignore, and replace the key: the history keeps this one"
                ),
            ),
            KeyFileStatus::Untracked => ignoring(format!("{text} and is not ignored by git")),
            KeyFileStatus::Unknown(why) => {
                ignoring(format!("{text} and git may track it or add it: {why}"))
            }
        });
    }
    hits
}

/// Returns the files of variables that contain a key, each with every such line.
pub(in crate::lint) fn find_key_files(
    inspection: &Inspection,
) -> Vec<(&ProjectTextFile, Vec<DotenvStatement>)> {
    let files = inspection.variable_files().into_iter();
    let own_files = files.filter(|(file, _)| inspection.is_own(file));
    let found = own_files.map(|(file, statements)| {
        let is_dotenv = file.path.file_name().is_some_and(|name| name == ".env");
        let holds_key = |statement: &&DotenvStatement| {
            let raw = statement.raw().unwrap_or_default();
            let may_be = is_dotenv && !raw.is_empty() && names_a_key(&statement.name);
            may_be || is_key(&statement.name, raw)
        };
        (file, statements.iter().filter(holds_key).cloned().collect::<Vec<_>>())
    });
    found.filter(|(_, secrets)| !secrets.is_empty()).collect()
}

/// Returns a patch at the end of the file, where no later line overrides it.
fn at_the_end(inspection: &Inspection, path: &str) -> TextPatch {
    let text = inspection.gitignore.as_ref().map_or("", |file| &file.text);
    TextPatch::append_lines(text, &[path])
}
