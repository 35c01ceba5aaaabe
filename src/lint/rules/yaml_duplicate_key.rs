//! `yaml-duplicate-key`: one key with two values.

use crate::compose::ProjectTextFile;
use crate::edit::yaml::gitpod::repeated_keys;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "yaml-duplicate-key",
    severity: Severity::Error,
    why: "docker compose refuses a file that sets one key twice, and older versions silently keep only the last",
    explanation: "A mapping may have each key only once. A second `environment:` in one service, or one variable set \
        twice, is usually left over from copying: merge the two, or delete one.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    build: .\n    environment:\n      A: 1\n    environment: # <-\n      B: 2\n  web:\n    <<: {image: x}\n    <<: {user: y} # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "x-a: &a {A: 1}\nservices:\n  api:\n    build: .\n    environment:\n      <<: *a\n      A: 2\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let compose = inspection
        .model
        .iter()
        .flat_map(|model| model.compose_files())
        .filter_map(|file| Some((file, repeated_keys(file.tree().ok()?))));
    let gitpod = inspection
        .gitpod
        .iter()
        .map(|workspace_file| (&workspace_file.file, workspace_file.contents.repeated.clone()));
    let files = compose.chain(gitpod);
    files
        .flat_map(|(file, repeated)| {
            repeated.into_iter().map(move |(at, name)| duplicate_key_hit(file, at, &name))
        })
        .collect()
}

fn duplicate_key_hit(file: &ProjectTextFile, at: usize, name: &str) -> RuleHit {
    let advice = match name {
        "<<" => "name both in one: `<<: [*one, *two]`",
        _ => "merge the two, or delete one",
    };
    RuleHit::new(file, at, format!("`{name}` is set a second time"), advice)
}
