//! Finds the ports that are listened on: from the kernel's tables on Linux, by connecting elsewhere.

use std::collections::BTreeMap;

/// The reach of a listening port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PortReach {
    /// Only this machine.
    Loopback,
    /// Other machines too.
    Everywhere,
}

/// Returns which of `ports` are listened on, and their reach.
pub(crate) fn find_listening_ports(ports: &[u16]) -> BTreeMap<u16, PortReach> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(fs_err::read_to_string);
    if tables.iter().all(Result::is_err) {
        return ports
            .iter()
            .filter(|port| accepts_connections(**port))
            .map(|port| (*port, PortReach::Loopback))
            .collect();
    }
    let mut listening = BTreeMap::new();
    for (port, reach) in tables.iter().flatten().flat_map(|table| listening_rows(table)) {
        if ports.contains(&port) {
            let widest = listening.entry(port).or_insert(reach);
            *widest = reach.max(*widest);
        }
    }
    listening
}

/// Returns whether a connection to the port on localhost succeeds.
fn accepts_connections(port: u16) -> bool {
    let limit = std::time::Duration::from_millis(200);
    std::net::TcpStream::connect_timeout(&(std::net::Ipv4Addr::LOCALHOST, port).into(), limit)
        .is_ok()
}

/// Returns the listening sockets in one of the kernel's tables.
fn listening_rows(table: &str) -> impl Iterator<Item = (u16, PortReach)> {
    const LISTEN: &str = "0A";
    table.lines().filter_map(|line| {
        let mut columns = line.split_whitespace();
        let (address, port) = columns.nth(1)?.split_once(':')?;
        if columns.nth(1)? != LISTEN {
            return None;
        }
        Some((u16::from_str_radix(port, 16).ok()?, parse_reach(address)))
    })
}

/// Parses an address of hexadecimal words in the machine's byte order.
fn parse_reach(address: &str) -> PortReach {
    const LOOPBACK_6: [&str; 2] =
        ["00000000000000000000000001000000", "00000000000000000000000000000001"];
    let last_word = address.get(address.len().saturating_sub(8)..).unwrap_or_default();
    let mapped =
        address.len() == 8 || address.get(16..24).is_some_and(|word| word.contains("FFFF"));
    let first_octet =
        if cfg!(target_endian = "little") { last_word.get(6..) } else { last_word.get(..2) };
    let loopback_4 = mapped && first_octet == Some("7F");
    if loopback_4 || LOOPBACK_6.contains(&address) {
        PortReach::Loopback
    } else {
        PortReach::Everywhere
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn only_listening_sockets_count() {
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000
   1: 00000000:11D7 00000000:0000 0A 00000000:00000000 00:00000000 00000000
   2: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000
   3: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 0:0
   4: 00000000000000000000000000000000:0051 00000000000000000000000000000000:0000 0A 0:0
   6: 7F00A8C0:0053 00000000:0000 0A 0:0
   5: 0000000000000000FFFF00000100007F:0052 00000000000000000000000000000000:0000 0A 0:0
";
        assert_eq!(
            listening_rows(table).collect::<Vec<_>>(),
            [
                (3000, PortReach::Loopback),
                (4567, PortReach::Everywhere),
                (80, PortReach::Loopback),
                (81, PortReach::Everywhere),
                (83, PortReach::Everywhere),
                (82, PortReach::Loopback),
            ]
        );
    }

    #[test]
    fn a_socket_of_our_own_is_found() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        assert_eq!(find_listening_ports(&[port]).get(&port), Some(&PortReach::Loopback));
        drop(socket);
    }
}
