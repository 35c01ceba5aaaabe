//! Variables that keep a traced service's spans from being sent, even with a correct endpoint.

use crate::compose::{ServiceEnvironment, ServiceModel};
use crate::instrumentation::{Instrumentation, SdkProblemKind, SdkSettings, known_variables};
use crate::plan::Note;
use crate::provider::Variable;
use crate::secret::Secret;

/// Adds to the planned variables whatever enables a disabled SDK or selects the OTLP exporter; returns notes on what
/// still blocks traces.
pub(super) fn switch_on(
    instrumentation: Option<&Instrumentation>,
    settings: &ServiceEnvironment,
    mut planned: Vec<Variable>,
    service: &ServiceModel,
) -> (Vec<Variable>, Vec<Note>) {
    let mut notes = Vec::new();
    let known = instrumentation.map(|instrumentation| instrumentation.environment.clone());
    let mut environment = known.unwrap_or_else(|| known_variables(settings));
    let speaks = environment.keys().any(|name| name.starts_with("OTEL_"));
    if !speaks && instrumentation.is_none_or(|instrumentation| instrumentation.language.is_none()) {
        return (planned, notes);
    }
    let secret =
        |variable: &Variable| (variable.name.clone(), Secret::new(variable.value.as_str()));
    environment.extend(planned.iter().map(secret));
    let sdk = match instrumentation {
        Some(read) => read.settings_with(&environment),
        None => SdkSettings::of_unknown_sdk(&environment),
    };
    for problem in sdk.problems {
        let value = match problem.kind {
            SdkProblemKind::Disabled => "false",
            SdkProblemKind::NoExporter | SdkProblemKind::OtherExporter => "otlp",
            SdkProblemKind::NothingSampled
            | SdkProblemKind::NoTraceContext
            | SdkProblemKind::ResourceIgnored
            | SdkProblemKind::AgentNotLoaded
            | SdkProblemKind::ChildrenNotReached => {
                notes.push(Note::warning(format!("{}: {}", service.name, problem.text)));
                continue;
            }
            _ => continue,
        };
        planned.push(Variable { name: problem.variable.to_owned(), value: value.to_owned() });
    }
    (planned, notes)
}
