//! The last verdict of `verify` on a project, stored in the user's state folder for `status`.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::apply::Journal;
use crate::error::{Error, ErrorCode, Result};
use crate::otlp::{ProofReport, ProvenRung, ServiceVerdict};
use crate::secret::Redactor;
use crate::session::context::ProjectContext;
use crate::session::current_destination::{CurrentDestination, find_current_destinations};

/// The last verdict of `verify`, or of `init` at its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastVerdict {
    /// The time, in seconds since 1970.
    at: u64,
    /// Whether every service reached the required rung.
    pub(crate) passed: bool,
    /// The results, one per service.
    pub(crate) services: Vec<ServiceProgress>,
}

/// The result for one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServiceProgress {
    /// The name in the compose file.
    pub(crate) service: String,
    /// The highest proven rung.
    pub(crate) proven: ProvenRung,
    /// The failure code, as in `verify --json`.
    pub(crate) code: Option<String>,
    /// The destination that was tried, by its name or address; `None` if the service had none.
    #[serde(default)]
    pub(crate) destination: Option<String>,
    /// The address of the application, if it was asked and did not answer.
    #[serde(default)]
    pub(crate) silent_application: Option<String>,
}

impl LastVerdict {
    /// Returns the age of the verdict.
    pub(crate) fn age(&self) -> Duration {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        now.saturating_sub(Duration::from_secs(self.at))
    }
}

const FILE: &str = "verdict.json";

/// Stores a verdict, replacing the previous one.
///
/// # Errors
/// `journal-unwritable`; those of reading the compose project.
pub(crate) fn keep_verdict(
    context: &ProjectContext,
    report: &ProofReport,
    redactor: &Redactor,
) -> Result<()> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let destinations = find_current_destinations(context, context.project.model()?);
    let destinations = name_destinations(&destinations, redactor);
    let services = report.services.iter().map(|verdict| ServiceProgress {
        service: redactor.redact(&verdict.service).into_owned(),
        proven: verdict.proven,
        code: verdict.code.map(|code| code.as_str().to_owned()),
        destination: destinations.get(verdict.service.as_str()).cloned(),
        silent_application: find_silent_application(verdict)
            .map(|url| redactor.redact(url).into_owned()),
    });
    let verdict =
        LastVerdict { at: now.as_secs(), passed: report.passed, services: services.collect() };
    let text = serde_json::to_string(&verdict)
        .map_err(|error| Error::new(ErrorCode::Internal, "the verdict is no JSON").cause(error))?;
    context.journal(redactor)?.write_note(FILE, &text)
}

/// Returns the address of an application that got a request and did not answer.
fn find_silent_application(verdict: &ServiceVerdict) -> Option<&str> {
    let sighting = verdict.application.as_ref()?;
    sighting.url.as_deref().filter(|_| sighting.status.is_none())
}

/// Returns the name or address of each service's destination, without secrets.
pub(crate) fn name_destinations<'a>(
    destinations: &[(&'a str, CurrentDestination)],
    redactor: &Redactor,
) -> HashMap<&'a str, String> {
    destinations
        .iter()
        .map(|(name, to)| (*name, redactor.redact(to.shown()).into_owned()))
        .collect()
}

/// Returns the stored verdict; `None` if it is missing or cannot be read.
pub(crate) fn load_verdict(journal: &Journal) -> Option<LastVerdict> {
    serde_json::from_str(&journal.read_note(FILE)?).ok()
}
