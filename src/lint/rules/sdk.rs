//! What the rules about an SDK share: each traced service with what its SDK makes of its variables.

use std::collections::BTreeMap;

use super::{telemetry, value_quoted};
use crate::compose::{File, Model, Service, find_references};
use crate::instrumentation::{
    ENDPOINT_VARIABLES, HEADERS_VARIABLES, Instrumentation, SdkInput, SdkProblem, SdkSettings,
    SdkSetup, known_variables,
};
use crate::lint::scope::{Assignment, Scope};
use crate::lint::{Hit, Inspection, Severity};
use crate::secret::Secret;

/// A traced service, its variables, and what its SDK makes of them.
pub(super) struct TracedService<'a> {
    pub(super) model: &'a Model,
    pub(super) service: &'a Service,
    pub(super) scope: Scope<'a>,
    /// What sends its spans, where that was looked at.
    pub(super) instrumentation: Option<&'a Instrumentation>,
    pub(super) settings: SdkSettings,
}

/// Returns each service that is told where its traces go.
pub(super) fn traced_services(inspection: &Inspection) -> impl Iterator<Item = TracedService<'_>> {
    let scopes = inspection.service_scopes();
    let traced = scopes.filter(|(_, _, scope)| telemetry::is_traced(&scope.assignments));
    traced.map(|(model, service, scope)| {
        let instrumentation = inspection.instrumentation.get(&service.name);
        let settings = match instrumentation {
            Some(read) => read.settings_with(&process_environment(model, service, &scope, read)),
            None => SdkSettings::read(&SdkInput {
                language: None,
                setup: &SdkSetup::Unknown,
                packages: None,
                environment: &judged_variables(&scope).into_iter().filter_map(whole).collect(),
            }),
        };
        TracedService { model, service, scope, instrumentation, settings }
    })
}

/// Returns a hit for each problem of a traced service that is `judged`, where its variable is set, with the severity of that.
pub(super) fn judge_settings(
    inspection: &Inspection,
    judged: impl Fn(&TracedService<'_>, &SdkProblem) -> Option<Severity>,
    advice: &str,
) -> Vec<Hit> {
    let mut hits = Vec::new();
    for traced in traced_services(inspection) {
        for problem in &traced.settings.problems {
            let Some(severity) = judged(&traced, problem) else { continue };
            let (file, at) = traced.place(problem.variable);
            hits.push(Hit::new(file, at, &*problem.text, advice).as_severe_as(severity));
        }
    }
    hits
}

impl<'a> TracedService<'a> {
    /// The file and the byte that a variable is set at; for one that is set elsewhere or nowhere, what makes the service a
    /// traced one.
    pub(super) fn place(&self, variable: &str) -> (&'a File, usize) {
        let named = self.scope.setting(variable).or_else(|| self.winner(ENDPOINT_VARIABLES));
        match named.or_else(|| self.winner(HEADERS_VARIABLES)) {
            Some(setting) => (setting.file, setting.value_at),
            None => (self.model.file(&self.service.name_span), self.service.name_span.range.start),
        }
    }

    /// The setting that wins among a traces variable and its general one.
    pub(super) fn winner(&self, names: [&str; 2]) -> Option<&Assignment<'a>> {
        names.into_iter().find_map(|name| self.scope.setting(name))
    }
}

/// The variables of a service's process, with a letter in a list of headers for each variable that is not known here.
fn process_environment(
    model: &Model,
    service: &Service,
    scope: &Scope<'_>,
    read: &Instrumentation,
) -> BTreeMap<String, Secret> {
    let mut environment = read.environment.clone();
    let own = known_variables(&service.intended(model.plain()));
    for (name, value) in judged_variables(scope) {
        // What a command sets wins over the service's own.
        if environment.get(&name) != own.get(&name) {
            continue;
        }
        match value {
            Some(value) => environment.insert(name, value),
            None => environment.remove(&name),
        };
    }
    environment
}

/// The variables of a service and their values as far as they are known; of two with one name the later counts. One in quotes
/// has a rule of its own, and counts as unknown.
fn judged_variables(scope: &Scope<'_>) -> BTreeMap<String, Option<Secret>> {
    let pairs = scope.assignments.iter().map(|one| {
        let value = if value_quoted::is_quoted(one.text()) { None } else { known_value(one) };
        (one.name.to_owned(), value)
    });
    pairs.collect()
}

fn whole((name, value): (String, Option<Secret>)) -> Option<(String, Secret)> {
    Some((name, value?))
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
