//! What a request would tell: its parts, and the secrets in each of them.

use std::net::SocketAddr;

use url::Url;

use super::is_own_host;
use crate::otlp::Header;
use crate::provider::{self, HostOwner};
use crate::secret::{FoundSecret, KnownSecrets};

/// Everything a request would tell, and to whom.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// The final address, every variable in it replaced.
    pub url: &'a Url,
    /// Where the project says that the host is, whatever its name means elsewhere.
    pub address: Option<SocketAddr>,
    /// The project names the only certificate authorities to be trusted.
    pub own_authority: bool,
    /// Every header that is sent.
    pub headers: &'a [Header],
    /// The variables that supply headers from outside the project's compose files.
    pub supplied: &'a [String],
    /// Names, attributes and body.
    pub texts: &'a [&'a [u8]],
}

/// A part of a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The name that is looked up.
    Host,
    /// The user and the password before the host.
    UserInfo,
    /// The path.
    Path,
    /// The query, or a fragment.
    Query,
    /// The header of this name, or the name itself.
    Header(String),
    /// A name, an attribute, or the body.
    Body,
}

impl<'a> Outgoing<'a> {
    /// A request for `url` without headers and body.
    pub fn to(url: &'a Url) -> Self {
        Self { url, address: None, own_authority: false, headers: &[], supplied: &[], texts: &[] }
    }

    /// It stays on this machine.
    pub(super) fn is_own(&self) -> bool {
        match self.address {
            Some(address) => address.ip().is_loopback(),
            None => is_own_host(self.url),
        }
    }
}

/// The secrets in each part.
pub(super) fn find_secrets(
    known: &KnownSecrets,
    url: &Url,
    headers: &[Header],
    texts: &[&[u8]],
) -> Vec<(Part, FoundSecret)> {
    let mut found = Vec::new();
    let mut note = |part: Part, secrets: std::collections::BTreeSet<FoundSecret>| {
        found.extend(secrets.into_iter().map(|secret| (part.clone(), secret)));
    };
    note(Part::Host, known.find_in_host(url.host_str().unwrap_or_default()));
    for text in [url.username(), url.password().unwrap_or_default()] {
        note(Part::UserInfo, known.find(text.as_bytes()));
    }
    note(Part::Path, known.find(url.path().as_bytes()));
    for text in [url.query(), url.fragment()] {
        note(Part::Query, known.find(text.unwrap_or_default().as_bytes()));
    }
    for header in headers {
        // A secret in a name is in no header that anybody expects.
        note(Part::Header(String::new()), known.find(header.name.as_bytes()));
        note(Part::Header(header.name.clone()), known.find(header.value.expose().as_bytes()));
    }
    for text in texts {
        note(Part::Body, known.find(text));
    }
    found
}

/// The owner of a host may see a secret that is its own, or that belongs to nobody known.
pub(super) fn is_own(owner: &HostOwner, secret: &FoundSecret) -> bool {
    let owners: Vec<&str> =
        secret.0.iter().filter_map(|name| provider::variable_owner(name)).collect();
    owners.is_empty() || owners.contains(&owner.title)
}
