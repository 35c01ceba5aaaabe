//! The embedded OTLP receiver: HTTP (protobuf, JSON, gzip) and gRPC (gzip) on ports the caller chooses.
//!
//! Bounded in connections, bytes and time; what is malformed gets the right OTLP error and ends nothing. Decides
//! nothing about the spans: it hands them on.

mod budget;
pub(in crate::net) mod connections;
pub(in crate::net) mod grpc;
pub(in crate::net) mod http;
pub(in crate::net) mod intake;
mod names;
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
use crate::otlp::span::Span;
use crate::secret::Secret;
use intake::BodyReader;

pub(in crate::net) use budget::Held;
pub use intake::{REJECTED, Refusal, read, unpacked};

/// Where to listen; port 0 takes a free one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// OTLP over HTTP, 4318 by convention.
    pub http: SocketAddr,
    /// OTLP over gRPC, 4317 by convention.
    pub grpc: SocketAddr,
}

impl Addresses {
    /// Free ports on 127.0.0.1.
    pub fn free() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { http: any, grpc: any }
    }
}

/// What a sender may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one request, compressed and not.
    pub body: usize,
    /// Bytes one request may take in memory once it is decoded, about.
    pub decoded: usize,
    /// Bytes of all requests that were not dealt with yet, as they came and decoded.
    pub pending: usize,
    /// Connections per port; one more ends the one that has been idle longest.
    pub connections: usize,
    /// From a connection's start, or the last answer on it, to the end of the next request's headers.
    pub headers: Duration,
    /// From the end of the headers to the end of the body.
    pub request: Duration,
}

impl Limits {
    /// For a receiver beside `keep` bytes of spans: three quarters as much may be on its way.
    pub fn beside(keep: usize) -> Self {
        // What is kept and what the allocator holds back take the rest of three times `keep`.
        let pending = (keep / 4 * 3).max(limits::PENDING_BYTES);
        Self { decoded: pending, pending, ..Self::default() }
    }

    /// For a relay, which has one sender.
    pub fn of_a_relay() -> Self {
        Self { connections: limits::RELAY_CONNECTIONS, ..Self::default() }
    }
}

impl Default for Limits {
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

/// Which telemetry a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Metrics: acknowledged, not looked at.
    Metrics,
    /// Logs: acknowledged, not looked at.
    Logs,
}

impl Signal {
    /// Every signal.
    pub const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    /// Returns the signal that is sent to this path under an OTLP/HTTP base address.
    pub fn at_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.path() == path)
    }

    /// The path of this signal under an OTLP/HTTP base address.
    pub fn path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Metrics => "/v1/metrics",
            Self::Logs => "/v1/logs",
        }
    }
}

/// How a message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Binary protobuf.
    Protobuf,
    /// OTLP's JSON.
    Json,
}

/// How a request was compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
}

/// How a request came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// OTLP over HTTP.
    Http {
        /// As it was asked for.
        path: String,
        /// As it was sent, parameters included.
        content_type: String,
    },
    /// OTLP over gRPC.
    Grpc,
}

/// A request that was accepted.
#[derive(Debug)]
pub struct Arrival {
    /// What it carries.
    pub signal: Signal,
    /// How it came.
    pub transport: Transport,
    /// How it was compressed on the way.
    pub compression: Compression,
    /// Headers (HTTP) or metadata (gRPC): lower-case names; any value may be a key.
    pub headers: Vec<(String, Secret)>,
    /// How `body` is written.
    pub format: Format,
    /// The message, uncompressed.
    pub body: Bytes,
    /// Its spans.
    pub spans: Vec<Span>,
    /// Spans with an unusable id, of which the sender was told.
    pub rejected: usize,
    /// When it was complete.
    pub at: SystemTime,
    /// Its share of `Limits::pending`, given back when it was dealt with.
    held: Held,
}

impl Arrival {
    /// The value of a header, or of a piece of metadata.
    pub fn header(&self, name: &str) -> Option<&Secret> {
        self.headers
            .iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Bytes of `Limits::pending` that this arrival holds.
    pub fn held(&self) -> usize {
        self.held.bytes()
    }
}

/// `GET /cruddur/query?TEXT` from this machine; whoever holds the other end answers.
#[derive(Debug)]
pub struct Question {
    /// What stands behind the question mark, still encoded.
    pub text: String,
    /// Takes the answer.
    pub answer: oneshot::Sender<Answer>,
}

/// A status and a JSON document.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP's.
    pub status: u16,
    /// The document.
    pub document: serde_json::Value,
}

/// What comes in.
#[derive(Debug)]
pub struct Inbox {
    /// Accepted requests.
    pub arrivals: mpsc::Receiver<Arrival>,
    /// Questions about what arrived.
    pub questions: mpsc::Receiver<Question>,
}

/// What every connection needs.
#[derive(Debug, Clone)]
struct Desk {
    bodies: BodyReader,
    /// What this machine calls itself.
    own_name: Option<Arc<str>>,
    arrivals: mpsc::Sender<Arrival>,
    questions: mpsc::Sender<Question>,
}

/// A running receiver; dropping it ends it at once.
#[derive(Debug)]
pub struct Receiver {
    addresses: Addresses,
    desk: Desk,
    stop: watch::Sender<()>,
    doors: Vec<JoinHandle<()>>,
}

impl Receiver {
    /// Takes both ports and serves them on the current tokio runtime.
    ///
    /// # Errors
    /// `port-in-use` or `bind-failed`, naming the address.
    pub async fn bind(addresses: Addresses, limits: Limits) -> Result<(Self, Inbox)> {
        let http = listen(addresses.http).await?;
        let grpc = listen(addresses.grpc).await?;
        let addresses =
            Addresses { http: bound(&http, addresses.http)?, grpc: bound(&grpc, addresses.grpc)? };
        let (arrivals, arriving) = mpsc::channel(64);
        let (questions, asked) = mpsc::channel(4);
        let desk = Desk {
            bodies: BodyReader::new(limits),
            own_name: names::own_name().map(Arc::from),
            arrivals,
            questions,
        };
        let (stop, stopped) = watch::channel(());
        let mut receiver = Self { addresses, desk, stop, doors: Vec::new() };
        receiver.open(http, grpc, &stopped);
        let inbox = Inbox { arrivals: arriving, questions: asked };
        Ok((receiver, inbox))
    }

    /// Takes the same ports of another address of this machine, too.
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
        let limits = self.desk.bodies.limits;
        let routes = [
            (http, http::routes(self.desk.clone())),
            (grpc, grpc::routes(self.desk.clone(), self.addresses.http.port())),
        ];
        for (listener, routes) in routes {
            let door = connections::serve(listener, routes, limits, stopped.clone());
            self.doors.push(tokio::spawn(door));
        }
    }

    /// The addresses with the ports that were really taken.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Takes no more connections, lets requests that began finish for a moment, and ends.
    pub async fn close(mut self) {
        self.stop.send_replace(());
        for door in &mut self.doors {
            // A door that panicked is closed as well.
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
        let (code, what) = match error.kind() {
            std::io::ErrorKind::AddrInUse => (ErrorCode::PortInUse, "is taken by another program"),
            _ => (ErrorCode::BindFailed, "cannot be listened on"),
        };
        Error::new(code, format!("{address} {what}")).cause(error)
    })
}

pub(in crate::net) fn bound(listener: &TcpListener, asked: SocketAddr) -> Result<SocketAddr> {
    listener.local_addr().map_err(|error| {
        Error::new(ErrorCode::BindFailed, format!("{asked} has no address")).cause(error)
    })
}
