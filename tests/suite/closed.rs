//! A port of loopback that is nobody's for as long as this lives: another test could be given one that was let go.

use std::net::{Ipv4Addr, SocketAddr};

/// Bound, and never listened on: who connects is refused.
pub struct Closed {
    pub address: SocketAddr,
    #[cfg(unix)]
    _socket: rustix::fd::OwnedFd,
}

impl Closed {
    #[cfg(unix)]
    pub fn new() -> Self {
        use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = getsockname(&socket).unwrap().try_into().unwrap();
        Self { address, _socket: socket }
    }

    /// Nothing holds a port that is not listened on here.
    #[cfg(not(unix))]
    pub fn new() -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        Self { address: listener.local_addr().unwrap() }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}
