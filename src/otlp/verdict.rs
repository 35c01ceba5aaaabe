//! The verdict on a service: how far up the ladder its traces were proven to get, and why no further.

use serde::{Deserialize, Serialize};

use crate::error::stable_codes;

/// The rungs, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// The effective environment says where to send.
    Configured,
    /// Name, connection, TLS.
    Reachable,
    /// The receiver took the spans.
    Accepted,
    /// Team, environment and permissions of the key.
    Whose,
    /// The dataset was written to since.
    DatasetWritten,
    /// Our own trace was found.
    Queryable,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Proven.
    Pass,
    /// Proven, but something should be changed; or not answered where that changes nothing.
    Warn,
    /// Disproven.
    Fail,
    /// Could not be tried.
    Skip,
}

impl Status {
    /// Returns the status once something was found that should be changed.
    #[must_use]
    pub fn warned(self) -> Self {
        match self {
            Self::Pass => Self::Warn,
            other => other,
        }
    }
}

/// One rung, tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Which one.
    pub rung: Rung,
    /// How it ended.
    pub status: Status,
    /// What it rests on.
    pub evidence: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Milliseconds it took.
    pub ms: u64,
}

stable_codes! {
    /// Why the required rung was not reached.
    pub enum Code {
        /// The service's environment has no usable endpoint.
        NotConfigured = "not-configured",
        /// The variable of a header is not set, so nothing was sent.
        KeyMissing = "key-missing",
        /// The server refused the key with 401 or 403.
        KeyRejected = "key-rejected",
        /// The name of the server has no address.
        Dns = "dns",
        /// Nobody listens at the address.
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
        /// Another server answered than the one that was meant.
        UnknownAnswer = "unknown-answer",
        /// The key was not sent, because the host is not one that it was meant for.
        UntrustedHost = "untrusted-host",
        /// The trace was accepted, and a higher rung that was required was not reached.
        NotProven = "not-proven",
        /// The application answers, and there is no way here to look for its spans.
        Unseen = "unseen",
        /// Nothing could ask the service, and none of its spans was seen.
        NotAsked = "not-asked",
    }
}

/// The highest rung that was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proven {
    /// Not even a connection.
    None,
    /// Somebody is there.
    Reachable,
    /// The spans were taken.
    Accepted,
    /// Something reached the dataset since.
    DatasetWritten,
    /// Our trace was found: delivered.
    Queryable,
}

impl Proven {
    /// The verdict in a word.
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
    /// In the compose file.
    pub service: String,
    /// `service.name` of its traces.
    pub name: String,
    /// Where they are sent.
    pub endpoint: Option<String>,
    /// `OTEL_EXPORTER_OTLP_PROTOCOL`
    pub protocol: Option<&'static str>,
    /// The highest rung that was proven.
    pub proven: Proven,
    /// Why the required rung was not reached.
    pub code: Option<Code>,
    /// Of the test trace, if it was sent.
    pub trace_id: Option<String>,
    /// The instrumentation libraries of the application's spans, where they were read.
    #[serde(skip)]
    pub libraries: Option<Vec<String>>,
    /// The trace in the provider's pages.
    pub link: Option<String>,
    /// What was seen of the application itself, where it was asked or looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<AppSighting>,
    /// The rungs that were tried, lowest first.
    pub checks: Vec<Check>,
}

/// What was seen of an application.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AppSighting {
    /// The address that was asked; `None` if nothing asked it.
    pub url: Option<String>,
    /// The status of its answer.
    pub status: Option<u16>,
    /// Who was asked for its spans.
    pub witness: Option<WitnessKind>,
    /// Its spans that were seen.
    pub spans: usize,
    /// The service whose request its spans belong to.
    pub linked_to: Option<String>,
    /// What a request without a trace id led to.
    pub ordinary: Option<OrdinaryRequest>,
}

/// Who can see an application's spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WitnessKind {
    /// Honeycomb's query API.
    Query,
    /// A `listen` on this machine.
    Listen,
    /// A relay of ours on the way to the endpoint.
    Tap,
    /// No witness.
    Nobody,
}

impl WitnessKind {
    /// Returns true if it would have seen spans.
    pub fn can_see(self) -> bool {
        self != Self::Nobody
    }
}

/// What became of a request without a trace id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrdinaryRequest {
    /// It led to a span.
    Recorded,
    /// It led to none, although its span would have been found.
    NotRecorded,
    /// The sampler records only some of them.
    Sampled,
    /// Its span would not have been found.
    NotTold,
}

impl ServiceVerdict {
    /// A verdict that nothing has been proven for yet.
    pub fn new(service: &str, name: &str) -> Self {
        Self {
            service: service.to_owned(),
            name: name.to_owned(),
            endpoint: None,
            protocol: None,
            proven: Proven::None,
            code: None,
            trace_id: None,
            libraries: None,
            link: None,
            application: None,
            checks: Vec::new(),
        }
    }

    /// Adds a rung that was tried.
    pub fn check(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// Records that `rung` was proven.
    pub fn prove(&mut self, rung: Proven) {
        self.proven = self.proven.max(rung);
    }

    /// Ends as `not-proven` where more is required than was proven and nothing else says why.
    pub fn require(&mut self, required: Proven) {
        if self.code.is_some() || self.proven >= required {
            return;
        }
        self.code = Some(Code::NotProven);
        let rung = match required {
            Proven::Queryable => Rung::Queryable,
            _ => Rung::DatasetWritten,
        };
        let failed = self.checks.iter().any(|check| check.status == Status::Fail);
        match self.checks.iter_mut().find(|check| check.rung == rung) {
            Some(check) if check.status == Status::Warn => check.status = Status::Fail,
            Some(_) => {}
            None if failed => {}
            None => self.check(Check::new(
                rung,
                Status::Skip,
                "only Honeycomb can say, and nothing is known of the key",
            )),
        }
    }

    /// The check of this rung, if it was tried.
    pub fn of(&self, rung: Rung) -> Option<&Check> {
        self.checks.iter().find(|check| check.rung == rung)
    }
}

impl Check {
    /// A rung that ended as `status`, with what that rests on.
    pub fn new(rung: Rung, status: Status, evidence: impl Into<String>) -> Self {
        Self { rung, status, evidence: evidence.into(), hint: None, ms: 0 }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// Adds how long it took.
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
        for code in [Code::NotConfigured, Code::NotOtlp, Code::Dns, Code::UntrustedHost] {
            assert_eq!(serde_json::to_value(code).unwrap(), serde_json::json!(code.as_str()));
        }
    }
}
