//! References to variables, shared by the rules about the shell and the stores.

use std::collections::HashSet;

use super::telemetry::{is_endpoint, is_headers};
use crate::compose::{FileSyntax, ProjectTextFile, find_references};
use crate::lint::known::find_intended_variable;
use crate::lint::{Inspection, RuleHit, ShellVariableStatus};
use crate::provider::variable_owner;
use crate::secret::is_secret_name;

/// A variable reference in a service.
pub(super) struct VariableMention<'a> {
    /// The file.
    pub(super) file: &'a ProjectTextFile,
    /// Byte offset of the reference, or of the value.
    pub(super) at: usize,
    /// The variable.
    pub(super) name: String,
    /// Whether the reference has a default.
    pub(super) has_default: bool,
    /// Whether the variable sets the destination or the headers of telemetry.
    is_destination: bool,
}

impl VariableMention<'_> {
    /// Returns whether telemetry is lost without the variable; `meant` is its correct name.
    pub(super) fn is_needed(&self, meant: &str) -> bool {
        self.is_destination || is_key(meant)
    }
}

/// Returns every reference from a service's environment, in source order.
pub(super) fn references_of(inspection: &Inspection) -> Vec<VariableMention<'_>> {
    let mut uses = Vec::new();
    let mut from_files = Vec::new();
    for (_, _, scope) in inspection.service_scopes() {
        for setting in scope.assignments {
            let is_destination = is_endpoint(setting.name) || is_headers(setting.name);
            let mut found = Vec::new();
            if setting.value.is_none() {
                found.push(VariableMention {
                    file: setting.file,
                    at: setting.name_range.start,
                    name: setting.name.to_owned(),
                    has_default: false,
                    is_destination,
                });
            }
            for reference in find_references(setting.text()) {
                let within = setting.value_range.as_ref();
                found.push(VariableMention {
                    file: setting.file,
                    at: within
                        .map_or(setting.value_at, |bytes| bytes.start + reference.range.start),
                    name: reference.name.to_owned(),
                    has_default: !reference.rest.is_empty(),
                    is_destination,
                });
            }
            match setting.file.syntax {
                FileSyntax::Variables => from_files.extend(found),
                _ => uses.extend(found),
            }
        }
    }
    uses.extend(from_files);
    uses
}

/// Returns whether a variable holds a key or accompanies one, so that telemetry is lost without it.
pub(super) fn is_key(name: &str) -> bool {
    const OTHER_KEYS: [&str; 4] =
        ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"];
    let of_a_provider = ["HONEYCOMB_", "ROLLBAR_"].iter().any(|family| name.starts_with(family));
    (of_a_provider && is_secret_name(name))
        || variable_owner(name).is_some()
        || OTHER_KEYS.contains(&name)
}

/// Reports the first use of each key variable for which `explain` returns a message and advice, based on its state in the
/// shell.
pub(super) fn uses(
    inspection: &Inspection,
    explain: impl Fn(&str, ShellVariableStatus) -> Option<(String, String)>,
) -> Vec<RuleHit> {
    let Some(outside) = &inspection.outside else {
        return Vec::new();
    };
    let mut seen = HashSet::new();
    let needed =
        references_of(inspection).into_iter().filter(|mention| mention.is_needed(&mention.name));
    let hits = needed.filter_map(|mention| {
        let (message, advice) = explain(&mention.name, *outside.shell.get(&mention.name)?)?;
        seen.insert(mention.name).then(|| RuleHit::new(mention.file, mention.at, message, advice))
    });
    hits.collect()
}

/// Returns the variables without which telemetry is lost, each once; for a misspelt one, the intended variable as well.
pub(in crate::lint) fn keys_referred_to(inspection: &Inspection) -> Vec<String> {
    let mut names: Vec<String> = references_of(inspection)
        .into_iter()
        .flat_map(|mention| {
            let meant = find_intended_variable(&mention.name).map(str::to_owned);
            let names = [meant, Some(mention.name.clone())].into_iter().flatten();
            names.filter(move |name| mention.is_needed(name)).collect::<Vec<_>>()
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
