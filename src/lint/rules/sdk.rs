//! Traced services and their SDK settings, shared by the rules about SDKs.

use std::collections::BTreeMap;

use super::{telemetry, value_quoted};
use crate::compose::{
    ComposeModel, FileSyntax, ProjectTextFile, ServiceModel, ServiceRole, find_references,
};
use crate::instrumentation::{
    ENDPOINT_VARIABLES, HEADERS_VARIABLES, Instrumentation, PROTOCOL_VARIABLES, SdkProblem,
    SdkSettings, SdkSetup, SpanSource, known_variables,
};
use crate::lint::scope::{ProgramVariables, VariableAssignment};
use crate::lint::{Inspection, RuleHit, Severity};
use crate::secret::Secret;

/// A traced service, its variables, and how its SDK reads them.
pub(super) struct TracedService<'a> {
    pub(super) model: &'a ComposeModel,
    pub(super) service: &'a ServiceModel,
    pub(super) scope: ProgramVariables<'a>,
    /// Its instrumentation, if that was examined.
    pub(super) instrumentation: Option<&'a Instrumentation>,
    pub(super) settings: SdkSettings,
}

/// Iterates over the services with an endpoint for traces.
pub(super) fn traced_services(inspection: &Inspection) -> impl Iterator<Item = TracedService<'_>> {
    services_where(inspection, |service, scope| {
        telemetry::is_traced(&scope.assignments)
            && !shares_file_of_variables(inspection, service, scope)
    })
}

/// Iterates over the services that start an SDK without an endpoint for traces.
pub(super) fn untraced_services(
    inspection: &Inspection,
) -> impl Iterator<Item = TracedService<'_>> {
    services_where(inspection, |service, scope| {
        let read = inspection.instrumentation.get(&service.name);
        let starts = read.is_some_and(|instrumentation| {
            matches!(instrumentation.source, SpanSource::Agent | SpanSource::Code)
        });
        starts && !telemetry::is_traced(&scope.assignments)
    })
}

/// Returns whether a frontend has an endpoint only from an `env_file`, which was written for the services that send
/// spans.
fn shares_file_of_variables(
    inspection: &Inspection,
    service: &ServiceModel,
    scope: &ProgramVariables<'_>,
) -> bool {
    let assignments = scope
        .assignments
        .iter()
        .filter(|assignment| assignment.file.syntax != FileSyntax::Variables);
    inspection.role(service) == Some(ServiceRole::Frontend)
        && !telemetry::is_traced(&assignments.cloned().collect::<Vec<_>>())
}

fn services_where<'i>(
    inspection: &'i Inspection,
    is_wanted: impl Fn(&ServiceModel, &ProgramVariables<'_>) -> bool,
) -> impl Iterator<Item = TracedService<'i>> {
    let scopes = inspection.service_scopes();
    let wanted = scopes.filter(move |(_, service, scope)| is_wanted(service, scope));
    wanted.map(|(model, service, scope)| {
        let instrumentation = inspection.instrumentation.get(&service.name);
        let settings = match instrumentation {
            Some(read) => read.settings_with(&process_environment(model, service, &scope, read)),
            None => SdkSettings::of_unknown_sdk(
                &judged_variables(&scope).into_iter().filter_map(keep_known_value).collect(),
            ),
        };
        TracedService { model, service, scope, instrumentation, settings }
    })
}

/// Returns a hit for each problem for which `judged` returns a severity, at the position of its variable.
pub(super) fn judge_settings(
    inspection: &Inspection,
    judged: impl Fn(&TracedService<'_>, &SdkProblem) -> Option<Severity>,
    advice: &str,
) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for traced in traced_services(inspection) {
        for problem in &traced.settings.problems {
            let Some(severity) = judged(&traced, problem) else { continue };
            let (file, at) = traced.place(problem.variable);
            hits.push(RuleHit::new(file, at, &*problem.text, advice).as_severe_as(severity));
        }
    }
    hits
}

impl<'a> TracedService<'a> {
    /// Returns the file and byte at which a variable is set, or else those of the setting that enables tracing, or of
    /// the service's name.
    pub(super) fn place(&self, variable: &str) -> (&'a ProjectTextFile, usize) {
        let named = self.scope.setting(variable).or_else(|| self.winner(ENDPOINT_VARIABLES));
        match named.or_else(|| self.winner(HEADERS_VARIABLES)) {
            Some(setting) => (setting.file, setting.value_at),
            None => (self.model.file(&self.service.name_span), self.service.name_span.range.start),
        }
    }

    /// Returns whether the protocol of its SDK is known.
    pub(super) fn knows_protocol(&self) -> bool {
        let is_named = |name: &str| {
            let is_set =
                self.instrumentation.is_some_and(|read| read.environment.contains_key(name));
            is_set || self.scope.setting(name).is_some()
        };
        self.instrumentation.is_some_and(|read| read.setup != SdkSetup::Unknown)
            || PROTOCOL_VARIABLES.into_iter().any(is_named)
    }

    /// Returns the effective setting of a traces variable and its general counterpart.
    pub(super) fn winner(&self, names: [&str; 2]) -> Option<&VariableAssignment<'a>> {
        names.into_iter().find_map(|name| self.scope.setting(name))
    }
}

/// Returns the variables of a service's process, with a placeholder letter for unknown variables in a list of headers.
fn process_environment(
    model: &ComposeModel,
    service: &ServiceModel,
    scope: &ProgramVariables<'_>,
    read: &Instrumentation,
) -> BTreeMap<String, Secret> {
    let mut environment = read.environment.clone();
    let intended = known_variables(&service.intended(model.plain()));
    for (name, value) in judged_variables(scope) {
        // A variable set by the command overrides the service's own.
        if environment.get(&name) != intended.get(&name) {
            continue;
        }
        match value {
            Some(value) => environment.insert(name, value),
            None => environment.remove(&name),
        };
    }
    environment
}

/// Returns the variables of a service with their known values; if a name repeats, the later one counts. Quotes around a
/// value are left out, because another rule reports them.
fn judged_variables(scope: &ProgramVariables<'_>) -> BTreeMap<String, Option<Secret>> {
    let pairs = scope
        .assignments
        .iter()
        .map(|assignment| (assignment.name.to_owned(), known_value(assignment)));
    pairs.collect()
}

fn keep_known_value((name, value): (String, Option<Secret>)) -> Option<(String, Secret)> {
    Some((name, value?))
}

/// Returns the value of a variable as the SDK sees it. In a list of headers, a letter replaces each unknown variable;
/// any other value with an unknown variable is not checked.
fn known_value(setting: &VariableAssignment<'_>) -> Option<Secret> {
    if setting.is_absent() {
        return None;
    }
    let resolved = match setting.resolved() {
        quoted if value_quoted::is_quoted(&quoted) => quoted[1..quoted.len() - 1].to_owned().into(),
        plain => plain,
    };
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
