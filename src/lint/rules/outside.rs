//! What the rules about the shell and the stores share: where the project refers to variables.

use crate::lint::known::nearly;
use crate::lint::setting::references;
use crate::lint::subject::Scope;
use crate::lint::{Hit, Standpoint, Subject};
use crate::secret::is_secret_name;

/// A place where a compose file refers to a variable.
pub(super) struct Use<'a> {
    /// Where.
    pub(super) scope: Scope<'a>,
    /// The byte of the reference, or of the value.
    pub(super) at: usize,
    /// The variable.
    pub(super) name: String,
    /// The reference says what to do without it.
    pub(super) has_default: bool,
}

/// Every reference from a service's environment, in the order they stand.
pub(super) fn references_of(subject: &Subject) -> Vec<Use<'_>> {
    let mut uses = Vec::new();
    for scope in subject.scopes().into_iter().filter(|scope| scope.service.is_some()) {
        for setting in scope.settings {
            if setting.value.is_none() {
                uses.push(Use {
                    scope,
                    at: setting.name_range.start,
                    name: setting.name.clone(),
                    has_default: false,
                });
            }
            for reference in references(setting.text()) {
                let within =
                    setting.value_range.as_ref().map(|bytes| bytes.start + reference.range.start);
                uses.push(Use {
                    scope,
                    at: within.unwrap_or(setting.value_at),
                    name: reference.name.to_owned(),
                    has_default: !reference.rest.is_empty(),
                });
            }
        }
    }
    uses
}

/// Variables that hold a key, or what goes with one: what is missing there is telemetry that is lost.
pub(super) fn is_key(name: &str) -> bool {
    const OTHERS: [&str; 4] =
        ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"];
    let of_a_provider = ["HONEYCOMB_", "ROLLBAR_"].iter().any(|family| name.starts_with(family));
    (of_a_provider && is_secret_name(name)) || OTHERS.contains(&name)
}

/// A hit at the first use of each key variable whose value in the shell stands as `matches` says.
pub(super) fn uses(
    subject: &Subject,
    matches: impl Fn(Standpoint) -> bool,
    say: impl Fn(&str) -> (String, String),
) -> Vec<Hit> {
    let Some(outside) = &subject.outside else {
        return Vec::new();
    };
    let mut seen = Vec::new();
    references_of(subject)
        .into_iter()
        .filter(|one| {
            is_key(&one.name) && outside.shell.get(&one.name).is_some_and(|stands| matches(*stands))
        })
        .filter(|one| {
            let first = !seen.contains(&one.name);
            seen.push(one.name.clone());
            first
        })
        .map(|one| {
            let (message, advice) = say(&one.name);
            Hit::new(&one.scope.file.path, one.at, message, advice)
        })
        .collect()
}

/// The key variables that the project refers to, each once; of a misspelt one, what was meant as well.
pub(in crate::lint) fn keys_referred_to(subject: &Subject) -> Vec<String> {
    let mut names: Vec<String> = references_of(subject)
        .into_iter()
        .flat_map(|one| [nearly(&one.name).map(str::to_owned), Some(one.name)])
        .flatten()
        .filter(|name| is_key(name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
