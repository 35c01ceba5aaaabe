//! `yaml-duplicate-key`: one key, two values.

use crate::lint::{Hit, Rule, Severity, Subject, Text};

pub(super) static RULE: Rule = Rule {
    code: "yaml-duplicate-key",
    severity: Severity::Error,
    why: "docker compose refuses a file that sets one key twice, and older versions keep only the last without a word",
    explanation: "A mapping may hold a key once. A second `environment:` in one service, or one variable set twice, is usually the \
        rest of a copy: merge the two, or delete one.",
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

fn check(subject: &Subject) -> Vec<Hit> {
    let compose = subject.main().map(|file| (&file.file, &file.repeated));
    let gitpod = subject.gitpod.iter().map(|one| (&one.file, &one.repeated));
    compose
        .chain(gitpod)
        .flat_map(|(file, repeated)| repeated.iter().map(|(at, name)| hit(file, *at, name)))
        .collect()
}

fn hit(file: &Text, at: usize, name: &str) -> Hit {
    let advice = match name {
        "<<" => "name both in one: `<<: [*one, *two]`",
        _ => "merge the two, or delete one",
    };
    let text = format!("`{name}` is set a second time");
    Hit::new(&file.path, at, text, advice)
}
