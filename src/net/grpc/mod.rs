//! One export call over gRPC.

mod relayed;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

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

use super::failure::{Failure, Phase};
use super::overheard::{Opening, Overheard, Spoke};
use super::receiver::grpc::is_grpc;
use super::route::{Route, Via};
use crate::otlp::Code;
use crate::otlp::Compression;
use crate::otlp::Header;
use crate::otlp::response::{self, LIMIT, Meaning, Partial};
use crate::otlp::status::GrpcStatus;

pub use relayed::{RelayedCall, RelayedReply, relay};

/// The result of an export call.
#[derive(Debug, Clone)]
pub struct Called {
    /// The meaning for the spans.
    pub meaning: Meaning,
    /// If the call may be repeated, the delay the server asks for, if any.
    pub retry: Option<Option<Duration>>,
}

/// Makes one export call before `deadline`.
///
/// # Errors
/// The reason why no answer came.
pub async fn export(
    route: &Route,
    request: ExportTraceServiceRequest,
    headers: &[Header],
    compression: Compression,
    deadline: Instant,
) -> Result<Called, Failure> {
    route.check(headers, &request.encode_to_vec())?;
    let (channel, opening) = connect(route, deadline).await?;
    let watched = Watched { channel, seen: Seen::default() };
    let seen = Arc::clone(&watched.seen);
    let mut client = TraceServiceClient::new(watched).max_decoding_message_size(LIMIT);
    if compression == Compression::Gzip {
        client = client.send_compressed(CompressionEncoding::Gzip);
    }
    let call = client.export(with_metadata(request, headers)?);
    match tokio::time::timeout_at(deadline, call).await {
        Err(_) => Err(Failure::after(Code::Timeout, "no answer in time")),
        Ok(Ok(answer)) => Ok(Called { meaning: meaning_of(answer.into_inner()), retry: None }),
        Ok(Err(status)) => refused(&status, &seen).ok_or_else(|| broken(route, &status, &opening)),
    }
}

/// Returns the meaning of a successful response.
fn meaning_of(answer: ExportTraceServiceResponse) -> Meaning {
    let partial = answer.partial_success;
    response::meaning(partial.map_or_else(Partial::default, |partial| Partial {
        rejected: partial.rejected_spans,
        message: partial.error_message,
    }))
}

/// Opens an HTTP/2 connection to the resolved addresses; also returns how it started.
async fn connect(route: &Route, deadline: Instant) -> Result<(Channel, Opening), Failure> {
    let endpoint = endpoint(route)?;
    let Via::Addresses(addresses) = &route.via else {
        return Err(Failure::before(Code::Connect, "gRPC through a proxy is not tried"));
    };
    let opening = Opening::default();
    let pinned = Pinned { addresses: addresses.clone(), opening: opening.clone() };
    let connecting = endpoint.connect_with_connector(pinned);
    match tokio::time::timeout_at(deadline, connecting).await {
        Err(_) => Err(Failure::before(Code::Timeout, "no connection in time")),
        // Without TLS, an error after TCP connected is already one of HTTP/2.
        Ok(Err(error))
            if route.url.scheme() == "http" && opening.spoke() != Spoke::NotConnected =>
        {
            Err(unanswered(&error, &opening))
        }
        Ok(Err(error)) => Err(Failure::from_chain(&error, Phase::Connecting)),
        Ok(Ok(channel)) => Ok((channel, opening)),
    }
}

/// Returns the failure of a call without an answer.
fn broken(route: &Route, error: &(dyn std::error::Error + 'static), opening: &Opening) -> Failure {
    match route.url.scheme() {
        "http" => unanswered(error, opening),
        _ => Failure::from_chain(error, Phase::Exchanging),
    }
}

fn endpoint(route: &Route) -> Result<Endpoint, Failure> {
    super::http::install_provider();
    let unusable = |error: &dyn std::error::Error| {
        Failure::before(Code::Tls, format!("TLS cannot be set up: {}", innermost(error)))
            .hint("install the package `ca-certificates`, or name a bundle in SSL_CERT_FILE")
    };
    let origin = route.url.origin().ascii_serialization();
    let endpoint = Endpoint::from_shared(origin)
        .and_then(|endpoint| endpoint.user_agent(super::http::USER_AGENT))
        .map_err(|error| Failure::before(Code::NotConfigured, innermost(&error)))?;
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
    headers: &[Header],
) -> Result<tonic::Request<ExportTraceServiceRequest>, Failure> {
    let mut request = tonic::Request::new(request);
    for header in headers {
        let name = AsciiMetadataKey::from_bytes(header.name.as_bytes());
        let value = AsciiMetadataValue::try_from(header.value.expose().as_bytes());
        let (Ok(name), Ok(mut value)) = (name, value) else {
            return Err(Failure::before(
                Code::RequestRejected,
                format!("the header {} cannot be sent", header.name),
            ));
        };
        value.set_sensitive(true);
        request.metadata_mut().insert(name, value);
    }
    Ok(request)
}

/// Returns the meaning of a status from an HTTP response; `None` if tonic generated it because there was no response.
fn refused(status: &tonic::Status, seen: &Seen) -> Option<Called> {
    let seen = (*seen.lock().unwrap_or_else(PoisonError::into_inner))?;
    let status = GrpcStatus {
        code: status.code().into(),
        message: status.message().to_owned(),
        details: status.details().to_vec(),
        http: Some(seen.status),
        is_grpc: seen.is_grpc,
    };
    Some(Called { meaning: status.meaning(), retry: status.retry() })
}

/// Returns the failure of a call without an HTTP response: a broken connection, or a peer that does not speak HTTP/2.
fn unanswered(error: &(dyn std::error::Error + 'static), opening: &Opening) -> Failure {
    match opening.spoke() {
        Spoke::Otherwise => Failure::after(Code::NotOtlp, "what answers there speaks no gRPC")
            .hint("OTLP over HTTP usually has port 4318, gRPC has 4317"),
        Spoke::Nothing => {
            Failure::after(Code::ResponseBroken, "the connection was closed before any answer")
        }
        Spoke::Http2 | Spoke::NotConnected => Failure::from_chain(error, Phase::Exchanging),
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
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
struct Pinned {
    addresses: Vec<SocketAddr>,
    opening: Opening,
}

type Connecting = Pin<Box<dyn Future<Output = io::Result<TokioIo<Overheard>>> + Send>>;

impl Service<http::Uri> for Pinned {
    type Response = TokioIo<Overheard>;
    type Error = io::Error;
    type Future = Connecting;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Uri) -> Connecting {
        let Self { addresses, opening } = self.clone();
        Box::pin(async move {
            let stream = TcpStream::connect(addresses.as_slice()).await?;
            Ok(TokioIo::new(Overheard::new(stream, opening)))
        })
    }
}

/// The HTTP response to a call, which tonic turns into a gRPC status.
#[derive(Debug, Clone, Copy)]
struct Below {
    status: u16,
    is_grpc: bool,
}

type Seen = Arc<Mutex<Option<Below>>>;

/// A channel that records the HTTP response.
#[derive(Clone)]
struct Watched {
    channel: Channel,
    seen: Seen,
}

type Exchange = http::Response<tonic::body::Body>;

impl Service<http::Request<tonic::body::Body>> for Watched {
    type Response = Exchange;
    type Error = tonic::transport::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Exchange, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let seen = Arc::clone(&self.seen);
        let exchange = self.channel.call(request);
        Box::pin(async move {
            let response = exchange.await?;
            let is_grpc = is_grpc(response.headers());
            let below = Below { status: response.status().as_u16(), is_grpc };
            *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(below);
            Ok(response)
        })
    }
}
