//! Translates an address in a container to one on this machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use url::Url;

use crate::compose::{AddressTarget, ComposeModel, ServiceModel, find_target, is_own_host};
use crate::net::failure::RequestFailure;
use crate::otlp::FailureCode;

/// Returns the address of `url` from this machine if it differs from the service's view; `None` if it is the same.
///
/// # Errors
/// `connect`, when the files show that it cannot work, and for a service of the project that publishes no port.
pub(super) fn find_url_address(
    model: &ComposeModel,
    service: &ServiceModel,
    url: &Url,
) -> Result<Option<SocketAddr>, RequestFailure> {
    match host_and_port(url) {
        Some(at_port) => find_port_address(model, service, at_port, "tcp"),
        None => Ok(None),
    }
}

fn host_and_port(url: &Url) -> Option<(&str, u16)> {
    Some((url.host_str()?, url.port_or_known_default().unwrap_or(80)))
}

/// Does the same as [`find_url_address`] for a host and a port of `protocol`.
///
/// # Errors
/// As [`find_url_address`].
pub(super) fn find_port_address(
    model: &ComposeModel,
    service: &ServiceModel,
    (host, port): (&str, u16),
    protocol: &str,
) -> Result<Option<SocketAddr>, RequestFailure> {
    let (name, container) = match find_target(model, service, (host, port), protocol) {
        AddressTarget::Own | AddressTarget::Outside => return Ok(None),
        AddressTarget::Machine => return Ok(Some((Ipv4Addr::LOCALHOST, port).into())),
        AddressTarget::Unreachable(obstacle) => {
            let evidence = format!("{} does not reach {host}:{port}: {obstacle}", service.name);
            return Err(
                RequestFailure::before(FailureCode::Connect, evidence).hint(obstacle.hint())
            );
        }
        AddressTarget::Container { service, port } => (service, port),
    };
    let address =
        model.service(&name).and_then(|target| published_address(target, container, protocol));
    address.map(Some).ok_or_else(|| unpublished_port_failure(service, (&name, container), protocol))
}

fn unpublished_port_failure(
    service: &ServiceModel,
    (host, port): (&str, u16),
    protocol: &str,
) -> RequestFailure {
    let suffix = match protocol {
        "tcp" => "",
        _ => "/udp",
    };
    let evidence = format!(
        "{host} is a service of this project that publishes no port for {port}{suffix}: {} may reach it, this machine cannot",
        service.name
    );
    let hint = format!(
        "`ports: [\"127.0.0.1:{port}:{port}{suffix}\"]` in the service {host} publishes it"
    );
    RequestFailure::before(FailureCode::Connect, evidence).hint(hint)
}

/// Returns the service of the project that `service` reaches at `url`, with its container port.
pub(super) fn find_receiving_service<'a>(
    model: &'a ComposeModel,
    service: &ServiceModel,
    url: &Url,
) -> Option<(&'a ServiceModel, u16)> {
    match find_target(model, service, host_and_port(url)?, "tcp") {
        AddressTarget::Container { service, port } => Some((model.service(&service)?, port)),
        _ => None,
    }
}

fn published_address(target: &ServiceModel, port: u16, protocol: &str) -> Option<SocketAddr> {
    let mut entries = target.ports.iter().filter(|published| published.protocol == protocol);
    let entry = entries.find(|published| published.container.contains(&port))?;
    // Docker picks one port of a range, and only docker knows which.
    let host = entry.host_of(port)?;
    let ip = entry
        .host_ip
        .as_deref()
        .and_then(|ip| ip.parse().ok())
        .filter(|ip: &IpAddr| !ip.is_unspecified());
    Some((ip.unwrap_or(Ipv4Addr::LOCALHOST.into()), host).into())
}

/// Returns whether the host of `endpoint`, with or without a scheme, always means the local machine.
pub(super) fn is_own(endpoint: &str) -> bool {
    let text =
        if endpoint.contains("://") { endpoint.to_owned() } else { format!("http://{endpoint}") };
    let url = Url::parse(&text).ok();
    url.as_ref().and_then(Url::host_str).is_some_and(is_own_host)
}
