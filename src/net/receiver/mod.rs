//! The embedded OTLP receiver: HTTP (protobuf, JSON, gzip) and gRPC (gzip) on ports the caller chooses.
//!
//! Connections, bytes and time are limited; an invalid request gets the OTLP error and has no further effect.
//! Received spans are passed on without judgement.

mod budget;
pub(in crate::net) mod connections;
pub(in crate::net) mod grpc;
pub(in crate::net) mod http;
pub(in crate::net) mod intake;
pub(in crate::net) mod names;
mod proto_json;
mod weight;

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::error::{Error, ErrorCode, Result};
use crate::limits;
use crate::otlp::span::OtlpSpan;
use crate::secret::Secret;
use intake::BodyReader;

pub(in crate::net) use budget::HeldBytes;
pub(crate) use intake::{REJECTED, RequestRefusal};
pub use intake::{read, unpacked};

/// The listening addresses; port 0 takes a free port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiverAddresses {
    /// OTLP over HTTP, 4318 by convention.
    pub http: SocketAddr,
    /// OTLP over gRPC, 4317 by convention.
    pub grpc: SocketAddr,
}

impl ReceiverAddresses {
    /// Returns free ports on 127.0.0.1.
    pub fn free() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { http: any, grpc: any }
    }
}

/// The resources a sender may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiverLimits {
    /// The bytes of one request, compressed and decompressed.
    pub body: usize,
    /// The approximate memory of one decoded request, in bytes.
    pub decoded: usize,
    /// The bytes of all pending requests, both as received and decoded.
    pub pending: usize,
    /// The connections per port; a further one closes the longest idle one.
    pub connections: usize,
    /// The time from a connection's start, or its last answer, to the end of the next request's headers.
    pub headers: Duration,
    /// The time from the end of the headers to the end of the body.
    pub request: Duration,
}

impl ReceiverLimits {
    /// Returns the limits for a receiver that also keeps `keep` bytes of spans: up to three quarters as much may be
    /// pending.
    pub fn next_to_kept(keep: usize) -> Self {
        // Kept spans and the allocator's overhead use the rest of three times `keep`.
        let pending = (keep / 4 * 3).max(limits::PENDING_BYTES);
        Self { decoded: pending, pending, ..Self::default() }
    }

    /// Returns the limits for a relay, which has one sender.
    pub fn of_a_relay() -> Self {
        Self { connections: limits::RELAY_CONNECTIONS, ..Self::default() }
    }
}

impl Default for ReceiverLimits {
    fn default() -> Self {
        Self {
            body: limits::BODY_BYTES,
            decoded: limits::DECODED_BYTES,
            pending: limits::DECODED_BYTES,
            connections: limits::CONNECTIONS,
            headers: limits::HEADER_TIME,
            request: limits::BODY_TIME,
        }
    }
}

/// The kind of telemetry in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TelemetrySignal {
    /// Spans.
    Traces,
    /// Metrics: acknowledged, not used.
    Metrics,
    /// Logs: acknowledged, not used.
    Logs,
}

impl TelemetrySignal {
    /// All signals.
    pub const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    /// Returns the signal for this path below an OTLP/HTTP base address.
    pub fn at_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.path() == path)
    }

    /// Returns the path of this signal below an OTLP/HTTP base address.
    pub fn path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Metrics => "/v1/metrics",
            Self::Logs => "/v1/logs",
        }
    }
}

/// The encoding of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageFormat {
    /// Binary protobuf.
    Protobuf,
    /// OTLP's JSON.
    Json,
}

/// The compression of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestCompression {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
}

/// The protocol of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OtlpTransport {
    /// OTLP over HTTP.
    Http {
        /// The requested path.
        path: String,
        /// The content type as sent, parameters included.
        content_type: String,
    },
    /// OTLP over gRPC.
    Grpc,
}

/// An accepted request.
#[derive(Debug)]
pub struct ReceivedExport {
    /// The signal.
    pub signal: TelemetrySignal,
    /// The protocol.
    pub transport: OtlpTransport,
    /// The compression of the request.
    pub compression: RequestCompression,
    /// Headers (HTTP) or metadata (gRPC), with lower-case names; any value may be a key.
    pub headers: Vec<(String, Secret)>,
    /// The encoding of `body`.
    pub format: MessageFormat,
    /// The message, uncompressed.
    pub body: Bytes,
    /// Its spans.
    pub spans: Vec<OtlpSpan>,
    /// The number of spans with an unusable id, as reported to the sender.
    pub rejected: usize,
    /// When it was fully received.
    pub at: SystemTime,
    /// Its share of `ReceiverLimits::pending`, returned when dropped.
    held: HeldBytes,
}

impl ReceivedExport {
    /// Returns the value of a header or metadata entry.
    pub fn header(&self, name: &str) -> Option<&Secret> {
        self.headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Returns the bytes of `ReceiverLimits::pending` that this request uses.
    pub fn held(&self) -> usize {
        self.held.bytes()
    }
}

/// A request `GET /cruddur/query?TEXT` from this machine, answered by the command.
#[derive(Debug)]
pub struct ReceivedQuestion {
    /// The query string, still percent-encoded.
    pub text: String,
    /// The channel for the answer.
    pub answer: oneshot::Sender<QuestionAnswer>,
}

/// An HTTP status and a JSON document.
#[derive(Debug, Clone, PartialEq)]
pub struct QuestionAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The document.
    pub document: serde_json::Value,
}

/// The receiving end of the receiver's channels.
#[derive(Debug)]
pub struct ReceiverInbox {
    /// Accepted requests.
    pub arrivals: mpsc::Receiver<ReceivedExport>,
    /// Questions about what arrived.
    pub questions: mpsc::Receiver<ReceivedQuestion>,
}

/// The state shared by all connections.
#[derive(Debug, Clone)]
struct ReceiverState {
    bodies: BodyReader,
    /// This machine's host name.
    own_name: Option<Arc<str>>,
    arrivals: mpsc::Sender<ReceivedExport>,
    questions: mpsc::Sender<ReceivedQuestion>,
}

/// A running receiver; dropping it stops it at once.
#[derive(Debug)]
pub struct Receiver {
    addresses: ReceiverAddresses,
    state: ReceiverState,
    stop: watch::Sender<()>,
    doors: Vec<JoinHandle<()>>,
}

impl Receiver {
    /// Binds both ports and serves them on the current tokio runtime.
    ///
    /// # Errors
    /// `port-in-use` or `bind-failed`, naming the address.
    pub async fn bind(
        addresses: ReceiverAddresses,
        limits: ReceiverLimits,
    ) -> Result<(Self, ReceiverInbox)> {
        let http = listen(addresses.http).await?;
        let grpc = listen(addresses.grpc).await?;
        let addresses = ReceiverAddresses {
            http: bound(&http, addresses.http)?,
            grpc: bound(&grpc, addresses.grpc)?,
        };
        let (arrivals, arriving) = mpsc::channel(64);
        let (questions, asked) = mpsc::channel(4);
        let state = ReceiverState {
            bodies: BodyReader::new(limits),
            own_name: names::own_name().map(Arc::from),
            arrivals,
            questions,
        };
        let (stop, stopped) = watch::channel(());
        let mut receiver = Self { addresses, state, stop, doors: Vec::new() };
        receiver.open(http, grpc, &stopped);
        let inbox = ReceiverInbox { arrivals: arriving, questions: asked };
        Ok((receiver, inbox))
    }

    /// Binds the same ports on a second address of this machine.
    ///
    /// # Errors
    /// As [`Receiver::bind`].
    pub async fn also_on(&mut self, ip: IpAddr) -> Result<()> {
        let http = listen((ip, self.addresses.http.port()).into()).await?;
        let grpc = listen((ip, self.addresses.grpc.port()).into()).await?;
        let stopped = self.stop.subscribe();
        self.open(http, grpc, &stopped);
        Ok(())
    }

    fn open(&mut self, http: TcpListener, grpc: TcpListener, stopped: &watch::Receiver<()>) {
        let limits = self.state.bodies.limits;
        let routes = [
            (http, http::routes(self.state.clone())),
            (grpc, grpc::routes(self.state.clone(), self.addresses.http.port())),
        ];
        for (listener, routes) in routes {
            let door = connections::serve(listener, routes, limits, stopped.clone());
            self.doors.push(tokio::spawn(door));
        }
    }

    /// Returns the addresses with the ports that were bound.
    pub fn addresses(&self) -> ReceiverAddresses {
        self.addresses
    }

    /// Stops accepting, lets running requests finish for a moment, and ends.
    pub async fn close(mut self) {
        self.stop.send_replace(());
        for door in &mut self.doors {
            // A task that panicked has ended as well.
            let _ = door.await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        for door in &self.doors {
            door.abort();
        }
    }
}

pub(in crate::net) async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let (code, reason) = match error.kind() {
            std::io::ErrorKind::AddrInUse => (ErrorCode::PortInUse, "is taken by another program"),
            _ => (ErrorCode::BindFailed, "cannot be listened on"),
        };
        Error::new(code, format!("{address} {reason}")).cause(error)
    })
}

pub(in crate::net) fn bound(listener: &TcpListener, requested: SocketAddr) -> Result<SocketAddr> {
    listener.local_addr().map_err(|error| {
        Error::new(ErrorCode::BindFailed, format!("{requested} has no address")).cause(error)
    })
}
