//! Examines what a request would reveal: its parts, and the secrets in each.

use std::net::{IpAddr, SocketAddr};

use url::Url;

use super::is_own_host;
use crate::otlp::ExportHeader;
use crate::provider::{self, HostOwner};
use crate::secret::{FoundSecret, KnownSecrets};

/// Everything a request would send, and its destination.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingRequest<'a> {
    /// The final URL, with all variables replaced.
    pub url: &'a Url,
    /// The address the project gives for the host, which overrides name lookup.
    pub address: Option<SocketAddr>,
    /// The project names the only trusted certificate authorities.
    pub own_authority: bool,
    /// All headers that are sent.
    pub headers: &'a [ExportHeader],
    /// The variables that supply headers from outside the project's compose files.
    pub supplied: &'a [String],
    /// Names, attributes and the body.
    pub texts: &'a [&'a [u8]],
}

/// A part of a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequestPart {
    /// The host name, which is looked up.
    Host,
    /// The user name and password before the host.
    UserInfo,
    /// The path.
    Path,
    /// The query or fragment.
    Query,
    /// The header of this name, or its name itself.
    Header(String),
    /// A name, an attribute or the body.
    Body,
}

impl<'a> OutgoingRequest<'a> {
    /// Returns a request for `url` without headers and body.
    pub fn to(url: &'a Url) -> Self {
        Self { url, address: None, own_authority: false, headers: &[], supplied: &[], texts: &[] }
    }

    /// Returns whether it stays on this machine.
    pub(super) fn is_own(&self) -> bool {
        match self.address {
            Some(address) => address.ip().is_loopback(),
            None => is_own_host(self.url),
        }
    }
}

/// Returns the host that gets a request: the address, if the project gives one outside this machine, because the name
/// would say nothing about it.
pub(super) fn receiving_host(url: &Url, address: Option<SocketAddr>) -> String {
    match address.map(|address| address.ip()).filter(|ip| !ip.is_loopback()) {
        Some(IpAddr::V4(ip)) => ip.to_string(),
        Some(IpAddr::V6(ip)) => format!("[{ip}]"),
        None => url.host_str().unwrap_or_default().to_owned(),
    }
}

/// Returns the secrets in each part.
pub(super) fn find_secrets(
    known: &KnownSecrets,
    url: &Url,
    headers: &[ExportHeader],
    texts: &[&[u8]],
) -> Vec<(RequestPart, FoundSecret)> {
    let mut found = Vec::new();
    let mut note = |part: RequestPart, secrets: std::collections::BTreeSet<FoundSecret>| {
        found.extend(secrets.into_iter().map(|secret| (part.clone(), secret)));
    };
    note(RequestPart::Host, known.find_in_host(url.host_str().unwrap_or_default()));
    for text in [url.username(), url.password().unwrap_or_default()] {
        note(RequestPart::UserInfo, known.find(text.as_bytes()));
    }
    note(RequestPart::Path, known.find(url.path().as_bytes()));
    for text in [url.query(), url.fragment()] {
        note(RequestPart::Query, known.find(text.unwrap_or_default().as_bytes()));
    }
    for header in headers {
        // A secret in a header's name is in no header that an owner expects.
        note(RequestPart::Header(String::new()), known.find(header.name.as_bytes()));
        note(
            RequestPart::Header(header.name.clone()),
            known.find(header.value.expose().as_bytes()),
        );
    }
    for text in texts {
        note(RequestPart::Body, known.find(text));
    }
    found
}

/// Returns whether the owner of a host may see a secret: its own, or one without a known owner.
pub(super) fn is_own(owner: &HostOwner, secret: &FoundSecret) -> bool {
    let owners: Vec<&str> =
        secret.0.iter().filter_map(|name| provider::variable_owner(name)).collect();
    owners.is_empty() || owners.contains(&owner.title)
}
