//! The verdict on a project: what `verify` says of all its services.

use serde::Serialize;

use super::verdict::{Code, Proven, ServiceVerdict};

/// The verdict on what a service reports to besides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AddonVerdict {
    /// As typed: `xray`.
    pub addon: &'static str,
    /// For people: `AWS X-Ray`.
    pub title: String,
    /// How far a test report got; without a code where no more can be known.
    #[serde(flatten)]
    pub verdict: ServiceVerdict,
}

/// What the services were proven with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProofMode {
    /// A test trace, sent to the provider.
    Trace,
    /// A test trace, sent to a receiver of our own: nothing left this machine.
    Local,
    /// The spans of one application.
    App,
    /// The spans of all applications of a project.
    Project,
}

/// The verdict on a project: the document of `verify --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    schema_version: u8,
    /// What the services were proven with.
    pub mode: ProofMode,
    /// Every service reached the required rung, and no addon failed.
    pub passed: bool,
    /// Every service's own trace was found at its provider.
    pub delivered: bool,
    /// One per service.
    pub services: Vec<ServiceVerdict>,
    /// One per service and addon it reports to.
    pub addons: Vec<AddonVerdict>,
}

impl Report {
    /// The verdicts of a project's services; no service at all is no pass.
    pub fn new(mode: ProofMode, services: Vec<ServiceVerdict>) -> Self {
        let all =
            |holds: fn(&ServiceVerdict) -> bool| !services.is_empty() && services.iter().all(holds);
        Self {
            schema_version: 1,
            mode,
            passed: all(|verdict| verdict.code.is_none()),
            delivered: mode != ProofMode::Local
                && all(|verdict| verdict.proven == Proven::Queryable),
            services,
            addons: Vec::new(),
        }
    }

    /// Adds the verdicts on addons, which may stand alone.
    #[must_use]
    pub fn beside(mut self, addons: Vec<AddonVerdict>) -> Self {
        let taken = addons.iter().all(|addon| addon.verdict.code.is_none());
        let alone = self.services.is_empty() && !addons.is_empty();
        self.passed = (self.passed || alone) && taken;
        self.addons = addons;
        self
    }

    /// Something could not be sent for want of its key.
    pub fn lacks_key(&self) -> bool {
        let addons = self.addons.iter().map(|addon| &addon.verdict);
        let mut all = self.services.iter().chain(addons);
        all.any(|verdict| verdict.code == Some(Code::KeyMissing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_delivered_that_was_only_accepted_or_stayed_here() {
        let mut accepted = ServiceVerdict::new("backend", "backend");
        accepted.prove(Proven::Accepted);
        accepted.require(Proven::Accepted);
        let report = Report::new(ProofMode::Trace, vec![accepted.clone()]);
        assert!(report.passed && !report.delivered);
        accepted.require(Proven::Queryable);
        assert_eq!(accepted.code, Some(Code::NotProven));
        assert!(!Report::new(ProofMode::Trace, vec![accepted]).passed);
        assert!(!Report::new(ProofMode::Trace, Vec::new()).passed);
        let mut found = ServiceVerdict::new("backend", "backend");
        found.prove(Proven::Queryable);
        assert!(Report::new(ProofMode::App, vec![found.clone()]).delivered);
        let local = Report::new(ProofMode::Local, vec![found]);
        assert!(local.passed && !local.delivered);
    }
}
