//! Decides who may send: programs that address this machine by one of its names, and pages served from this machine.

use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use url::{Host, Url};

use super::RequestRefusal;

/// Names by which containers address their host.
const FOR_CONTAINERS: [&str; 4] = [
    "host.docker.internal",
    "gateway.docker.internal",
    "host.containers.internal",
    "host.lima.internal",
];

/// Returns this machine's host name, if known.
pub(super) fn own_name() -> Option<String> {
    let name = fs_err::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty())
}

/// Returns the origin if it is a page on this machine, which may send its spans.
pub(super) fn local_origin(headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    let url = Url::parse(origin.to_str().ok()?).ok()?;
    is_local(url.host_str()?).then(|| origin.clone())
}

/// Returns whether a name always means this machine.
pub(in crate::net) fn is_local(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]") || host.ends_with(".localhost")
}

/// Returns the host, with port, that the request names.
pub(in crate::net) fn requested_host(parts: &Parts) -> &str {
    let header = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    parts.uri.authority().map(|authority| authority.as_str()).or(header).unwrap_or_default()
}

/// Refuses requests from pages of other sites, including DNS rebinding. A rebound name has a dot; IP addresses, names
/// of compose services and this machine's names are accepted.
pub(super) fn admit_request(parts: &Parts, own_name: Option<&str>) -> Result<(), RequestRefusal> {
    if parts.headers.contains_key(ORIGIN) && local_origin(&parts.headers).is_none() {
        return Err(RequestRefusal::Foreign("only pages of this machine may send here".to_owned()));
    }
    let called = requested_host(parts);
    if called.is_empty() || is_own(called, own_name) {
        return Ok(());
    }
    let text = format!("this machine is not called {called}; use its address, or localhost");
    Err(RequestRefusal::Foreign(text))
}

fn is_own(called: &str, own_name: Option<&str>) -> bool {
    let Ok(url) = Url::parse(&format!("http://{called}")) else {
        return false;
    };
    match url.host() {
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            !name.contains('.')
                || is_local(name)
                || FOR_CONTAINERS.contains(&name)
                || own_name == Some(name)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_own;

    #[test]
    fn a_name_that_somebody_can_register_is_not_this_machine() {
        for name in [
            "localhost:4318",
            "LOCALHOST",
            "127.0.0.1",
            "[::1]:4318",
            "172.17.0.1:4318",
            "app.localhost",
            "listen:4318",
            "host.docker.internal:4318",
            "dev.box.example",
            "localhost.",
        ] {
            assert!(is_own(name, Some("dev.box.example")), "{name}");
        }
        for foreign in [
            "evil.example",
            "evil.example:4318",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "host.docker.internal.evil.example",
            "a b",
            "dev.box.example.evil",
            "user@evil.example",
        ] {
            assert!(!is_own(foreign, Some("dev.box.example")), "{foreign}");
        }
    }
}
