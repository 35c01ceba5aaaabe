//! Explains why no answer came, from the chain of causes that an HTTP or gRPC library returns.

use std::error::Error as StdError;
use std::io;

use crate::otlp::FailureCode;

/// A request without an answer: how far it got, and why no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestFailure {
    /// The failure code for the verdict.
    pub code: FailureCode,
    /// Whether a connection was established, TLS included.
    pub reached: bool,
    /// The cause in one line.
    pub evidence: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The phase in which a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestPhase {
    /// Connecting by TCP, and TLS if the URL requires it.
    Connecting,
    /// Sending the request or reading its answer.
    Exchanging,
}

impl RequestFailure {
    /// Returns a failure before a connection was established.
    pub fn before(code: FailureCode, evidence: impl Into<String>) -> Self {
        Self { code, reached: false, evidence: evidence.into(), hint: None }
    }

    /// Returns a failure after a connection was established.
    pub fn after(code: FailureCode, evidence: impl Into<String>) -> Self {
        Self { reached: true, ..Self::before(code, evidence) }
    }

    /// Adds a hint on what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Reads the causes of `error`.
    pub fn from_chain(error: &(dyn StdError + 'static), phase: RequestPhase) -> Self {
        let mut next = Some(error);
        while let Some(cause) = next {
            if let Some(found) = from_cause(cause, phase) {
                return found;
            }
            next = cause.source();
        }
        let words = innermost_cause(error);
        match phase {
            RequestPhase::Connecting => Self::before(FailureCode::Connect, words),
            RequestPhase::Exchanging => Self::after(FailureCode::ResponseBroken, words),
        }
    }
}

fn from_cause(cause: &(dyn StdError + 'static), phase: RequestPhase) -> Option<RequestFailure> {
    if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
        return Some(from_tls(tls));
    }
    if let Some(io) = cause.downcast_ref::<io::Error>() {
        if let Some(inner) = io.get_ref()
            && let Some(found) = from_inner(inner, phase)
        {
            return Some(found);
        }
        return from_io(io, phase);
    }
    let hyper = cause.downcast_ref::<hyper::Error>()?;
    if hyper.is_parse() {
        return Some(RequestFailure::after(
            FailureCode::NotOtlp,
            format!("the server there does not speak HTTP ({hyper})"),
        ));
    }
    hyper.is_incomplete_message().then(|| {
        RequestFailure::after(
            FailureCode::ResponseBroken,
            "the connection was closed before a whole answer",
        )
    })
}

/// Reads the error that an `io::Error` wraps, which is not in its chain of sources.
fn from_inner(
    inner: &(dyn StdError + Send + Sync + 'static),
    phase: RequestPhase,
) -> Option<RequestFailure> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(inner);
    while let Some(cause) = next {
        if let Some(found) = from_cause(cause, phase) {
            return Some(found);
        }
        next = cause.source();
    }
    None
}

fn from_io(io: &io::Error, phase: RequestPhase) -> Option<RequestFailure> {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable,
        NetworkUnreachable, TimedOut, UnexpectedEof,
    };
    let failure = match (io.kind(), phase) {
        (ConnectionRefused, _) => {
            RequestFailure::before(FailureCode::Connect, "the connection was refused")
        }
        (HostUnreachable | NetworkUnreachable, _) => {
            RequestFailure::before(FailureCode::Connect, io.to_string())
        }
        (TimedOut, RequestPhase::Connecting) => {
            RequestFailure::before(FailureCode::Timeout, "no connection in time")
        }
        (TimedOut, RequestPhase::Exchanging) => {
            RequestFailure::after(FailureCode::Timeout, "no answer in time")
        }
        (UnexpectedEof, RequestPhase::Connecting) => RequestFailure::before(
            FailureCode::Tls,
            "the connection was closed during the TLS handshake",
        ),
        (ConnectionReset | BrokenPipe | ConnectionAborted, RequestPhase::Connecting) => {
            RequestFailure::before(FailureCode::Connect, "the connection was reset")
        }
        (
            ConnectionReset | BrokenPipe | ConnectionAborted | UnexpectedEof,
            RequestPhase::Exchanging,
        ) => RequestFailure::after(
            FailureCode::ResponseBroken,
            "the connection was reset before a whole answer",
        ),
        _ => return None,
    };
    Some(failure)
}

fn from_tls(error: &rustls::Error) -> RequestFailure {
    use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage};
    match error {
        InvalidMessage(_) => RequestFailure::before(
            FailureCode::Tls,
            format!("the server there does not speak TLS ({error})"),
        )
        .hint("an endpoint without TLS begins with http://"),
        InvalidCertificate(_) => RequestFailure::before(FailureCode::Tls, error.to_string()).hint(
            "a certificate authority of your own goes into OTEL_EXPORTER_OTLP_CERTIFICATE, or into SSL_CERT_FILE",
        ),
        AlertReceived(_) => RequestFailure::before(FailureCode::Tls, format!("the server refused: {error}")),
        _ => RequestFailure::before(FailureCode::Tls, error.to_string()),
    }
}

/// Returns the message of the last cause in a chain, which is the most specific.
fn innermost_cause(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}
