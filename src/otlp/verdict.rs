//! The verdict on a service: how far its traces were proven to get, and why no further.

use serde::{Deserialize, Serialize};

use crate::error::stable_codes;

/// The rungs of the ladder, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// The effective environment has a destination.
    Configured,
    /// Name lookup, connection, TLS.
    Reachable,
    /// The receiver accepted the spans.
    Accepted,
    /// The team, environment and permissions of the key.
    Whose,
    /// The dataset was written to since the request.
    DatasetWritten,
    /// Our trace was found.
    Queryable,
}

/// The status of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckStatus {
    /// Proven.
    Pass,
    /// Proven with a warning, or unanswered without consequence.
    Warn,
    /// Disproven.
    Fail,
    /// Not tried.
    Skip,
}

impl CheckStatus {
    /// Returns the status with a warning.
    #[must_use]
    pub fn warned(self) -> Self {
        match self {
            Self::Pass => Self::Warn,
            other => other,
        }
    }
}

/// The result of one rung.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The rung.
    pub rung: Rung,
    /// The status.
    pub status: CheckStatus,
    /// The evidence.
    pub evidence: String,
    /// A hint on what to do.
    pub hint: Option<String>,
    /// The duration in milliseconds.
    pub ms: u64,
}

stable_codes! {
    /// The reason why the required rung was not reached.
    pub enum FailureCode {
        /// The service's environment has no usable endpoint.
        NotConfigured = "not-configured",
        /// The variable of a header is not set, so nothing was sent.
        KeyMissing = "key-missing",
        /// The server refused the key with 401 or 403.
        KeyRejected = "key-rejected",
        /// The name of the server has no address.
        Dns = "dns",
        /// No program listens at the address.
        Connect = "connect",
        /// A certificate is not trusted, or one side speaks TLS and the other plain text.
        Tls = "tls",
        /// No answer came in time.
        Timeout = "timeout",
        /// The server answered with a redirection, which is not followed.
        Redirected = "redirected",
        /// The server that answered is not an OTLP receiver.
        NotOtlp = "not-otlp",
        /// The answer was cut off.
        ResponseBroken = "response-broken",
        /// The server took the request and rejected spans in it.
        SpansRejected = "spans-rejected",
        /// The server answered 429 until the time was up.
        Throttled = "throttled",
        /// The server answered 5xx until the time was up.
        ServerError = "server-error",
        /// The server refused the request with 400, 413 or 415.
        RequestRejected = "request-rejected",
        /// An unexpected server answered.
        UnknownAnswer = "unknown-answer",
        /// The key was not sent, because it is not meant for this host.
        UntrustedHost = "untrusted-host",
        /// The trace was accepted, but a required later step was not reached.
        NotProven = "not-proven",
        /// The application replies, but nothing can look for its spans.
        Unseen = "unseen",
        /// No request could be sent to the service, and none of its spans was seen.
        NotAsked = "not-asked",
    }
}

/// The highest rung that was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProvenRung {
    /// Not even a connection.
    None,
    /// A connection.
    Reachable,
    /// The spans were accepted.
    Accepted,
    /// The dataset was written to since.
    DatasetWritten,
    /// Our trace was found: it was delivered.
    Queryable,
}

impl ProvenRung {
    /// Returns the verdict in a word.
    pub fn describe(self) -> &'static str {
        match self {
            Self::None => "not reached",
            Self::Reachable => "reached",
            Self::Accepted => "accepted",
            Self::DatasetWritten => "accepted, and something arrived",
            Self::Queryable => "delivered",
        }
    }
}

/// The verdict on one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceVerdict {
    /// The name in the compose file.
    pub service: String,
    /// The `service.name` of its traces.
    pub name: String,
    /// The endpoint.
    pub endpoint: Option<String>,
    /// The protocol, as in `OTEL_EXPORTER_OTLP_PROTOCOL`.
    pub protocol: Option<&'static str>,
    /// The highest rung that was proven.
    pub proven: ProvenRung,
    /// The reason why the required rung was not reached.
    pub code: Option<FailureCode>,
    /// The id of the test trace, if it was sent.
    pub trace_id: Option<String>,
    /// The instrumentation libraries of the application's spans, if they were read.
    #[serde(skip)]
    pub libraries: Option<Vec<String>>,
    /// The link to the trace at the provider.
    pub link: Option<String>,
    /// Observations on the application itself, if it got a request or was searched for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<AppSighting>,
    /// The rungs that were tried, lowest first.
    pub checks: Vec<Check>,
}

/// Observations on an application.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AppSighting {
    /// The URL of the request; `None` if there was none.
    pub url: Option<String>,
    /// The status of the reply.
    pub status: Option<u16>,
    /// The witness for its spans.
    pub witness: Option<WitnessKind>,
    /// The number of its spans seen.
    pub spans: usize,
    /// The service whose request its spans belong to.
    pub linked_to: Option<String>,
    /// The result of a request without a trace id.
    pub ordinary: Option<OrdinaryRequest>,
}

/// The kind of witness for an application's spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WitnessKind {
    /// Honeycomb's query API.
    Query,
    /// A `listen` on this machine.
    Listen,
    /// Our relay before the endpoint.
    Tap,
    /// No witness.
    #[serde(rename = "nobody")]
    Missing,
}

impl WitnessKind {
    /// Returns whether it would have seen spans.
    pub fn can_see(self) -> bool {
        self != Self::Missing
    }
}

/// The result of a request without a trace id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrdinaryRequest {
    /// It led to a span.
    Recorded,
    /// It led to no span, although that would have been recognised.
    NotRecorded,
    /// The sampler records only some of them.
    Sampled,
    /// Its span would not have been recognised.
    #[serde(rename = "not-told")]
    NotRecognisable,
}

impl ServiceVerdict {
    /// Returns a verdict with nothing proven yet.
    pub fn new(service: &str, name: &str) -> Self {
        Self {
            service: service.to_owned(),
            name: name.to_owned(),
            endpoint: None,
            protocol: None,
            proven: ProvenRung::None,
            code: None,
            trace_id: None,
            libraries: None,
            link: None,
            application: None,
            checks: Vec::new(),
        }
    }

    /// Adds the result of a rung.
    pub fn check(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// Records that `rung` is proven.
    pub fn prove(&mut self, rung: ProvenRung) {
        self.proven = self.proven.max(rung);
    }

    /// Sets the code `not-proven` if the required rung was not reached and there is no other code.
    pub fn require(&mut self, required: ProvenRung) {
        if self.code.is_some() || self.proven >= required {
            return;
        }
        self.code = Some(FailureCode::NotProven);
        let rung = match required {
            ProvenRung::Queryable => Rung::Queryable,
            _ => Rung::DatasetWritten,
        };
        let failed = self.checks.iter().any(|check| check.status == CheckStatus::Fail);
        match self.checks.iter_mut().find(|check| check.rung == rung) {
            Some(check) if check.status == CheckStatus::Warn => check.status = CheckStatus::Fail,
            Some(_) => {}
            None if failed => {}
            None => self.check(Check::new(
                rung,
                CheckStatus::Skip,
                "only Honeycomb can say, and nothing is known about the key",
            )),
        }
    }

    /// Returns the check of this rung, if it was tried.
    pub fn of(&self, rung: Rung) -> Option<&Check> {
        self.checks.iter().find(|check| check.rung == rung)
    }
}

impl Check {
    /// Returns a check with its status and evidence.
    pub fn new(rung: Rung, status: CheckStatus, evidence: impl Into<String>) -> Self {
        Self { rung, status, evidence: evidence.into(), hint: None, ms: 0 }
    }

    /// Adds a hint on what to do.
    #[must_use]
    pub fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// Adds the duration.
    #[must_use]
    pub fn took(mut self, time: std::time::Duration) -> Self {
        self.ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_the_same_in_json() {
        for code in [
            FailureCode::NotConfigured,
            FailureCode::NotOtlp,
            FailureCode::Dns,
            FailureCode::UntrustedHost,
        ] {
            assert_eq!(serde_json::to_value(code).unwrap(), serde_json::json!(code.as_str()));
        }
    }
}
