//! Finds the address at which containers reach this machine.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

/// The network interface of docker's default bridge.
const INTERFACE: &str = "docker0";

/// Returns this machine's address on docker's default bridge, if there is one: what `host-gateway` resolves to on
/// Linux.
pub(crate) fn address() -> Option<Ipv4Addr> {
    let routes = fs_err::read_to_string("/proc/net/route").ok()?;
    own_address_towards(bridge_neighbour(&routes)?)
}

/// Returns some address on the bridge's network, from the kernel's routing table.
fn bridge_neighbour(routes: &str) -> Option<Ipv4Addr> {
    let mut rows = routes.lines().map(|line| line.split_whitespace());
    rows.find_map(|mut row| {
        let (interface, network) = (row.next()?, row.next()?);
        // The table shows each address as a number in this machine's byte order.
        let network = u32::from_be(u32::from_str_radix(network, 16).ok()?);

        let is_bridge = interface == INTERFACE && network != 0;
        is_bridge.then(|| Ipv4Addr::from(network + 2))
    })
}

/// Returns the address this machine would send from; sends nothing.
fn own_address_towards(neighbour: Ipv4Addr) -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((neighbour, 9)).ok()?;
    match socket.local_addr().ok()? {
        SocketAddr::V4(address) => Some(*address.ip()),
        SocketAddr::V6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bridge_is_found_in_the_table_of_routes() {
        let table = "Iface\tDestination\tGateway\tFlags\neth0\t00000000\t010011AC\t0003\ndocker0\t000011AC\t00000000\t0001\n";
        let expected = Some(Ipv4Addr::new(172, 17, 0, 2));
        if cfg!(target_endian = "little") {
            assert_eq!(bridge_neighbour(table), expected);
        }
        assert_eq!(bridge_neighbour("eth0\t000011AC\t0\n"), None);
        assert_eq!(bridge_neighbour(""), None);
    }

    #[test]
    fn towards_this_machine_the_own_address_is_loopback() {
        let own_address = own_address_towards(Ipv4Addr::LOCALHOST);
        assert_eq!(own_address, Some(Ipv4Addr::LOCALHOST));
    }
}
