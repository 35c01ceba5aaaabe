//! Decides whether a request may be sent, from its destination, each of its parts and every known secret, before any
//! name lookup.
//!
//! `net` only connects to destinations that are [`ClearedDestination`] here, and every request is examined again
//! before it is sent. Asks no questions: a command shows the [`Objection`] to the user and records the answer with
//! [`Consent::trust`].

mod examine;
mod objection;

pub use examine::OutgoingRequest;
pub(crate) use examine::RequestPart;
pub(crate) use objection::{Objection, ObjectionReason};

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use url::{Host, Url};

use crate::otlp::ExportHeader;
use crate::provider::{self, HostOwner};
use crate::secret::{FoundSecret, KnownSecrets};
use examine::{find_secrets, is_own, receiving_host};

/// The secrets of one run, and the hosts they may be sent to.
#[derive(Debug, Clone)]
pub struct Consent {
    secrets: Arc<KnownSecrets>,
    trusted: Vec<TrustedHost>,
}

/// A host and what it may see.
#[derive(Debug, Clone)]
struct TrustedHost {
    host: String,
    secrets: TrustedSecrets,
    /// Whether it may see them on a connection that is not encrypted.
    is_plain_allowed: bool,
}

/// A set of secrets, by the names of their variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustedSecrets {
    /// All secrets: the host was named on the command line.
    All,
    /// These secrets: the user agreed to send them to the host.
    Named(BTreeSet<String>),
}

/// A destination that was cleared, and what may be sent there. Only this module creates one.
#[derive(Debug, Clone)]
pub struct ClearedDestination {
    url: Url,
    address: Option<SocketAddr>,
    rule: HostRule,
    secrets: Arc<KnownSecrets>,
}

/// The secrets that may be sent to a host.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HostRule {
    /// Whether it is this machine, which may see everything.
    is_own: bool,
    /// The secrets that the user agreed to.
    trusted: Vec<TrustedSecrets>,
    /// Its owner, who may see its own secret in the expected header.
    owner: Option<HostOwner>,
}

/// The permission to send a request, or what it would reveal.
pub type ConsentDecision = Result<ClearedDestination, Objection>;

impl Consent {
    /// Returns consent with all known secrets, and the hosts named on the command line.
    pub fn new(secrets: KnownSecrets, trusted: &[String]) -> Self {
        let trust = |host: &String| TrustedHost {
            host: host.clone(),
            secrets: TrustedSecrets::All,
            is_plain_allowed: true,
        };
        Self { secrets: Arc::new(secrets), trusted: trusted.iter().map(trust).collect() }
    }

    /// Allows what was objected to from now on, as the user decided.
    pub fn allow(&mut self, objection: &Objection) {
        self.trusted.push(TrustedHost {
            host: objection.host.clone(),
            secrets: objection.kinds(),
            is_plain_allowed: objection.is_plain,
        });
    }

    /// Decides whether a request may be sent.
    ///
    /// # Errors
    /// The secrets that would be revealed, to whom, and why that needs the user's agreement.
    pub fn review(&self, outgoing: &OutgoingRequest<'_>) -> ConsentDecision {
        let mut url = outgoing.url.clone();
        if let Some(address) = outgoing.address {
            // Cannot fail for http and https.
            let _ = url.set_port(Some(address.port()));
        }
        let rule = self.rule(outgoing);
        let cleared = ClearedDestination {
            url,
            address: outgoing.address,
            rule,
            secrets: Arc::clone(&self.secrets),
        };
        let reason = ObjectionReason::of(outgoing);
        cleared.examine(outgoing.url, outgoing.headers, outgoing.texts, &reason)?;
        cleared.rule.allows_supplied(outgoing, reason)?;
        Ok(cleared)
    }

    fn rule(&self, outgoing: &OutgoingRequest<'_>) -> HostRule {
        let host = receiving_host(outgoing.url, outgoing.address);
        let is_own = outgoing.own_authority || outgoing.address.is_some();
        let is_encrypted = outgoing.url.scheme() == "https";
        let trusted = self.trusted.iter().filter(|trusted| {
            trusted.host.eq_ignore_ascii_case(&host) && (is_encrypted || trusted.is_plain_allowed)
        });
        HostRule {
            is_own: outgoing.is_own(),
            trusted: trusted.map(|trusted| trusted.secrets.clone()).collect(),
            owner: (is_encrypted && !is_own).then(|| provider::host_owner(&host)).flatten(),
        }
    }
}

impl ClearedDestination {
    /// Returns a destination on this machine, which may see everything; `None` for any other.
    pub fn on_this_machine(url: &Url, address: Option<SocketAddr>) -> Option<Self> {
        let secrets = KnownSecrets::default();
        let outgoing = OutgoingRequest { address, ..OutgoingRequest::to(url) };
        outgoing.is_own().then(|| Consent::new(secrets, &[]).review(&outgoing).ok()).flatten()
    }

    /// Returns the URL; only its host may be looked up.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the address the project gives for the host, which makes a lookup unnecessary.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Returns whether it was cleared as this machine, which must be checked after the lookup.
    pub fn is_own(&self) -> bool {
        self.rule.is_own
    }

    /// Checks that this request may be sent too: the same destination, and nothing in it that was not cleared.
    ///
    /// # Errors
    /// As [`Consent::review`].
    pub fn check(&self, url: &Url, headers: &[ExportHeader], body: &[u8]) -> Result<(), Objection> {
        if url.origin() != self.url.origin() {
            return Err(Objection::elsewhere(url));
        }
        self.examine(url, headers, &[body], &ObjectionReason::Changed)
    }

    fn examine(
        &self,
        url: &Url,
        headers: &[ExportHeader],
        texts: &[&[u8]],
        reason: &ObjectionReason,
    ) -> Result<(), Objection> {
        let found = find_secrets(&self.secrets, url, headers, texts);
        let refused: Vec<_> =
            found.into_iter().filter(|(part, secret)| !self.rule.allows(part, secret)).collect();
        if refused.is_empty() {
            return Ok(());
        }
        Err(Objection::new(url, self.address, refused, reason.clone()))
    }
}

impl PartialEq for ClearedDestination {
    /// Compares destinations without their paths.
    fn eq(&self, other: &Self) -> bool {
        self.url.origin() == other.url.origin()
            && self.address == other.address
            && self.rule == other.rule
    }
}

impl Eq for ClearedDestination {}

impl HostRule {
    fn allows(&self, part: &RequestPart, secret: &FoundSecret) -> bool {
        let agreed = self.trusted.iter().any(|kinds| kinds.include(&secret.0));
        match part {
            // A lookup would reveal the name to the name server.
            RequestPart::Host => false,
            _ if self.is_own || agreed => true,
            RequestPart::Header(name) => self.owner.as_ref().is_some_and(|owner| {
                let is_key_header =
                    owner.headers.iter().any(|header| header.eq_ignore_ascii_case(name));
                is_key_header && is_own(owner, secret)
            }),
            _ => false,
        }
    }

    /// Checks headers from outside the project's files, which are the user's whatever they contain.
    fn allows_supplied(
        &self,
        outgoing: &OutgoingRequest<'_>,
        reason: ObjectionReason,
    ) -> Result<(), Objection> {
        let names: BTreeSet<String> = outgoing.supplied.iter().cloned().collect();
        let agreed = |name: &String| {
            let names = BTreeSet::from([name.clone()]);
            self.trusted.iter().any(|kinds| kinds.include(&names))
        };
        if self.is_own || self.owner.is_some() || names.iter().all(agreed) {
            return Ok(());
        }
        let part = RequestPart::Header("header".to_owned());
        let refused = names
            .into_iter()
            .map(|name| FoundSecret(BTreeSet::from([name])))
            .map(|secret| (part.clone(), secret))
            .collect();
        Err(Objection::new(outgoing.url, outgoing.address, refused, reason))
    }
}

impl TrustedSecrets {
    /// Returns whether one of a secret's names is included.
    fn include(&self, names: &BTreeSet<String>) -> bool {
        match self {
            Self::All => true,
            Self::Named(agreed) => !agreed.is_disjoint(names),
        }
    }
}

/// Returns whether this host always means the local machine.
fn is_own_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests;
