//! Sends one UDP datagram to a destination that never answers.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;

use super::failure::RequestFailure;
use super::route::{EndpointRoute, RouteVia};
use crate::otlp::FailureCode;

/// The longest time this machine takes to report that one of its ports is closed.
const REFUSAL: Duration = Duration::from_millis(300);

/// Sends `datagram` over `route`. Success only means that it was not refused.
///
/// # Errors
/// `connect` when it could not be sent, or when the peer's port is closed.
pub(crate) async fn send(route: &EndpointRoute, datagram: &[u8]) -> Result<(), RequestFailure> {
    route.check(&[], datagram)?;
    let to = match &route.via {
        RouteVia::Addresses(addresses) => addresses.first(),
        RouteVia::Proxy(_) => None,
    };
    let Some(to) = to.copied() else {
        let text = "no address, and a proxy does not forward UDP";
        return Err(RequestFailure::before(FailureCode::Connect, text));
    };
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::ConnectionRefused => RequestFailure::before(
            FailureCode::Connect,
            format!("nothing listens at {to} over UDP"),
        ),
        _ => RequestFailure::before(FailureCode::Connect, format!("{to} by UDP: {error}")),
    };
    let from: SocketAddr = match to {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(from).await.map_err(failed)?;
    socket.connect(to).await.map_err(failed)?;
    socket.send(datagram).await.map_err(failed)?;
    match tokio::time::timeout(REFUSAL, socket.recv(&mut [0])).await {
        Ok(Err(error)) => Err(failed(error)),
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}
