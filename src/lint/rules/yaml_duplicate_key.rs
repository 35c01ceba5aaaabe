//! `yaml-duplicate-key`: one key, two values.

use std::collections::HashSet;

use crate::edit::yaml::tree::{Kind, Tree};
use crate::lint::{Hit, Rule, Severity, Subject, Text};

pub(super) static RULE: Rule = Rule {
    code: "yaml-duplicate-key",
    severity: Severity::Error,
    why: "docker compose refuses a file that sets one key twice, and older versions keep only the last without a word",
    explanation: "A mapping may hold a key once. A second `environment:` in one service, or one variable set twice, is usually the \
        rest of a copy: merge the two, or delete one.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    build: .\n    environment:\n      A: 1\n    environment: # <-\n      B: 2\n",
    )],
    passing: &[(
        "compose.yaml",
        "x-a: &a {A: 1}\nservices:\n  api:\n    build: .\n    environment:\n      <<: *a\n      A: 2\n",
    )],
    check,
};

fn check(subject: &Subject) -> Vec<Hit> {
    let gitpod = subject.gitpod.iter().map(|gitpod| &gitpod.file);
    subject
        .main()
        .map(|file| &file.file)
        .chain(gitpod)
        .flat_map(duplicates)
        .collect()
}

fn duplicates(file: &Text) -> Vec<Hit> {
    let Ok(tree) = Tree::parse(file.text.as_str()) else {
        return Vec::new();
    };
    let mut hits = Vec::new();
    for id in tree.ids() {
        let Kind::Mapping(entries, _) = &tree.node(id).kind else {
            continue;
        };
        let mut seen: HashSet<&str> = HashSet::new();
        for (key, _) in entries {
            let Kind::Scalar(name, _) = &tree.node(*key).kind else {
                continue;
            };
            let name = tree.text(name);
            if !tree.is_merge_key(*key) && !seen.insert(name) {
                hits.push(Hit::new(
                    &file.path,
                    tree.node(*key).range.start,
                    format!("`{name}` is set a second time"),
                    "merge the two, or delete one",
                ));
            }
        }
    }
    hits
}
