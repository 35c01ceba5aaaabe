//! A relay for one sender: forwards each export to one endpoint unchanged, and reads the response.
//!
//! Listens on one address of this machine, on a free port, under a secret path, until its deadline. Accepts requests
//! from one peer only; gRPC has no path that could be secret, so it may require the token in a header. Headers are
//! forwarded and not kept.

mod grpc;
mod http;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use axum::http::{HeaderMap, HeaderName};
use axum::response::Response;
use axum::routing::any;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::failure::RequestFailure;
use super::receiver::intake::BodyReader;
use super::receiver::{
    HeldBytes, MessageFormat, ReceiverLimits, RequestRefusal, TelemetrySignal, bound, connections,
    http as otlp_http, listen,
};
use super::route::EndpointRoute;
use crate::error::Result;
use crate::limits;
use crate::otlp::response::ExportMeaning;
use crate::otlp::span::OtlpSpan;
use crate::otlp::{ExportHeader, OtlpProtocol};
use crate::secret::Secret;

/// The peer that may send through a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayPeer {
    /// Any program on this machine.
    ThisMachine,
    /// The programs of this machine that know the token: over HTTP by the path, over gRPC by a header.
    TokenHolder,
    /// The peer at this address.
    Address(IpAddr),
}

/// The listening address, target and lifetime of a relay.
#[derive(Debug, Clone)]
pub struct RelayOptions {
    /// The address of this machine that the sender reaches.
    pub ip: IpAddr,
    /// The route to the endpoint, with the URL for traces.
    pub route: EndpointRoute,
    /// The sender's protocol.
    pub protocol: OtlpProtocol,
    /// The limits for the sender.
    pub limits: ReceiverLimits,
    /// The longest wait for each response of the endpoint.
    pub patience: Duration,
    /// When it ends.
    pub deadline: Instant,
}

/// A forwarded export, and the endpoint's response.
#[derive(Debug)]
pub struct RelayedExport {
    /// The signal.
    pub signal: TelemetrySignal,
    /// Its spans; empty if the body is not an OTLP message.
    pub spans: Vec<OtlpSpan>,
    /// The meaning of the endpoint's response, or why there was none.
    pub outcome: Result<ExportMeaning, RequestFailure>,
    /// The time from the end of the request to the end of the response.
    pub took: Duration,
    /// Its share of the pending bytes.
    _held: HeldBytes,
}

/// A running relay; dropping it stops it at once.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    state: Arc<RelayState>,
    peer: watch::Sender<Option<RelayPeer>>,
    server: JoinHandle<()>,
    _stop: watch::Sender<()>,
}

/// The state shared by all requests.
#[derive(Debug)]
struct RelayState {
    bodies: BodyReader,
    /// The first part of the path.
    token: String,
    route: EndpointRoute,
    protocol: OtlpProtocol,
    patience: Duration,
    peer: watch::Receiver<Option<RelayPeer>>,
    exports: mpsc::Sender<RelayedExport>,
    refused: AtomicUsize,
}

/// The header with the token of a relay, for senders over gRPC.
const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-cruddur-ops-tap");

/// Headers about one connection or the encoding of a body; all others are forwarded.
const CONNECTION_HEADERS: [HeaderName; 14] = [
    ACCEPT_ENCODING,
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    HOST,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    TOKEN_HEADER,
    HeaderName::from_static("grpc-accept-encoding"),
    HeaderName::from_static("keep-alive"),
];

impl Relay {
    /// Listens on a free port until the deadline. No peer is admitted yet.
    ///
    /// # Errors
    /// `bind-failed`, naming the address.
    pub async fn open(options: RelayOptions) -> Result<(Self, mpsc::Receiver<RelayedExport>)> {
        let RelayOptions { ip, route, protocol, limits, patience, deadline } = options;
        let requested = SocketAddr::new(ip, 0);
        let listener = listen(requested).await?;
        let address = bound(&listener, requested)?;
        let (exports, relayed) = mpsc::channel(64);
        let (peer, admitted) = watch::channel(None);
        let state = Arc::new(RelayState {
            bodies: BodyReader::new(limits),
            token: format!("{:032x}", rand::random::<u128>()),
            route,
            protocol,
            patience,
            peer: admitted,
            exports,
            refused: AtomicUsize::new(0),
        });
        let routes =
            Router::new().fallback(any(handle_relayed_export)).with_state(Arc::clone(&state));
        let (stop, stopped) = watch::channel(());
        let server = tokio::spawn(async move {
            tokio::select! {
                () = connections::serve(listener, routes, limits, stopped) => {}
                () = tokio::time::sleep_until(deadline) => {}
            }
        });
        Ok((Self { address, state, peer, server, _stop: stop }, relayed))
    }

    /// Admits requests of `peer`, including those already waiting.
    pub fn admit(&self, peer: RelayPeer) {
        self.peer.send_replace(Some(peer));
    }

    /// Returns the bound port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns the base endpoint for a sender that reaches this machine as `host`.
    pub fn endpoint(&self, host: &str) -> String {
        match self.state.protocol {
            OtlpProtocol::Grpc => format!("http://{host}:{}", self.port()),
            _ => format!("http://{host}:{}/{}", self.port(), self.state.token),
        }
    }

    /// Returns the header `name=value` that a sender over gRPC must send; over HTTP the token is part of the
    /// endpoint.
    pub fn token_header(&self) -> Option<String> {
        (self.state.protocol == OtlpProtocol::Grpc)
            .then(|| format!("{TOKEN_HEADER}={}", self.state.token))
    }

    /// Returns the number of refused requests: from other peers, or for another path.
    pub fn refused(&self) -> usize {
        self.state.refused.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn handle_relayed_export(
    State(state): State<Arc<RelayState>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let from = from.ip().to_canonical();
    match state.protocol {
        OtlpProtocol::Grpc => state.take_call(from, &parts, body).await,
        _ => state.take_request(from, &parts, body).await,
    }
}

impl RelayState {
    /// Counts a refused request.
    fn count(&self, refusal: RequestRefusal) -> RequestRefusal {
        self.refused.fetch_add(1, Ordering::Relaxed);
        refusal
    }

    /// Waits until the permitted peer is known, and checks that `from` is that peer.
    async fn admit(&self, from: IpAddr, headers: &HeaderMap) -> Result<(), RequestRefusal> {
        let mut peer = self.peer.clone();
        let known = peer.wait_for(Option::is_some);
        let waited = tokio::time::timeout(limits::RELAY_PEER_TIME, known).await;
        let is_admitted = match waited.ok().and_then(|known| *known.ok()?) {
            Some(RelayPeer::ThisMachine) => from.is_loopback(),
            Some(RelayPeer::TokenHolder) => {
                let is_known =
                    || otlp_http::header_value_text(headers, &TOKEN_HEADER) == self.token;
                from.is_loopback() && (self.protocol != OtlpProtocol::Grpc || is_known())
            }
            Some(RelayPeer::Address(address)) => from == address,
            None => false,
        };
        if is_admitted {
            Ok(())
        } else {
            Err(RequestRefusal::Foreign("another program's spans go through here".to_owned()))
        }
    }

    /// Passes an export to the receiving end, if it still exists.
    async fn publish(&self, export: RelayedExport) {
        let _ = self.exports.send(export).await;
    }

    /// Returns the spans of a message. Invalid messages are left for the endpoint to refuse.
    fn spans(
        &self,
        signal: TelemetrySignal,
        format: Option<MessageFormat>,
        readable: &[u8],
        held: &mut HeldBytes,
    ) -> Result<Vec<OtlpSpan>, RequestRefusal> {
        let Some(format) = format else {
            return Ok(Vec::new());
        };
        match self.bodies.decode(signal, format, readable, held) {
            Ok(batch) => Ok(batch.spans),
            Err(RequestRefusal::Malformed(_)) => Ok(Vec::new()),
            Err(refusal) => Err(refusal),
        }
    }
}

/// Returns the headers meant for the endpoint.
fn forwarded_headers(headers: &HeaderMap) -> Vec<ExportHeader> {
    let named: Vec<String> = otlp_http::header_value_text(headers, &CONNECTION)
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let forwarded = headers.iter().filter(|(name, _)| {
        !CONNECTION_HEADERS.contains(name) && !named.iter().any(|header| header == name.as_str())
    });
    let text = forwarded.filter_map(|(name, value)| {
        let value = std::str::from_utf8(value.as_bytes()).ok()?;
        Some(ExportHeader { name: name.as_str().to_owned(), value: Secret::new(value) })
    });
    text.collect()
}
