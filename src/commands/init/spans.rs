//! `init`: determines what sends the spans of each service.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::InitAnswers;
use super::agents::{InstrumentationMethod, may_add_code};
use crate::cli::InitArgs;
use crate::error::Result;
use crate::instrumentation::{Instrumentation, SdkSetup, SpanSource};
use crate::plan::telemetry::SelectedService;
use crate::session::context::ProjectContext;
use crate::session::instrumentation::read_instrumentation;

/// The exporter package added to Flask services.
const ADDED_EXPORTER: &str = "opentelemetry-exporter-otlp-proto-http";

/// Reads the instrumentation of the selected services, by their names in the compose file.
///
/// # Errors
/// When the compose project cannot be read.
pub(super) fn read(
    args: &InitArgs,
    context: &ProjectContext,
    selected: &[SelectedService],
) -> Result<BTreeMap<String, Instrumentation>> {
    let model = context.project.model()?;
    let services = selected.iter().filter_map(|selected| model.service(&selected.service));
    let read = services.map(|service| {
        let mut read = read_instrumentation(&context.project, service, model.plain());
        if let Some(packages) = &mut read.packages
            && may_add_code(args, &service.name)
            && read.setup == SdkSetup::Variables
            && packages.contains("flask")
        {
            packages.insert(ADDED_EXPORTER.to_owned());
        }
        (service.name.clone(), read)
    });
    Ok(read.collect())
}

/// Returns, as JSON, each selected service's language, instrumentation, and how it comes to send spans.
pub(super) fn document(answers: &InitAnswers) -> Value {
    let services = answers.instrumentation.iter().map(|(name, instrumentation)| {
        let how = answers.agents.how.get(name).copied().unwrap_or(InstrumentationMethod::Nothing);
        let spans = match (how, &instrumentation.source) {
            (InstrumentationMethod::Code, SpanSource::Nothing) => "planned",
            (_, source) => source.as_str(),
        };
        let language = instrumentation.language.map(|language| language.as_str());
        let document = json!({
            "language": language,
            "spans": spans,
            "instrumented": how.as_str(),
        });
        (name.clone(), document)
    });
    Value::Object(services.collect())
}
