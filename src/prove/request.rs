//! What is asked of the ladder, whoever asks.

use std::time::Duration;

use url::Url;

use crate::otlp::Proven;
use crate::session::containers::Leave;

/// How long each service has, unless the caller says otherwise.
const BUDGET: Duration = Duration::from_secs(10);

/// Which services are proven, how, and how far they have to get.
#[derive(Debug, Clone)]
pub(crate) struct ProofRequest {
    /// Compose services; empty stands for every service that has an OTLP endpoint.
    pub(crate) services: Vec<String>,
    /// The application that is asked for its own spans, in place of a test trace.
    pub(crate) application: Option<Url>,
    /// What may be done about containers with an older configuration.
    pub(crate) restart: Leave,
    /// The rung that every service has to reach.
    pub(crate) required: Proven,
    /// The time for each service: lookup, sending and retries.
    pub(crate) timeout: Duration,
    /// Whether X-Ray and Rollbar are reported to.
    pub(crate) addons: AddonScope,
    /// Hosts that get the project's keys without a question.
    pub(crate) trusted_hosts: Vec<String>,
    /// How far the project is.
    pub(crate) stage: Stage,
}

impl ProofRequest {
    /// These services at this stage, and the default for everything else.
    pub(crate) fn new(services: Vec<String>, stage: Stage) -> Self {
        Self {
            services,
            application: None,
            restart: Leave::Ask,
            required: Proven::Accepted,
            timeout: BUDGET,
            addons: AddonScope::Included,
            trusted_hosts: Vec::new(),
            stage,
        }
    }
}

/// How far the project is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its files are written; nothing may have been started yet.
    Written,
    /// What does not answer is a failure.
    Running,
}

/// Whether addons are proven beside the traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddonScope {
    /// Each that a service's variables configure.
    Included,
    /// None.
    LeftOut,
}
