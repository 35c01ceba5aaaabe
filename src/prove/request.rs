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
    /// The applications that are asked for their own spans, in place of test traces.
    pub(crate) application: Option<AppRequest>,
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

/// Which applications are asked.
#[derive(Debug, Clone)]
pub(crate) struct AppRequest {
    /// The address of one; without it every traced service is asked at the address that its files name.
    pub(crate) url: Option<Url>,
    /// What becomes of services that nothing could ask.
    pub(crate) unasked: UnaskedServices,
    /// Whether they send through a relay of ours.
    pub(crate) tap: TapUse,
}

/// Whether applications send through a relay of ours, which sees what their endpoint answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TapUse {
    /// All do.
    Wanted,
    /// None does.
    Unwanted,
}

/// What services count for that nothing could ask and of which nothing was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnaskedServices {
    /// They are named, and fail nothing.
    Tolerated,
    /// They fail.
    Failed,
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
