//! One export call over gRPC.

mod relayed;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tonic::codegen::{CompressionEncoding, Service, http};
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use super::connection_start::{ConnectionStart, ObservedConnection, PeerProtocol};
use super::failure::{RequestFailure, RequestPhase};
use super::receiver::grpc::is_grpc;
use super::route::{EndpointRoute, RouteVia};
use crate::otlp::ExportHeader;
use crate::otlp::FailureCode;
use crate::otlp::OtlpCompression;
use crate::otlp::response::{self, ExportMeaning, LIMIT, PartialSuccess};
use crate::otlp::status::{GrpcStatus, RetryAdvice};

pub(crate) use relayed::{RelayedCall, RelayedReply, relay_call};

/// The result of an export call.
#[derive(Debug, Clone)]
pub struct ExportResult {
    /// The meaning for the spans.
    pub meaning: ExportMeaning,
    /// When the call may be repeated.
    pub retry: RetryAdvice,
}

/// Makes one export call before `deadline`.
///
/// # Errors
/// The reason why no answer came.
pub async fn export(
    route: &EndpointRoute,
    request: ExportTraceServiceRequest,
    headers: &[ExportHeader],
    compression: OtlpCompression,
    deadline: Instant,
) -> Result<ExportResult, RequestFailure> {
    route.check(headers, &request.encode_to_vec())?;
    let (channel, opening) = connect_channel(route, deadline).await?;
    let watched = ObservedChannel { channel, seen: SharedHttpStatus::default() };
    let seen = Arc::clone(&watched.seen);
    let mut client = TraceServiceClient::new(watched).max_decoding_message_size(LIMIT);
    if compression == OtlpCompression::Gzip {
        client = client.send_compressed(CompressionEncoding::Gzip);
    }
    let call = client.export(with_metadata(request, headers)?);
    match tokio::time::timeout_at(deadline, call).await {
        Err(_) => Err(RequestFailure::after(FailureCode::Timeout, "no answer in time")),
        Ok(Ok(answer)) => {
            Ok(ExportResult { meaning: meaning_of(answer.into_inner()), retry: RetryAdvice::Never })
        }
        Ok(Err(status)) => refused_call(&status, &seen)
            .ok_or_else(|| broken_call_failure(route, &status, &opening)),
    }
}

/// Returns the meaning of a successful response.
fn meaning_of(answer: ExportTraceServiceResponse) -> ExportMeaning {
    let partial = answer.partial_success;
    response::meaning_of_partial(partial.map_or_else(PartialSuccess::default, |partial| {
        PartialSuccess { rejected: partial.rejected_spans, message: partial.error_message }
    }))
}

/// Opens an HTTP/2 connection to the resolved addresses; also returns how it started.
async fn connect_channel(
    route: &EndpointRoute,
    deadline: Instant,
) -> Result<(Channel, ConnectionStart), RequestFailure> {
    let endpoint = build_endpoint(route)?;
    let RouteVia::Addresses(addresses) = &route.via else {
        return Err(RequestFailure::before(
            FailureCode::Connect,
            "gRPC through a proxy is not supported",
        ));
    };
    let opening = ConnectionStart::default();
    let pinned = PinnedConnector { addresses: addresses.clone(), opening: opening.clone() };
    let connecting = endpoint.connect_with_connector(pinned);
    match tokio::time::timeout_at(deadline, connecting).await {
        Err(_) => Err(RequestFailure::before(FailureCode::Timeout, "no connection in time")),
        // Without TLS, an error after TCP connected is already one of HTTP/2.
        Ok(Err(error))
            if route.url.scheme() == "http" && opening.spoke() != PeerProtocol::NotConnected =>
        {
            Err(unanswered_failure(&error, &opening))
        }
        Ok(Err(error)) => Err(RequestFailure::from_chain(&error, RequestPhase::Connecting)),
        Ok(Ok(channel)) => Ok((channel, opening)),
    }
}

/// Returns the failure of a call without an answer.
fn broken_call_failure(
    route: &EndpointRoute,
    error: &(dyn std::error::Error + 'static),
    opening: &ConnectionStart,
) -> RequestFailure {
    match route.url.scheme() {
        "http" => unanswered_failure(error, opening),
        _ => RequestFailure::from_chain(error, RequestPhase::Exchanging),
    }
}

fn build_endpoint(route: &EndpointRoute) -> Result<Endpoint, RequestFailure> {
    super::http::install_provider();
    let unusable = |error: &dyn std::error::Error| {
        RequestFailure::before(
            FailureCode::Tls,
            format!("TLS cannot be set up: {}", innermost_grpc_cause(error)),
        )
        .hint("install the package `ca-certificates`, or name a bundle in SSL_CERT_FILE")
    };
    let origin = route.url.origin().ascii_serialization();
    let endpoint = Endpoint::from_shared(origin)
        .and_then(|endpoint| endpoint.user_agent(super::http::USER_AGENT))
        .map_err(|error| {
            RequestFailure::before(FailureCode::NotConfigured, innermost_grpc_cause(&error))
        })?;
    if route.url.scheme() == "http" {
        return Ok(endpoint);
    }
    let mut tls = ClientTlsConfig::new();
    tls = match &route.material.roots {
        Some(roots) => tls.ca_certificate(Certificate::from_pem(roots)),
        None => tls.with_native_roots(),
    };
    if let Some(identity) = &route.material.identity {
        tls = tls.identity(Identity::from_pem(&identity.certificate, &identity.key));
    }
    endpoint.tls_config(tls).map_err(|error| unusable(&error))
}

fn with_metadata(
    request: ExportTraceServiceRequest,
    headers: &[ExportHeader],
) -> Result<tonic::Request<ExportTraceServiceRequest>, RequestFailure> {
    let mut request = tonic::Request::new(request);
    for header in headers {
        let name = AsciiMetadataKey::from_bytes(header.name.as_bytes());
        let value = AsciiMetadataValue::try_from(header.value.expose().as_bytes());
        let (Ok(name), Ok(mut value)) = (name, value) else {
            return Err(RequestFailure::before(
                FailureCode::RequestRejected,
                format!("the header {} cannot be sent", header.name),
            ));
        };
        value.set_sensitive(true);
        request.metadata_mut().insert(name, value);
    }
    Ok(request)
}

/// Returns the meaning of a status from an HTTP response; `None` if tonic generated it because there was no response.
fn refused_call(status: &tonic::Status, seen: &SharedHttpStatus) -> Option<ExportResult> {
    let seen = (*seen.lock().unwrap_or_else(PoisonError::into_inner))?;
    let status = GrpcStatus {
        code: status.code().into(),
        message: status.message().to_owned(),
        details: status.details().to_vec(),
        http: Some(seen.status),
        is_grpc: seen.is_grpc,
    };
    Some(ExportResult { meaning: status.meaning(), retry: status.retry() })
}

/// Returns the failure of a call without an HTTP response: a broken connection, or a peer that does not speak HTTP/2.
fn unanswered_failure(
    error: &(dyn std::error::Error + 'static),
    opening: &ConnectionStart,
) -> RequestFailure {
    match opening.spoke() {
        PeerProtocol::Otherwise => {
            RequestFailure::after(FailureCode::NotOtlp, "the server there does not speak gRPC")
                .hint("OTLP over HTTP usually has port 4318, gRPC has 4317")
        }
        PeerProtocol::Nothing => RequestFailure::after(
            FailureCode::ResponseBroken,
            "the connection was closed before any answer",
        ),
        PeerProtocol::Http2 | PeerProtocol::NotConnected => {
            RequestFailure::from_chain(error, RequestPhase::Exchanging)
        }
    }
}

fn innermost_grpc_cause(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        words = cause.to_string();
        next = cause.source();
    }
    words
}

/// A connector to the resolved addresses, whatever host name is requested.
#[derive(Clone)]
struct PinnedConnector {
    addresses: Vec<SocketAddr>,
    opening: ConnectionStart,
}

type ConnectFuture = Pin<Box<dyn Future<Output = io::Result<TokioIo<ObservedConnection>>> + Send>>;

impl Service<http::Uri> for PinnedConnector {
    type Response = TokioIo<ObservedConnection>;
    type Error = io::Error;
    type Future = ConnectFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Uri) -> ConnectFuture {
        let Self { addresses, opening } = self.clone();
        Box::pin(async move {
            let stream = TcpStream::connect(addresses.as_slice()).await?;
            Ok(TokioIo::new(ObservedConnection::new(stream, opening)))
        })
    }
}

/// The HTTP response to a call, which tonic turns into a gRPC status.
#[derive(Debug, Clone, Copy)]
struct HttpStatusBelow {
    status: u16,
    is_grpc: bool,
}

type SharedHttpStatus = Arc<Mutex<Option<HttpStatusBelow>>>;

/// A channel that records the HTTP response.
#[derive(Clone)]
struct ObservedChannel {
    channel: Channel,
    seen: SharedHttpStatus,
}

type CallFuture = http::Response<tonic::body::Body>;

impl Service<http::Request<tonic::body::Body>> for ObservedChannel {
    type Response = CallFuture;
    type Error = tonic::transport::Error;
    type Future = Pin<Box<dyn Future<Output = Result<CallFuture, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let seen = Arc::clone(&self.seen);
        let exchange = self.channel.call(request);
        Box::pin(async move {
            let response = exchange.await?;
            let is_grpc = is_grpc(response.headers());
            let below = HttpStatusBelow { status: response.status().as_u16(), is_grpc };
            *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(below);
            Ok(response)
        })
    }
}
