//! The parameters of a proof.

use std::time::Duration;

use url::Url;

use crate::otlp::ProvenRung;
use crate::session::containers::RestartPermission;

/// The default time for each service.
const BUDGET: Duration = Duration::from_secs(10);

/// The services to prove, how, and the required rung.
#[derive(Debug, Clone)]
pub(crate) struct ProofRequest {
    /// Compose services; empty means every service with an OTLP endpoint.
    pub(crate) services: Vec<String>,
    /// The applications that get real requests, instead of test traces.
    pub(crate) application: Option<AppRequest>,
    /// Whether containers with an outdated configuration may be restarted.
    pub(crate) restart: RestartPermission,
    /// The rung that every service must reach.
    pub(crate) required: ProvenRung,
    /// The time for each service: lookup, sending and retries.
    pub(crate) timeout: Duration,
    /// Whether X-Ray and Rollbar are tested.
    pub(crate) addons: AddonScope,
    /// Hosts that may get the project's keys without a question.
    pub(crate) trusted_hosts: Vec<String>,
    /// The stage of the project.
    pub(crate) stage: ProjectStage,
}

impl ProofRequest {
    /// Returns a request for these services at this stage, with defaults otherwise.
    pub(crate) fn new(services: Vec<String>, stage: ProjectStage) -> Self {
        Self {
            services,
            application: None,
            restart: RestartPermission::Ask,
            required: ProvenRung::Accepted,
            timeout: BUDGET,
            addons: AddonScope::Included,
            trusted_hosts: Vec::new(),
            stage,
        }
    }
}

/// The applications that get requests.
#[derive(Debug, Clone)]
pub(crate) struct AppRequest {
    /// The URL of one application; without it, every traced service gets requests at the address in its files.
    pub(crate) url: Option<Url>,
    /// The treatment of services that no request can reach.
    pub(crate) unasked: UnaskedServices,
    /// Whether they send through our relay.
    pub(crate) tap: TapUse,
    /// Compose services whose own containers may be replaced for that.
    pub(crate) recreated: Vec<String>,
}

/// Whether applications send through our relay, which sees their endpoint's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TapUse {
    /// All of them do.
    Wanted,
    /// Those that no witness sees do, after a yes.
    Offered,
}

/// The treatment of services that no request can reach and of which no span was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnaskedServices {
    /// They are listed, without failing the proof.
    Tolerated,
    /// They fail the proof.
    Failed,
}

/// The stage of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProjectStage {
    /// Its files are written; it may not be running yet.
    Written,
    /// It is running: a service that does not reply is a failure.
    Running,
}

/// Whether addons are tested along with traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddonScope {
    /// Every addon that a service's variables configure.
    Included,
    /// No addon.
    LeftOut,
}
