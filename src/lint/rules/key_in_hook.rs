//! `key-in-hook`: a hook that passes a service's key to another image.

use std::collections::HashSet;
use std::path::Path;

use super::secret_literal::names_a_key;
use crate::compose::{ProjectTextFile, ServiceModel};
use crate::edit::yaml::tree::{NodeId, YamlTree};
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "key-in-hook",
    severity: Severity::Warning,
    why: "docker compose passes the service's whole environment to the hook, so another image gets the key",
    explanation: "A `pre_start` hook runs in its own container before the service starts, with every variable of the \
        service. If it uses another image, that image gets the service's keys too. A separate service with \
        `depends_on: {NAME: {condition: service_completed_successfully}}` does the same without the keys; the hook's \
        own `environment` can also set the key to an empty value.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    image: example/api\n    environment:\n      HONEYCOMB_API_KEY: ${HONEYCOMB_API_KEY}\n    pre_start:\n      - image: other/wait # <-\n        command: [\"/wait\"]\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    image: example/api\n    environment:\n      HONEYCOMB_API_KEY: ${HONEYCOMB_API_KEY}\n    pre_start:\n      - command: [\"./migrate\"]\n      - image: other/wait\n        environment: {HONEYCOMB_API_KEY: \"\"}\n        command: [\"/wait\"]\n  db:\n    image: postgres:17\n    pre_start:\n      - image: other/wait\n        command: [\"/wait\"]\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    // Searched once: there may be ten thousand services in a file.
    let with_hooks: HashSet<&Path> = inspection
        .files()
        .into_iter()
        .filter(|file| file.text.contains("pre_start"))
        .map(|file| file.path.as_path())
        .collect();
    for (model, service, scope) in inspection.service_scopes() {
        let files: Vec<_> = service
            .defined_in
            .iter()
            .map(|defined| model.file(defined))
            .filter(|file| with_hooks.contains(file.path.as_path()))
            .collect();
        if files.is_empty() {
            continue;
        }
        let keys: Vec<&str> = scope
            .assignments
            .iter()
            .map(|assignment| assignment.name)
            .filter(|name| names_a_key(name))
            .collect();
        if keys.is_empty() {
            continue;
        }
        for file in files {
            let images = other_images(file, service, &keys).into_iter();
            hits.extend(images.map(|(at, image)| {
                let message = format!("the hook passes {} to {image}", keys.join(", "));
                let advice = "make it a separate service, or set the key to an empty value in the hook's `environment`";
                RuleHit::new(file, at, message, advice)
            }));
        }
    }
    hits
}

/// Returns the images of hooks that differ from the service's own and get one of `keys`: the byte of each, and its
/// name.
fn other_images(
    file: &ProjectTextFile,
    service: &ServiceModel,
    keys: &[&str],
) -> Vec<(usize, String)> {
    let Some(tree) = file.tree().ok() else {
        return Vec::new();
    };
    let hooks = tree
        .root()
        .and_then(|root| tree.get(root, "services"))
        .and_then(|services| tree.get(services, &service.name))
        .and_then(|service| tree.get(service, "pre_start"));
    let Some(hooks) = hooks else { return Vec::new() };
    let images = tree.items(hooks).iter().filter_map(|hook| {
        let node = tree.get(*hook, "image")?;
        let image = tree.scalar(node)?;
        let is_given = keys.iter().any(|key| !is_set_in(tree, *hook, key));
        let is_other = service.image.as_deref() != Some(image);
        (is_given && is_other).then(|| (tree.start(node), image.to_owned()))
    });
    images.collect()
}

/// Returns whether a hook sets a variable itself.
fn is_set_in(tree: &YamlTree, hook: NodeId, name: &str) -> bool {
    let Some(environment) = tree.get(hook, "environment") else { return false };
    let mut items = tree.items(environment).iter();
    tree.get(environment, name).is_some()
        || items.any(|item| {
            let text = tree.scalar(*item).unwrap_or_default();
            text.split_once('=').is_some_and(|(set, _)| set == name)
        })
}
