//! Where an address that a container uses is to be found from this machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use url::{Host, Url};

use crate::compose::{Model, Service};
use crate::net::failure::Failure;
use crate::otlp::Code;

/// The address of `url` from here, where `service` means something else by it; `None` where it means the same.
///
/// # Errors
/// `connect`, for a service of the project that publishes no port.
pub(super) fn of(
    model: &Model,
    service: &Service,
    url: &Url,
) -> Result<Option<SocketAddr>, Failure> {
    let Some(Host::Domain(host)) = url.host() else {
        return Ok(None);
    };
    let port = url.port_or_known_default().unwrap_or(80);
    at(model, service, (host, port), "tcp")
}

/// As [`of`], for a host and a port of `protocol`.
///
/// # Errors
/// As [`of`].
pub(super) fn at(
    model: &Model,
    service: &Service,
    (host, port): (&str, u16),
    protocol: &str,
) -> Result<Option<SocketAddr>, Failure> {
    if matches!(host, "host.docker.internal" | "gateway.docker.internal") {
        return Ok(Some((Ipv4Addr::LOCALHOST, port).into()));
    }
    let Some(target) = named(model, host) else {
        return Ok(None);
    };
    if target.network_mode.as_deref() == Some("host") {
        return Ok(Some((Ipv4Addr::LOCALHOST, port).into()));
    }
    published(target, port, protocol)
        .map(Some)
        .ok_or_else(|| unpublished(service, (host, port), protocol))
}

fn unpublished(service: &Service, (host, port): (&str, u16), protocol: &str) -> Failure {
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
    Failure::before(Code::Connect, evidence).hint(hint)
}

/// The service of the project that containers find under this name.
pub(super) fn named<'a>(model: &'a Model, host: &str) -> Option<&'a Service> {
    model.service(host).or_else(|| {
        let mut services = model.services.iter();
        services.find(|one| one.container_name.as_deref() == Some(host))
    })
}

fn published(target: &Service, port: u16, protocol: &str) -> Option<SocketAddr> {
    let mut entries = target.ports.iter().filter(|one| one.protocol == protocol);
    let entry = entries.find(|one| one.container.contains(&port))?;
    // Of several, docker picks one, and only docker knows which.
    let host = entry.host_of(port)?;
    let ip = entry.host_ip.as_deref().and_then(|ip| ip.parse().ok());
    let ip = ip.filter(|ip: &IpAddr| !ip.is_unspecified());
    Some((ip.unwrap_or(Ipv4Addr::LOCALHOST.into()), host).into())
}

/// An address by which every machine means itself.
pub(super) fn is_own(endpoint: &str) -> bool {
    let text = match endpoint.contains("://") {
        true => endpoint.to_owned(),
        false => format!("http://{endpoint}"),
    };
    let Ok(url) = Url::parse(&text) else {
        return false;
    };
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
