//! Explains why no answer came, from the chain of causes that an HTTP or gRPC library returns.

use std::error::Error as StdError;
use std::io;

use crate::otlp::Code;

/// A request without an answer: how far it got, and why no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The failure code for the verdict.
    pub code: Code,
    /// Whether a connection was established, TLS included.
    pub reached: bool,
    /// The cause in one line.
    pub evidence: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The phase in which a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Connecting by TCP, and TLS if the URL requires it.
    Connecting,
    /// Sending the request or reading its answer.
    Exchanging,
}

impl Failure {
    /// Returns a failure before a connection was established.
    pub fn before(code: Code, evidence: impl Into<String>) -> Self {
        Self { code, reached: false, evidence: evidence.into(), hint: None }
    }

    /// Returns a failure after a connection was established.
    pub fn after(code: Code, evidence: impl Into<String>) -> Self {
        Self { reached: true, ..Self::before(code, evidence) }
    }

    /// Adds a hint on what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Reads the causes of `error`.
    pub fn from_chain(error: &(dyn StdError + 'static), phase: Phase) -> Self {
        let mut next = Some(error);
        while let Some(cause) = next {
            if let Some(found) = from_cause(cause, phase) {
                return found;
            }
            next = cause.source();
        }
        let words = innermost(error);
        match phase {
            Phase::Connecting => Self::before(Code::Connect, words),
            Phase::Exchanging => Self::after(Code::ResponseBroken, words),
        }
    }
}

fn from_cause(cause: &(dyn StdError + 'static), phase: Phase) -> Option<Failure> {
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
        return Some(Failure::after(
            Code::NotOtlp,
            format!("what answers there speaks no HTTP ({hyper})"),
        ));
    }
    hyper.is_incomplete_message().then(|| {
        Failure::after(Code::ResponseBroken, "the connection was closed before a whole answer")
    })
}

/// Reads the error that an `io::Error` wraps, which is not in its chain of sources.
fn from_inner(inner: &(dyn StdError + Send + Sync + 'static), phase: Phase) -> Option<Failure> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(inner);
    while let Some(cause) = next {
        if let Some(found) = from_cause(cause, phase) {
            return Some(found);
        }
        next = cause.source();
    }
    None
}

fn from_io(io: &io::Error, phase: Phase) -> Option<Failure> {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable,
        NetworkUnreachable, TimedOut, UnexpectedEof,
    };
    let failure = match (io.kind(), phase) {
        (ConnectionRefused, _) => Failure::before(Code::Connect, "the connection was refused"),
        (HostUnreachable | NetworkUnreachable, _) => Failure::before(Code::Connect, io.to_string()),
        (TimedOut, Phase::Connecting) => Failure::before(Code::Timeout, "no connection in time"),
        (TimedOut, Phase::Exchanging) => Failure::after(Code::Timeout, "no answer in time"),
        (UnexpectedEof, Phase::Connecting) => {
            Failure::before(Code::Tls, "the connection was closed during the TLS handshake")
        }
        (ConnectionReset | BrokenPipe | ConnectionAborted, Phase::Connecting) => {
            Failure::before(Code::Connect, "the connection was reset")
        }
        (ConnectionReset | BrokenPipe | ConnectionAborted | UnexpectedEof, Phase::Exchanging) => {
            Failure::after(Code::ResponseBroken, "the connection was reset before a whole answer")
        }
        _ => return None,
    };
    Some(failure)
}

fn from_tls(error: &rustls::Error) -> Failure {
    use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage};
    match error {
        InvalidMessage(_) => Failure::before(
            Code::Tls,
            format!("what answers there speaks no TLS ({error})"),
        )
        .hint("an endpoint without TLS begins with http://"),
        InvalidCertificate(_) => Failure::before(Code::Tls, error.to_string()).hint(
            "a certificate authority of your own goes into OTEL_EXPORTER_OTLP_CERTIFICATE, or into SSL_CERT_FILE",
        ),
        AlertReceived(_) => Failure::before(Code::Tls, format!("the server refused: {error}")),
        _ => Failure::before(Code::Tls, error.to_string()),
    }
}

/// Returns the message of the last cause in a chain, which is the most specific.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}
