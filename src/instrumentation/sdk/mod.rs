//! Determines how an SDK reads the variables of its process: whether it starts, what it sends where, and under which
//! service name.
//!
//! Each SDK has a separate reader, because they differ: Python's rejects an unknown protocol that Node's replaces,
//! Node's cuts a header at `;` while Python's drops it. The readers follow the source of OpenTelemetry Python 1.45, of
//! OpenTelemetry JavaScript 2.9 and, for every other language, the OpenTelemetry specification.

mod header;
mod launch;
mod limits;
mod node;
mod node_otlp;
mod number;
mod otlp;
mod problem;
mod python;
mod python_otlp;
mod reading;
mod sampler;
mod specified;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::Language;
use crate::secret::Secret;

pub use crate::compose::ENDPOINT_VARIABLES;
pub use header::{ExportHeader, is_in_braces, unresolved_name};
pub use launch::{image_defaults, known_variables, launch_variables};
pub use otlp::{ClientFiles, EndpointSource, OtlpCompression, OtlpExporter, OtlpProtocol};
pub use problem::{ProblemEffect, SdkProblem, SdkProblemKind};
pub use reading::{HEADERS_VARIABLES, PROTOCOL_VARIABLES};
pub use sampler::TraceSampler;

use reading::SdkReading;

/// The default name that an SDK gives to a service.
pub const UNNAMED_SERVICE: &str = "unknown_service";

/// The attribute that names a service.
const SERVICE_NAME: &str = "service.name";

/// The inputs that determine how an SDK is configured.
#[derive(Debug, Clone)]
pub struct SdkInput<'a> {
    /// The language of the program; without one, the SDK is assumed to follow the specification.
    pub language: Option<Language>,
    /// How the SDK is set up.
    pub setup: &'a SdkSetup,
    /// The names of the installed packages, if known.
    pub packages: Option<&'a BTreeSet<String>>,
    /// The variables of the process.
    pub environment: &'a BTreeMap<String, Secret>,
}

/// How an SDK is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SdkSetup {
    /// Unknown: an OTLP exporter over HTTP is assumed, and packages are not checked.
    Unknown,
    /// By variables only: `opentelemetry-instrument`, `--require …/register`, an agent.
    Variables,
    /// By code that creates the exporter. Its class determines the protocol, and no variable selects an exporter.
    Code {
        /// The protocol of the exporter's class.
        protocol: OtlpProtocol,
        /// The endpoint that the code passes.
        endpoint: Option<String>,
    },
}

/// The configuration of an SDK, as read from the variables of its process.
#[derive(Debug, Clone)]
pub struct SdkSettings {
    /// Whether the SDK is disabled.
    pub disabled: bool,
    /// `service.name` of its spans; `None` if the SDK generates one.
    pub service_name: Option<String>,
    /// The resource attributes that come from variables.
    pub resource: BTreeMap<String, String>,
    /// The exporters that receive its spans.
    pub exporters: Vec<SpanExporter>,
    /// The spans that are recorded.
    pub sampler: TraceSampler,
    /// The trace context formats of requests.
    pub propagators: Vec<String>,
    /// Values that the SDK does not read as intended.
    pub problems: Vec<SdkProblem>,
}

/// An exporter that receives spans.
#[derive(Debug, Clone)]
pub enum SpanExporter {
    /// OTLP.
    Otlp(Box<OtlpExporter>),
    /// The standard output of the process.
    Console,
    /// Another exporter, by its name in `OTEL_TRACES_EXPORTER`.
    Other(String),
}

/// Parses a list of headers according to the specification.
pub fn read_headers(list: &str) -> Vec<ExportHeader> {
    let environment = BTreeMap::from([(HEADERS_VARIABLES[1].to_owned(), Secret::new(list))]);
    SdkSettings::of_unknown_sdk(&environment)
        .otlp()
        .map(|otlp| otlp.headers.clone())
        .unwrap_or_default()
}

/// The way in which one SDK reads its variables.
trait SdkDialect {
    /// Returns true if the SDK is disabled.
    fn is_disabled(&self, reading: &mut SdkReading<'_>) -> bool;
    /// Returns the exporters it creates.
    fn exporters(&self, reading: &mut SdkReading<'_>) -> Vec<SpanExporter>;
    /// Returns the resource attributes it takes from variables.
    fn resource(&self, reading: &mut SdkReading<'_>) -> BTreeMap<String, String>;
    /// Returns its sampler.
    fn sampler(&self, reading: &mut SdkReading<'_>) -> TraceSampler;
    /// Returns the names of its propagators.
    fn propagators(&self, reading: &mut SdkReading<'_>) -> Vec<String>;
    /// Reports limits that lose data.
    fn limits(&self, reading: &mut SdkReading<'_>);
}

impl SdkSettings {
    /// Reads the variables as the specification defines, for a service whose SDK is unknown.
    pub fn of_unknown_sdk(environment: &BTreeMap<String, Secret>) -> Self {
        let setup = &SdkSetup::Unknown;
        Self::read(&SdkInput { language: None, setup, packages: None, environment })
    }

    /// Reads the variables as the SDK of that language does.
    pub fn read(input: &SdkInput<'_>) -> Self {
        let dialect: &dyn SdkDialect = match input.language {
            Some(Language::Python) => &python::PythonSdk,
            Some(Language::Node) => &node::NodeSdk,
            _ => &specified::SpecifiedSdk,
        };
        let mut reading = SdkReading::new(input);
        let disabled = dialect.is_disabled(&mut reading);
        let exporters = dialect.exporters(&mut reading);
        let resource = dialect.resource(&mut reading);
        let sampler = dialect.sampler(&mut reading);
        let propagators = dialect.propagators(&mut reading);
        dialect.limits(&mut reading);
        let service_name = resource.get(SERVICE_NAME).filter(|name| !name.is_empty()).cloned();
        let sources = exporters.iter().filter_map(|exporter| match exporter {
            SpanExporter::Otlp(otlp) => Some(otlp.source),
            _ => None,
        });
        sources.for_each(|source| reading.check_endpoint(source));
        reading.check_name(&resource, service_name.as_deref());
        reading.check_sampler(&sampler);
        reading.check_propagators(&propagators);
        let problems = reading.problems;
        Self { disabled, service_name, resource, exporters, sampler, propagators, problems }
    }

    /// Returns false if the SDK fails to start, and the process runs without it.
    pub fn starts(&self) -> bool {
        self.worst_effect() < Some(ProblemEffect::NothingStarts)
    }

    /// Returns the OTLP exporter, if spans go to one.
    pub fn otlp(&self) -> Option<&OtlpExporter> {
        self.exporters.iter().find_map(|exporter| match exporter {
            SpanExporter::Otlp(otlp) => Some(otlp.as_ref()),
            _ => None,
        })
    }

    /// Returns the first problem that prevents every span from being sent.
    pub fn blocker(&self) -> Option<&SdkProblem> {
        let worst = self.worst_effect().filter(|worst| *worst >= ProblemEffect::NothingSent)?;
        self.problems.iter().find(|problem| problem.effect == worst)
    }

    fn worst_effect(&self) -> Option<ProblemEffect> {
        self.problems.iter().map(|problem| problem.effect).max()
    }
}
