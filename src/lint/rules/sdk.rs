//! What the rules about an SDK share: each traced service with what its SDK makes of its variables.

use std::collections::BTreeMap;

use super::{telemetry, value_quoted};
use crate::compose::find_references;
use crate::instrumentation::{SdkInput, SdkProblem, SdkSettings, SdkSetup};
use crate::lint::scope::Assignment;
use crate::lint::{Hit, Inspection};
use crate::secret::Secret;

/// Returns a hit for each problem of a traced service that is `judged`, where its variable is set.
pub(super) fn judge_settings(
    inspection: &Inspection,
    judged: impl Fn(&SdkProblem) -> bool,
    advice: &str,
) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (_, _, scope) in inspection.service_scopes() {
        if !telemetry::is_traced(&scope.assignments) {
            continue;
        }
        let is_judged = |one: &&Assignment<'_>| !value_quoted::is_quoted(one.text());
        let pairs = scope.assignments.iter().filter(is_judged);
        let pairs = pairs.filter_map(|one| Some((one.name.to_owned(), known_value(one)?)));
        let environment: BTreeMap<String, Secret> = pairs.collect();
        let settings = SdkSettings::read(&SdkInput {
            language: None,
            setup: &SdkSetup::Unknown,
            packages: None,
            environment: &environment,
        });
        for problem in settings.problems.iter().filter(|problem| judged(problem)) {
            let setting = scope.setting(problem.variable).filter(is_judged);
            if let Some(setting) = setting {
                hits.push(Hit::new(setting.file, setting.value_at, &*problem.text, advice));
            }
        }
    }
    hits
}

/// Returns the value of a variable as the SDK sees it. In a list of headers a letter stands for each variable that is not known
/// here; another value with such a variable is not judged.
fn known_value(setting: &Assignment<'_>) -> Option<Secret> {
    let resolved = setting.resolved();
    let references = find_references(&resolved);
    if !references.is_empty() && !telemetry::is_headers(setting.name) {
        return None;
    }
    let mut value = resolved.clone().into_owned();
    for reference in references.into_iter().rev() {
        value.replace_range(reference.range, "x");
    }
    Some(Secret::new(value))
}
