//! Detects whether a port that gave no sensible answer speaks TLS, without sending any of the caller's data.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::route::{EndpointRoute, RouteVia};

/// Returns whether the peer of `route` speaks TLS; a timeout counts as no.
pub(crate) async fn speaks_tls(route: &EndpointRoute, deadline: Instant) -> bool {
    let RouteVia::Addresses(addresses) = &route.via else {
        return false;
    };
    tokio::time::timeout_at(deadline, shake_hands(addresses)).await.unwrap_or(false)
}

/// Starts a TLS handshake that trusts no certificate: a rejected certificate is enough proof, and no data is sent.
async fn shake_hands(addresses: &[std::net::SocketAddr]) -> bool {
    super::http::install_provider();
    let config = ClientConfig::builder()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let (Ok(stream), Ok(name)) =
        (TcpStream::connect(addresses).await, ServerName::try_from("localhost"))
    else {
        return false;
    };
    let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let Err(error) = handshake.await else {
        return true;
    };
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    matches!(cause, Some(rustls::Error::InvalidCertificate(_) | rustls::Error::AlertReceived(_)))
}
