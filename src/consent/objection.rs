//! Explains why a request may not be sent: the secrets, the parts, and the reason.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use url::Url;

use super::examine::receiving_host;
use super::{OutgoingRequest, RequestPart, TrustedSecrets};
use crate::provider;
use crate::secret::FoundSecret;

/// The secrets a request would reveal without the user's agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The host, or the address that the project gives for it; empty if its name itself contains a secret.
    pub host: String,
    /// The connection is not encrypted.
    pub is_plain: bool,
    /// The parts that contain a secret.
    pub parts: BTreeSet<RequestPart>,
    /// The problem with the host.
    pub reason: ObjectionReason,
    /// The secrets, each with all its names.
    secrets: Vec<FoundSecret>,
}

/// The problem with a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectionReason {
    /// Its owner is unknown.
    Unknown,
    /// Its known owner does not own the secret, or does not expect it in this part of a request.
    NotForIt(&'static str),
    /// The certificate authority comes from the project.
    OwnAuthority,
    /// The project overrides the host's address.
    Led,
    /// The request differs from what was cleared.
    Changed,
}

impl ObjectionReason {
    pub(super) fn of(outgoing: &OutgoingRequest<'_>) -> Self {
        let owner = provider::host_owner(outgoing.url.host_str().unwrap_or_default());
        match owner {
            _ if outgoing.address.is_some() => Self::Led,
            Some(_) if outgoing.own_authority => Self::OwnAuthority,
            Some(owner) => Self::NotForIt(owner.title),
            None => Self::Unknown,
        }
    }

    /// Returns a clause that follows the name of the host.
    fn words(&self) -> String {
        match self {
            Self::Unknown => "belongs to no known provider".to_owned(),
            Self::NotForIt(title) => format!("belongs to {title}, which does not expect it there"),
            Self::OwnAuthority => {
                "would be trusted through the project's own certificate authority".to_owned()
            }
            Self::Led => "is the address that this project gives for the host".to_owned(),
            Self::Changed => "was not asked about that".to_owned(),
        }
    }
}

impl Objection {
    /// Returns the objection to a request for `url`, for which the project may give an address.
    pub(super) fn new(
        url: &Url,
        address: Option<SocketAddr>,
        refused: Vec<(RequestPart, FoundSecret)>,
        reason: ObjectionReason,
    ) -> Self {
        let (parts, mut secrets): (BTreeSet<RequestPart>, Vec<FoundSecret>) =
            refused.into_iter().unzip();
        secrets.sort();
        secrets.dedup();
        let is_in_host = parts.contains(&RequestPart::Host);
        let host = if is_in_host { String::new() } else { receiving_host(url, address) };
        Self { host, is_plain: url.scheme() == "http", parts, reason, secrets }
    }

    pub(super) fn elsewhere(url: &Url) -> Self {
        Self::new(url, None, Vec::new(), ObjectionReason::Changed)
    }

    /// Returns whether the host's name contains the secret, which cannot be agreed to.
    pub fn is_in_host(&self) -> bool {
        self.parts.contains(&RequestPart::Host)
    }

    /// Returns the secrets that an agreement would cover.
    pub fn kinds(&self) -> TrustedSecrets {
        TrustedSecrets::Named(
            self.secrets.iter().flat_map(|secret| secret.0.iter().cloned()).collect(),
        )
    }

    /// Returns one name for each secret, preferably one from the catalogue.
    pub fn names(&self) -> Vec<&str> {
        let chosen = self.secrets.iter().filter_map(|secret| {
            let mut names = secret.0.iter().map(String::as_str);
            let known = names.clone().find(|name| provider::variable_owner(name).is_some());
            known.or_else(|| names.next())
        });
        let mut names: Vec<&str> = chosen.collect();
        names.dedup();
        names
    }

    /// Describes the consequence in one line, without the secret.
    pub fn describe(&self) -> String {
        let names = match self.names().as_slice() {
            [] => "the request".to_owned(),
            names => names.join(" and "),
        };
        if self.is_in_host() {
            return format!("the name of the host holds {names}");
        }
        if self.is_plain {
            format!("{names} would go to {} unencrypted", self.host)
        } else {
            format!("{names} would go to {}, which {}", self.host, self.reason.words())
        }
    }
}
