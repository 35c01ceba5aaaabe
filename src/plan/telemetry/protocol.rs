//! Chooses the protocol of a service for which the configured one has no exporter installed.

use super::PROTOCOL;
use crate::instrumentation::{Instrumentation, OtlpProtocol, SdkProblemKind};
use crate::plan::Note;
use crate::provider::Variable;
use crate::secret::Secret;

/// Adds to the planned variables a protocol with an installed exporter, if the configured one has none; notes if no
/// exporter is installed.
pub(super) fn add_protocol(
    instrumentation: Option<&Instrumentation>,
    service: &str,
    mut planned: Vec<Variable>,
) -> (Vec<Variable>, Vec<Note>) {
    // If the packages are unknown, no exporter counts as missing.
    let Some(instrumentation) =
        instrumentation.filter(|instrumentation| instrumentation.packages.is_some())
    else {
        return (planned, Vec::new());
    };
    let mut environment = instrumentation.environment.clone();
    environment.extend(
        planned
            .iter()
            .map(|variable| (variable.name.clone(), Secret::new(variable.value.as_str()))),
    );
    let missing = |environment: &_| {
        let problems = instrumentation.settings_with(environment).problems;
        problems.into_iter().find(|problem| problem.kind == SdkProblemKind::ExporterMissing)
    };
    let Some(problem) = missing(&environment) else { return (planned, Vec::new()) };
    for protocol in [OtlpProtocol::HttpProtobuf, OtlpProtocol::Grpc] {
        environment.insert(PROTOCOL.to_owned(), Secret::new(protocol.as_str()));
        if missing(&environment).is_none() {
            planned.retain(|variable| variable.name != PROTOCOL);
            planned
                .push(Variable { name: PROTOCOL.to_owned(), value: protocol.as_str().to_owned() });
            return (planned, Vec::new());
        }
    }
    (planned, vec![Note::warning(format!("{service}: {}", problem.text))])
}
