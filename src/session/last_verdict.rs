//! The last verdict of `verify` on a project, kept in the user's state folder so that `status` can show it.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::apply::Journal;
use crate::error::{Error, ErrorCode, Result};
use crate::otlp::{Proven, Report};
use crate::secret::Redactor;

/// What `verify` said last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastVerdict {
    /// When that was, in seconds since 1970.
    at: u64,
    /// Every service reached what was required.
    pub(crate) passed: bool,
    /// One per service.
    pub(crate) services: Vec<ServiceStanding>,
}

/// How far one service was proven to get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServiceStanding {
    /// In the compose file.
    pub(crate) service: String,
    /// The highest rung.
    pub(crate) proven: Proven,
    /// Why no further, as `verify --json` has it.
    pub(crate) code: Option<String>,
}

impl LastVerdict {
    /// How long ago that was.
    pub(crate) fn age(&self) -> Duration {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        now.saturating_sub(Duration::from_secs(self.at))
    }
}

const FILE: &str = "verdict.json";

/// Keeps a verdict in place of the one before.
///
/// # Errors
/// `journal-unwritable`.
pub(crate) fn keep_verdict(journal: &Journal, report: &Report, redactor: &Redactor) -> Result<()> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let services = report.services.iter().map(|verdict| ServiceStanding {
        service: redactor.redact(&verdict.service).into_owned(),
        proven: verdict.proven,
        code: verdict.code.map(|code| code.as_str().to_owned()),
    });
    let verdict =
        LastVerdict { at: now.as_secs(), passed: report.passed, services: services.collect() };
    let text = serde_json::to_string(&verdict)
        .map_err(|error| Error::new(ErrorCode::Internal, "the verdict is no JSON").cause(error))?;
    journal.keep_beside(FILE, &text)
}

/// The verdict that was kept; `None` where there is none that can be read.
pub(crate) fn load_verdict(journal: &Journal) -> Option<LastVerdict> {
    serde_json::from_str(&journal.read_beside(FILE)?).ok()
}
