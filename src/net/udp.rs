//! One datagram to a place that never answers.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;

use super::failure::Failure;
use super::route::{Route, Via};
use crate::otlp::Code;

/// How long this machine takes at most to say that nobody listens on one of its own ports.
const REFUSAL: Duration = Duration::from_millis(300);

/// Sends `datagram` over `route`. That nothing was refused is all that can be known then.
///
/// # Errors
/// `connect` where it could not be sent, or where the other side says that nobody listens.
pub async fn send(route: &Route, datagram: &[u8]) -> Result<(), Failure> {
    route.check(&[], datagram)?;
    let to = match &route.via {
        Via::Addresses(addresses) => addresses.first(),
        Via::Proxy(_) => None,
    };
    let Some(to) = to.copied() else {
        let text = "no address, and a proxy passes no UDP on";
        return Err(Failure::before(Code::Connect, text));
    };
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::ConnectionRefused => {
            Failure::before(Code::Connect, format!("nobody listens at {to} by UDP"))
        }
        _ => Failure::before(Code::Connect, format!("{to} by UDP: {error}")),
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
