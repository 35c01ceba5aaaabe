//! A loopback port that stays closed as long as this value exists: another test could get a port that was released.

use std::net::{Ipv4Addr, SocketAddr};

/// A bound socket that never listens: connections are refused.
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

    /// Returns a port that nothing listens on.
    #[cfg(not(unix))]
    pub fn new() -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        Self { address: listener.local_addr().unwrap() }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}
