//! Decides which services are traced by default, and the evidence that a plan prints for it.

mod activity;
mod judge;
mod manifest;
mod runtimes;
mod words;

use super::purpose::{ImagePurpose, without_version};
use super::service::ServiceModel;
use super::source::ProjectSources;

use judge::judge_service;

/// The variables for the endpoint of traces, in order of precedence.
pub const ENDPOINT_VARIABLES: [&str; 2] =
    ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// The purpose of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceRole {
    /// The user's own program, which serves requests or works in the background.
    Backend,
    /// Pages for a browser: everything in them is public.
    Frontend,
    /// Stores data.
    Database,
    /// Delivers messages.
    Queue,
    /// Forwards requests to other services.
    Proxy,
    /// Receives or shows telemetry.
    TracingDaemon,
    /// Shows and changes the data of other services.
    Administration,
    /// Pages for a browser that the user's own server renders.
    Rendered,
    /// A compiler that watches files, a test, or a task of the user's own that ends.
    Task,
    /// A third-party program, or one of the user's own that only a profile starts.
    Other,
}

impl ServiceRole {
    /// Returns whether browsers display what it sends.
    pub fn has_pages(self) -> bool {
        matches!(self, Self::Frontend | Self::Rendered)
    }
}

/// The role of a service, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classification {
    /// Its purpose.
    pub role: ServiceRole,
    /// Whether it is traced unless the user chooses otherwise.
    pub traced: bool,
    /// One line for the plan: lowercase, without a full stop.
    pub evidence: String,
}

/// Classifies a service by its image, its start command and the code that is mounted, copied or next to the Dockerfile;
/// without any of these, by its variables and name.
pub fn classify_service(service: &ServiceModel, sources: &dyn ProjectSources) -> Classification {
    match (&service.build, &service.image) {
        (None, None) => {
            Classification::new(ServiceRole::Other, "neither `build` nor `image`".to_owned())
        }
        _ => judge_service(service, sources),
    }
}

impl Classification {
    fn new(role: ServiceRole, evidence: String) -> Self {
        let traced = matches!(role, ServiceRole::Backend | ServiceRole::Rendered);
        Self { role, traced, evidence }
    }
}

impl From<ImagePurpose> for ServiceRole {
    fn from(purpose: ImagePurpose) -> Self {
        match purpose {
            ImagePurpose::Database => Self::Database,
            // As private as the queue itself, whose messages it describes.
            ImagePurpose::Queue | ImagePurpose::SchemaRegistry => Self::Queue,
            ImagePurpose::Proxy => Self::Proxy,
            ImagePurpose::TracingDaemon => Self::TracingDaemon,
            ImagePurpose::Administration => Self::Administration,
            ImagePurpose::WorkflowEngine | ImagePurpose::Infrastructure | ImagePurpose::Tool => {
                Self::Other
            }
        }
    }
}

/// Returns whether the image of a service is an OpenTelemetry Collector.
pub fn is_collector(service: &ServiceModel) -> bool {
    let image = service.image.as_deref().map(without_version);
    let program = image.and_then(|image| image.rsplit('/').next());
    program.is_some_and(|program| {
        program.contains("opentelemetry-collector")
            || program.contains("otel-collector")
            || program.starts_with("otelcol")
    })
}

#[cfg(test)]
mod tests;
