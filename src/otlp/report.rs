//! The verdict on a project: what `verify` reports on all its services.

use serde::Serialize;

use super::verdict::{FailureCode, ProvenRung, ServiceVerdict};

/// The verdict on a service's reports to an addon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AddonVerdict {
    /// The name on the command line: `xray`.
    pub addon: &'static str,
    /// The name for people: `AWS X-Ray`.
    pub title: String,
    /// How far a test report got; without a code if no more can be known.
    #[serde(flatten)]
    pub verdict: ServiceVerdict,
}

/// The means by which services were proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProofMode {
    /// A test trace, sent to the provider.
    Trace,
    /// A test trace, sent to our receiver; nothing left this machine.
    Local,
    /// The spans of one application.
    App,
    /// The spans of all applications of a project.
    Project,
}

/// The verdict on a project: the document of `verify --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProofReport {
    schema_version: u8,
    /// The means by which services were proven.
    pub mode: ProofMode,
    /// Whether every service reached the required rung and no addon failed.
    pub passed: bool,
    /// Whether every service's own trace was found at its provider, and nothing else was wrong with its traces.
    pub delivered: bool,
    /// The verdicts, one per service.
    pub services: Vec<ServiceVerdict>,
    /// The verdicts, one per service and addon.
    pub addons: Vec<AddonVerdict>,
}

impl ProofReport {
    /// Returns the report on a project's services; it does not pass without any service.
    pub fn new(mode: ProofMode, services: Vec<ServiceVerdict>) -> Self {
        let all =
            |holds: fn(&ServiceVerdict) -> bool| !services.is_empty() && services.iter().all(holds);
        Self {
            schema_version: 1,
            mode,
            passed: all(|verdict| verdict.code.is_none()),
            delivered: mode != ProofMode::Local
                && all(|verdict| verdict.proven == ProvenRung::Queryable && verdict.code.is_none()),
            services,
            addons: Vec::new(),
        }
    }

    /// Adds the verdicts on addons, which may be the only ones.
    #[must_use]
    pub fn with_addons(mut self, addons: Vec<AddonVerdict>) -> Self {
        let taken = addons.iter().all(|addon| addon.verdict.code.is_none());
        let alone = self.services.is_empty() && !addons.is_empty();
        self.passed = (self.passed || alone) && taken;
        self.addons = addons;
        self
    }

    /// Returns whether something could not be sent because its key is missing.
    pub fn lacks_key(&self) -> bool {
        let addons = self.addons.iter().map(|addon| &addon.verdict);
        let mut all = self.services.iter().chain(addons);
        all.any(|verdict| verdict.code == Some(FailureCode::KeyMissing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_only_accepted_or_kept_local_are_not_delivered() {
        let mut accepted = ServiceVerdict::new("backend", "backend");
        accepted.prove(ProvenRung::Accepted);
        accepted.require(ProvenRung::Accepted);
        let report = ProofReport::new(ProofMode::Trace, vec![accepted.clone()]);
        assert!(report.passed && !report.delivered);
        accepted.require(ProvenRung::Queryable);
        assert_eq!(accepted.code, Some(FailureCode::NotProven));
        assert!(!ProofReport::new(ProofMode::Trace, vec![accepted]).passed);
        assert!(!ProofReport::new(ProofMode::Trace, Vec::new()).passed);
        let mut found = ServiceVerdict::new("backend", "backend");
        found.prove(ProvenRung::Queryable);
        assert!(ProofReport::new(ProofMode::App, vec![found.clone()]).delivered);
        let only_ours = ServiceVerdict { code: Some(FailureCode::NotProven), ..found.clone() };
        assert!(!ProofReport::new(ProofMode::App, vec![only_ours]).delivered);
        let local = ProofReport::new(ProofMode::Local, vec![found]);
        assert!(local.passed && !local.delivered);
    }
}
