//! Which services are traced by default, and the evidence a plan prints for it.

mod activity;
mod judge;
mod manifest;
mod runtimes;
mod words;

use super::purpose::{ImagePurpose, without_version};
use super::service::Service;
use super::source::Sources;

use judge::judge_service;

/// What a service is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The user's own program, which serves requests or works in the background.
    Backend,
    /// Pages for a browser: what they hold is public.
    Frontend,
    /// Keeps things.
    Database,
    /// Passes messages on.
    Queue,
    /// Stands before others.
    Proxy,
    /// Receives or shows telemetry.
    TracingDaemon,
    /// Shows and changes what other services keep.
    Administration,
    /// Pages for a browser that the user's own server renders.
    Rendered,
    /// Somebody else's program, or a tool, a test or a task of the user's own that ends.
    Other,
}

impl Role {
    /// Whether browsers show what it sends.
    pub fn has_pages(self) -> bool {
        matches!(self, Self::Frontend | Self::Rendered)
    }
}

/// What was decided of a service, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classification {
    /// What it is for.
    pub role: Role,
    /// Whether it is traced unless the user says otherwise.
    pub traced: bool,
    /// One line for the plan: lowercase, without a full stop.
    pub evidence: String,
}

/// Decides from the image, the start command, the code that is mounted, copied or beside the Dockerfile and, where there
/// is none, the service's variables and name.
pub fn classify(service: &Service, sources: &dyn Sources) -> Classification {
    match (&service.build, &service.image) {
        (None, None) => Classification::new(Role::Other, "neither `build` nor `image`".to_owned()),
        _ => judge_service(service, sources),
    }
}

impl Classification {
    fn new(role: Role, evidence: String) -> Self {
        let traced = matches!(role, Role::Backend | Role::Rendered);
        Self { role, traced, evidence }
    }
}

impl From<ImagePurpose> for Role {
    fn from(purpose: ImagePurpose) -> Self {
        match purpose {
            ImagePurpose::Database => Self::Database,
            ImagePurpose::Queue => Self::Queue,
            ImagePurpose::Proxy => Self::Proxy,
            ImagePurpose::TracingDaemon => Self::TracingDaemon,
            ImagePurpose::Administration => Self::Administration,
            ImagePurpose::Tool => Self::Other,
        }
    }
}

/// Whether a service runs an OpenTelemetry Collector, as far as its image tells.
pub fn is_collector(service: &Service) -> bool {
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
