//! May this leave? The one answer: it sees where a request would go, each part of it and every known secret, before any
//! name is looked up.
//!
//! `net` finds a way only to what was [`Cleared`] here, and each request is examined again at its door. Asks nobody: a
//! command puts an [`Objection`] to the person and notes the answer with [`Consent::trust`].

mod examine;
mod objection;

pub use examine::{Outgoing, Part};
pub use objection::{Objection, Reason};

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use url::{Host, Url};

use crate::otlp::Header;
use crate::provider::{self, HostOwner};
use crate::secret::{FoundSecret, KnownSecrets};
use examine::{find_secrets, is_own};

/// What one run knows and was told: every secret, and which of them may go to which host.
#[derive(Debug, Clone)]
pub struct Consent {
    secrets: Arc<KnownSecrets>,
    trusted: Vec<(String, Kinds)>,
}

/// Secrets by the names of their variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kinds {
    /// Every one: the host was named on the command line.
    All,
    /// These: the host was agreed to at a question that named them.
    Named(BTreeSet<String>),
}

/// A destination that was cleared, and what may go there. Only this room makes one.
#[derive(Debug, Clone)]
pub struct Cleared {
    url: Url,
    address: Option<SocketAddr>,
    rule: Rule,
    secrets: Arc<KnownSecrets>,
}

/// What may go to a host.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    /// It is this machine: everything.
    is_own: bool,
    /// What the person agreed to.
    trusted: Vec<Kinds>,
    /// Its owner's secret, in the header where the owner expects it.
    owner: Option<HostOwner>,
}

impl Consent {
    /// With every secret that is known, and the hosts that were named on the command line.
    pub fn new(secrets: KnownSecrets, trusted: &[String]) -> Self {
        let trusted = trusted.iter().map(|host| (host.clone(), Kinds::All)).collect();
        Self { secrets: Arc::new(secrets), trusted }
    }

    /// From now on `host` may see secrets of these kinds: a person said so.
    pub fn trust(&mut self, host: &str, kinds: Kinds) {
        self.trusted.push((host.to_owned(), kinds));
    }

    /// May this leave?
    ///
    /// # Errors
    /// What would be told to whom, and why that is not allowed without being agreed to.
    pub fn review(&self, outgoing: &Outgoing<'_>) -> Result<Cleared, Objection> {
        let mut url = outgoing.url.clone();
        if let Some(address) = outgoing.address {
            // Neither http nor https refuses a port.
            let _ = url.set_port(Some(address.port()));
        }
        let rule = self.rule(outgoing);
        let cleared =
            Cleared { url, address: outgoing.address, rule, secrets: Arc::clone(&self.secrets) };
        let reason = Reason::of(outgoing);
        cleared.examine(outgoing.url, outgoing.headers, outgoing.texts, &reason)?;
        cleared.rule.allows_supplied(outgoing, reason)?;
        Ok(cleared)
    }

    fn rule(&self, outgoing: &Outgoing<'_>) -> Rule {
        let host = outgoing.url.host_str().unwrap_or_default();
        let own = outgoing.own_authority || outgoing.address.is_some();
        let by_name = outgoing.url.scheme() == "https" && !own;
        let trusted = self.trusted.iter().filter(|(one, _)| one.eq_ignore_ascii_case(host));
        Rule {
            is_own: outgoing.is_own(),
            trusted: trusted.map(|(_, kinds)| kinds.clone()).collect(),
            owner: by_name.then(|| provider::host_owner(host)).flatten(),
        }
    }
}

impl Cleared {
    /// A destination on this machine itself, which may see everything; `None` for any other.
    pub fn on_this_machine(url: &Url, address: Option<SocketAddr>) -> Option<Self> {
        let secrets = KnownSecrets::default();
        let outgoing = Outgoing { address, ..Outgoing::to(url) };
        outgoing.is_own().then(|| Consent::new(secrets, &[]).review(&outgoing).ok()).flatten()
    }

    /// What may be asked for; its host is the one that may be looked up.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Where the project says that the host is; nothing is looked up then.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// It was cleared as this machine: it has to turn out to be.
    pub fn is_own(&self) -> bool {
        self.rule.is_own
    }

    /// Whether this request may leave too: the same destination, and nothing in it that was not cleared.
    ///
    /// # Errors
    /// As [`Consent::review`].
    pub fn check(&self, url: &Url, headers: &[Header], body: &[u8]) -> Result<(), Objection> {
        if url.origin() != self.url.origin() {
            return Err(Objection::elsewhere(url));
        }
        self.examine(url, headers, &[body], &Reason::Changed)
    }

    fn examine(
        &self,
        url: &Url,
        headers: &[Header],
        texts: &[&[u8]],
        reason: &Reason,
    ) -> Result<(), Objection> {
        let found = find_secrets(&self.secrets, url, headers, texts);
        let refused: Vec<_> =
            found.into_iter().filter(|(part, secret)| !self.rule.allows(part, secret)).collect();
        match refused.is_empty() {
            true => Ok(()),
            false => Err(Objection::new(url, refused, reason.clone())),
        }
    }
}

impl PartialEq for Cleared {
    /// The paths below one destination make no difference.
    fn eq(&self, other: &Self) -> bool {
        self.url.origin() == other.url.origin()
            && self.address == other.address
            && self.rule == other.rule
    }
}

impl Eq for Cleared {}

impl Rule {
    fn allows(&self, part: &Part, secret: &FoundSecret) -> bool {
        let agreed = self.trusted.iter().any(|kinds| kinds.include(&secret.0));
        match part {
            // Whoever is asked where a host is would learn its name.
            Part::Host => false,
            _ if self.is_own || agreed => true,
            Part::Header(name) => self.owner.as_ref().is_some_and(|owner| {
                let is_key_header = owner.headers.iter().any(|own| own.eq_ignore_ascii_case(name));
                is_key_header && is_own(owner, secret)
            }),
            _ => false,
        }
    }

    /// Headers that stand in no file of the project are the person's, whatever they hold.
    fn allows_supplied(&self, outgoing: &Outgoing<'_>, reason: Reason) -> Result<(), Objection> {
        let names: BTreeSet<String> = outgoing.supplied.iter().cloned().collect();
        let agreed = |name: &String| {
            let one = BTreeSet::from([name.clone()]);
            self.trusted.iter().any(|kinds| kinds.include(&one))
        };
        if self.is_own || self.owner.is_some() || names.iter().all(agreed) {
            return Ok(());
        }
        let part = Part::Header("header".to_owned());
        let refused = names.into_iter().map(|name| FoundSecret(BTreeSet::from([name])));
        let refused = refused.map(|secret| (part.clone(), secret)).collect();
        Err(Objection::new(outgoing.url, refused, reason))
    }
}

impl Kinds {
    /// One of a secret's names is among them.
    fn include(&self, names: &BTreeSet<String>) -> bool {
        match self {
            Self::All => true,
            Self::Named(agreed) => !agreed.is_disjoint(names),
        }
    }
}

/// Returns whether every machine means itself by this host.
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
