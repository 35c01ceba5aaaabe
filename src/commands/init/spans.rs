//! `init`: what sends the spans of each service, and what is said where nothing does.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Answers;
use crate::error::Result;
use crate::instrumentation::{Instrumentation, SdkSetup, SpanSource};
use crate::plan::Note;
use crate::plan::telemetry::Selected;
use crate::session::context::ProjectContext;
use crate::session::instrumentation::read_instrumentation;

/// The exporter that is added to the packages of a Flask service.
const ADDED_EXPORTER: &str = "opentelemetry-exporter-otlp-proto-http";

/// Reads what sends the spans of the selected services, by their names in the compose file.
///
/// # Errors
/// Where the compose project cannot be read.
pub(super) fn read(
    place: &ProjectContext,
    selected: &[Selected],
    adds_packages: bool,
) -> Result<BTreeMap<String, Instrumentation>> {
    let model = place.project.model()?;
    let services = selected.iter().filter_map(|one| model.service(&one.service));
    let read = services.map(|service| {
        let mut read = read_instrumentation(&place.project, service, model.plain());
        if let Some(packages) = &mut read.packages
            && adds_packages
            && read.setup == SdkSetup::Variables
            && packages.contains("flask")
        {
            packages.insert(ADDED_EXPORTER.to_owned());
        }
        (service.name.clone(), read)
    });
    Ok(read.collect())
}

/// Says what sends the spans of services whose code the plan does not change: nothing, another vendor's tracer, or what their
/// files do not show.
pub(super) fn notes(answers: &Answers, planned: &BTreeSet<String>) -> Vec<Note> {
    let others = answers.instrumentation.iter().filter(|(name, _)| !planned.contains(*name));
    let warned = others.filter_map(|(name, one)| match &one.source {
        SpanSource::Nothing => Some(
            Note::warning(format!(
                "{name}: wired, but nothing in it sends spans: it has neither an OpenTelemetry SDK nor an agent"
            ))
            .hint("add an SDK to its code, or start it with an agent of OpenTelemetry"),
        ),
        SpanSource::Vendor(vendor) => Some(Note::warning(format!(
            "{name}: its tracer is {vendor}'s, which reads none of these variables"
        ))),
        SpanSource::Unknown | SpanSource::Code | SpanSource::Agent => None,
    });
    warned.collect()
}

/// Names the services whose files do not show what sends their spans.
pub(super) fn unknown(answers: &Answers, planned: &BTreeSet<String>) -> Option<Note> {
    let unknown = answers.selected.iter().map(|one| one.service.as_str()).filter(|name| {
        let read = answers.instrumentation.get(*name);
        let is_unknown = read.is_none_or(|one| one.source == SpanSource::Unknown);
        is_unknown && !planned.contains(*name)
    });
    let unknown: Vec<&str> = unknown.collect();
    (!unknown.is_empty()).then(|| {
        Note::fact(format!(
            "{}: no Flask code was found, so an OpenTelemetry SDK of its own must send its spans",
            unknown.join(", ")
        ))
    })
}

/// The same as data: the language of each service, and what sends its spans.
pub(super) fn document(answers: &Answers, planned: &BTreeSet<String>) -> Value {
    let services = answers.instrumentation.iter().map(|(name, one)| {
        let is_planned = planned.contains(name) && one.source == SpanSource::Nothing;
        let spans = if is_planned { "planned" } else { one.source.as_str() };
        let language = one.language.map(|language| language.as_str());
        (name.clone(), json!({ "language": language, "spans": spans }))
    });
    Value::Object(services.collect())
}
