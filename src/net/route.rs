//! The route to an endpoint: its name is resolved once, and only those addresses are used.

use std::net::SocketAddr;

use hyper_util::client::proxy::matcher::Matcher;
use tokio::time::Instant;
use url::{Host, Url};

use super::client_cache::ClientCache;
use super::failure::RequestFailure;
use super::trust::TlsMaterial;
use crate::consent::{ClearedDestination, Objection};
use crate::otlp::ExportHeader;
use crate::otlp::FailureCode;
use crate::otlp::hint::hint_for_code;

/// The route to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRoute {
    /// The URL; its host is used for the `Host` header and the certificate.
    pub url: Url,
    /// The way the host is reached.
    pub via: RouteVia,
    /// The trusted authorities and the client certificate.
    pub material: TlsMaterial,
    /// The client that one request leaves for the next.
    pub client_cache: ClientCache,
    /// The data that may be sent over it.
    cleared: ClearedDestination,
}

/// The way a host is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteVia {
    /// At exactly these addresses.
    Addresses(Vec<SocketAddr>),
    /// Through the proxy that the environment names for it, which resolves the name.
    Proxy(String),
}

impl EndpointRoute {
    /// Resolves the host of a destination, unless a proxy does or the project gives its address.
    ///
    /// # Errors
    /// `dns` when the name has no address, `timeout` when there is no answer in time, `untrusted-host` for a
    /// destination that was cleared as this machine and is not.
    pub async fn find(
        cleared: &ClearedDestination,
        deadline: Instant,
    ) -> Result<Self, RequestFailure> {
        let url = cleared.url();
        let via = match (cleared.address(), proxy_for_url(url)) {
            (Some(address), _) => RouteVia::Addresses(vec![address]),
            (None, Some(proxy)) => RouteVia::Proxy(proxy),
            (None, None) => RouteVia::Addresses(resolve_addresses(url, deadline).await?),
        };
        let route = Self {
            url: url.clone(),
            via,
            material: TlsMaterial::default(),
            client_cache: ClientCache::default(),
            cleared: cleared.clone(),
        };
        if cleared.is_own() && !route.is_loopback() {
            let host = url.host_str().unwrap_or_default();
            let text = format!("{host} is not this machine; nothing was sent");
            Err(RequestFailure::before(FailureCode::UntrustedHost, text))
        } else {
            Ok(route)
        }
    }

    /// Checks again, just before sending, that this request may be sent.
    ///
    /// # Errors
    /// `untrusted-host` for data that was not cleared.
    pub(super) fn check(
        &self,
        headers: &[ExportHeader],
        body: &[u8],
    ) -> Result<(), RequestFailure> {
        self.cleared
            .check(&self.url, headers, body)
            .map_err(|objection| objection_failure(&objection))
    }

    /// Returns the same route with another path.
    #[must_use]
    pub fn at_path(&self, path: &str) -> Self {
        let mut route = self.clone();
        route.url.set_path(path);
        route.url.set_query(None);
        route
    }

    /// Returns whether every address of the host is this machine.
    pub fn is_loopback(&self) -> bool {
        match &self.via {
            RouteVia::Addresses(addresses) => {
                addresses.iter().all(|address| address.ip().is_loopback())
            }
            RouteVia::Proxy(_) => false,
        }
    }

    /// Describes the addresses or the proxy.
    pub fn describe(&self) -> String {
        match &self.via {
            RouteVia::Proxy(proxy) => format!("through the proxy {proxy}"),
            RouteVia::Addresses(addresses) => {
                let shown: Vec<String> =
                    addresses.iter().take(2).map(|address| address.ip().to_string()).collect();
                let more = if addresses.len() > 2 { ", …" } else { "" };
                format!("{}{more}", shown.join(", "))
            }
        }
    }
}

fn objection_failure(objection: &Objection) -> RequestFailure {
    let text = format!("{}; nothing was sent", objection.describe());
    let failure = RequestFailure::before(FailureCode::UntrustedHost, text);
    match hint_for_code(FailureCode::UntrustedHost, &objection.host) {
        Some(advice) if !objection.is_in_host() => failure.hint(advice),
        _ => failure,
    }
}

/// Returns the proxy that the environment names for `url`, without its password; never for this machine itself.
fn proxy_for_url(url: &Url) -> Option<String> {
    let is_own = match url.host()? {
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    if is_own {
        return None;
    }
    let uri = url.as_str().parse().ok()?;
    let proxy = Matcher::from_system().intercept(&uri)?;
    let uri = proxy.uri();
    Some(format!("{}:{}", uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(80)))
}

async fn resolve_addresses(
    url: &Url,
    deadline: Instant,
) -> Result<Vec<SocketAddr>, RequestFailure> {
    let port = url.port_or_known_default().unwrap_or(443);
    let name = match url.host() {
        Some(Host::Ipv4(address)) => return Ok(vec![(address, port).into()]),
        Some(Host::Ipv6(address)) => return Ok(vec![(address, port).into()]),
        Some(Host::Domain(name)) => name,
        None => return Err(RequestFailure::before(FailureCode::Dns, "the address has no host")),
    };
    let found = tokio::time::timeout_at(deadline, tokio::net::lookup_host((name, port))).await;
    match found {
        Err(_) => Err(RequestFailure::before(
            FailureCode::Timeout,
            format!("looking up {name} took too long"),
        )),
        Ok(Err(error)) => Err(RequestFailure::before(
            FailureCode::Dns,
            format!("{name} has no address: {}", describe_lookup_failure(&error)),
        )),
        Ok(Ok(found)) => {
            let found: Vec<SocketAddr> = found.collect();
            if found.is_empty() {
                let text = format!("{name} has no address");
                return Err(RequestFailure::before(FailureCode::Dns, text));
            }
            Ok(found)
        }
    }
}

fn describe_lookup_failure(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned()
}
